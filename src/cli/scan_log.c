/* postern scan-log: what old mail logs tell of patterns, and which machines they suggest to shut out. */
#include "cli/scan_log.h"

#include "base/calendar.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/scan_log_client.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STEP_LINES     20000 /* between two looks at the clock */
#define SHOW_MS        500   /* between two showings of the progress */
#define PATHS_MAX      4096
#define LIMIT          50                       /* campaigns that are printed */
#define LIFETIME       (7 * UINT64_C(86400000)) /* of what is exported */
#define ATTEMPT_OCTETS 400                      /* of a log's text; they have more as a rule */
#define GIVEN_MAX      64                       /* networks or files of one option */

enum form { FORM_TEXT, FORM_JSON, FORM_HTML };

struct run {
    struct scan_log log;
    struct scan_settings settings;
    struct scan_log_client *client;
    bool lists;               /* attempts are printed as they come, and nothing else */
    struct scan_found *found; /* NULL where attempts are listed */
    struct site *site;        /* NULL: no configuration was named */
    struct prefix *trusted;
    size_t trusted_count, trusted_room;
    struct scan_log_export exports[GIVEN_MAX];
    size_t export_count;
    bool prints_export; /* one goes to standard output, in place of the rest */
    uint64_t lifetime_ms;
    enum form form;
};

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

static bool option_format(const struct cli *cli, enum form *ret_form)
{
    static const char *const words[] = {[FORM_TEXT] = "text", [FORM_JSON] = "json", [FORM_HTML] = "html"};
    const char *text = cli_option(cli, "format");

    *ret_form = cli->json ? FORM_JSON : FORM_TEXT;
    if (!text)
        return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i]) == 0) {
            *ret_form = (enum form)i;
            return true;
        }
    (void)cli_fail_usage(cli, "--format cannot be \"%s\": expected text, json or html", text);
    return false;
}

static void trust(struct run *run, const struct networks *networks)
{
    for (size_t i = 0; i < networks->count; i++)
        run->trusted[run->trusted_count++] = networks->items[i];
}

/* Those of the configuration, where one is named, and those of the command line. */
static bool option_trusted(const struct cli *cli, struct run *run)
{
    const struct networks none = {0}, *own = run->site ? &run->site->own : &none,
                          *forwarders = run->site ? &run->site->trusted : &none;
    const char *text;

    run->trusted_room = GIVEN_MAX + own->count + forwarders->count;
    run->trusted = memory_take(run->trusted_room * sizeof *run->trusted);
    trust(run, own);
    trust(run, forwarders);
    for (size_t i = 0; (text = cli_option_each(cli, "trusted", i)); i++) {
        struct prefix *network = &run->trusted[run->trusted_count];
        if (i == GIVEN_MAX || !prefix_parse(slice_text(text), network)) {
            (void)cli_fail_usage(cli,
                                 i == GIVEN_MAX
                                     ? "--trusted is there more often than 64 times%s"
                                     : "--trusted cannot be \"%s\": expected an address, or a network "
                                       "such as 192.0.2.0/24",
                                 i == GIVEN_MAX ? "" : text);
            return false;
        }
        run->trusted_count++;
    }
    return true;
}

static bool option_exports(const struct cli *cli, struct run *run)
{
    const char *text;

    for (size_t i = 0; i < GIVEN_MAX && (text = cli_option_each(cli, "export", i)); i++) {
        struct scan_log_export *export = &run->exports[run->export_count++];
        if (!scan_log_export_read(text, export)) {
            (void)cli_fail_usage(
                cli,
                "--export cannot be \"%s\": expected access, cidr, nftables, rbldnsd or json, "
                "or such a word with a file, as in access=FILE",
                text);
            return false;
        }
        run->prints_export = run->prints_export || !export->file;
    }
    return cli_option_duration(cli, "expire", LIFETIME, &run->lifetime_ms);
}

/* The files of origins, the command line's before those of the configuration; false: it was told. */
static bool option_origin(const struct cli *cli, struct run *run)
{
    struct slice files[2 * GIVEN_MAX];
    struct error error = {0};
    const char *text;
    size_t count = 0;

    while (count < GIVEN_MAX && (text = cli_option_each(cli, "origin", count)))
        files[count++] = slice_text(text);
    for (size_t i = 0; run->site && i < run->site->origin_file_count && i < GIVEN_MAX; i++)
        files[count++] = run->site->origin_files[i];
    run->client = scan_log_client_new(files, count, &error);
    if (!run->client)
        (void)cli_fail(cli, "%s", error.text);
    return run->client != NULL;
}

/* --- reading ------------------------------------------------------------------------------------------- */

static void attempt_list(const struct attempt *attempt)
{
    struct buf line;

    buf_init(&line, ATTEMPT_LINE_MAX);
    if (attempt_print(attempt, &line))
        cli_print_line(&line);
    buf_drop(&line);
}

static void take_attempt(void *data, const struct attempt *attempt)
{
    struct run *run = data;
    struct attempt told = *attempt;

    scan_log_client_tell(run->client, &told);
    if (run->found)
        scan_found_attempt(run->found, &told);
    else
        attempt_list(&told);
}

static void take_unknown(void *data, const char *path, struct slice line)
{
    struct run *run = data;

    (void)path;
    if (run->log.unknown)
        scan_unknown_add(run->log.unknown, line);
}

static void take_problem(void *data, const struct error *error)
{
    struct run *run = data;

    cli_progress_end();
    run->log.problems++;
    (void)cli_fail(run->log.cli, "%s", error->text);
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

static void print_all(const struct run *run)
{
    switch (run->form) {
    case FORM_TEXT: scan_log_text(&run->log); break;
    case FORM_JSON: scan_log_json(&run->log); break;
    case FORM_HTML: scan_log_html(&run->log); break;
    }
}

static int results_give(struct run *run)
{
    int status = CLI_OK;

    scan_found_end(run->found);
    if (!run->prints_export)
        print_all(run);
    for (size_t i = 0; i < run->export_count; i++) {
        const int exported = scan_log_export(&run->log, &run->exports[i], run->settings.now_ms,
                                             run->lifetime_ms);
        status = exported ? exported : status;
    }
    return status;
}

/* Of files that are not compressed the size tells; 0: nobody knows. */
static uint64_t attempts_about(const struct scan *scan)
{
    struct scan_progress progress;

    scan_progress(scan, &progress);
    return progress.plain ? progress.total / ATTEMPT_OCTETS + 1 : 0;
}

static int scan_all(struct run *run, const char *const *paths, size_t count)
{
    struct scan *scan;
    struct error error = {0};

    if (scan_open(&run->settings, paths, count, &scan, &error) < 0)
        return cli_fail(run->log.cli, "%s", error.text);
    if (!run->lists)
        run->found = scan_found_new(&(struct scan_found_settings){.trusted = run->trusted,
                                                                  .trusted_count = run->trusted_count,
                                                                  .attempts_about = attempts_about(scan)});
    read_all(scan);
    run->log.lines = scan_lines(scan);
    run->log.counts = scan_counts(scan);
    run->log.found = run->found;
    const int status = run->found ? results_give(run) : CLI_OK;
    scan_close(scan);
    return run->log.problems ? CLI_FAILED : status;
}

static bool options_read(const struct cli *cli, struct run *run)
{
    uint64_t limit;

    if (!option_time(cli, "since", INT64_MIN, &run->settings.since_ms) ||
        !option_time(cli, "until", INT64_MAX, &run->settings.until_ms) ||
        !option_year(cli, &run->settings.year) || !option_format(cli, &run->form) ||
        !cli_option_number(cli, "limit", LIMIT, &limit) || !option_trusted(cli, run) ||
        !option_exports(cli, run))
        return false;
    run->log.campaigns_max = limit < SIZE_MAX ? (size_t)limit : SIZE_MAX;
    return true;
}

static int run_with(const struct cli *cli, struct run *run, const char *const *paths, size_t count)
{
    if (!options_read(cli, run))
        return CLI_USAGE;
    if (!option_origin(cli, run))
        return CLI_FAILED;
    if (cli_option(cli, "unknown"))
        run->log.unknown = scan_unknown_new();
    run->lists = cli_option(cli, "attempts") != NULL;
    return scan_all(run, paths, count);
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct run run = {.log.cli = cli,
                      .settings = {.now_ms = clock_ms(CLOCK_REALTIME),
                                   .attempt = take_attempt,
                                   .unknown = take_unknown,
                                   .problem = take_problem,
                                   .data = &run}};

    /* Most logs are read where no gate is: only a configuration that was asked for is looked at. */
    if (cli->file_given && !(run.site = cli_site(cli)))
        return CLI_CONFIG;
    const int status = run_with(cli, &run, (const char *const *)argv + 1, (size_t)argc - 1);
    scan_found_free(run.found);
    scan_unknown_free(run.log.unknown);
    scan_log_client_free(run.client);
    memory_give(run.trusted, run.trusted_room * sizeof *run.trusted);
    site_free(run.site);
    return status;
}

static const struct cli_option options[] = {
    {0, "format", "FORM", "print text, json or html, which is one whole page; default text"},
    {0, "since", "TIME", "lines since then alone: 2h (ago), or a date"},
    {0, "until", "TIME", "lines before then alone"},
    {0, "year", "YEAR", "of the first line, where times have none; name the files in order then"},
    {'n', "limit", "N", "print the N largest campaigns; default 50; JSON has all"},
    {0, "trusted", "NETWORK", "our own, or a forwarder's: never part of a pattern; may be repeated"},
    {0, "origin", "FILE", "whose the networks are, in MaxMind's format; may be repeated"},
    {0, "export", "FORM", "suggestions as access, cidr, nftables, rbldnsd or json; or FORM=FILE"},
    {0, "expire", "TIME", "that exported entries hold for; default 7d, 0 for ever"},
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
            "same time. No configuration is needed; with -c its networks are left alone,\n"
            "and its origin files are asked.\n"
            "\n"
            "It prints the campaigns, each with its hosts and when they tried, and the\n"
            "entries of an access table that it suggests. Nothing is blocked by it.\n"
            "\n"
            "Times without a year get it from the file's own date, or from --year. Times\n"
            "without an offset are taken and shown as they stand there.\n",
    .examples = "postern scan-log /var/log/mail.log.2.gz /var/log/mail.log.1 /var/log/mail.log\n"
                "postern scan-log --since 2026-11-01 --format html /var/log/mail.log >patterns.html\n"
                "postern scan-log --export cidr=/etc/postfix/blocked.cidr /var/log/mail.log\n"
                "journalctl -u 'postfix*' -o short-iso | postern scan-log --json -\n",
};
