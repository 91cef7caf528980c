/* postern stats: what was counted, over three columns. */
#include "cli/stats_source.h"

#include "base/memory.h"
#include "cli/journal_files.h"
#include "daemon/metrics.h"
#include "journal/render_stats.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { OUT_MAX = 4 * 1024 * 1024 };

struct run {
    const struct cli *cli;
    struct site *site;
    struct stats_view *view;
    bool sections[STAT_SECTION_COUNT];
    bool all; /* also what is zero */
};

/* --- what is wanted ------------------------------------------------------------------------------------- */

static int section_unknown(const struct cli *cli, const char *word)
{
    char words[512] = "";
    size_t len = 0;
    for (unsigned i = 0; i < STAT_SECTION_COUNT; i++)
        len += (size_t)snprintf(words + len, sizeof words - len, "%s%s", i ? ", " : "",
                                stat_section_word((enum stat_section)i));
    return cli_fail_usage(cli, "there is no section \"%s\": expected %s", word, words);
}

static int sections_parse(struct run *run)
{
    enum stat_section section;
    const char *word = cli_option(run->cli, "section");
    for (unsigned i = 0; i < STAT_SECTION_COUNT; i++)
        run->sections[i] = !word;
    for (size_t i = 0; (word = cli_option_each(run->cli, "section", i)); i++) {
        if (!stat_section_parse(slice_text(word), &section))
            return section_unknown(run->cli, word);
        run->sections[section] = true;
    }
    return CLI_OK;
}

/* The next statistic to show behind that one; 0: there are no more in the section. */
static unsigned next(const struct run *run, enum stat_section section, unsigned number)
{
    do
        number = stat_next(section, number);
    while (number && !run->all && !run->view->total[number]);
    return number;
}

/* --- forms ---------------------------------------------------------------------------------------------- */

static void print_all(const struct run *run,
                      bool (*print)(const struct stats_view *view, unsigned number, struct buf *out),
                      struct buf *out, const char *end)
{
    for (unsigned i = 0; i < STAT_SECTION_COUNT; i++) {
        enum stat_section section = (enum stat_section)i;
        for (unsigned number = run->sections[i] ? next(run, section, 0) : 0; number;
             number = next(run, section, number)) {
            (void)print(run->view, number, out);
            (void)buf_add(out, slice_text(end));
        }
    }
}

static void print_lines(const struct run *run, struct buf *out)
{
    (void)render_stats_head(run->view, SLICE(POSTERN_VERSION), out);
    print_all(run, render_stats_line, out, "");
    (void)render_stats_end(out);
}

static void print_json(const struct run *run, struct buf *out)
{
    (void)render_stats_json_head(run->view, SLICE(POSTERN_VERSION), out);
    (void)buf_add_octet(out, '\n');
    print_all(run, render_stats_json, out, "\n");
}

static void row_add(struct cli_table *table, const struct run *run, const char *section, unsigned number)
{
    char text[STATS_PERCENT_SIZE];
    struct stat_info info;
    (void)stat_info(number, &info);
    (void)snprintf(text, sizeof text, "%03u", number);
    cli_table_add(table, slice_text(section));
    cli_table_add(table, slice_text(text));
    cli_table_add(table, slice_text(info.name));
    for (unsigned i = 0; i < STATS_COLUMNS; i++) {
        cli_table_add_number(table, stats_value(run->view, number, (enum stats_column)i));
        cli_table_add(table,
                      stats_percent_print(stats_percent(run->view, number, (enum stats_column)i), text));
    }
}

static void print_table(const struct run *run)
{
    static const char *const heads[] = {"SECTION", ">NUMBER",    "NAME", ">SINCE THE START",
                                        ">%",      ">THIS HOUR", ">%",   ">60 MINUTES",
                                        ">%",      NULL};
    char time[JOURNAL_TIME_SIZE];
    if (run->view->since_us)
        cli_print("Counted since %.*s.\n\n", SLICE_ARGS(journal_time(run->view->since_us, time)));
    struct cli_table *table = cli_table_new(heads);
    for (unsigned i = 0; i < STAT_SECTION_COUNT; i++) {
        enum stat_section section = (enum stat_section)i;
        const char *word = stat_section_word(section);
        unsigned number = run->sections[i] ? next(run, section, 0) : 0;
        for (; number; number = next(run, section, number), word = "")
            row_add(table, run, word, number);
    }
    cli_table_end(table, run->cli);
}

/* --- Prometheus ----------------------------------------------------------------------------------------- */

static void status_came(void *data, struct slice line)
{
    metrics_status_add(data, line);
}

/* What a process does not tell is left out. */
static void status_ask(const struct run *run, struct metrics_status *status)
{
    static const char *const sockets[] = {"postern.sock", "courier.sock", "keeper.sock"};
    for (size_t i = 0; i < sizeof sockets / sizeof *sockets; i++) {
        const struct cli_call call = {.socket = sockets[i],
                                      .request = SLICE("{\"command\":\"status\"}"),
                                      .line = status_came,
                                      .data = status,
                                      .quiet = true};
        (void)cli_call(run->cli, run->site, &call);
    }
}

static void print_metrics(const struct run *run, struct buf *out)
{
    struct metrics_status status;
    metrics_status_init(&status);
    status_ask(run, &status);
    const struct metrics metrics = {.view = run->view,
                                    .version = SLICE(POSTERN_VERSION),
                                    .samples = status.samples,
                                    .sample_count = status.count};
    (void)render_metrics(&metrics, out);
    metrics_status_drop(&status);
}

/* --- the command ---------------------------------------------------------------------------------------- */

static void print(const struct run *run)
{
    const struct cli *cli = run->cli;
    bool lines = cli_option(cli, "lines") || (!cli_option(cli, "table") && !isatty(STDOUT_FILENO));
    struct buf out;
    buf_init(&out, OUT_MAX);
    if (cli_option(cli, "prometheus"))
        print_metrics(run, &out);
    else if (cli->json)
        print_json(run, &out);
    else if (lines)
        print_lines(run, &out);
    else
        print_table(run);
    (void)fwrite(out.at ? out.at : "", 1, out.len, stdout);
    buf_drop(&out);
}

static int reset(const struct run *run)
{
    const struct cli_call call = {.socket = "keeper.sock",
                                  .request = SLICE("{\"command\":\"stats\",\"do\":\"reset-hour\"}")};
    return cli_call(run->cli, run->site, &call);
}

static int look(struct run *run)
{
    if (cli_option(run->cli, "reset-hour"))
        return reset(run);
    run->view = memory_take(sizeof *run->view);
    int status = cli_option(run->cli, "recount") ? stats_recount(run->cli, run->site, run->view)
                                                 : stats_ask(run->cli, run->site, run->view);
    if (status == CLI_OK)
        print(run);
    memory_give(run->view, sizeof *run->view);
    return status;
}

static int run(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    struct run run = {.cli = cli, .all = cli_option(cli, "all") != NULL};
    int status = sections_parse(&run);
    if (status != CLI_OK)
        return status;
    run.site = cli_site(cli);
    if (!run.site)
        return CLI_CONFIG;
    status = look(&run);
    site_free(run.site);
    return status;
}

static const struct cli_option options[] = {
    {0, "section", "NAME", "only this section, such as clients or rcpt; may be given again"},
    {'a', "all", NULL, "also what is zero"},
    {0, "lines", NULL, "a line each, as where standard output is no terminal"},
    {0, "table", NULL, "a table, as on a terminal"},
    {0, "prometheus", NULL, "in the text format of Prometheus"},
    {0, "recount", NULL, "read the journal for it instead of asking the keeper"},
    {0, "reset-hour", NULL, "for tests: begin the hour's column anew"},
    {0, NULL, NULL, NULL},
};

const struct cli_command command_stats = {
    .name = "stats",
    .run = run,
    .summary = "show what was counted: findings, verdicts, replies and more",
    .arguments = "",
    .options = options,
    .help = "Each line has a statistic's number and name, and three columns: since the start\n"
            "of the records, in this clock hour, in the last 60 minutes; each with the part in\n"
            "per cent that it is of its section's first line. Numbers and names never change:\n"
            "postern-stats(7) has them all. With --json, an object for the whole, and then one\n"
            "for each statistic: number name section total total_percent hour hour_percent\n"
            "sixty_minutes sixty_minutes_percent.\n"
            "\n"
            "The keeper counts, and what it has counted outlives restarts and the journal's\n"
            "files. --recount needs no keeper: it reads the files that are there, adds what\n"
            "was counted of those that are gone, and comes to the same. --prometheus adds the\n"
            "state of the running processes: connections, queue, memory, lag.\n",
    .examples = "postern stats\n"
                "postern stats --section rcpt --all\n"
                "postern stats --recount --json\n",
};
