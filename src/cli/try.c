/* postern try: what the gate would do with a client, by the machine itself, without a connection. */
#include "cli/explain.h"

#include "base/arena.h"
#include "base/text.h"
#include "cli/try.h"
#include "core/finding.h"
#include "core/override.h"
#include "io/store.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define MESSAGE_MAX (64u << 20)
#define LEVEL       4
#define PORT        40000 /* of the client: any */

/* A mistake of the command line was told. */
static bool usage(int status)
{
    return status == CLI_OK;
}

/* --- what is asked ------------------------------------------------------------------------------------- */

static bool is_path(struct slice path)
{
    return slice_is_utf8(path) && slice_find(path, '\r') == SLICE_NOT_FOUND &&
           slice_find(path, '\n') == SLICE_NOT_FOUND;
}

/* "<joe@example.org>" or without the brackets. */
static struct slice path_of(const char *text)
{
    const struct slice path = slice_text(text);

    if (slice_starts(path, SLICE("<")) && path.at[path.len - 1] == '>')
        return slice_of(path.at + 1, path.len - 2);
    return path;
}

static bool read_client(struct try *try)
{
    const char *text = cli_option(try->cli, "client");

    if (!text)
        return usage(cli_fail_usage(try->cli, "who is the client? expected --client ADDRESS"));
    if (address_parse(slice_text(text), &try->client)) {
        try->client.port = PORT;
        return true;
    }
    return usage(
        cli_fail_usage(try->cli, "--client cannot be \"%s\": expected an address, such as 192.0.2.7", text));
}

/* Who says no name calls itself by its address (RFC 5321 section 4.1.3). */
static bool read_helo(struct try *try)
{
    const char *text = cli_option(try->cli, "helo"), *six = "";
    char address[ADDRESS_TEXT_SIZE];

    try->helo = slice_text(text);
    if (text && slice_is_printable(try->helo) && try->helo.len)
        return true;
    if (text)
        return usage(cli_fail_usage(try->cli, "--helo cannot be \"%s\": expected a name", text));
    if (try->client.family == ADDRESS_IPV6)
        six = "IPv6:";
    (void)address_print(&try->client, address);
    try->helo = arena_format(&try->arena, "[%s%s]", six, address);
    return true;
}

static bool read_envelope(struct try *try)
{
    const char *sender = cli_option(try->cli, "mail"), *recipient;

    try->has_sender = sender;
    try->sender = path_of(sender ? sender : "");
    if (!is_path(try->sender))
        return usage(cli_fail_usage(try->cli, "--mail wants an address, or \"<>\""));
    for (size_t i = 0; (recipient = cli_option_each(try->cli, "rcpt", i)); i++) {
        if (i == TRY_RECIPIENTS || !is_path(path_of(recipient)) || !recipient[0])
            return usage(
                cli_fail_usage(try->cli, "--rcpt wants an address, %d times at most", TRY_RECIPIENTS));
        try->recipients[try->recipient_count++].address = path_of(recipient);
    }
    if (try->recipient_count && !try->has_sender)
        return usage(cli_fail_usage(try->cli, "--rcpt needs a sender: expected --mail ADDRESS with it"));
    if (cli_option(try->cli, "message") && !try->recipient_count)
        return usage(cli_fail_usage(try->cli, "--message needs --mail and --rcpt with it"));
    return true;
}

static bool read_octets(FILE *in, struct buf *buf)
{
    char *room;
    size_t got;

    while ((room = buf_room(buf, 65536)) && (got = fread(room, 1, 65536, in)) > 0)
        buf_grow(buf, got);
    return room && !ferror(in);
}

static bool read_message(struct try *try)
{
    const char *file = cli_option(try->cli, "message");

    if (!file)
        return true;
    FILE *in = slice_equal(slice_text(file), SLICE("-")) ? stdin : fopen(file, "rb");
    const bool fine = in && read_octets(in, &try->message);
    if (!fine)
        (void)cli_fail(try->cli, "cannot read %s: %s", file, strerror(in ? EFBIG : errno));
    if (in && in != stdin)
        (void)fclose(in);
    try->has_message = fine;
    return fine;
}

/* --- the dialogue -------------------------------------------------------------------------------------- */

static unsigned code_of(struct slice reply)
{
    uint64_t code = 0;

    (void)text_parse_u64(slice_head(reply, 3), &code);
    return (unsigned)code;
}

/* The last reply counts as what came of it all, until there is a refusal. */
static unsigned hear(struct try *try)
{
    const struct slice reply = arena_copy(&try->arena, trial_hear(try->trial));

    try->heard = reply;
    return code_of(reply);
}

static unsigned say(struct try *try, const char *before, struct slice text, const char *behind)
{
    if (trial_is_over(try->trial))
        return 0;
    trial_say(try->trial, arena_format(&try->arena, "%s%.*s%s\r\n", before, SLICE_ARGS(text), behind));
    return hear(try);
}

static unsigned say_message(struct try *try)
{
    if (say(try, "DATA", SLICE_NONE, "") != 354)
        return code_of(try->heard);
    trial_say_content(try->trial, buf_slice(&try->message));
    return hear(try);
}

static void say_recipients(struct try *try)
{
    for (size_t i = 0; i < try->recipient_count; i++) {
        struct try_recipient *recipient = &try->recipients[i];
        recipient->code = say(try, "RCPT TO:<", recipient->address, ">");
        recipient->reply = try->heard;
        try->accepted += recipient->code / 100 == 2;
    }
}

static bool greet(struct try *try)
{
    const unsigned banner = hear(try);

    if (banner != 220)
        return false;
    if (say(try, "EHLO ", try->helo, "") / 100 == 2)
        return true;
    return say(try, "HELO ", try->helo, "") / 100 == 2;
}

/* Each step only where the one before went well: that which did not is what came of it. */
static void converse(struct try *try)
{
    bool goes_on = greet(try);

    if (goes_on && try->has_sender)
        goes_on = say(try, "MAIL FROM:<", try->sender, ">") / 100 == 2;
    if (goes_on)
        say_recipients(try);
    if (goes_on && try->recipient_count)
        goes_on = try->accepted;
    if (goes_on && try->has_message)
        goes_on = say_message(try) / 100 == 2;
    try->passed = goes_on;
    try->reply = try->heard;
    (void)say(try, "QUIT", SLICE_NONE, "");
    trial_leave(try->trial);
}

/* --- all of it ----------------------------------------------------------------------------------------- */

/* As if the client had proved itself in earlier sessions: an override of the configuration says the same. */
static void make_known(struct try *try)
{
    struct site *site = try->site;
    struct override *all = arena_take(&site->arena, (site->override_count + 1) * sizeof *all);
    struct override *known = &all[site->override_count];

    if (site->override_count)
        memcpy(all, site->overrides, site->override_count * sizeof *all);
    known->name = SLICE("--known");
    known->known = true;
    known->networks.items = arena_take(&site->arena, sizeof *known->networks.items);
    known->networks.items[0] = (struct prefix){try->client, try->client.family == ADDRESS_IPV6 ? 128 : 32};
    known->networks.count = 1;
    site->overrides = all;
    site->override_count++;
}

/* Where it cannot be read the client counts as one that was never here: that is told. */
static void open_store(struct try *try)
{
    const struct slice folder = arena_join(&try->arena, try->site->set.state_directory, SLICE("/store"));
    const struct store_lmdb_settings settings = {.folder = folder};

    if (!cli_option(try->cli, "stranger"))
        try->store_stays = store_lmdb_open(&settings, &try->store, &try->store_trouble) == 0;
    if (!try->store_stays)
        try->store = store_memory_new();
}

static void run_trial(struct try *try, int level)
{
    struct timespec now;
    struct history history;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    try->trial = trial_new(&(struct trial_settings){
        .site = try->site,
        .peer = try->client,
        .unix_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000,
        .answer = try_answer,
        .data = try,
        .lookups = try->lookups,
        .store = try->store,
        .store_stays = try->store_stays,
    });
    converse(try);
    history_init(&history, 0);
    history_add(&history, trial_records(try->trial));
    try_show(try, &history);
    if (level && !try->cli->json) {
        cli_print("\n");
        explain_log(try->cli, &history, level);
    }
    history_drop(&history);
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct try try = {.cli = cli};
    struct error error = {0};
    uint64_t level;
    int status = CLI_USAGE;

    (void)argc;
    (void)argv;
    arena_init(&try.arena, NULL, 0);
    buf_init(&try.message, MESSAGE_MAX);
    const bool wanted = cli_option_number(cli, "level", cli_option(cli, "log") ? LEVEL : 0, &level) &&
                        read_client(&try) && read_helo(&try) && read_envelope(&try) && try_facts(&try);
    if (wanted && level > 5)
        (void)cli_fail_usage(cli, "--level goes from 1 to 5");
    else if (wanted)
        status = read_message(&try) ? CLI_OK : CLI_FAILED;
    if (status == CLI_OK && !(try.site = cli_site(cli)))
        status = CLI_CONFIG;
    if (status == CLI_OK && cli_option(cli, "known"))
        make_known(&try);
    if (status == CLI_OK && !(try.lookups = lookups_open(try.site, cli_option(cli, "dns"), &error)))
        status = cli_fail(cli, "%s", error.text);
    if (status == CLI_OK) {
        open_store(&try);
        run_trial(&try, (int)level);
    }
    trial_free(try.trial);
    store_close(try.store);
    lookups_close(try.lookups);
    site_free(try.site);
    buf_drop(&try.message);
    arena_drop(&try.arena);
    return status;
}

static const struct cli_option options[] = {
    {0, "client", "ADDRESS", "who would connect; the one option that must be there"},
    {0, "ptr", "NAME", "the confirmed name of that address; none: it has none"},
    {0, "helo", "NAME", "what it would call itself; else its address in brackets"},
    {0, "mail", "ADDRESS", "the sender; \"<>\" for the null sender"},
    {0, "rcpt", "ADDRESS", "a recipient; as often as there are some"},
    {0, "message", "FILE", "the message; - for standard input"},
    {0, "known", NULL, "as if the client had proved itself before"},
    {0, "stranger", NULL, "as if it had never been here: the store is not read"},
    {0, "dns", NULL, "ask name servers and blocklists, as the gate would"},
    {0, "fact", "FACT", "an answer: \"KIND KEY = STATUS [VALUE]\", as in scripts of play"},
    {0, "log", NULL, "show the session's log, too"},
    {'l', "level", "N", "how much of it, as for explain; implies --log"},
    {0, NULL, NULL, NULL},
};

const struct cli_command command_try = {
    .name = "try",
    .run = run,
    .summary = "tell what the gate would do with a client, and why",
    .arguments = "",
    .options = options,
    .help = "A session with this configuration, in this command alone: no gate need run,\n"
            "nothing is sent, stored or remembered, and without --dns nobody is asked. What\n"
            "the gate would do comes out with the sum of the weights and the share of each\n"
            "finding; what could not be judged, because nobody was asked, is told, too.\n"
            "Without --mail the session ends behind HELO, without --message behind the\n"
            "recipients.\n"
            "\n"
            "What the gates remember of the client counts, as far as the store can be read by\n"
            "whoever asks; nothing is added to it. Where its address belongs is looked up in\n"
            "the files of origin.file, and with --dns in zones. Recipients are looked up in\n"
            "the configuration; those of an inner server count as existing. --fact gives an\n"
            "answer that would come from elsewhere: KIND is one of postern-questions(7), * in\n"
            "KEY stands for anything, and STATUS is found, none or failed.\n"
            "\n"
            "The exit status is 0 whatever the gate would do.\n",
    .examples =
        "postern try --client 192.0.2.7 --mail a@example.org --rcpt joe@demo.example\n"
        "postern try --client 192.0.2.7 --ptr none --fact \"mx example.org = none\" --mail a@example.org\n",
};
