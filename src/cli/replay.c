/* postern replay: the journal's sessions, played again under another configuration. */
#include "cli/replay.h"

#include "checks/list.h"
#include "cli/journal_files.h"
#include "daemon/conf.h"
#include "io/digest.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define NOTES_MAX      65536
#define PROGRESS_EVERY 1000
#define THREADS_MAX    256

struct run {
    struct cli *cli;
    struct site *site; /* the new one */
    struct gather *gather;
    struct gather_settings settings;
    struct replay_filter filter;
    struct replay_tally tally;
    struct replay_report report;
    char folder[JOURNAL_FOLDER_SIZE];
    bool same; /* only what was recorded under this very configuration */
};

static uint64_t now_us(clockid_t clock)
{
    struct timespec now = {0};
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* --config is the new one here, and -c the one in force, as everywhere. */
static const char *file_new(const struct cli *cli)
{
    const char *file, *found = NULL;
    for (size_t i = 0; (file = cli_option_each(cli, "config", i)); i++)
        found = file != cli->file ? file : found;
    return found ? found : cli->file;
}

static struct site *site_load(const struct cli *cli)
{
    struct conf_report report;
    struct buf text;
    conf_report_init(&report);
    struct site *site = conf_load(file_new(cli), CONF_CARE_TABLES, &report);
    if (!site) {
        buf_init(&text, NOTES_MAX);
        conf_notes_print(&report.mistakes, &text);
        (void)fprintf(stderr, "%.*s", SLICE_ARGS(buf_slice(&text)));
        buf_drop(&text);
    }
    conf_report_drop(&report);
    return site;
}

static bool is_elsewhere(const struct run *run, const struct gathered *gathered)
{
    return run->same && !slice_equal(slice_text(gathered->header->configuration), run->site->digest);
}

static void note_time(struct replay_report *report, int64_t opened_us)
{
    if (!report->first_us || opened_us < report->first_us)
        report->first_us = opened_us;
    if (opened_us > report->last_us)
        report->last_us = opened_us;
}

static void play_all(struct run *run)
{
    struct session_world world = {.site = run->site, .digest = digest_openssl()};
    struct gathered gathered;
    uint64_t began_us = now_us(CLOCK_MONOTONIC), busy_us = now_us(CLOCK_PROCESS_CPUTIME_ID), count = 0;
    session_world_checks(&world, check_list);
    struct replay_team *team = replay_team_new(&world, &run->filter, &run->tally, run->report.threads);
    while (gather_next(run->gather, &gathered)) {
        if (++count % PROGRESS_EVERY == 0) {
            gather_counts(run->gather, &run->report.counts);
            cli_progress("playing sessions again", run->report.counts.done, run->report.counts.total);
        }
        if (is_elsewhere(run, &gathered)) {
            run->report.elsewhere++;
            continue;
        }
        note_time(&run->report, gathered.opened_us);
        replay_team_give(team, gathered.records);
    }
    replay_team_end(team);
    cli_progress_end();
    run->report.took_us = now_us(CLOCK_MONOTONIC) - began_us;
    run->report.busy_us = now_us(CLOCK_PROCESS_CPUTIME_ID) - busy_us;
    gather_counts(run->gather, &run->report.counts);
}

static int replay(struct run *run)
{
    struct error error = {0};
    run->settings.folder = run->folder;
    if (gather_open(&run->settings, &run->gather, &error) < 0)
        return journal_fail(run->cli, run->folder, &error);
    replay_tally_init(&run->tally);
    run->report.cli = run->cli;
    run->report.site = run->site;
    run->report.tally = &run->tally;
    play_all(run);
    replay_tally_sort(&run->tally);
    int status = CLI_OK;
    if (!run->report.counts.sessions && run->report.counts.unreadable)
        status = journal_fail(run->cli, run->folder, &run->report.counts.error);
    else
        replay_report_show(&run->report);
    replay_tally_done(&run->tally);
    gather_close(run->gather);
    return status;
}

static int folder_find(struct run *run)
{
    const char *folder = cli_option(run->cli, "journal");
    if (!folder)
        return journal_folder(run->cli, run->folder);
    (void)snprintf(run->folder, sizeof run->folder, "%s", folder);
    return CLI_OK;
}

static bool options_read(struct run *run)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t threads;
    if (!replay_filter_read(run->cli, &run->filter) ||
        !journal_option_time(run->cli, "since", INT64_MIN, &run->settings.since_us) ||
        !journal_option_time(run->cli, "until", INT64_MAX, &run->settings.until_us) ||
        !cli_option_number(run->cli, "jobs", processors > 0 ? (uint64_t)processors : 1, &threads))
        return false;
    if (!threads || threads > THREADS_MAX) {
        (void)cli_fail_usage(run->cli, "--jobs is a number from 1 to %d", THREADS_MAX);
        return false;
    }
    run->report.threads = (unsigned)threads;
    run->same = cli_option(run->cli, "same") != NULL;
    return true;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct run run = {.cli = cli};
    (void)argc;
    (void)argv;
    if (!options_read(&run))
        return CLI_USAGE;
    int status = folder_find(&run);
    if (status != CLI_OK)
        return status;
    run.site = site_load(cli);
    if (!run.site)
        return CLI_CONFIG;
    status = replay(&run);
    site_free(run.site);
    return status;
}

static const struct cli_option options[] = {
    {0, "config", "FILE", "the configuration to try; default: the one of -c"},
    {0, "since", "TIME", "sessions that began since: 7d (ago), or a date"},
    {0, "until", "TIME", "that began before"},
    {0, "filter", "WORD=TEXT", "of these only: client, ptr, helo, from, to, finding, verdict"},
    {0, "same", NULL, "recorded under this very configuration only: then nothing may change"},
    {0, "journal", "FOLDER", "the journal's folder; default: that of -c's state-directory"},
    {'j', "jobs", "N", "threads that play; default: one a processor"},
    {0, NULL, NULL, NULL},
};

const struct cli_command command_replay = {
    .name = "replay",
    .run = run,
    .summary = "play recorded sessions again under another configuration, and tell what changes",
    .arguments = "",
    .options = options,
    .help = "Each session of the journal is played again through the same machine, with what\n"
            "the client sent, with the answers and the timing of then, under the\n"
            "configuration of --config. What is told: how many verdicts change, from what to\n"
            "what, by which finding, and the sessions that show it best.\n"
            "\n"
            "It is exact up to the first reply that differs; what the client would have done\n"
            "after it is not known. Where it hangs on a question that was not asked then,\n"
            "such as one to a new blocklist, the session counts as unknown: nothing is\n"
            "guessed. Nothing is asked, stored or sent.\n",
    .examples = "postern replay --config new.conf --since 7d\n"
                "postern replay --config new.conf --filter from=example.org --json\n",
};
