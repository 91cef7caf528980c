#include "watch/report_case.h"

#include "base/memory.h"
#include "base/table.h"
#include "base/text.h"
#include "watch/report_case_part.h"

#include <stdlib.h>

struct report_case *report_case_new(void)
{
    struct report_case *of = memory_take(sizeof *of);

    arena_init(&of->arena, NULL, 0);
    table_init(&of->by_host, 0);
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
void report_case_host_take(struct report_case *of, const struct report_attempt *attempt,
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
        return;
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

static bool holds_fold(struct slice text, struct slice part)
{
    for (; text.len >= part.len; text = slice_from(text, 1))
        if (slice_starts_fold(text, part))
            return true;
    return false;
}

/* Names of one or two letters stand in everything. */
static bool names_recipient(const struct report_case *of, struct slice text)
{
    for (size_t i = 0; i < of->attempt_count; i++)
        for (uint32_t k = 0; k < of->attempts[i].recipient_count; k++) {
            const struct slice local = local_of(of->attempts[i].recipients[k]);
            if (slice_equal_fold(local, text) || (local.len > 2 && holds_fold(text, local)))
                return true;
        }
    return false;
}

static void person_keep(const struct report_case *of, struct redaction *redaction, struct slice local)
{
    if (local.len && !names_recipient(of, local))
        redaction_keep_person(redaction, local);
}

static void attempt_keep(const struct report_case *of, struct redaction *redaction,
                         const struct report_attempt *attempt)
{
    struct slice id = attempt->message_id;

    redaction_keep_host(redaction, &attempt->peer);
    person_keep(of, redaction, local_of(attempt->sender));
    if (slice_starts(id, SLICE("<")))
        id = slice_from(id, 1);
    if (slice_find(id, '@') != SLICE_NOT_FOUND)
        person_keep(of, redaction, local_of(id));
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

void report_case_redact(struct report_case *of, struct redaction *redaction)
{
    for (size_t i = 0; i < of->host_count; i++)
        redaction_keep_host(redaction, &of->hosts[i]->host.address);
    for (size_t i = 0; i < of->attempt_count; i++)
        attempt_keep(of, redaction, &of->attempts[i]);
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

static void group_begin(struct report_case *of, const struct report *form, struct group *group,
                        const struct report_case_host *host)
{
    *group = (struct group){.first = host, .report = *form};
    group->report.to = host->to;
    group->report.to_source = host->to_source;
    group->report.owner = host->owner;
    group->report.first_ms = host->host.first_ms;
    group->report.last_ms = host->host.last_ms;
    group->hosts = arena_take(&of->arena, of->host_count * sizeof *group->hosts);
    group->listed = arena_take(&of->arena, (of->attempt_count + 1) * sizeof *group->listed);
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

static bool group_has(const struct group *group, const struct address *address)
{
    for (size_t i = 0; i < group->report.host_total; i++) {
        const struct address one = report_host_key(&group->hosts[i].address),
                             other = report_host_key(address);
        if (address_equal(&one, &other))
            return true;
    }
    return false;
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
static void group_end(const struct report_case *of, struct group *group)
{
    struct report *report = &group->report;
    size_t count = 0;

    for (size_t i = 0; i < of->attempt_count; i++)
        if (group_has(group, &of->attempts[i].peer))
            group->listed[count++] = of->attempts[i];
    if (count)
        qsort(group->listed, count, sizeof *group->listed, by_time);
    const size_t skipped = count > REPORT_ATTEMPTS ? count - REPORT_ATTEMPTS : 0;
    report->listed = group->listed + skipped;
    report->listed_count = count - skipped;
    report->key = key_find(report);
    qsort(group->hosts, report->host_total, sizeof *group->hosts, by_attempts);
    report->hosts = group->hosts;
    report->host_count = report->host_total < REPORT_HOSTS ? report->host_total : REPORT_HOSTS;
}

static size_t groups_make(struct report_case *of, const struct report *form, struct group *groups)
{
    size_t count = 0;

    for (size_t i = 0; i < of->host_count; i++) {
        const struct report_case_host *host = of->hosts[i];
        size_t at = 0;
        while (at < count && !have_one_owner(groups[at].first, host))
            at++;
        if (at == count)
            group_begin(of, form, &groups[count++], host);
        group_add_host(&groups[at], host);
    }
    return count;
}

size_t report_case_make(struct report_case *of, const struct report *form, const struct report **ret_reports)
{
    struct group *groups = arena_take(&of->arena, (of->host_count + 1) * sizeof *groups);
    const size_t count = groups_make(of, form, groups);
    struct report *reports = arena_take(&of->arena, (count + 1) * sizeof *reports);

    for (size_t i = 0; i < count; i++)
        group_end(of, &groups[i]);
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
