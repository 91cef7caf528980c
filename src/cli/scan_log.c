/* postern scan-log: what old mail logs tell of patterns, and which machines they suggest to shut out. */
#include "cli/scan_log.h"

#include "base/calendar.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STEP_LINES 20000 /* between two looks at the clock */
#define SHOW_MS    500   /* between two showings of the progress */
#define PATHS_MAX  4096
#define DAY_MS     INT64_C(86400000)

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- what is wanted ------------------------------------------------------------------------------------ */

/* "2h" (ago), or a date; one without an offset counts as the logs' times without one do. */
static bool option_time(const struct cli *cli, const char *name, int64_t otherwise_ms, int64_t *ret_ms)
{
    const char *text = cli_option(cli, name);
    uint64_t ago_ms;

    *ret_ms = otherwise_ms;
    if (!text || calendar_parse_iso(slice_text(text), ret_ms))
        return true;
    if (text_parse_duration(slice_text(text), &ago_ms) && ago_ms < INT64_MAX / 2) {
        *ret_ms = clock_ms(CLOCK_REALTIME) - (int64_t)ago_ms;
        return true;
    }
    (void)cli_fail_usage(
        cli, "--%s cannot be \"%s\": expected a time such as 2h (ago), or a date such as 2026-07-24", name,
        text);
    return false;
}

static bool option_year(const struct cli *cli, int *ret_year)
{
    uint64_t year;

    *ret_year = 0;
    if (!cli_option(cli, "year"))
        return true;
    if (!cli_option_number(cli, "year", 0, &year))
        return false;
    if (year < 1970 || year > 9999) {
        (void)cli_fail_usage(cli, "--year cannot be \"%s\": expected a year such as 2003",
                             cli_option(cli, "year"));
        return false;
    }
    *ret_year = (int)year;
    return true;
}

static bool option_format(struct cli *cli)
{
    const char *text = cli_option(cli, "format");

    if (!text || strcmp(text, "text") == 0)
        return true;
    if (strcmp(text, "json") == 0) {
        cli->json = true;
        return true;
    }
    (void)cli_fail_usage(cli, "--format cannot be \"%s\": expected text or json", text);
    return false;
}

/* --- reading ------------------------------------------------------------------------------------------- */

static void take_attempt(void *data, const struct attempt *attempt)
{
    struct scan_log *log = data;
    struct buf line;

    if (!log->lists)
        return;
    buf_init(&line, ATTEMPT_LINE_MAX);
    if (attempt_print(attempt, &line))
        cli_print_line(&line);
    buf_drop(&line);
}

static void take_unknown(void *data, const char *path, struct slice line)
{
    struct scan_log *log = data;

    (void)path;
    if (log->unknown)
        scan_unknown_add(log->unknown, line);
}

static void take_problem(void *data, const struct error *error)
{
    struct scan_log *log = data;

    cli_progress_end();
    log->problems++;
    (void)cli_fail(log->cli, "%s", error->text);
}

/* "maillog.1  412 MB/s  3 min left  71 %" */
static void progress_show(const struct scan *scan, int64_t took_ms)
{
    struct scan_progress progress;
    char text[160];

    scan_progress(scan, &progress);
    const char *slash = progress.path ? strrchr(progress.path, '/') : NULL;
    const char *name = slash ? slash + 1 : progress.path ? progress.path : "";
    const uint64_t rate = progress.text / 1000 / (uint64_t)(took_ms ? took_ms : 1); /* MB/s */
    const uint64_t left = progress.total > progress.done && progress.done
                              ? (progress.total - progress.done) / (progress.done / (uint64_t)took_ms + 1) /
                                    1000
                              : 0;
    struct buf safe;
    buf_init(&safe, 1024);
    (void)text_escape(&safe, slice_head(slice_text(name), 60), true);
    if (!progress.total)
        (void)snprintf(text, sizeof text, "%.*s  %llu MB/s  MB", SLICE_ARGS(buf_slice(&safe)),
                       (unsigned long long)rate);
    else if (left >= 120)
        (void)snprintf(text, sizeof text, "%.*s  %llu MB/s  %llu min left", SLICE_ARGS(buf_slice(&safe)),
                       (unsigned long long)rate, (unsigned long long)(left / 60));
    else
        (void)snprintf(text, sizeof text, "%.*s  %llu MB/s  %llu s left", SLICE_ARGS(buf_slice(&safe)),
                       (unsigned long long)rate, (unsigned long long)left);
    buf_drop(&safe);
    cli_progress(text, progress.total ? progress.done : progress.text / 1000000, progress.total);
}

static void read_all(struct scan *scan)
{
    const bool shows = isatty(STDERR_FILENO);
    const int64_t began_ms = shows ? clock_ms(CLOCK_MONOTONIC) : 0;
    int64_t shown_ms = began_ms;

    while (scan_step(scan, STEP_LINES)) {
        const int64_t now_ms = shows ? clock_ms(CLOCK_MONOTONIC) : 0;
        if (!shows || now_ms - shown_ms < SHOW_MS)
            continue;
        progress_show(scan, now_ms - began_ms);
        shown_ms = now_ms;
    }
    if (shown_ms != began_ms)
        cli_progress_end();
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct scan_log log = {.cli = cli,
                           .paths = (const char *const *)argv + 1,
                           .path_count = (size_t)argc - 1,
                           .lists = cli_option(cli, "attempts") != NULL};
    struct scan_settings settings = {.now_ms = clock_ms(CLOCK_REALTIME),
                                     .attempt = take_attempt,
                                     .unknown = take_unknown,
                                     .problem = take_problem,
                                     .data = &log};
    struct scan *scan;
    struct error error = {0};

    if (!option_time(cli, "since", INT64_MIN, &settings.since_ms) ||
        !option_time(cli, "until", INT64_MAX, &settings.until_ms) || !option_year(cli, &settings.year) ||
        !option_format(cli))
        return CLI_USAGE;
    if (scan_open(&settings, log.paths, log.path_count, &scan, &error) < 0)
        return cli_fail(cli, "%s", error.text);
    if (cli_option(cli, "unknown"))
        log.unknown = scan_unknown_new();
    read_all(scan);
    log.lines = scan_lines(scan);
    log.counts = scan_counts(scan);
    if (!log.lists && cli->json)
        scan_log_json(&log);
    else if (!log.lists)
        scan_log_text(&log);
    scan_unknown_free(log.unknown);
    scan_close(scan);
    return log.problems ? CLI_FAILED : CLI_OK;
}

static const struct cli_option options[] = {
    {0, "format", "FORM", "print text, or json as --json does; default text"},
    {0, "since", "TIME", "lines since then alone: 2h (ago), or a date"},
    {0, "until", "TIME", "lines before then alone"},
    {0, "year", "YEAR", "of the first line, where times have none; name the files in order then"},
    {0, "unknown", NULL, "show the lines that were not understood, those of one shape once"},
    {0, "attempts", NULL, "print each attempt, one a line, and nothing else"},
    {0, NULL, NULL, NULL},
};

const struct cli_command command_scan_log = {
    .name = "scan-log",
    .run = run,
    .summary = "look for patterns in old mail logs",
    .arguments = "FILE ...",
    .arguments_min = 1,
    .arguments_max = PATHS_MAX,
    .options = options,
    .help = "Reads the logs of sendmail, of Postfix (smtpd, cleanup, qmgr, postscreen) and\n"
            "of Postern, plain or in gzip or zstd; - is standard input. Several files are\n"
            "put into the order of their times, and read together where they are of the\n"
            "same time. No configuration is needed.\n"
            "\n"
            "Times without a year get it from the file's own date, or from --year. Times\n"
            "without an offset are taken and shown as they stand there.\n",
    .examples = "postern scan-log /var/log/mail.log.2.gz /var/log/mail.log.1 /var/log/mail.log\n"
                "journalctl -u 'postfix*' -o short-iso | postern scan-log --json -\n",
};
