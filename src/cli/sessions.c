/* postern sessions: the sessions that ended, the newest first, and those that end from now on. */
#include "cli/journal_files.h"

#include "base/text.h"
#include "core/finding.h"
#include "journal/reader.h"
#include "journal/search.h"
#include "journal/summary.h"
#include "journal/words.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define LIMIT      20
#define JSON_MAX   (4u * 1024u * 1024u)
#define RESULT_MAX 60 /* columns of what came of it */

struct wanted {
    struct prefix client;
    bool has_client;
    struct slice ptr, helo, from, to;
    enum finding finding; /* 0: any */
    int verdict;          /* -1: any */
    int64_t since_us, until_us;
};

struct run {
    const struct cli *cli;
    struct wanted wanted;
    char folder[JOURNAL_FOLDER_SIZE];
    struct cli_table *table; /* made with its first row */
    bool follows;            /* rows are printed as they come */
    uint64_t shown;
};

/* --- what is wanted ------------------------------------------------------------------------------------ */

static bool wanted_client(const struct cli *cli, struct wanted *wanted)
{
    const char *text = cli_option(cli, "client");

    wanted->has_client = text != NULL;
    if (!text || prefix_parse(slice_text(text), &wanted->client))
        return true;
    (void)cli_fail_usage(
        cli, "--client cannot be \"%s\": expected an address, or a network such as 192.0.2.0/24", text);
    return false;
}

static bool wanted_finding(const struct cli *cli, struct wanted *wanted)
{
    const char *text = cli_option(cli, "finding");

    if (!text || finding_parse(slice_text(text), &wanted->finding))
        return true;
    (void)cli_fail_usage(cli, "there is no finding \"%s\"", text);
    return false;
}

static bool wanted_verdict(const struct cli *cli, struct wanted *wanted)
{
    const char *text = cli_option(cli, "verdict");

    wanted->verdict = -1;
    for (int i = 0; text && i <= ACTION_TRAP; i++)
        if (strcmp(text, journal_verdict_word((uint64_t)i)) == 0)
            wanted->verdict = i;
    if (!text || wanted->verdict >= 0)
        return true;
    (void)cli_fail_usage(
        cli, "--verdict cannot be \"%s\": expected pass, slow, defer, discard, reject, trap or drop", text);
    return false;
}

static bool wanted_parse(const struct cli *cli, struct wanted *wanted)
{
    *wanted = (struct wanted){
        .ptr = slice_text(cli_option(cli, "ptr")),
        .helo = slice_text(cli_option(cli, "helo")),
        .from = slice_text(cli_option(cli, "from")),
        .to = slice_text(cli_option(cli, "to")),
    };
    return wanted_client(cli, wanted) && wanted_finding(cli, wanted) && wanted_verdict(cli, wanted) &&
           journal_option_time(cli, "since", INT64_MIN, &wanted->since_us) &&
           journal_option_time(cli, "until", INT64_MAX, &wanted->until_us);
}

/* Whether the part stands in the text, without regard to case. */
static bool contains(struct slice text, struct slice part)
{
    if (!part.len)
        return true;
    for (; text.len >= part.len; text = slice_from(text, 1))
        if (slice_starts_fold(text, part))
            return true;
    return false;
}

/* What the end alone can tell: most sessions are passed over by it, unread. */
static bool end_matches(const struct wanted *wanted, const struct event *ended)
{
    const struct event_session_ended *body = &ended->body.session_ended;

    if (ended->stamp.unix_us > wanted->until_us)
        return false;
    if (wanted->has_client && !prefix_contains(&wanted->client, &body->peer))
        return false;
    return contains(body->ptr, wanted->ptr) && contains(body->helo, wanted->helo);
}

static bool any_contains(const struct slice *list, size_t count, struct slice part)
{
    for (size_t i = 0; i < count; i++)
        if (contains(list[i], part))
            return true;
    return !part.len;
}

static bool has_sender(const struct history *history, struct slice part)
{
    for (size_t i = 0; i < history->count && part.len; i++)
        if (history->events[i].kind == EVENT_KIND_mail_started &&
            contains(history->events[i].body.mail_started.sender, part))
            return true;
    return !part.len;
}

static bool has_finding(const struct history *history, enum finding finding)
{
    for (size_t i = 0; i < history->count && finding; i++)
        if (history->events[i].kind == EVENT_KIND_finding &&
            history->events[i].body.finding.finding == finding)
            return true;
    return !finding;
}

static bool session_matches(const struct wanted *wanted, const struct history *history,
                            const struct summary *summary)
{
    if (wanted->verdict >= 0 && summary->verdict != (uint64_t)wanted->verdict)
        return false;
    return has_sender(history, wanted->from) && has_finding(history, wanted->finding) &&
           any_contains(summary->recipients, summary->recipient_count, wanted->to);
}

/* --- rows ---------------------------------------------------------------------------------------------- */

static const char *const heads[] = {"SESSION", "TIME",    "CLIENT", "HELO", "FROM",
                                    "TO",      ">OCTETS", "RESULT", NULL};

/* "accepted", "2 of 3 accepted", a refusal, or how it went away. */
static struct slice result_of(const struct summary *summary, struct arena *arena)
{
    if (summary->accepted && summary->accepted == summary->tried)
        return summary->accepted == 1
                   ? SLICE("accepted")
                   : arena_format(arena, "%llu accepted", (unsigned long long)summary->accepted);
    if (summary->accepted)
        return arena_format(arena, "%llu of %llu accepted", (unsigned long long)summary->accepted,
                            (unsigned long long)summary->tried);
    if (summary->reply.len)
        return slice_head(summary->reply, RESULT_MAX);
    return summary->ended ? slice_text(journal_ending_word(summary->why)) : SLICE("open");
}

static void cells_make(const struct summary *summary, struct arena *arena, struct slice cells[8])
{
    char id[EVENT_ID_SIZE], time[JOURNAL_TIME_SIZE], address[ADDRESS_TEXT_SIZE];

    event_id_print(summary->session, id);
    (void)address_print(&summary->peer, address);
    cells[0] = arena_copy(arena, slice_text(id));
    cells[1] = arena_copy(arena, journal_time(summary->began_us, time));
    cells[2] = arena_copy(arena, slice_text(address));
    cells[3] = slice_head(summary->helo, 40);
    cells[4] = summary->has_sender ? arena_format(arena, "<%.*s>", SLICE_ARGS(summary->sender)) : SLICE_NONE;
    cells[5] = SLICE_NONE;
    if (summary->recipient_count == 1)
        cells[5] = arena_format(arena, "<%.*s>", SLICE_ARGS(summary->recipients[0]));
    else if (summary->recipient_count)
        cells[5] = arena_format(arena, "<%.*s> +%zu", SLICE_ARGS(summary->recipients[0]),
                                summary->recipient_count - 1);
    cells[6] = arena_format(arena, "%llu", (unsigned long long)summary->octets);
    cells[7] = result_of(summary, arena);
}

static void row_show(struct run *run, const struct summary *summary, struct arena *arena)
{
    struct slice cells[8];

    cells_make(summary, arena, cells);
    if (!run->follows && !run->table)
        run->table = cli_table_new(heads);
    for (size_t i = 0; i < 8 && run->table; i++)
        cli_table_add(run->table, cells[i]);
    for (size_t i = 0; i < 8 && run->follows; i++) {
        cli_print_text(cells[i]);
        cli_print(i < 7 ? "  " : "\n");
    }
}

static void session_show(struct run *run, const struct history *history)
{
    struct arena arena;
    struct summary summary;
    struct buf out;

    arena_init(&arena, NULL, 0);
    summary_make(history, &arena, &summary);
    if (session_matches(&run->wanted, history, &summary)) {
        run->shown++;
        if (run->cli->json) {
            buf_init(&out, JSON_MAX);
            summary_json(&summary, SLICE_NONE, &out);
            cli_print_line(&out);
            buf_drop(&out);
        } else {
            row_show(run, &summary, &arena);
        }
    }
    arena_drop(&arena);
}

/* --- looking back -------------------------------------------------------------------------------------- */

static void look_back(struct run *run, struct search *search, uint64_t limit)
{
    struct event ended;
    struct history history;

    while (run->shown < limit && search_next(search, &ended)) {
        if (ended.stamp.unix_us < run->wanted.since_us)
            break;
        if (!end_matches(&run->wanted, &ended))
            continue;
        history_init(&history, ended.stamp.session);
        search_history(search, &history);
        session_show(run, &history);
        history_drop(&history);
    }
}

static int nothing_found(const struct run *run, const struct search *search)
{
    struct search_counts counts;

    search_counts(search, &counts);
    if (counts.unreadable)
        return journal_fail(run->cli, run->folder, &counts.error);
    if (!counts.files)
        return cli_fail(run->cli, "the journal in %s is empty", run->folder);
    return cli_fail(run->cli, "no session is like that");
}

static int list(struct run *run, uint64_t limit)
{
    struct search *search;
    struct error error = {0};

    if (search_open(run->folder, &search, &error) < 0)
        return journal_fail(run->cli, run->folder, &error);
    look_back(run, search, limit);
    if (run->table)
        cli_table_end(run->table, run->cli);
    const int status = run->shown ? CLI_OK : nothing_found(run, search);
    search_close(search);
    return status;
}

/* --- looking on ---------------------------------------------------------------------------------------- */

static void take_ended(struct run *run, const struct event *ended)
{
    struct history history;

    if (!end_matches(&run->wanted, ended))
        return;
    history_init(&history, ended->stamp.session);
    if (history_load(&history, run->folder, NULL) == 0)
        session_show(run, &history);
    history_drop(&history);
}

/* Until it is interrupted, or nobody reads what is printed. */
static int follow(struct run *run)
{
    struct journal_reader_settings settings = {.folder = run->folder, .from = JOURNAL_FROM_END};
    struct journal_reader *reader;
    struct journal_item item;
    struct error error = {0};

    if (journal_reader_open(&settings, &reader, &error) < 0)
        return journal_fail(run->cli, run->folder, &error);
    while (!ferror(stdout)) {
        struct pollfd wait = {.fd = journal_reader_fd(reader), .events = POLLIN};
        (void)fflush(stdout);
        (void)poll(&wait, 1, 1000);
        journal_reader_look(reader);
        while (journal_reader_next(reader, &item))
            if (item.event.kind == EVENT_KIND_session_ended)
                take_ended(run, &item.event);
    }
    journal_reader_close(reader);
    return CLI_OK;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct run run = {.cli = cli};
    uint64_t limit;

    (void)argc;
    (void)argv;
    if (!wanted_parse(cli, &run.wanted) || !cli_option_number(cli, "limit", LIMIT, &limit))
        return CLI_USAGE;
    const int status = journal_folder(cli, run.folder);
    if (status != CLI_OK)
        return status;
    run.follows = cli_option(cli, "follow") != NULL;
    return run.follows ? follow(&run) : list(&run, limit);
}

static const struct cli_option options[] = {
    {0, "client", "ADDRESS", "of this address, or of a network: 192.0.2.0/24"},
    {0, "ptr", "TEXT", "whose confirmed name has this in it"},
    {0, "helo", "TEXT", "whose HELO name has this in it"},
    {0, "from", "TEXT", "with this in a sender"},
    {0, "to", "TEXT", "with this in a recipient, refused or not"},
    {0, "finding", "WORD", "with this finding"},
    {0, "verdict", "WORD", "with this verdict: pass, slow, defer, discard, reject, trap, drop"},
    {0, "since", "TIME", "that ended since: 2h (ago), or a date"},
    {0, "until", "TIME", "that ended before"},
    {'n', "limit", "N", "at most N of them; default 20"},
    {'f', "follow", NULL, "show those that end from now on"},
    {0, NULL, NULL, NULL},
};

const struct cli_command command_sessions = {
    .name = "sessions",
    .run = run,
    .summary = "list the sessions that ended, the newest first",
    .arguments = "",
    .options = options,
    .help = "Each line is a session: its id, when it began, who the client was, what it\n"
            "called itself, the first message's sender and recipient, the octets it sent,\n"
            "and what came of it: its messages were accepted, or its last refusal. Texts\n"
            "are found anywhere in an address or name, whatever the case of letters.\n"
            "postern explain ID tells the whole of one.\n",
    .examples = "postern sessions --since 2h --to joe@example.org\n"
                "postern sessions --client 192.0.2.0/24 --finding relay-denied --json\n",
};
