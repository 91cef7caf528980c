#include "watch/scan_join_part.h"

#include "base/memory.h"

#define SESSION_MS (2 * 3600 * INT64_C(1000)) /* whoever is connected for longer is forgotten */

/* --- keys ---------------------------------------------------------------------------------------------- */

/* Lines come in runs of the same host. */
static uint64_t host_hash(struct scan_join *join, struct slice host)
{
    host = slice_head(host, sizeof join->host);
    if (host.len != join->host_len || memcmp(host.at, join->host, host.len) != 0) {
        memcpy(join->host, host.at, host.len);
        join->host_len = host.len;
        join->host_hash = slice_hash(host, 0);
    }
    return join->host_hash;
}

uint64_t scan_key_of(struct scan_join *join, struct slice host, struct slice text, uint64_t more)
{
    uint64_t key = slice_hash(text, host_hash(join, host)) ^ more * 0x9e3779b97f4a7c15U;

    key ^= key >> 29;
    return key ? key : 1;
}

static struct slice key_slice(const uint64_t *key)
{
    return slice_of((const char *)key, sizeof *key);
}

/* --- envelopes ----------------------------------------------------------------------------------------- */

struct scan_envelope *scan_envelope_find(const struct scan_join *join, uint64_t key)
{
    return table_get(&join->envelopes, key_slice(&key));
}

struct scan_envelope *scan_envelope_begin(struct scan_join *join, int64_t now_ms)
{
    struct scan_envelope *envelope;

    if (join->envelope_count >= join->settings.open_max) {
        join->counts.cut++;
        scan_envelope_end(join, LIST_OF(join->envelope_ages.next, struct scan_envelope, age));
    }
    if (list_is_empty(&join->envelope_spares)) {
        envelope = memory_take(sizeof *envelope);
        scan_envelope_init(envelope, false, now_ms);
    } else {
        envelope = LIST_OF(join->envelope_spares.next, struct scan_envelope, age);
        list_remove(&envelope->age);
        scan_envelope_init(envelope, true, now_ms);
    }
    list_add_last(&join->envelope_ages, &envelope->age);
    join->envelope_count++;
    return envelope;
}

static void verdict_count(struct scan_counts *counts, enum attempt_verdict verdict)
{
    counts->attempts++;
    switch (verdict) {
    case ATTEMPT_ACCEPTED: counts->accepted++; break;
    case ATTEMPT_DEFERRED: counts->put_off++; break;
    case ATTEMPT_REFUSED:
    case ATTEMPT_DROPPED: counts->refused++; break;
    case ATTEMPT_LEFT: counts->left++; break;
    }
}

static void attempt_give(struct scan_join *join, const struct scan_envelope *envelope)
{
    struct attempt attempt;

    if (!envelope->has_peer) {
        join->counts.clientless++;
        return;
    }
    if (envelope->authenticated || address_is_loopback(&envelope->peer)) {
        join->counts.own++;
        return;
    }
    scan_envelope_attempt(envelope, &attempt);
    verdict_count(&join->counts, attempt.verdict);
    if (join->settings.attempt)
        join->settings.attempt(join->settings.data, &attempt);
}

static void envelope_drop(struct scan_join *join, struct scan_envelope *envelope)
{
    if (envelope->key)
        (void)table_remove(&join->envelopes, key_slice(&envelope->key));
    if (envelope->session)
        envelope->session->open = NULL;
    list_remove(&envelope->age);
    list_add_first(&join->envelope_spares, &envelope->age);
    join->envelope_count--;
}

void scan_envelope_end(struct scan_join *join, struct scan_envelope *envelope)
{
    if (!envelope)
        return;
    attempt_give(join, envelope);
    envelope_drop(join, envelope);
}

void scan_envelope_key(struct scan_join *join, struct scan_envelope *envelope, uint64_t key)
{
    scan_envelope_end(join, scan_envelope_find(join, key));
    envelope->key = key;
    (void)table_put(&join->envelopes, key_slice(&envelope->key), envelope);
}

/* --- lines --------------------------------------------------------------------------------------------- */

static void old_ones_end(struct scan_join *join, int64_t now_ms)
{
    while (!list_is_empty(&join->envelope_ages)) {
        struct scan_envelope *oldest = LIST_OF(join->envelope_ages.next, struct scan_envelope, age);
        if (now_ms - oldest->began_ms <= SCAN_HOLD_MS)
            break;
        scan_envelope_end(join, oldest);
    }
    while (!list_is_empty(&join->session_ages)) {
        struct scan_session *oldest = LIST_OF(join->session_ages.next, struct scan_session, age);
        if (now_ms - oldest->began_ms <= SESSION_MS)
            break;
        scan_session_end(join, oldest);
    }
}

static void delivery_count(struct scan_counts *counts, const struct maillog_record *record)
{
    struct slice rest = record->recipients, recipient;
    uint64_t recipients = 0;

    while (maillog_next_recipient(&rest, &recipient))
        recipients++;
    switch (record->delivery) {
    case MAILLOG_SENT: counts->sent += recipients; break;
    case MAILLOG_DEFERRED: counts->deferred += recipients; break;
    case MAILLOG_BOUNCED: counts->bounced += recipients; break;
    case MAILLOG_EXPIRED: counts->expired += recipients ? recipients : 1; break;
    case MAILLOG_DELIVERY_OTHER: break;
    }
}

static void line_count(struct scan_counts *counts, const struct maillog_record *record)
{
    if (record->kind == MAILLOG_CONNECTED)
        counts->connections++;
    else if (record->kind == MAILLOG_TO)
        delivery_count(counts, record);
    else if (record->kind == MAILLOG_REFUSED && !record->warning && !record->discarded) {
        if (record->code >= 400 && record->code < 500)
            counts->deferrals++;
        else
            counts->refusals++;
    }
}

void scan_join_line(struct scan_join *join, const struct maillog_head *head,
                    const struct maillog_record *record)
{
    old_ones_end(join, head->stamp.unix_ms);
    if (record->kind == MAILLOG_UNKNOWN || record->kind == MAILLOG_NOTHING)
        return;
    line_count(&join->counts, record);
    if (head->program == MAILLOG_SENDMAIL)
        scan_join_sendmail(join, head, record);
    else
        scan_join_postfix(join, head, record);
}

void scan_join_end(struct scan_join *join)
{
    while (!list_is_empty(&join->envelope_ages))
        scan_envelope_end(join, LIST_OF(join->envelope_ages.next, struct scan_envelope, age));
    while (!list_is_empty(&join->session_ages))
        scan_session_end(join, LIST_OF(join->session_ages.next, struct scan_session, age));
}

/* --- the whole ----------------------------------------------------------------------------------------- */

struct scan_join *scan_join_new(const struct scan_join_settings *settings)
{
    struct scan_join *join = memory_take(sizeof *join);

    join->settings = *settings;
    if (!join->settings.open_max)
        join->settings.open_max = SCAN_OPEN_DEFAULT;
    table_init(&join->envelopes, 0);
    table_init(&join->sessions, 0);
    list_init(&join->envelope_ages);
    list_init(&join->session_ages);
    list_init(&join->envelope_spares);
    list_init(&join->session_spares);
    return join;
}

const struct scan_counts *scan_join_counts(const struct scan_join *join)
{
    return &join->counts;
}

size_t scan_join_open(const struct scan_join *join)
{
    return join->envelope_count;
}

static void envelopes_free(struct link *list)
{
    while (!list_is_empty(list)) {
        struct scan_envelope *envelope = LIST_OF(list->next, struct scan_envelope, age);
        list_remove(&envelope->age);
        scan_envelope_done(envelope);
        memory_give(envelope, sizeof *envelope);
    }
}

static void sessions_free(struct link *list)
{
    while (!list_is_empty(list)) {
        struct scan_session *session = LIST_OF(list->next, struct scan_session, age);
        list_remove(&session->age);
        memory_give(session, sizeof *session);
    }
}

void scan_join_free(struct scan_join *join)
{
    if (!join)
        return;
    envelopes_free(&join->envelope_ages);
    envelopes_free(&join->envelope_spares);
    sessions_free(&join->session_ages);
    sessions_free(&join->session_spares);
    table_drop(&join->envelopes);
    table_drop(&join->sessions);
    memory_give(join, sizeof *join);
}
