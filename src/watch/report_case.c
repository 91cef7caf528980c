#include "watch/report_case.h"

#include "base/memory.h"
#include "base/table.h"
#include "base/text.h"
#include "watch/report_case_part.h"

#include <stdlib.h>

struct report_case *report_case_new(uint64_t seed)
{
    struct report_case *of = memory_take(sizeof *of);

    arena_init(&of->arena, NULL, 0);
    of->seed = seed;
    table_init(&of->by_host, seed);
    return of;
}

void report_case_free(struct report_case *of)
{
    if (!of)
        return;
    table_drop(&of->by_host);
    arena_drop(&of->arena);
    memory_give(of, sizeof *of);
}

/* --- hosts --------------------------------------------------------------------------------------------- */

struct address report_host_key(const struct address *address)
{
    return address_network(address, address->family == ADDRESS_IPV6 ? 64 : 32);
}

static struct report_case_host *host_find(const struct report_case *of, const struct address *address)
{
    const struct address network = report_host_key(address);
    uint8_t key[16];

    address_key(&network, key);
    return table_get(&of->by_host, slice_of((const char *)key, sizeof key));
}

/* NULL: there are too many. */
static struct report_case_host *host_of(struct report_case *of, const struct address *address)
{
    struct report_case_host *host = host_find(of, address);
    const struct address network = report_host_key(address);

    if (host || of->host_count == REPORT_CASE_HOSTS)
        return host;
    host = arena_take(&of->arena, sizeof *host);
    host->host.address = *address;
    host->host.address.port = 0;
    char *key = arena_take(&of->arena, 16);
    address_key(&network, (uint8_t *)key);
    (void)table_put(&of->by_host, slice_of(key, 16), host);
    of->hosts[of->host_count++] = host;
    return host;
}

static void owner_copy(struct report_case *of, struct report_owner *to, const struct report_owner *from)
{
    *to = *from;
    to->name = arena_copy(&of->arena, from->name);
}

static bool owner_is_known(const struct report_owner *owner)
{
    return owner->as || owner->name.len || owner->netblock.network.family;
}

/* What is learnt later fills in what is missing. */
bool report_case_host_take(struct report_case *of, const struct report_attempt *attempt,
                           const struct attempt *from)
{
    struct report_case_host *host = host_of(of, &attempt->peer);
    const struct report_owner owner = {
        .as = from->as_number,
        .netblock = from->netblock,
        .country = {from->country[0], from->country[1], 0},
        .name = from->owner,
    };

    if (!host)
        return false;
    if (!host->host.attempts++ || attempt->unix_ms < host->host.first_ms)
        host->host.first_ms = attempt->unix_ms;
    if (host->host.attempts == 1 || attempt->unix_ms > host->host.last_ms)
        host->host.last_ms = attempt->unix_ms;
    if (!host->host.ptr.len && from->ptr.len) {
        host->host.ptr = arena_copy(&of->arena, from->ptr);
        host->host.ptr_confirmed = from->ptr_confirmed;
    }
    if (attempt_has(from, ATTEMPT_HAS_ORIGIN) && !owner_is_known(&host->owner))
        owner_copy(of, &host->owner, &owner);
    return true;
}

void report_case_add_host(struct report_case *of, const struct report_host *host,
                          const struct report_owner *owner)
{
    struct report_case_host *known = host_of(of, &host->address);

    if (!known)
        return;
    if (!known->host.attempts) {
        known->host = *host;
        known->host.ptr = arena_copy(&of->arena, host->ptr);
    }
    if (!owner_is_known(&known->owner))
        owner_copy(of, &known->owner, owner);
}

void report_case_own(struct report_case *of, size_t index, const struct report_owner *owner)
{
    owner_copy(of, &of->hosts[index]->owner, owner);
}

size_t report_case_host_count(const struct report_case *of)
{
    return of->host_count;
}

struct report_case_host *report_case_host(struct report_case *of, size_t index)
{
    return of->hosts[index];
}

/* --- redaction ----------------------------------------------------------------------------------------- */

static struct slice local_of(struct slice path)
{
    const size_t at = slice_find_last(path, '@');

    return slice_head(path, at == SLICE_NOT_FOUND ? path.len : at);
}

static struct slice lowered(struct report_case *of, struct slice text)
{
    char *copy = arena_take(&of->arena, text.len + 1);

    for (size_t i = 0; i < text.len; i++)
        copy[i] = text_lower(text.at[i]);
    return slice_of(copy, text.len);
}

/* What stands in a text of n octets is found by its n * n parts, however many recipients there are. */
#define NAMED_MOST  64u
#define NAMED_LEAST 3u /* names of one or two letters stand in everything */

static bool names_recipient(const struct table *recipients, struct slice text)
{
    if (text.len > NAMED_MOST || table_get(recipients, text))
        return true;
    for (size_t from = 0; from + NAMED_LEAST <= text.len; from++)
        for (size_t len = NAMED_LEAST; from + len <= text.len; len++)
            if (table_get(recipients, slice_of(text.at + from, len)))
                return true;
    return false;
}

static void person_keep(struct report_case *of, const struct table *recipients, struct redaction *redaction,
                        struct slice local)
{
    if (local.len && !names_recipient(recipients, lowered(of, local)))
        redaction_keep_person(redaction, local);
}

static void attempt_keep(struct report_case *of, const struct table *recipients, struct redaction *redaction,
                         const struct report_attempt *attempt)
{
    struct slice id = attempt->message_id;

    redaction_keep_host(redaction, &attempt->peer);
    person_keep(of, recipients, redaction, local_of(attempt->sender));
    if (slice_starts(id, SLICE("<")))
        id = slice_from(id, 1);
    if (slice_find(id, '@') != SLICE_NOT_FOUND)
        person_keep(of, recipients, redaction, local_of(id));
}

static void attempt_redact(struct report_case *of, struct redaction *redaction,
                           struct report_attempt *attempt)
{
    struct slice *recipients = arena_take(&of->arena, (attempt->recipient_count + 1) * sizeof *recipients);

    for (uint32_t i = 0; i < attempt->recipient_count; i++)
        recipients[i] = redaction_text(redaction, attempt->recipients[i], &of->arena);
    attempt->recipients = recipients;
    attempt->helo = redaction_text(redaction, attempt->helo, &of->arena);
    attempt->sender = redaction_text(redaction, attempt->sender, &of->arena);
    attempt->reply = redaction_text(redaction, attempt->reply, &of->arena);
    attempt->said = redaction_text(redaction, attempt->said, &of->arena);
    attempt->message_id = redaction_text(redaction, attempt->message_id, &of->arena);
    attempt->subject = SLICE_NONE;
}

static void recipients_gather(struct report_case *of, struct table *recipients)
{
    for (size_t i = 0; i < of->attempt_count; i++)
        for (uint32_t k = 0; k < of->attempts[i].recipient_count; k++) {
            const struct slice local = lowered(of, local_of(of->attempts[i].recipients[k]));
            if (local.len)
                (void)table_put(recipients, local, of);
        }
}

void report_case_redact(struct report_case *of, struct redaction *redaction)
{
    struct table recipients;

    table_init(&recipients, of->seed);
    recipients_gather(of, &recipients);
    for (size_t i = 0; i < of->host_count; i++)
        redaction_keep_host(redaction, &of->hosts[i]->host.address);
    for (size_t i = 0; i < of->attempt_count; i++)
        attempt_keep(of, &recipients, redaction, &of->attempts[i]);
    table_drop(&recipients);
    for (size_t i = 0; i < of->attempt_count; i++)
        attempt_redact(of, redaction, &of->attempts[i]);
}

/* --- reports ------------------------------------------------------------------------------------------- */

/* A report while it is made. */
struct group {
    const struct report_case_host *first;
    struct report report;
    struct report_host *hosts;
    struct report_attempt *listed;
    size_t room; /* attempts that are kept of its hosts */
};

static bool contacts_are_equal(const struct contacts *a, const struct contacts *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!slice_equal_fold(a->address[i], b->address[i]))
            return false;
    return true;
}

/* Of whom nothing is known: neighbours as a rule have one owner. */
static bool are_neighbours(const struct address *a, const struct address *b)
{
    const unsigned bits = a->family == ADDRESS_IPV6 ? 48 : 24;
    const struct address left = address_network(a, bits), right = address_network(b, bits);

    return address_equal(&left, &right);
}

static bool have_one_owner(const struct report_case_host *a, const struct report_case_host *b)
{
    if (!contacts_are_equal(&a->to, &b->to) || a->owner.as != b->owner.as)
        return false;
    if (a->owner.as || a->owner.name.len || b->owner.name.len)
        return a->owner.as || slice_equal(a->owner.name, b->owner.name);
    return are_neighbours(&a->host.address, &b->host.address);
}

static void group_begin(const struct report *form, struct group *group, const struct report_case_host *host)
{
    *group = (struct group){.first = host, .report = *form};
    group->report.to = host->to;
    group->report.to_source = host->to_source;
    group->report.owner = host->owner;
    group->report.first_ms = host->host.first_ms;
    group->report.last_ms = host->host.last_ms;
}

static void group_add_host(struct group *group, const struct report_case_host *host)
{
    struct report *report = &group->report;
    const struct prefix *one = &report->owner.netblock, *other = &host->owner.netblock;

    group->hosts[report->host_total++] = host->host;
    report->attempts += host->host.attempts;
    if (host->host.first_ms < report->first_ms)
        report->first_ms = host->host.first_ms;
    if (host->host.last_ms > report->last_ms)
        report->last_ms = host->host.last_ms;
    if (one->bits != other->bits || !address_equal(&one->network, &other->network))
        report->owner.netblock = (struct prefix){.bits = 0};
}

static int by_time(const void *a, const void *b)
{
    const struct report_attempt *left = a, *right = b;

    if (left->unix_ms != right->unix_ms)
        return left->unix_ms < right->unix_ms ? -1 : 1;
    if (left->session != right->session)
        return left->session < right->session ? -1 : 1;
    return (left->envelope > right->envelope) - (left->envelope < right->envelope);
}

static int by_attempts(const void *a, const void *b)
{
    const struct report_host *left = a, *right = b;
    uint8_t one[16], other[16];

    if (left->attempts != right->attempts)
        return left->attempts > right->attempts ? -1 : 1;
    address_key(&left->address, one);
    address_key(&right->address, other);
    return memcmp(one, other, sizeof one);
}

static int larger_first(const void *a, const void *b)
{
    const struct group *left = a, *right = b;

    if (left->report.attempts != right->report.attempts)
        return left->report.attempts > right->report.attempts ? -1 : 1;
    return by_attempts(&left->report.hosts[0], &right->report.hosts[0]);
}

/* How much an attempt shows. */
static unsigned worth_of(const struct report_attempt *attempt)
{
    return (attempt->message ? 4u : 0) + (attempt->recipient_count ? 2u : 0) + (attempt->has_sender ? 1u : 0);
}

static size_t key_find(const struct report *report)
{
    size_t key = 0;

    for (size_t i = 1; i < report->listed_count; i++)
        if (worth_of(&report->listed[i]) >= worth_of(&report->listed[key]))
            key = i;
    return key;
}

/* Of many the latest are listed: what is new can still be looked up. */
static void group_end(struct group *group)
{
    struct report *report = &group->report;
    const size_t count = report->listed_count,
                 skipped = count > REPORT_ATTEMPTS ? count - REPORT_ATTEMPTS : 0;

    if (count)
        qsort(group->listed, count, sizeof *group->listed, by_time);
    report->listed = group->listed + skipped;
    report->listed_count = count - skipped;
    report->key = key_find(report);
    qsort(group->hosts, report->host_total, sizeof *group->hosts, by_attempts);
    report->hosts = group->hosts;
    report->host_count = report->host_total < REPORT_HOSTS ? report->host_total : REPORT_HOSTS;
}

/* Which group each host is in, and how large the groups are. */
static size_t groups_choose(struct report_case *of, const struct report *form, struct group *groups)
{
    size_t count = 0;

    for (size_t i = 0; i < of->host_count; i++) {
        struct report_case_host *host = of->hosts[i];
        host->group = 0;
        while (host->group < count && !have_one_owner(groups[host->group].first, host))
            host->group++;
        if (host->group == count)
            group_begin(form, &groups[count++], host);
        groups[host->group].report.host_count++;
    }
    for (size_t i = 0; i < of->attempt_count; i++)
        groups[host_find(of, &of->attempts[i].peer)->group].room++;
    return count;
}

static size_t groups_make(struct report_case *of, const struct report *form, struct group *groups)
{
    const size_t count = groups_choose(of, form, groups);

    for (size_t i = 0; i < count; i++) {
        struct group *group = &groups[i];
        group->hosts = arena_take(&of->arena, group->report.host_count * sizeof *group->hosts);
        group->listed = arena_take(&of->arena, (group->room + 1) * sizeof *group->listed);
    }
    for (size_t i = 0; i < of->host_count; i++)
        group_add_host(&groups[of->hosts[i]->group], of->hosts[i]);
    for (size_t i = 0; i < of->attempt_count; i++) {
        struct group *group = &groups[host_find(of, &of->attempts[i].peer)->group];
        group->listed[group->report.listed_count++] = of->attempts[i];
    }
    for (size_t i = 0; i < count; i++)
        group_end(&groups[i]);
    return count;
}

size_t report_case_make(struct report_case *of, const struct report *form, const struct report **ret_reports)
{
    struct group *groups = arena_take(&of->arena, (of->host_count + 1) * sizeof *groups);
    const size_t count = groups_make(of, form, groups);
    struct report *reports = arena_take(&of->arena, (count + 1) * sizeof *reports);

    qsort(groups, count, sizeof *groups, larger_first);
    for (size_t i = 0; i < count; i++) {
        reports[i] = groups[i].report;
        reports[i].id = form->id + i;
    }
    *ret_reports = reports;
    return count;
}

/* --- sessions to be shown ------------------------------------------------------------------------------ */

static bool is_among(const uint64_t *sessions, size_t count, uint64_t session)
{
    for (size_t i = 0; i < count; i++)
        if (sessions[i] == session)
            return true;
    return false;
}

static bool host_is_among(const struct report *report, const uint64_t *sessions, size_t count,
                          const struct address *peer)
{
    for (size_t i = 0; i < report->listed_count; i++)
        if (address_equal_host(&report->listed[i].peer, peer) &&
            is_among(sessions, count, report->listed[i].session))
            return true;
    return false;
}

/* The best that is left, or NULL. */
static const struct report_attempt *session_best(const struct report *report, const uint64_t *sessions,
                                                 size_t count, bool new_host)
{
    const struct report_attempt *best = NULL;

    for (size_t i = 0; i < report->listed_count; i++) {
        const struct report_attempt *attempt = &report->listed[i];
        if (!attempt->session || is_among(sessions, count, attempt->session) ||
            (new_host && host_is_among(report, sessions, count, &attempt->peer)))
            continue;
        if (!best || worth_of(attempt) >= worth_of(best))
            best = attempt;
    }
    return best;
}

size_t report_sessions(const struct report *report, uint64_t *ret_sessions, size_t most)
{
    const struct report_attempt *best;
    size_t count = 0;

    while (count < most && ((best = session_best(report, ret_sessions, count, true)) ||
                            (best = session_best(report, ret_sessions, count, false))))
        ret_sessions[count++] = best->session;
    return count;
}
