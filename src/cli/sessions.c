/* postern sessions: the sessions that ended, the newest first, and those that end from now on. */
#include "cli/journal_files.h"

#include "base/text.h"
#include "core/finding.h"
#include "journal/finder.h"
#include "journal/reader.h"
#include "journal/summary.h"
#include "journal/words.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LIMIT      20
#define JSON_MAX   (4u * 1024u * 1024u)
#define RESULT_MAX 60 /* columns of what came of it */

struct run {
    const struct cli *cli;
    struct finder_settings wanted;
    char folder[JOURNAL_FOLDER_SIZE], history[JOURNAL_FOLDER_SIZE];
    struct cli_table *table; /* made with its first row */
    bool follows;            /* rows are printed as they come */
    uint64_t shown;
    time_t began;
};

/* --- what is wanted ------------------------------------------------------------------------------------ */

static bool add_client(const struct cli *cli, struct filter *filter)
{
    const char *text = cli_option(cli, "client");
    struct prefix network;

    if (!text || (prefix_parse(slice_text(text), &network) && filter_add_network(filter, &network)))
        return true;
    (void)cli_fail_usage(
        cli, "--client cannot be \"%s\": expected an address, or a network such as 192.0.2.0/24", text);
    return false;
}

static bool add_text(const struct cli *cli, struct filter *filter, const char *option, enum trait kind)
{
    const char *text = cli_option(cli, option);

    if (!text || filter_add_text(filter, kind, slice_text(text)))
        return true;
    (void)cli_fail_usage(cli, "--%s cannot be \"%s\": expected %s", option, text,
                         kind == TRAIT_PTR || kind == TRAIT_HELO
                             ? "a name, or a part of one between asterisks"
                             : "a mailbox, a domain, or <>");
    return false;
}

static bool add_finding(const struct cli *cli, struct filter *filter)
{
    const char *text = cli_option(cli, "finding");
    enum finding finding;

    if (!text || (finding_parse(slice_text(text), &finding) &&
                  filter_add_number(filter, TRAIT_FINDING, (uint64_t)finding)))
        return true;
    (void)cli_fail_usage(cli, "there is no finding \"%s\"", text);
    return false;
}

static bool add_verdict(const struct cli *cli, struct filter *filter)
{
    const char *text = cli_option(cli, "verdict");

    if (!text)
        return true;
    for (int i = 0; i <= ACTION_TRAP; i++)
        if (strcmp(text, journal_verdict_word((uint64_t)i)) == 0)
            return filter_add_number(filter, TRAIT_VERDICT, (uint64_t)i);
    (void)cli_fail_usage(
        cli, "--verdict cannot be \"%s\": expected pass, slow, defer, discard, reject, trap or drop", text);
    return false;
}

/* "82", or as it stands in a reply, "#82". */
static bool add_reply(const struct cli *cli, struct filter *filter)
{
    const char *text = cli_option(cli, "reply");
    uint64_t number;

    if (!text)
        return true;
    const struct slice digits = slice_from(slice_text(text), text[0] == '#');
    if (text_parse_u64(digits, &number) && filter_add_number(filter, TRAIT_REPLY, number))
        return true;
    (void)cli_fail_usage(cli, "--reply cannot be \"%s\": expected a reply's number, such as 82", text);
    return false;
}

/* A campaign is named as a session is. */
static bool add_campaign(const struct cli *cli, struct filter *filter)
{
    const char *text = cli_option(cli, "campaign");
    uint64_t campaign;

    if (!text || (event_id_parse(slice_text(text), &campaign) && filter_add_campaign(filter, campaign)))
        return true;
    (void)cli_fail_usage(cli, "--campaign cannot be \"%s\": expected a campaign's 13 letters and digits",
                         text);
    return false;
}

static bool wanted_parse(const struct cli *cli, struct filter *filter)
{
    filter_init(filter);
    return add_client(cli, filter) && add_text(cli, filter, "ptr", TRAIT_PTR) &&
           add_text(cli, filter, "helo", TRAIT_HELO) && add_text(cli, filter, "from", TRAIT_SENDER) &&
           add_text(cli, filter, "to", TRAIT_RECIPIENT) && add_finding(cli, filter) &&
           add_verdict(cli, filter) && add_reply(cli, filter) && add_campaign(cli, filter) &&
           journal_option_time(cli, "since", INT64_MIN, &filter->since_us) &&
           journal_option_time(cli, "until", INT64_MAX, &filter->until_us);
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
    run->shown++;
    if (run->cli->json) {
        buf_init(&out, JSON_MAX);
        summary_json(&summary, SLICE_NONE, &out);
        cli_print_line(&out);
        buf_drop(&out);
    } else {
        row_show(run, &summary, &arena);
    }
    arena_drop(&arena);
}

/* --- looking back -------------------------------------------------------------------------------------- */

/* A session whose part of the journal is gone meanwhile is passed over. */
static void look_back(struct run *run, struct finder *finder, uint64_t limit)
{
    struct day_hit hit;
    struct history history;

    while (run->shown < limit && finder_next(finder, &hit)) {
        history_init(&history, hit.session);
        if (finder_history(finder, &history))
            session_show(run, &history);
        history_drop(&history);
    }
}

static void count_show(struct run *run, struct finder *finder)
{
    const unsigned long long count = finder_count(finder);

    run->shown = 1;
    cli_print(run->cli->json ? "{\"count\":%llu}\n" : "%llu\n", count);
}

static int nothing_found(const struct run *run, const struct finder_state *state)
{
    if (state->unreadable)
        return journal_fail(run->cli, run->folder, &state->error);
    if (!state->files)
        return cli_fail(run->cli, "the journal in %s is empty", run->folder);
    return cli_fail(run->cli, "no session is like that");
}

/* A damaged day is the archivist's to mend: it is told of it, where it runs. */
static void incomplete_tell(struct run *run, const struct finder_state *state)
{
    char name[DAY_NAME_SIZE];

    if (state->has_damaged) {
        day_name_print(state->damaged_day, name);
        journal_history_check(run->cli, name);
    }
    if (state->incomplete)
        (void)cli_fail(run->cli,
                       "%u %s of the history cannot be searched: the archivist makes %s anew from the "
                       "journal, see postern history",
                       state->incomplete, state->incomplete == 1 ? "day" : "days",
                       state->incomplete == 1 ? "it" : "them");
}

/* Most searches are over before anybody could read it. */
static void looked(void *data, size_t days, size_t all)
{
    const struct run *run = data;

    if (!run->cli->json && time(NULL) > run->began + 1)
        cli_progress("looked into the history", days, all);
}

static int list(struct run *run, uint64_t limit)
{
    struct finder *finder;
    struct finder_state state;
    struct error error = {0};

    run->wanted.journal = run->folder;
    run->wanted.history = run->history;
    run->wanted.limit = limit;
    run->wanted.looked = looked;
    run->wanted.data = run;
    run->began = time(NULL);
    if (finder_open(&run->wanted, &finder, &error) < 0)
        return journal_fail(run->cli, run->folder, &error);
    if (cli_option(run->cli, "count"))
        count_show(run, finder);
    else
        look_back(run, finder, limit);
    cli_progress_end();
    if (run->table)
        cli_table_end(run->table, run->cli);
    finder_state(finder, &state);
    incomplete_tell(run, &state);
    const int status = run->shown ? CLI_OK : nothing_found(run, &state);
    finder_close(finder);
    return status;
}

/* --- looking on ---------------------------------------------------------------------------------------- */

static void take_ended(struct run *run, const struct event *ended)
{
    struct history history;
    struct traits traits;

    if (!filter_end_matches(&run->wanted.filter, ended))
        return;
    history_init(&history, ended->stamp.session);
    traits_init(&traits, ended->stamp.session);
    if (history_load(&history, run->folder, NULL) == 0) {
        for (size_t i = 0; i < history.count; i++)
            if (history.events[i].stamp.session == history.session)
                traits_take(&traits, &history.events[i]);
        if (filter_matches(&run->wanted.filter, &traits))
            session_show(run, &history);
    }
    traits_drop(&traits);
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
    if (!wanted_parse(cli, &run.wanted.filter) || !cli_option_number(cli, "limit", LIMIT, &limit))
        return CLI_USAGE;
    const int status = journal_folder(cli, run.folder);
    if (status != CLI_OK)
        return status;
    journal_history_folder(run.folder, run.history);
    run.follows = cli_option(cli, "follow") != NULL;
    return run.follows ? follow(&run) : list(&run, limit);
}

static const struct cli_option options[] = {
    {0, "client", "ADDRESS", "of this address, or of a network: 192.0.2.0/24"},
    {0, "ptr", "NAME", "whose confirmed name is this, or one below it"},
    {0, "helo", "NAME", "whose HELO name is this, or one below it"},
    {0, "from", "MAILBOX", "with this sender, or a sender of this domain"},
    {0, "to", "MAILBOX", "with this recipient, refused or not, or one of this domain"},
    {0, "finding", "WORD", "with this finding"},
    {0, "verdict", "WORD", "with this verdict: pass, slow, defer, discard, reject, trap, drop"},
    {0, "reply", "N", "that got the negative reply with this number"},
    {0, "campaign", "ID", "that belong to this campaign"},
    {0, "since", "TIME", "that ended since: 2h (ago), or a date"},
    {0, "until", "TIME", "that ended before"},
    {'n', "limit", "N", "at most N of them; default 20"},
    {0, "count", NULL, "only say how many there are"},
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
            "and what came of it: its messages were accepted, or its last refusal.\n"
            "\n"
            "example.org stands for the name and all names below it, or for the mailboxes of\n"
            "that domain and of those below it; joe@example.org for one mailbox; <> for the\n"
            "null sender; * for anything, as in *joe*; a word without dot and @ is found\n"
            "anywhere. The case of letters does not matter.\n"
            "\n"
            "What the archivist has put into the history is found at once, however large the\n"
            "journal is; what it has not yet is looked for in the journal itself. postern\n"
            "explain ID tells the whole of one session.\n",
    .examples = "postern sessions --since 2h --to joe@example.org\n"
                "postern sessions --client 192.0.2.0/24 --finding relay-denied --json\n"
                "postern sessions --ptr dynamic.example --verdict reject --since 7d --count\n",
};
