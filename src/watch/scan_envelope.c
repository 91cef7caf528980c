#include "watch/scan_envelope.h"

#include "core/finding.h"

void scan_envelope_init(struct scan_envelope *envelope, bool used, int64_t began_ms)
{
    const struct link age = envelope->age;

    if (used)
        arena_drop(&envelope->arena);
    /* Recipients are looked at up to their count, and the room is the arena's. */
    memset(envelope, 0, offsetof(struct scan_envelope, recipients));
    envelope->age = age;
    envelope->began_ms = envelope->heard_ms = began_ms;
    arena_init(&envelope->arena, envelope->room, sizeof envelope->room);
}

void scan_envelope_done(struct scan_envelope *envelope)
{
    if (envelope)
        arena_drop(&envelope->arena);
}

/* --- texts --------------------------------------------------------------------------------------------- */

static struct slice text_copy(struct scan_envelope *envelope, struct slice text)
{
    return arena_copy(&envelope->arena, slice_head(text, ATTEMPT_TEXT_MAX));
}

/* Whether there is " at " in it, as list archives write addresses. */
static size_t written_at(struct slice path)
{
    return slice_find(path, ' ') == SLICE_NOT_FOUND ? SLICE_NOT_FOUND : slice_find_slice(path, SLICE(" at "));
}

static struct slice path_copy(struct scan_envelope *envelope, struct slice path)
{
    const size_t at = written_at(path);

    if (at == SLICE_NOT_FOUND || slice_find(path, '@') != SLICE_NOT_FOUND)
        return text_copy(envelope, path);
    const struct slice domain = slice_from(path, at + 4);
    return text_copy(envelope, arena_format(&envelope->arena, "%.*s@%.*s", SLICE_ARGS(slice_head(path, at)),
                                            SLICE_ARGS(slice_head(domain, ATTEMPT_TEXT_MAX))));
}

/* Each recipient counts once; what is beyond those that are kept is counted alone. True: it is a new one. */
static bool recipient_add(struct scan_envelope *envelope, struct slice recipient)
{
    recipient = slice_head(recipient, ATTEMPT_TEXT_MAX);
    if (written_at(recipient) != SLICE_NOT_FOUND)
        recipient = path_copy(envelope, recipient);
    for (uint32_t i = 0; i < envelope->recipient_count; i++)
        if (slice_equal(envelope->recipients[i], recipient))
            return false;
    envelope->tried++;
    if (envelope->recipient_count < ATTEMPT_RECIPIENTS_MAX)
        envelope->recipients[envelope->recipient_count++] = path_copy(envelope, recipient);
    return true;
}

/* --- what a line tells --------------------------------------------------------------------------------- */

static void client_add(struct scan_envelope *envelope, const struct maillog_record *record)
{
    if ((record->has & MAILLOG_HAS_CLIENT) && !envelope->has_peer) {
        envelope->has_peer = true;
        envelope->peer = record->address;
    }
    if ((record->has & MAILLOG_HAS_NAME) && !envelope->has_ptr) {
        envelope->has_ptr = true;
        envelope->ptr = text_copy(envelope, record->name);
    }
}

void scan_envelope_add(struct scan_envelope *envelope, const struct maillog_record *record)
{
    struct slice rest = record->recipients, recipient;

    client_add(envelope, record);
    if ((record->has & MAILLOG_HAS_SENDER) && !envelope->has_sender) {
        envelope->has_sender = true;
        envelope->sender = path_copy(envelope, record->sender);
    }
    if ((record->has & MAILLOG_HAS_HELO) && !envelope->has_helo) {
        envelope->has_helo = true;
        envelope->helo = text_copy(envelope, record->helo);
    }
    while ((record->has & MAILLOG_HAS_RECIPIENTS) && maillog_next_recipient(&rest, &recipient))
        (void)recipient_add(envelope, recipient);
    if ((record->has & MAILLOG_HAS_SIZE) && record->size && !envelope->has_octets) {
        envelope->has_octets = true;
        envelope->octets = record->size;
    }
    if ((record->has & MAILLOG_HAS_COUNT) && !envelope->has_count) {
        envelope->has_count = true;
        envelope->count = record->recipient_count;
    }
    if (record->has & MAILLOG_HAS_MESSAGE_ID) {
        envelope->has_message_id = true;
        envelope->message_id = record->message_id.len > 0;
    }
    envelope->authenticated = envelope->authenticated || record->authenticated;
}

bool scan_envelope_differs(const struct scan_envelope *envelope, const struct maillog_record *record)
{
    struct slice theirs = record->sender;

    if (!envelope->has_sender || !(record->has & MAILLOG_HAS_SENDER))
        return false;
    const size_t at = written_at(theirs);
    if (at != SLICE_NOT_FOUND) /* ours was rewritten: what stands before the @ tells */
        return !slice_starts(envelope->sender, slice_head(theirs, at));
    return !slice_equal(envelope->sender, slice_head(theirs, ATTEMPT_TEXT_MAX));
}

/* --- refusals ------------------------------------------------------------------------------------------ */

static void finding_add(struct scan_envelope *envelope, enum finding finding)
{
    envelope->findings.bits[finding / 64] |= UINT64_C(1) << finding % 64;
}

static bool says(struct slice reply, struct slice words)
{
    return slice_find_slice(reply, words) != SLICE_NOT_FOUND;
}

static bool is_unknown_recipient(struct slice reply)
{
    /* "550 5.1.1 …": Postfix has it in front, and sendmail, too. */
    return slice_starts(slice_from(reply, 4), SLICE("5.1.1")) || says(reply, SLICE("User unknown"));
}

/* What servers' own refusals are about: the first one that fits. */
static void findings_add(struct scan_envelope *envelope, const struct maillog_record *record)
{
    static const struct {
        struct slice words;
        uint8_t finding;
    } known[] = {
        {{"blocked using ", 14}, FIND_LISTED},
        {{"Relay access denied", 19}, FIND_RELAY_DENIED},
        {{"Relaying denied", 15}, FIND_RELAY_DENIED},
        {{"Unidentified messages are not acceptable", 40}, FIND_MESSAGE_ID_ABSENT},
        {{"Message-ID must be an addr-spec", 31}, FIND_MESSAGE_ID_MALFORMED},
    };

    if (record->code < 500) {
        if (says(record->reply, SLICE("reylist")))
            finding_add(envelope, FIND_GREY);
        else if (says(record->reply, SLICE("blocked using ")))
            finding_add(envelope, FIND_LISTED);
        return;
    }
    if (record->stage == MAILLOG_AT_RCPT && is_unknown_recipient(record->reply)) {
        finding_add(envelope, FIND_UNKNOWN_RECIPIENT);
        return;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (says(record->reply, known[i].words)) {
            finding_add(envelope, (enum finding)known[i].finding);
            return;
        }
}

void scan_envelope_refuse(struct scan_envelope *envelope, const struct maillog_record *record)
{
    struct slice rest = record->recipients, recipient;
    const bool fresh = record->stage == MAILLOG_AT_RCPT && maillog_next_recipient(&rest, &recipient) &&
                       recipient_add(envelope, recipient);

    scan_envelope_add(envelope, record);
    if (record->discarded)
        envelope->discarded = true;
    if (record->warning || record->discarded)
        return;
    if (record->code)
        envelope->code = record->code;
    findings_add(envelope, record);
    if (record->stage == MAILLOG_AT_RCPT) {
        envelope->refused = true;
        envelope->unknown += fresh && is_unknown_recipient(record->reply);
        return;
    }
    envelope->content = true;
    if (attempt_finding(&(struct attempt){.findings = envelope->findings}, FIND_MESSAGE_ID_ABSENT)) {
        envelope->has_message_id = true;
        envelope->message_id = false;
    }
}

/* --- the attempt --------------------------------------------------------------------------------------- */

static enum attempt_verdict verdict_of(const struct scan_envelope *envelope)
{
    if (envelope->discarded || (envelope->queued && !envelope->content))
        return ATTEMPT_ACCEPTED;
    if (envelope->content || envelope->refused)
        return envelope->code >= 400 && envelope->code < 500 ? ATTEMPT_DEFERRED : ATTEMPT_REFUSED;
    return envelope->dropped ? ATTEMPT_DROPPED : ATTEMPT_LEFT;
}

static void texts_give(const struct scan_envelope *envelope, struct attempt *attempt)
{
    if (envelope->has_ptr) {
        attempt->has |= ATTEMPT_HAS_PTR;
        attempt->ptr = envelope->ptr;
        attempt->ptr_confirmed = envelope->ptr.len > 0;
    }
    if (envelope->has_helo) {
        attempt->has |= ATTEMPT_HAS_HELO;
        attempt->helo = envelope->helo;
    }
    if (envelope->has_sender) {
        attempt->has |= ATTEMPT_HAS_SENDER;
        attempt->sender = envelope->sender;
    }
    if (envelope->recipient_count) {
        attempt->has |= ATTEMPT_HAS_RECIPIENTS | ATTEMPT_HAS_UNKNOWN;
        attempt->recipients = envelope->recipients;
        attempt->recipient_count = envelope->recipient_count;
        attempt->recipients_tried = envelope->tried;
        attempt->recipients_unknown = envelope->unknown;
    }
}

void scan_envelope_attempt(const struct scan_envelope *envelope, struct attempt *ret_attempt)
{
    const int64_t took_ms = envelope->heard_ms - envelope->began_ms;

    *ret_attempt = (struct attempt){
        .has = ATTEMPT_HAS_VERDICT,
        .envelope = envelope->begun || envelope->has_sender || envelope->recipient_count,
        .unix_ms = envelope->began_ms,
        .peer = envelope->peer,
        .verdict = verdict_of(envelope),
        .findings = envelope->findings,
    };
    ret_attempt->peer.port = 0;
    ret_attempt->code = ret_attempt->verdict == ATTEMPT_DEFERRED || ret_attempt->verdict == ATTEMPT_REFUSED
                            ? envelope->code
                            : 0;
    texts_give(envelope, ret_attempt);
    if (envelope->has_octets) {
        ret_attempt->has |= ATTEMPT_HAS_OCTETS;
        ret_attempt->octets = envelope->octets;
    }
    if (envelope->has_message_id) {
        ret_attempt->has |= ATTEMPT_HAS_MESSAGE_ID;
        ret_attempt->message_id = envelope->message_id;
    }
    if (took_ms >= 0 && took_ms <= UINT32_MAX) {
        ret_attempt->has |= ATTEMPT_HAS_DURATION;
        ret_attempt->duration_ms = (uint32_t)took_ms;
    }
    if (envelope->ended) {
        ret_attempt->has |= ATTEMPT_HAS_END;
        ret_attempt->gave_up = ret_attempt->verdict != ATTEMPT_ACCEPTED;
    }
}
