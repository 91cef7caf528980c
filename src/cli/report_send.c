/* Reports on their way: each is shown, and goes into the queue where a person says so. */
#include "cli/report.h"

#include <jansson.h>
#include <string.h>

#define MAIL_MAX  (1u << 20)
#define HOSTS_MAX (1u << 14)
#define WAIT_MS   60000

struct sending {
    struct report_run *run;
    const struct report *report;
    struct slice mail;
    struct slice to;
    bool sent;
};

/* --- asking -------------------------------------------------------------------------------------------- */

static struct slice to_print(struct report_run *run, const struct report *report)
{
    struct slice all = SLICE_NONE;

    for (size_t i = 0; i < report->to.count; i++)
        all = arena_format(&run->arena, "%.*s%s%.*s", SLICE_ARGS(all), i ? ", " : "",
                           SLICE_ARGS(report->to.address[i]));
    return all;
}

static void show(struct report_run *run, const struct report *report, struct slice mail)
{
    struct buf lines;

    buf_init(&lines, MAIL_MAX);
    report_lines(mail, &lines);
    (void)fwrite(lines.at, 1, lines.len, stdout);
    buf_drop(&lines);
    cli_print("\nTo %.*s, as %.*s knows.\n", SLICE_ARGS(to_print(run, report)),
              SLICE_ARGS(report->to_source));
}

/* Only a clear yes is one; the end of what can be read is none. */
static bool person_says_yes(void)
{
    char answer[32] = "";

    cli_print("Send it? [yes/no] ");
    (void)fflush(stdout);
    if (!fgets(answer, sizeof answer, stdin))
        return false;
    answer[strcspn(answer, "\r\n")] = 0;
    return strcmp(answer, "yes") == 0 || strcmp(answer, "y") == 0;
}

/* --- sending ------------------------------------------------------------------------------------------- */

static void queued(void *data, struct slice json)
{
    struct sending *sending = data;
    json_t *answer = json_loadb(json.at, json.len, 0, NULL);
    const char *id = json_string_value(json_object_get(answer, "queue_id"));

    sending->sent = id != NULL;
    if (sending->run->cli->json)
        cli_print("%.*s\n", SLICE_ARGS(json));
    else if (id)
        cli_print("In the queue as %s, to %.*s.\n", id, SLICE_ARGS(sending->to));
    json_decref(answer);
}

static struct slice hosts_print(struct report_run *run, const struct report *report)
{
    char address[ADDRESS_TEXT_SIZE];
    struct slice hosts;
    struct buf text;

    buf_init(&text, HOSTS_MAX);
    for (size_t i = 0; i < report->host_count; i++) {
        (void)address_print(&report->hosts[i].address, address);
        (void)buf_add_format(&text, "%s%s", i ? " " : "", address);
    }
    hosts = arena_copy(&run->arena, buf_slice(&text));
    buf_drop(&text);
    return hosts;
}

static json_t *text_of(struct slice text)
{
    return json_stringn_nocheck(text.at ? text.at : "", text.len);
}

static int hand_over(struct sending *sending)
{
    const struct report *report = sending->report;
    struct report_run *run = sending->run;
    json_t *request = json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:I, s:o}", "command", "report", "from", text_of(report->from), "to",
        text_of(sending->to), "content", text_of(sending->mail), "hosts", text_of(hosts_print(run, report)),
        "attempts", (json_int_t)report->attempts, "campaign", text_of(report->campaign));
    struct buf line;

    buf_init(&line, MAIL_MAX);
    const size_t len = request ? json_dumpb(request, NULL, 0, JSON_COMPACT) : 0;
    char *room = len ? buf_room(&line, len) : NULL;
    if (room)
        buf_grow(&line, json_dumpb(request, room, len, JSON_COMPACT));
    const struct cli_call call = {.socket = "keeper.sock",
                                  .request = buf_slice(&line),
                                  .line = queued,
                                  .data = sending,
                                  .wait_ms = WAIT_MS};
    const int status = line.len ? cli_call(run->cli, run->site, &call)
                                : cli_fail(run->cli, "the report cannot be handed over");

    buf_drop(&line);
    json_decref(request);
    return status;
}

/* Nothing of it can leave this host otherwise. */
static bool has_route(const struct report_run *run, struct slice to)
{
    const struct slice domain = slice_from(to, slice_find_last(to, '@') + 1);

    if (site_route(run->site, domain, true))
        return true;
    (void)cli_fail(
        run->cli,
        "no route leads to %.*s: give \"route *\" a way out in the configuration, or send it otherwise",
        SLICE_ARGS(domain));
    return false;
}

static int mail_send(struct report_run *run, const struct report *report, struct slice mail)
{
    int status = CLI_OK;

    for (size_t i = 0; i < report->to.count && status == CLI_OK; i++) {
        struct sending sending = {.run = run, .report = report, .mail = mail, .to = report->to.address[i]};
        status = has_route(run, sending.to) ? hand_over(&sending) : CLI_FAILED;
    }
    return status;
}

static int one_send(struct report_run *run, const struct report *report, bool yes)
{
    struct report with = *report;
    struct buf mail;
    int status = CLI_OK;

    report_warn(run, report);
    if (!report->to.count)
        return CLI_FAILED;
    report_transcribe(run, &with);
    buf_init(&mail, MAIL_MAX);
    if (!report_mail(run, &with, &mail)) {
        status = cli_fail(run->cli, "the report is too large");
    } else {
        if (!yes)
            show(run, &with, buf_slice(&mail));
        if (yes || person_says_yes())
            status = mail_send(run, &with, buf_slice(&mail));
        else
            cli_print("It was not sent.\n");
    }
    buf_drop(&mail);
    return status;
}

/* One that cannot be sent does not keep the others. */
int report_send(struct report_run *run, const struct report *reports, size_t count, bool yes)
{
    int status = CLI_OK;

    for (size_t i = 0; i < count; i++)
        if (one_send(run, &reports[i], yes) != CLI_OK)
            status = CLI_FAILED;
    return status;
}
