/* postern report: writes abuse reports about hosts, to whoever answers for their networks. */
#include "cli/report.h"

#include "core/event.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

#define SINCE_US    (7 * INT64_C(86400000000))
#define TRANSCRIPTS 2

/* --- what is wanted ------------------------------------------------------------------------------------ */

static bool subject_parse(const struct cli *cli, struct report_run *run)
{
    const struct slice text = slice_text(run->subject);

    run->session_only = cli_option(cli, "session") != NULL;
    if (!run->session_only && prefix_parse(text, &run->network))
        return true;
    run->network = (struct prefix){.bits = 0};
    if (event_id_parse(slice_head(text, EVENT_ID_SIZE - 1), &run->id) &&
        (text.len < EVENT_ID_SIZE || text.at[EVENT_ID_SIZE - 1] == '.'))
        return true;
    (void)cli_fail_usage(
        cli,
        "\"%s\" is nothing to report: expected an address, a network such as 192.0.2.0/24, or "
        "the 13 letters and digits of a campaign or a session",
        run->subject);
    return false;
}

static bool form_option(const struct cli *cli, struct report_run *run)
{
    const char *text = cli_option(cli, "format");

    run->form = cli->json && !cli_option(cli, "send") ? REPORT_JSON : REPORT_ARF;
    if (text && !report_form_parse(slice_text(text), &run->form)) {
        (void)cli_fail_usage(cli, "--format cannot be \"%s\": expected arf, text or json", text);
        return false;
    }
    if (run->form != REPORT_JSON || !cli_option(cli, "send"))
        return true;
    (void)cli_fail_usage(cli, "JSON is for programs: --send goes with --format arf and text");
    return false;
}

static bool to_option(const struct cli *cli, struct report_run *run)
{
    const char *text = cli_option(cli, "to");

    run->to = slice_text(text);
    if (!text || contact_is_sound(run->to))
        return true;
    (void)cli_fail_usage(cli, "--to cannot be \"%s\": expected a mail address such as abuse@example.net",
                         text);
    return false;
}

static bool options_parse(const struct cli *cli, struct report_run *run)
{
    const int64_t now_us = (int64_t)time(NULL) * 1000000;
    uint64_t transcripts;

    run->all = cli_option(cli, "all") != NULL;
    run->output = cli_option(cli, "output");
    if (!subject_parse(cli, run) || !form_option(cli, run) || !to_option(cli, run) ||
        !cli_option_number(cli, "transcripts", TRANSCRIPTS, &transcripts) ||
        !journal_option_time(cli, "since", now_us - SINCE_US, &run->since_us) ||
        !journal_option_time(cli, "until", INT64_MAX, &run->until_us))
        return false;
    run->transcripts = transcripts < REPORT_TRANSCRIPTS ? (size_t)transcripts : REPORT_TRANSCRIPTS;
    return true;
}

/* --- who writes ---------------------------------------------------------------------------------------- */

static int common_make(struct report_run *run)
{
    const struct slice domain = site_home_domain(run->site);
    struct timespec now;

    if (!domain.len)
        return cli_fail(run->cli, "no domain is ours, so nobody can write from here: give a route a domain");
    if (getrandom(&run->common.id, sizeof run->common.id, 0) != sizeof run->common.id ||
        getrandom(&run->common.chance, sizeof run->common.chance, 0) != sizeof run->common.chance)
        return cli_fail(run->cli, "no random number can be had");
    (void)clock_gettime(CLOCK_REALTIME, &now);
    run->common.now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    run->common.host = run->site->set.host_name;
    run->common.from = arena_format(&run->arena, "postmaster@%.*s", SLICE_ARGS(domain));
    run->common.software = SLICE("Postern/" POSTERN_VERSION);
    return CLI_OK;
}

/* --- the whole ----------------------------------------------------------------------------------------- */

static void redact(struct report_run *run)
{
    run->common.redacted = run->redaction != NULL;
    if (!run->redaction)
        return;
    report_case_redact(run->of, run->redaction);
    run->common.sentence = redaction_text(run->redaction, run->common.sentence, &run->arena);
}

static int reports_make(struct report_run *run)
{
    const struct report *reports;
    const struct cli *cli = run->cli;

    report_owners(run);
    redact(run);
    const size_t count = report_case_make(run->of, &run->common, &reports);
    if (run->cut)
        (void)cli_fail(cli, "only the newest %llu sessions were looked at",
                       (unsigned long long)run->sessions);
    return cli_option(cli, "send") ? report_send(run, reports, count, cli_option(cli, "yes") != NULL)
                                   : report_write(run, reports, count);
}

static int report_run(struct report_run *run)
{
    int status = journal_folder(run->cli, run->folder);

    if (status != CLI_OK)
        return status;
    run->site = cli_site(run->cli);
    if (!run->site)
        return CLI_CONFIG;
    journal_history_folder(run->folder, run->history);
    status = common_make(run);
    if (status == CLI_OK)
        status = report_find(run);
    return status == CLI_OK ? reports_make(run) : status;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct report_run run = {.cli = cli, .subject = argc > 1 ? argv[1] : ""};
    uint64_t seed;

    if (!options_parse(cli, &run))
        return CLI_USAGE;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        return cli_fail(cli, "no random number can be had");
    arena_init(&run.arena, NULL, 0);
    run.of = report_case_new(seed);
    run.redaction = cli_option(cli, "redact") ? redaction_new() : NULL;
    const int status = report_run(&run);
    redaction_free(run.redaction);
    report_case_free(run.of);
    site_free(run.site);
    arena_drop(&run.arena);
    return status;
}

static const struct cli_option options[] = {
    {'F', "format", "FORM", "arf (default: RFC 5965, for programs and people), text, json"},
    {'o', "output", "FOLDER", "a file for each report there, in place of standard output"},
    {0, "to", "ADDRESS", "where they go, whatever is known of the owners"},
    {0, "send", NULL, "show each, ask, and put it into the queue"},
    {0, "yes", NULL, "with --send: without asking"},
    {0, "redact", NULL, "hide our recipients and other hosts; the same has the same stand-in"},
    {0, "transcripts", "N", "dialogues in each report; default 2, no more than 10"},
    {0, "all", NULL, "also attempts that were taken or put off, or that the client gave up"},
    {0, "session", NULL, "the id is a session's, though a campaign has it, too"},
    {0, "since", "TIME", "of an address or network: since then; 7d (ago, the default), or a date"},
    {0, "until", "TIME", "of an address or network: before then"},
    {0, NULL, NULL, NULL},
};

const struct cli_command command_report = {
    .name = "report",
    .run = run,
    .summary = "write abuse reports to whoever answers for a host",
    .arguments = "ADDRESS | NETWORK | CAMPAIGN | SESSION-ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = options,
    .help = "Of an address or a network the attempts of the last days are told that were\n"
            "refused or thrown away; of a campaign or a session all. There is one report for\n"
            "each owner: a campaign of hosts with four owners makes four. On standard output\n"
            "several feedback reports are an mbox.\n"
            "\n"
            "Who the owner is says what origin.file and the zones origin.* know; where it\n"
            "takes complaints, the table origin.contacts-file or else the zone\n"
            "origin.contacts. Where neither knows, the recipient is left for a person to\n"
            "fill in.\n"
            "\n"
            "Nothing is sent but with --send, which shows every report and where it goes, and\n"
            "asks. What is sent comes from our postmaster, leaves by the queue, and is\n"
            "recorded; a host that was reported within a day is warned of.\n",
    .examples = "postern report 192.0.2.7\n"
                "postern report --format text --redact 192.0.2.0/24\n"
                "postern report --output reports 028t5cy4tqkff\n"
                "postern report --send --to abuse@example.net 192.0.2.7\n",
};
