/* postern history: the days by which sessions are found: listed, verified, made anew. */
#include "cli/journal_files.h"

#include "journal/archive.h"
#include "journal/day.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_A_TURN 20000
#define POLL_NS       200000000L
#define ASK_MS        60000

struct run {
    const struct cli *cli;
    char journal[JOURNAL_FOLDER_SIZE], history[JOURNAL_FOLDER_SIZE];
};

/* --- list and verify ----------------------------------------------------------------------------------- */

static uint64_t octets_of(const struct run *run, int64_t day)
{
    static const char *const ends[] = {"", "-wal"};
    char path[4096], one[4120];
    struct stat stat_of;
    uint64_t octets = 0;

    day_path(run->history, day, path);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        (void)snprintf(one, sizeof one, "%s%s", path, ends[i]);
        if (stat(one, &stat_of) == 0)
            octets += (uint64_t)stat_of.st_size;
    }
    return octets;
}

static const char *state_word(enum day_status status, const struct day_state *state)
{
    if (status != DAY_GOOD)
        return status == DAY_DAMAGED ? "damaged" : "unreadable";
    if (state->repair)
        return "made-anew";
    return state->open ? "open" : "settled";
}

static void day_json(const char *name, const struct day_state *state, uint64_t octets, const char *word)
{
    cli_print("{\"day\":\"%.10s\",\"sessions\":%llu,\"octets\":%llu,\"state\":\"%s\"}\n", name,
              (unsigned long long)state->sessions, (unsigned long long)octets, word);
}

static int day_list_one(struct run *run, struct cli_table *table, int64_t day, bool verify)
{
    char name[DAY_NAME_SIZE];
    struct day_state state = {.day = day};
    struct error error = {0};
    enum day_status status = day_read_state(run->history, day, &state, &error);

    if (verify && status == DAY_GOOD && !state.repair)
        status = day_check(run->history, day, &error);
    const char *word = verify && status == DAY_GOOD ? "sound" : state_word(status, &state);
    day_name_print(day, name);
    if (table) {
        cli_table_add(table, slice_head(slice_text(name), 10));
        cli_table_add_number(table, state.sessions);
        cli_table_add_number(table, octets_of(run, day));
        cli_table_add(table, slice_text(word));
    } else {
        day_json(name, &state, octets_of(run, day), word);
    }
    day_state_drop(&state);
    if (status == DAY_GOOD)
        return CLI_OK;
    if (verify && status == DAY_DAMAGED)
        journal_history_check(run->cli, name);
    return journal_fail(run->cli, run->history, &error);
}

static int list(struct run *run, bool verify)
{
    static const char *const heads[] = {"DAY", ">SESSIONS", ">OCTETS", "STATE", NULL};
    struct day_listing days;
    struct error error = {0};
    int status = CLI_OK;

    if (day_list(run->history, &days, &error) < 0)
        return error.number == ENOENT ? cli_fail(run->cli,
                                                 "there is no history in %s: the archivist has not run "
                                                 "with this configuration yet",
                                                 run->history)
                                      : journal_fail(run->cli, run->history, &error);
    struct cli_table *table = run->cli->json ? NULL : cli_table_new(heads);
    for (size_t i = 0; i < days.count; i++) {
        if (verify)
            cli_progress("verify", i, days.count);
        if (day_list_one(run, table, days.days[i], verify) != CLI_OK)
            status = CLI_FAILED;
    }
    cli_progress_end();
    if (table)
        cli_table_end(table, run->cli);
    day_listing_drop(&days);
    return status;
}

/* --- rebuild ------------------------------------------------------------------------------------------- */

struct asked {
    uint64_t behind, total, sessions, gathered;
    bool answered;
};

static uint64_t number_of(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

static void on_status(void *data, struct slice line)
{
    struct asked *asked = data;
    json_t *object = json_loadb(line.at, line.len, 0, NULL);

    asked->behind = number_of(object, "behind");
    asked->total = number_of(object, "total");
    asked->sessions = number_of(object, "sessions");
    asked->gathered = number_of(object, "gathered");
    asked->answered = true;
    json_decref(object);
}

static void progress(uint64_t behind, uint64_t total)
{
    cli_progress("from the journal to the history", total > behind ? total - behind : 0, total);
}

static int ask(const struct run *run, struct slice request, struct asked *asked)
{
    struct site *site = cli_site(run->cli);
    const struct cli_call call = {.socket = "archivist.sock",
                                  .request = request,
                                  .wait_ms = ASK_MS,
                                  .line = on_status,
                                  .data = asked,
                                  .quiet = asked != NULL && asked->answered};
    const int status = site ? cli_call(run->cli, site, &call) : CLI_CONFIG;

    site_free(site);
    return status;
}

/* The archivist does it; this only looks on. */
static int rebuild_asked(struct run *run)
{
    struct asked asked = {.behind = 1};
    uint64_t before = 0;

    int status = ask(run, SLICE("{\"command\":\"rebuild\"}"), &asked);
    while (status == CLI_OK && (asked.behind || asked.gathered)) {
        (void)nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
        status = ask(run, SLICE("{\"command\":\"status\"}"), &asked);
        progress(asked.behind, asked.total);
        if (!asked.gathered && asked.behind && asked.behind == before)
            break; /* a stream ends in the middle of a record: nothing is to come */
        before = asked.behind;
    }
    cli_progress_end();
    return status;
}

/* As root it works as whom the journal belongs to: else the archivist could not write to what it makes. */
static int owner_become(const struct run *run)
{
    struct stat stat_of;

    if (geteuid() != 0 || stat(run->journal, &stat_of) != 0 || stat_of.st_uid == 0)
        return CLI_OK;
    (void)umask(0027);
    if (setegid(stat_of.st_gid) == 0 && seteuid(stat_of.st_uid) == 0)
        return CLI_OK;
    return cli_fail(run->cli, "cannot become the owner of %s", run->journal);
}

static int rebuild_here(struct run *run, struct archive *archive)
{
    struct archive_counts counts;
    struct error error = {0};
    bool more = true;

    if (archive_rebuild(archive, &error) < 0)
        return journal_fail(run->cli, run->history, &error);
    while (more) {
        more = archive_turn(archive, EVENTS_A_TURN);
        archive_counts(archive, &counts);
        progress(counts.behind, counts.total);
        if (counts.refused)
            return journal_fail(run->cli, run->history, &counts.error);
    }
    cli_progress_end();
    if (archive_commit(archive, &error) < 0 || archive_tidy(archive, (int64_t)time(NULL), &error) < 0)
        return journal_fail(run->cli, run->history, &error);
    return CLI_OK;
}

static int rebuild(struct run *run)
{
    struct archive_settings settings = {.journal = run->journal, .history = run->history, .unwatched = true};
    struct archive *archive;
    struct error error = {0};
    int status = owner_become(run);

    if (status != CLI_OK)
        return status;
    if (archive_open(&settings, &archive, &error) == 0) {
        status = rebuild_here(run, archive);
        archive_close(archive);
    } else if (error.number == EAGAIN) {
        status = geteuid() == getuid() || seteuid(getuid()) == 0 ? rebuild_asked(run) : CLI_FAILED;
    } else {
        status = journal_fail(run->cli, run->journal, &error);
    }
    return status;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct run run = {.cli = cli};
    const char *what = argc > 1 ? argv[1] : "list";

    if (strcmp(what, "list") != 0 && strcmp(what, "verify") != 0 && strcmp(what, "rebuild") != 0)
        return cli_fail_usage(cli, "\"%s\" is not known here: expected list, verify or rebuild", what);
    const int status = journal_folder(cli, run.journal);
    if (status != CLI_OK)
        return status;
    journal_history_folder(run.journal, run.history);
    if (strcmp(what, "rebuild") == 0)
        return rebuild(&run);
    return list(&run, strcmp(what, "verify") == 0);
}

static const struct cli_option options[] = {
    {0, NULL, NULL, NULL},
};

const struct cli_command command_history = {
    .name = "history",
    .run = run,
    .summary = "list, verify or make anew the days by which sessions are found",
    .arguments = "[list | verify | rebuild]",
    .arguments_max = 1,
    .options = options,
    .help = "The archivist writes the history from the journal: a file for each day (UTC),\n"
            "by which postern sessions finds what it looks for. list shows the days: open\n"
            "(being written), settled, made-anew (it was damaged, or the program that wrote it\n"
            "was another version), damaged. verify reads them through and fails where one is\n"
            "damaged; the archivist then makes it anew. rebuild makes all of it anew from the\n"
            "journal, with the gate running or not; until it is done sessions are looked for in\n"
            "the journal.\n",
    .examples = "postern history\n"
                "postern history rebuild\n",
};
