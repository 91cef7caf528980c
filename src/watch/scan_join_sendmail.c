/* Sendmail: all lines of an envelope have its id, and its last ones are from= and to=. In excerpts without
 * ids an envelope ends where a line says again what was said. */
#include "watch/scan_join_part.h"

#include "core/finding.h"

static uint64_t key_of(struct scan_join *join, const struct maillog_head *head,
                       const struct maillog_record *record)
{
    if (record->id.len)
        return scan_key_of(join, head->host, record->id, 0);
    return scan_key_of(join, head->host, head->name, (uint64_t)head->pid + 1);
}

/* Whether the line belongs to the next envelope and not to this one. */
static bool is_next(const struct scan_envelope *envelope, const struct maillog_record *record)
{
    if (record->kind == MAILLOG_FROM)
        return envelope->queued || scan_envelope_differs(envelope, record);
    if (record->kind != MAILLOG_REFUSED)
        return false;
    /* Another client, or a refusal behind the envelope's last lines. */
    return envelope->queued ||
           ((record->has & MAILLOG_HAS_CLIENT) && envelope->has_peer &&
            !address_equal_host(&record->address, &envelope->peer)) ||
           (record->stage == MAILLOG_AT_MAIL && scan_envelope_differs(envelope, record));
}

static struct scan_envelope *envelope_of(struct scan_join *join, const struct maillog_head *head,
                                         const struct maillog_record *record)
{
    const uint64_t key = key_of(join, head, record);
    struct scan_envelope *envelope = scan_envelope_find(join, key);

    if (envelope && is_next(envelope, record)) {
        scan_envelope_end(join, envelope);
        envelope = NULL;
    }
    if (!envelope) {
        envelope = scan_envelope_begin(join, head->stamp.unix_ms);
        scan_envelope_key(join, envelope, key);
    }
    return envelope;
}

static bool is_of_ours(const struct scan_envelope *envelope)
{
    return envelope->authenticated || !envelope->has_peer || address_is_loopback(&envelope->peer);
}

/* With no recipient left, or no client, it ends here; else to= lines follow. */
static void from(struct scan_join *join, const struct maillog_head *head, const struct maillog_record *record)
{
    struct scan_envelope *envelope = envelope_of(join, head, record);

    scan_envelope_add(envelope, record);
    envelope->heard_ms = head->stamp.unix_ms;
    if (envelope->lost || (envelope->has_count && !envelope->count)) {
        scan_envelope_end(join, envelope);
        return;
    }
    envelope->queued = true;
    if (!envelope->content && !is_of_ours(envelope)) {
        join->counts.queued++;
        join->counts.octets += record->size;
    }
}

static void to(struct scan_join *join, const struct maillog_head *head, const struct maillog_record *record)
{
    struct scan_envelope *envelope = scan_envelope_find(join, key_of(join, head, record));
    struct slice rest = record->recipients, recipient;

    if (!envelope)
        return;
    scan_envelope_add(envelope, record);
    while (maillog_next_recipient(&rest, &recipient))
        envelope->told++;
    if (envelope->queued && envelope->has_count && envelope->told >= envelope->count)
        scan_envelope_end(join, envelope);
}

static void refused(struct scan_join *join, const struct maillog_head *head,
                    const struct maillog_record *record)
{
    struct scan_envelope *envelope = envelope_of(join, head, record);

    envelope->heard_ms = head->stamp.unix_ms;
    scan_envelope_refuse(envelope, record);
    /* A client that was refused as such has no envelope, and no further line where it has no id. */
    if (record->stage == MAILLOG_AT_CONNECT && !record->id.len)
        scan_envelope_end(join, envelope);
}

void scan_join_sendmail(struct scan_join *join, const struct maillog_head *head,
                        const struct maillog_record *record)
{
    struct scan_envelope *envelope;

    switch (record->kind) {
    case MAILLOG_FROM: from(join, head, record); break;
    case MAILLOG_TO: to(join, head, record); break;
    case MAILLOG_REFUSED: refused(join, head, record); break;
    case MAILLOG_EARLY:
        envelope = envelope_of(join, head, record);
        scan_envelope_add(envelope, record);
        envelope->findings.bits[FIND_EARLY_TALK / 64] |= UINT64_C(1) << FIND_EARLY_TALK % 64;
        break;
    case MAILLOG_LOST:
        envelope = envelope_of(join, head, record);
        scan_envelope_add(envelope, record);
        envelope->lost = envelope->ended = true;
        break;
    case MAILLOG_GONE: scan_envelope_end(join, scan_envelope_find(join, key_of(join, head, record))); break;
    case MAILLOG_CONNECTED:
    case MAILLOG_DISCONNECTED:
    case MAILLOG_FOREIGN:
    case MAILLOG_CLIENT:
    case MAILLOG_MESSAGE_ID:
    case MAILLOG_UNKNOWN:
    case MAILLOG_NOTHING: break;
    }
}
