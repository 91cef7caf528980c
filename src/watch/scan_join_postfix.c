/* Postfix: until the first recipient is taken, an envelope has no queue id, and the process that serves the
 * connection is what joins its lines; postscreen serves all connections at once, so that there the client's
 * address and port do. */
#include "watch/scan_join_part.h"

#include "base/memory.h"
#include "core/finding.h"

/* --- sessions ------------------------------------------------------------------------------------------ */

static struct slice key_slice(const uint64_t *key)
{
    return slice_of((const char *)key, sizeof *key);
}

static uint64_t session_key(struct scan_join *join, const struct maillog_head *head,
                            const struct maillog_record *record)
{
    if (head->program != MAILLOG_POSTSCREEN)
        return scan_key_of(join, head->host, SLICE("smtpd"), head->pid);
    const size_t size = record->address.family == ADDRESS_IPV6 ? 16 : 4;
    return scan_key_of(join, head->host, slice_of((const char *)record->address.octets, size),
                       (uint64_t)record->address.port + 1);
}

static struct scan_session *session_new(struct scan_join *join, uint64_t key, int64_t now_ms)
{
    struct scan_session *session;

    if (join->session_count >= join->settings.open_max) {
        struct scan_session *oldest = LIST_OF(join->session_ages.next, struct scan_session, age);
        join->counts.cut += oldest->open != NULL;
        scan_session_end(join, oldest);
    }
    if (list_is_empty(&join->session_spares)) {
        session = memory_take(sizeof *session);
    } else {
        session = LIST_OF(join->session_spares.next, struct scan_session, age);
        list_remove(&session->age);
    }
    *session = (struct scan_session){.key = key, .began_ms = now_ms};
    list_add_last(&join->session_ages, &session->age);
    (void)table_put(&join->sessions, key_slice(&session->key), session);
    join->session_count++;
    return session;
}

void scan_session_end(struct scan_join *join, struct scan_session *session)
{
    scan_envelope_end(join, session->open);
    (void)table_remove(&join->sessions, key_slice(&session->key));
    list_remove(&session->age);
    list_add_first(&join->session_spares, &session->age);
    join->session_count--;
}

/* The one at hand; it is made where a log begins in the middle of it. */
static struct scan_session *session_of(struct scan_join *join, const struct maillog_head *head,
                                       const struct maillog_record *record)
{
    const uint64_t key = session_key(join, head, record);
    struct scan_session *session = table_get(&join->sessions, key_slice(&key));

    return session ? session : session_new(join, key, head->stamp.unix_ms);
}

static void session_open(struct scan_join *join, const struct maillog_head *head,
                         const struct maillog_record *record)
{
    const uint64_t key = session_key(join, head, record);
    struct scan_session *session = table_get(&join->sessions, key_slice(&key));

    if (session)
        scan_session_end(join, session);
    (void)session_new(join, key, head->stamp.unix_ms);
}

/* The envelope without queue id, made where there is none. */
static struct scan_envelope *open_envelope(struct scan_join *join, struct scan_session *session,
                                           int64_t now_ms)
{
    if (!session->open) {
        session->open = scan_envelope_begin(join, now_ms);
        session->open->session = session;
    }
    session->open->heard_ms = now_ms;
    return session->open;
}

/* The client has gone: what it left behind without an answer, or refused, is over. */
static void session_over(struct scan_join *join, const struct maillog_head *head,
                         const struct maillog_record *record)
{
    const uint64_t key = session_key(join, head, record);
    struct scan_session *session = table_get(&join->sessions, key_slice(&key));

    if (!session)
        return;
    struct scan_envelope *queued = session->queued ? scan_envelope_find(join, session->queued) : NULL;
    if (session->open)
        session->open->ended = true;
    if (queued)
        queued->ended = true;
    if (queued && queued->content) /* else the queue manager may still tell that it was taken */
        scan_envelope_end(join, queued);
    scan_session_end(join, session);
}

/* --- what was found of a client before any envelope ----------------------------------------------------- */

static void finding_add(struct scan_join *join, const struct maillog_head *head,
                        const struct maillog_record *record, enum finding finding)
{
    struct scan_session *session = session_of(join, head, record);
    struct scan_envelope *envelope = open_envelope(join, session, head->stamp.unix_ms);

    scan_envelope_add(envelope, record);
    envelope->dropped = envelope->dropped || record->kind == MAILLOG_FOREIGN;
    envelope->findings.bits[finding / 64] |= UINT64_C(1) << finding % 64;
}

/* A web proxy is told to POST to us, or to CONNECT. */
static bool is_tunnel(struct slice command)
{
    return slice_starts(command, SLICE("POST ")) || slice_starts(command, SLICE("CONNECT "));
}

static void lost(struct scan_join *join, const struct maillog_head *head, const struct maillog_record *record)
{
    struct scan_session *session = session_of(join, head, record);
    struct scan_envelope *queued = session->queued ? scan_envelope_find(join, session->queued) : NULL;

    if (session->open)
        session->open->lost = true;
    if (queued)
        queued->lost = true;
}

/* --- refusals and envelopes ----------------------------------------------------------------------------- */

static void refused(struct scan_join *join, const struct maillog_head *head,
                    const struct maillog_record *record)
{
    const int64_t now_ms = head->stamp.unix_ms;

    if (record->id.len) {
        struct scan_envelope *envelope = scan_envelope_find(join,
                                                            scan_key_of(join, head->host, record->id, 0));
        if (!envelope)
            return;
        envelope->heard_ms = now_ms;
        scan_envelope_refuse(envelope, record);
        return;
    }
    struct scan_session *session = session_of(join, head, record);
    if (session->open && scan_envelope_differs(session->open, record))
        scan_envelope_end(join, session->open);
    scan_envelope_refuse(open_envelope(join, session, now_ms), record);
}

/* The first recipient was taken: refused ones before it, of the same session, belong to the same envelope,
 * unless its sender will turn out to be another. */
static void client(struct scan_join *join, const struct maillog_head *head,
                   const struct maillog_record *record)
{
    struct scan_session *session = session_of(join, head, record);
    struct scan_envelope *envelope = open_envelope(join, session, head->stamp.unix_ms);
    const uint64_t key = scan_key_of(join, head->host, record->id, 0);

    envelope->begun = true;
    envelope->session = NULL;
    session->open = NULL;
    session->queued = key;
    scan_envelope_key(join, envelope, key);
    scan_envelope_add(envelope, record);
}

/* An envelope that was begun with the refusals of another one: these end alone. */
static void split(struct scan_join *join, struct scan_envelope *envelope)
{
    const uint64_t key = envelope->key;
    const int64_t heard_ms = envelope->heard_ms;
    const bool has_message_id = envelope->has_message_id, message_id = envelope->message_id;
    char name[ATTEMPT_TEXT_MAX];
    const struct maillog_record client = {
        .has = MAILLOG_HAS_CLIENT | (envelope->has_ptr ? MAILLOG_HAS_NAME : 0u),
        .address = envelope->peer,
        .name = slice_of(name, envelope->ptr.len),
        .authenticated = envelope->authenticated,
    };

    /* Where there is room for one alone, the second takes the first one's place. */
    memcpy(name, envelope->ptr.len ? envelope->ptr.at : "", envelope->ptr.len);
    envelope->has_message_id = false;
    scan_envelope_end(join, envelope);
    struct scan_envelope *second = scan_envelope_begin(join, heard_ms);
    second->begun = true;
    scan_envelope_add(second, &client);
    second->has_message_id = has_message_id;
    second->message_id = message_id;
    scan_envelope_key(join, second, key);
}

static void queued(struct scan_join *join, const struct maillog_head *head,
                   const struct maillog_record *record)
{
    const uint64_t key = scan_key_of(join, head->host, record->id, 0);
    struct scan_envelope *envelope = scan_envelope_find(join, key);

    if (!envelope || envelope->queued)
        return;
    if (scan_envelope_differs(envelope, record)) {
        split(join, envelope);
        envelope = scan_envelope_find(join, key);
    }
    scan_envelope_add(envelope, record);
    envelope->queued = true;
    envelope->heard_ms = head->stamp.unix_ms;
    if (!envelope->authenticated && !address_is_loopback(&envelope->peer)) {
        join->counts.queued++;
        join->counts.octets += record->size;
    }
}

/* Recipients are known by their delivery; when it has been told of all, the envelope is complete. */
static void delivered(struct scan_join *join, struct scan_envelope *envelope,
                      const struct maillog_record *record)
{
    scan_envelope_add(envelope, record);
    envelope->told++;
    if (envelope->queued && envelope->has_count && envelope->told >= envelope->count)
        scan_envelope_end(join, envelope);
}

static void by_id(struct scan_join *join, const struct maillog_head *head,
                  const struct maillog_record *record)
{
    struct scan_envelope *envelope = scan_envelope_find(join, scan_key_of(join, head->host, record->id, 0));

    if (!envelope)
        return; /* sent from here, or it was told already */
    if (record->kind == MAILLOG_MESSAGE_ID)
        scan_envelope_add(envelope, record);
    else if (record->kind == MAILLOG_TO)
        delivered(join, envelope, record);
    else
        scan_envelope_end(join, envelope);
}

void scan_join_postfix(struct scan_join *join, const struct maillog_head *head,
                       const struct maillog_record *record)
{
    switch (record->kind) {
    case MAILLOG_CONNECTED: session_open(join, head, record); break;
    case MAILLOG_DISCONNECTED: session_over(join, head, record); break;
    case MAILLOG_LOST: lost(join, head, record); break;
    case MAILLOG_FOREIGN:
        finding_add(join, head, record, is_tunnel(record->reply) ? FIND_HTTP_TUNNEL : FIND_FOREIGN_PROTOCOL);
        break;
    case MAILLOG_EARLY:
        finding_add(join, head, record,
                    head->program == MAILLOG_POSTSCREEN ? FIND_EARLY_TALK : FIND_PIPELINING);
        break;
    case MAILLOG_CLIENT: client(join, head, record); break;
    case MAILLOG_FROM: queued(join, head, record); break;
    case MAILLOG_REFUSED: refused(join, head, record); break;
    case MAILLOG_MESSAGE_ID:
    case MAILLOG_TO:
    case MAILLOG_GONE: by_id(join, head, record); break;
    case MAILLOG_UNKNOWN:
    case MAILLOG_NOTHING: break;
    }
}
