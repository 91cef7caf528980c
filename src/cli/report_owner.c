/* Who answers for each host: where it belongs, if its sessions did not tell, and where complaints go, asked
 * at the time of the report. All questions are under way at once, so that dns.deadline is the deadline of
 * all. */
#include "cli/report.h"

#include "daemon/lookup.h"
#include "wire/dnsbl.h"
#include "wire/origin.h"

#include <errno.h>
#include <string.h>

#define ASKED_MOST 256u /* hosts */

/* Questions are numbered: of each host its origin, and who takes complaints. */
#define ORIGIN_NUMBER(host)  (2u * (uint32_t)(host))
#define CONTACT_NUMBER(host) (2u * (uint32_t)(host) + 1)

/* --- the table ----------------------------------------------------------------------------------------- */

static void table_read(struct report_run *run, struct buf *text)
{
    const struct slice path = run->site->set.origin_contacts_file;
    FILE *file = path.len ? fopen(path.at, "re") : NULL;
    size_t got;

    if (path.len && !file)
        (void)cli_fail(run->cli, "origin.contacts-file %.*s cannot be read: %s", SLICE_ARGS(path),
                       strerror(errno));
    while (file) {
        char *room = buf_room(text, 65536);
        got = room ? fread(room, 1, 65536, file) : 0;
        buf_grow(text, got);
        if (!got)
            break;
    }
    if (file)
        (void)fclose(file);
}

/* --- origins ------------------------------------------------------------------------------------------- */

static bool is_owned(const struct report_case_host *host)
{
    return host->owner.as || host->owner.name.len || host->owner.netblock.network.family;
}

static void origin_begin(struct lookups *lookups, const struct report_case_host *host, size_t index)
{
    char text[ADDRESS_TEXT_SIZE];

    if (is_owned(host))
        return;
    const size_t len = address_print(&host->host.address, text);
    (void)lookups_begin(lookups, ORIGIN_NUMBER(index), ASK_ORIGIN, slice_of(text, len));
}

static void origin_end(struct report_run *run, struct lookups *lookups, size_t index)
{
    struct report_owner owner = {.as = 0};
    struct answer answer;
    struct origin origin;
    struct arena arena;

    if (is_owned(report_case_host(run->of, index)) || !lookups_wait(lookups, ORIGIN_NUMBER(index), &answer) ||
        answer.status != ANSWER_FOUND)
        return;
    arena_init(&arena, NULL, 0);
    if (origin_parse(answer.value, &arena, &origin)) {
        owner.as = origin.as_count ? origin.as[0] : 0;
        owner.netblock = origin.netblock;
        memcpy(owner.country, origin.country, sizeof origin.country);
        owner.name = origin.name;
        report_case_own(run->of, index, &owner);
    }
    arena_drop(&arena);
}

/* --- contacts ------------------------------------------------------------------------------------------ */

static bool zone_is_asked(const struct report_run *run, const struct report_case_host *host)
{
    return run->site->set.origin_contacts.len && !host->to_source.len &&
           !address_is_private(&host->host.address) && !address_is_loopback(&host->host.address);
}

static void contact_begin(const struct report_run *run, struct lookups *lookups,
                          const struct report_case_host *host, size_t index)
{
    char room[DNSBL_NAME_MAX];

    if (zone_is_asked(run, host))
        (void)lookups_begin(lookups, CONTACT_NUMBER(index), ASK_TXT,
                            dnsbl_name(&host->host.address, run->site->set.origin_contacts, room));
}

static void contact_end(struct report_run *run, struct lookups *lookups, size_t index)
{
    struct report_case_host *host = report_case_host(run->of, index);
    const struct slice zone = run->site->set.origin_contacts;
    struct answer answer;

    if (!zone_is_asked(run, host) || !lookups_wait(lookups, CONTACT_NUMBER(index), &answer))
        return;
    const bool failed = answer.status == ANSWER_FAILED || answer.status == ANSWER_TIMEOUT;
    if (failed && !run->zone_failed)
        (void)cli_fail(run->cli, "the zone %.*s could not be asked who takes complaints: %.*s",
                       SLICE_ARGS(zone), SLICE_ARGS(answer.value));
    run->zone_failed = run->zone_failed || failed;
    if (answer.status != ANSWER_FOUND)
        return;
    contact_records_read(answer.value, &run->arena, &host->to);
    if (host->to.count)
        host->to_source = arena_format(&run->arena, "the zone %.*s", SLICE_ARGS(zone));
}

/* A line that says - leaves nobody, and no zone is asked. */
static void table_find(struct report_run *run, struct slice table, struct report_case_host *host)
{
    if (run->to.len) {
        host->to = (struct contacts){{run->to}, 1};
        host->to_source = SLICE("the command line");
    } else if (contact_table_find(table, &host->host.address, &host->owner.as, host->owner.as ? 1 : 0,
                                  &host->to)) {
        host->to_source = SLICE("the table");
    }
}

/* --- the whole ----------------------------------------------------------------------------------------- */

/* The origins first: the table knows AS numbers. */
static void hosts_ask(struct report_run *run, struct lookups *lookups, struct slice table)
{
    const size_t all = report_case_host_count(run->of);
    const size_t count = all < ASKED_MOST ? all : ASKED_MOST;

    for (size_t i = 0; i < count && lookups; i++)
        origin_begin(lookups, report_case_host(run->of, i), i);
    for (size_t i = 0; i < count && lookups; i++)
        origin_end(run, lookups, i);
    for (size_t i = 0; i < all; i++)
        table_find(run, table, report_case_host(run->of, i));
    for (size_t i = 0; i < count && lookups; i++)
        contact_begin(run, lookups, report_case_host(run->of, i), i);
    for (size_t i = 0; i < count && lookups; i++)
        contact_end(run, lookups, i);
}

void report_owners(struct report_run *run)
{
    struct buf text;
    struct error error;
    struct lookups *lookups = lookups_open(run->site, site_asks_names(run->site), &error);

    if (!lookups)
        (void)cli_fail(run->cli, "nobody can be asked whose networks these are: %s", error.text);
    buf_init(&text, CONTACT_TABLE_MAX);
    table_read(run, &text);
    /* What the case keeps of the table lives as long as the run. */
    const struct slice table = arena_copy(&run->arena, buf_slice(&text));
    buf_drop(&text);
    hosts_ask(run, lookups, table);
    lookups_close(lookups);
}
