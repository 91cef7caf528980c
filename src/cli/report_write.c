/* Reports on standard output, or as files in a folder. Several mails on standard output are an mbox: mail
 * programs open it, and formail parts it. */
#include "cli/report.h"

#include "base/calendar.h"
#include "base/text.h"

#include <jansson.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUT_MAX (4u << 20)

/* --- forms --------------------------------------------------------------------------------------------- */

bool report_mail(const struct report_run *run, const struct report *report, struct buf *out)
{
    return run->form == REPORT_TEXT ? report_text_mail(report, out) : report_arf(report, out);
}

void report_lines(struct slice mail, struct buf *out)
{
    struct slice line;

    while (slice_cut(&mail, '\n', &line)) {
        const bool ends = line.len && line.at[line.len - 1] == '\r';
        (void)buf_add(out, slice_head(line, line.len - ends));
        (void)buf_add_octet(out, '\n');
    }
}

/* False: it could not be made. */
static bool form_make(const struct report_run *run, const struct report *report, struct buf *out)
{
    struct buf made;
    bool whole = false;

    buf_init(&made, OUT_MAX);
    switch (run->form) {
    case REPORT_ARF:
        whole = report_arf(report, &made);
        report_lines(buf_slice(&made), out);
        break;
    case REPORT_TEXT: whole = report_text(report, out); break;
    case REPORT_JSON: whole = report_json(report, out) && buf_add_octet(out, '\n'); break;
    case REPORT_FORM_COUNT: break;
    }
    buf_drop(&made);
    return whole;
}

/* --- what is to be said -------------------------------------------------------------------------------- */

static void nobody_tell(struct report_run *run, const struct report *report)
{
    const struct slice owner = report_owner_words(&report->owner, &run->arena);
    char host[ADDRESS_TEXT_SIZE];

    (void)address_print(&report->hosts[0].address, host);
    (void)cli_fail(run->cli,
                   "nobody is known to write to about %s (%s): whois may tell, and --to says it; "
                   "see origin.contacts in postern.conf(5)",
                   host, owner.len ? owner.at : "whose network it is is not known either");
}

static void own_tell(struct report_run *run, const struct report *report)
{
    char host[ADDRESS_TEXT_SIZE];

    for (size_t i = 0; i < report->host_count; i++) {
        const struct address *address = &report->hosts[i].address;
        const bool own = networks_contain(&run->site->own, address);
        if (!own && !networks_contain(&run->site->trusted, address))
            continue;
        (void)address_print(address, host);
        (void)cli_fail(run->cli, "%s is in %s: whoever is behind it is to blame", host,
                       own ? "our own networks" : "a trusted forwarder's network");
    }
}

static void reported_came(void *data, struct slice json)
{
    json_t **item = data;

    json_decref(*item);
    *item = json_loadb(json.at, json.len, 0, NULL);
}

/* "UNIX-MS QUEUE-ID TO" */
static void reported_tell(struct report_run *run, const char *host, struct slice value)
{
    char date[CALENDAR_TEXT_SIZE];
    struct slice number, queue_id;
    int64_t unix_ms;

    if (!slice_cut(&value, ' ', &number) || !slice_cut(&value, ' ', &queue_id) ||
        !text_parse_i64(number, &unix_ms))
        return;
    (void)calendar_print_mail(unix_ms / 1000, journal_zone(unix_ms / 1000), date);
    (void)cli_fail(run->cli, "%s was reported already, to %.*s, %s, as %.*s", host, SLICE_ARGS(value), date,
                   SLICE_ARGS(queue_id));
}

/* Where no gate runs nothing is known of it; nothing is sent then, either. */
static bool reported_ask(struct report_run *run, const struct report_host *host)
{
    const struct prefix prefix = {report_host_key(&host->address), 64};
    char address[ADDRESS_PORT_TEXT_SIZE], request[256];
    json_t *item = NULL;

    if (host->address.family == ADDRESS_IPV6)
        (void)prefix_print(&prefix, address);
    else
        (void)address_print(&host->address, address);
    const int len = snprintf(request, sizeof request,
                             "{\"command\":\"store\",\"do\":\"get\",\"key\":\"reported %s\"}", address);
    const struct cli_call call = {.socket = "keeper.sock",
                                  .request = slice_of(request, (size_t)len),
                                  .line = reported_came,
                                  .data = &item,
                                  .quiet = true};
    const bool answers = cli_call(run->cli, run->site, &call) == CLI_OK;
    const char *value = json_string_value(json_object_get(item, "value"));
    if (value)
        reported_tell(run, address, slice_text(value));
    json_decref(item);
    return answers;
}

void report_warn(struct report_run *run, const struct report *report)
{
    own_tell(run, report);
    if (!report->to.count)
        nobody_tell(run, report);
    for (size_t i = 0; i < report->host_count && reported_ask(run, &report->hosts[i]); i++)
        continue;
}

/* --- standard output ----------------------------------------------------------------------------------- */

/* A line of an mbox that begins with From gets a > in front, and one that has such a > another. */
static void mbox_add(const struct report *report, struct slice mail, struct buf *out)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    char date[CALENDAR_TEXT_SIZE];
    const struct calendar at = calendar_from_unix(report->now_ms / 1000, 0);
    struct slice line;

    (void)calendar_print_syslog(report->now_ms / 1000, 0, date);
    (void)buf_add_format(out, "From %.*s %s %s %d\n", SLICE_ARGS(report->from), days[at.weekday], date,
                         at.year);
    while (slice_cut(&mail, '\n', &line)) {
        struct slice quoted = line;
        while (slice_starts(quoted, SLICE(">")))
            quoted = slice_from(quoted, 1);
        (void)buf_add(out, slice_starts(quoted, SLICE("From ")) ? SLICE(">") : SLICE_NONE);
        (void)buf_add(out, line);
        (void)buf_add_octet(out, '\n');
    }
    (void)buf_add_octet(out, '\n');
}

static void print(const struct report_run *run, const struct report *report, struct slice made, bool several)
{
    struct buf out;

    buf_init(&out, OUT_MAX);
    if (several && run->form == REPORT_ARF)
        mbox_add(report, made, &out);
    else
        (void)buf_add(&out, made);
    if (several && run->form == REPORT_TEXT)
        (void)buf_add(&out,
                      SLICE("\n======================================================================\n\n"));
    (void)fwrite(out.at ? out.at : "", 1, out.len, stdout);
    buf_drop(&out);
}

/* --- files --------------------------------------------------------------------------------------------- */

static bool folder_make(const struct report_run *run)
{
    if (mkdir(run->output, 0700) == 0 || errno == EEXIST)
        return true;
    (void)cli_fail(run->cli, "the folder %s cannot be made: %s", run->output, strerror(errno));
    return false;
}

/* "AS64500-192.0.2.7.eml"; colons are no part of a file's name everywhere. */
static struct slice name_of(struct report_run *run, const struct report *report)
{
    char host[ADDRESS_TEXT_SIZE];

    (void)address_print(&report->hosts[0].address, host);
    for (char *at = host; *at; at++)
        *at = *at == ':' ? '-' : *at;
    if (report->owner.as)
        return arena_format(&run->arena, "%s/AS%u-%s.%s", run->output, report->owner.as, host,
                            report_form_suffix(run->form));
    return arena_format(&run->arena, "%s/%s.%s", run->output, host, report_form_suffix(run->form));
}

/* It names people: nobody else may read it. */
static int file_write(struct report_run *run, const struct report *report, struct slice made)
{
    const struct slice name = name_of(run, report);
    const int fd = open(name.at, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool whole = file && fwrite(made.at, 1, made.len, file) == made.len;

    if (file)
        whole = fclose(file) == 0 && whole;
    if (!whole)
        return cli_fail(run->cli, "%s cannot be written: %s", name.at, strerror(errno));
    if (!run->cli->json)
        cli_print("%s\n", name.at);
    return CLI_OK;
}

/* --- the whole ----------------------------------------------------------------------------------------- */

static int one_write(struct report_run *run, const struct report *report, bool several)
{
    struct report with = *report;
    struct buf made;
    int status = CLI_OK;

    report_warn(run, report);
    report_transcribe(run, &with);
    buf_init(&made, OUT_MAX);
    if (!form_make(run, &with, &made))
        status = cli_fail(run->cli, "the report is too large");
    else if (run->output)
        status = file_write(run, &with, buf_slice(&made));
    else
        print(run, &with, buf_slice(&made), several);
    buf_drop(&made);
    return status;
}

int report_write(struct report_run *run, const struct report *reports, size_t count)
{
    int status = run->output && !folder_make(run) ? CLI_FAILED : CLI_OK;

    for (size_t i = 0; i < count && status == CLI_OK; i++)
        status = one_write(run, &reports[i], count > 1);
    return status;
}
