#include "watch/attempt_journal.h"

#include "base/text.h"
#include "core/ask.h"
#include "core/finding.h"

enum { ENDED_BY_US = 3, VERDICT_DROP = 3 };

/* A session while its events are read. */
struct reading {
    struct arena *arena;
    struct attempt *attempts; /* a ring of ATTEMPT_JOURNAL_MAX */
    size_t count;             /* all there were */
    struct attempt session;   /* what holds for all envelopes */
    struct slice *recipients; /* of the one at hand */
    struct attempt *at;       /* the envelope at hand, or NULL */
    bool taken;               /* its message was */
    bool some_taken;          /* one of its recipients was */
    bool dropped;
    struct slice pointed; /* names that the address points to */
    const struct history *history;
};

static void envelope_end(struct reading *reading, int64_t unix_us)
{
    struct attempt *at = reading->at;
    if (!at)
        return;
    reading->at = NULL;
    at->duration_ms = (uint32_t)((unix_us / 1000 - at->unix_ms) & UINT32_MAX);
    at->has |= ATTEMPT_HAS_DURATION | ATTEMPT_HAS_END | ATTEMPT_HAS_VERDICT | ATTEMPT_HAS_UNKNOWN;
    at->gave_up = !reading->taken;
    if (reading->taken)
        at->verdict = ATTEMPT_ACCEPTED;
    else if (at->code == 421)
        at->verdict = ATTEMPT_DROPPED;
    else if (at->code >= 500)
        at->verdict = ATTEMPT_REFUSED;
    else
        at->verdict = at->code >= 400 ? ATTEMPT_DEFERRED : ATTEMPT_LEFT;
}

static void envelope_begin(struct reading *reading, const struct event *event)
{
    const struct event_mail_started *mail = &event->body.mail_started;
    envelope_end(reading, event->stamp.unix_us);
    struct attempt *at = &reading->attempts[reading->count++ % ATTEMPT_JOURNAL_MAX];
    *at = reading->session;
    at->envelope = (uint32_t)mail->transaction;
    at->unix_ms = event->stamp.unix_us / 1000;
    at->sender = mail->sender;
    at->has |= ATTEMPT_HAS_SENDER;
    if (mail->size) {
        at->size = mail->size;
        at->has |= ATTEMPT_HAS_SIZE;
    }
    reading->recipients = arena_take(reading->arena, ATTEMPT_RECIPIENTS_MAX * sizeof *reading->recipients);
    at->recipients = reading->recipients;
    reading->at = at;
    reading->taken = reading->some_taken = false;
}

static void take_recipient(struct reading *reading, struct slice recipient)
{
    struct attempt *at = reading->at;
    if (at->recipient_count < ATTEMPT_RECIPIENTS_MAX)
        reading->recipients[at->recipient_count++] = recipient;
    at->recipients_tried++;
    at->has |= ATTEMPT_HAS_RECIPIENTS;
}

static void take_judged(struct reading *reading, const struct event_recipient_judged *judged)
{
    if (!reading->at)
        return;
    take_recipient(reading, judged->recipient);
    if (judged->code < 400)
        reading->some_taken = true;
}

static void take_finding(struct reading *reading, unsigned finding)
{
    struct attempt *at = reading->at ? reading->at : &reading->session;
    attempt_finding_set(at, finding);
    if (reading->at && finding == FIND_UNKNOWN_RECIPIENT)
        at->recipients_unknown++;
    if (finding == FIND_SPF_PASS) {
        const size_t sign = slice_find_last(at->sender, '@');
        at->spf_pass = sign == SLICE_NOT_FOUND ? SLICE_NONE : slice_from(at->sender, sign + 1);
    }
    if (finding >= FIND_SPF_FAIL && finding <= FIND_SPF_PASS && finding != FIND_SPF_TEMPERROR)
        at->has |= ATTEMPT_HAS_SPF;
}

static void take_message(struct reading *reading, const struct event_message_received *message)
{
    struct attempt *at = reading->at;
    uint64_t digest;
    if (!at)
        return;
    at->octets = message->octets;
    at->message_id = message->message_id.len > 0;
    at->has |= ATTEMPT_HAS_OCTETS | ATTEMPT_HAS_MESSAGE_ID;
    if (message->body && at->octets) {
        at->body_digest = message->body;
        at->has |= ATTEMPT_HAS_BODY;
    } else if (message->digest.len >= 16 && text_parse_hex(slice_head(message->digest, 16), &digest) &&
               digest && !message->header_octets) { /* an old record: the whole content then */
        at->body_digest = digest;
        at->has |= ATTEMPT_HAS_BODY;
    }
}

/* Refusals of single recipients do not matter where others were taken: what comes behind decides. */
static void take_reply(struct reading *reading, const struct event_reply_sent *reply)
{
    struct attempt *at = reading->at;
    if (!at) {
        if (reply->code >= 400)
            reading->session.code = (uint32_t)reply->code;
        return;
    }
    if (reply->code >= 400)
        at->code = (uint32_t)reply->code;
    else if (reply->code == 354 || (reading->some_taken && reply->code == 250))
        at->code = 0;
    else if (reply->code == 221 && reading->dropped)
        at->code = 421;
}

/* --- who --------------------------------------------------------------------------------------------------
 */

static void take_origin(struct attempt *session, struct slice value)
{
    struct slice numbers, netblock, country, owner;
    uint64_t number;
    slice_cut(&value, '\t', &numbers);
    slice_cut(&value, '\t', &netblock);
    slice_cut(&value, '\t', &country);
    if (!slice_cut(&value, '\t', &owner))
        owner = SLICE_NONE;
    const size_t end = slice_find(numbers, ' ');
    numbers = slice_head(numbers, end == SLICE_NOT_FOUND ? numbers.len : end);
    if (slice_starts(numbers, SLICE("AS")) && text_parse_u64(slice_from(numbers, 2), &number) &&
        number <= UINT32_MAX)
        session->as_number = (uint32_t)number;
    if (!prefix_parse(netblock, &session->netblock))
        session->netblock = (struct prefix){.bits = 0};
    if (country.len == 2)
        memcpy(session->country, country.at, 2);
    session->owner = owner;
    session->has |= ATTEMPT_HAS_ORIGIN;
}

static void take_answer(struct reading *reading, const struct event_question_answered *answer)
{
    const bool found = answer->status == ANSWER_FOUND, none = answer->status == ANSWER_NONE;
    if (answer->kind == ASK_POINTER && (found || none)) {
        reading->session.has |= ATTEMPT_HAS_PTR;
        reading->pointed = found ? answer->value : SLICE_NONE;
    }
    if (answer->kind == ASK_ORIGIN && found)
        take_origin(&reading->session, answer->value);
}

static void take_opened(struct reading *reading, const struct event *event)
{
    const struct event_session_opened *opened = &event->body.session_opened;
    reading->session.peer = opened->peer;
    reading->session.unix_ms = event->stamp.unix_us / 1000;
    if (opened->fingerprint.len) {
        reading->session.fingerprint = opened->fingerprint;
        reading->session.has |= ATTEMPT_HAS_FINGERPRINT;
    }
}

/* Behind a proxy it is another host, whose TCP we do not see. */
static void take_proxied(struct reading *reading, const struct event_session_proxied *proxied)
{
    if (!proxied->peer.family)
        return;
    reading->session.peer = proxied->peer;
    reading->session.fingerprint = SLICE_NONE;
    reading->session.has &= ~(uint32_t)ATTEMPT_HAS_FINGERPRINT;
}

static void take_line(struct reading *reading, struct slice line)
{
    if (!slice_starts_fold(line, SLICE("HELO ")) && !slice_starts_fold(line, SLICE("EHLO ")))
        return;
    reading->session.helo = slice_trim(slice_from(line, 5));
    reading->session.has |= ATTEMPT_HAS_HELO;
}

/* The registered domain of a name, as far as it was asked in the session. */
static void name_pool(const struct history *history, struct attempt *attempt)
{
    for (size_t i = 0; i < history->count; i++) {
        const struct event_question_answered *answer = &history->events[i].body.question_answered;
        if (history->events[i].kind != EVENT_KIND_question_answered || answer->kind != ASK_REGISTERED ||
            !slice_equal_fold(answer->key, attempt->ptr))
            continue;
        attempt->pool = answer->status == ANSWER_FOUND ? answer->value : SLICE_NONE;
        attempt->has |= ATTEMPT_HAS_POOL;
    }
}

static void name_finish(const struct reading *reading, struct attempt *attempt, struct slice confirmed)
{
    struct slice pointed = reading->pointed, first = SLICE_NONE;
    attempt->ptr_generic = attempt_finding(&reading->session, FIND_PTR_GENERIC);
    if (confirmed.len) {
        attempt->ptr = confirmed;
        attempt->ptr_confirmed = true;
        attempt->has |= ATTEMPT_HAS_PTR;
        name_pool(reading->history, attempt);
    } else if (attempt_has(attempt, ATTEMPT_HAS_PTR)) {
        slice_word(&pointed, &first);
        attempt->ptr = first;
    }
}

/* --- HTTP -------------------------------------------------------------------------------------------------
 */

static void take_http(struct reading *reading, const struct event *event)
{
    const struct event_http_request *http = &event->body.http_request;
    struct slice rest = http->recipients, recipient;
    if (!http->commands)
        return;
    struct attempt *at = &reading->attempts[reading->count++ % ATTEMPT_JOURNAL_MAX];
    *at = reading->session;
    at->sender = http->sender;
    at->helo = http->helo;
    at->has |= ATTEMPT_HAS_SENDER | (http->helo.len ? ATTEMPT_HAS_HELO : 0u);
    reading->recipients = arena_take(reading->arena, ATTEMPT_RECIPIENTS_MAX * sizeof *reading->recipients);
    at->recipients = reading->recipients;
    reading->at = at;
    while (slice_word(&rest, &recipient))
        take_recipient(reading, recipient);
    if (http->recipient_count > at->recipients_tried && http->recipient_count <= UINT32_MAX)
        at->recipients_tried = (uint32_t)http->recipient_count;
    attempt_finding_set(at, FIND_HTTP_TUNNEL);
    at->code = 421;
}

/* --- the whole --------------------------------------------------------------------------------------------
 */

static void take(struct reading *reading, const struct event *event)
{
    const union event_body *body = &event->body;
    switch ((unsigned)event->kind) {
    case EVENT_KIND_session_opened: take_opened(reading, event); break;
    case EVENT_KIND_session_proxied: take_proxied(reading, &body->session_proxied); break;
    case EVENT_KIND_line_received: take_line(reading, body->line_received.text); break;
    case EVENT_KIND_question_answered: take_answer(reading, &body->question_answered); break;
    case EVENT_KIND_finding: take_finding(reading, (unsigned)body->finding.finding); break;
    case EVENT_KIND_verdict:
        reading->dropped = reading->dropped ||
                           (body->verdict.verdict == VERDICT_DROP && !body->verdict.observed);
        break;
    case EVENT_KIND_mail_started: envelope_begin(reading, event); break;
    case EVENT_KIND_recipient_judged: take_judged(reading, &body->recipient_judged); break;
    case EVENT_KIND_message_received: take_message(reading, &body->message_received); break;
    case EVENT_KIND_message_stored:
    case EVENT_KIND_message_remembered:
    case EVENT_KIND_message_discarded: reading->taken = true; break;
    case EVENT_KIND_message_relayed: reading->taken = body->message_relayed.code / 100 == 2; break;
    case EVENT_KIND_reply_sent: take_reply(reading, &body->reply_sent); break;
    case EVENT_KIND_http_request: take_http(reading, event); break;
    default: break;
    }
}

/* A session without an envelope tells something where we turned it away. */
static void session_alone(struct reading *reading, const struct event *ended)
{
    struct attempt *at = &reading->session;
    const bool dropped = reading->dropped || ended->body.session_ended.why == ENDED_BY_US;
    if (reading->count || (!reading->dropped && at->code < 500))
        return;
    reading->attempts[reading->count++] = *at;
    reading->at = &reading->attempts[0];
    reading->at->code = dropped ? 421 : at->code;
}

/* Findings of the session are those of each envelope. */
static void finish(const struct reading *reading, const struct event_session_ended *ended, struct attempt *at)
{
    for (unsigned i = 0; i < ATTEMPT_FINDING_WORDS; i++)
        at->findings.bits[i] |= reading->session.findings.bits[i];
    at->has |= ATTEMPT_HAS_FINDINGS;
    at->as_number = reading->session.as_number;
    at->netblock = reading->session.netblock;
    at->owner = reading->session.owner;
    memcpy(at->country, reading->session.country, sizeof at->country);
    at->has |= reading->session.has & (ATTEMPT_HAS_ORIGIN | ATTEMPT_HAS_PTR);
    name_finish(reading, at, ended->ptr);
}

/* The ring's oldest comes first. */
static size_t unroll(struct reading *reading)
{
    struct attempt copy[ATTEMPT_JOURNAL_MAX];
    const size_t first = reading->count % ATTEMPT_JOURNAL_MAX;
    if (reading->count <= ATTEMPT_JOURNAL_MAX)
        return reading->count;
    memcpy(copy, reading->attempts, sizeof copy);
    for (size_t i = 0; i < ATTEMPT_JOURNAL_MAX; i++)
        reading->attempts[i] = copy[(first + i) % ATTEMPT_JOURNAL_MAX];
    return ATTEMPT_JOURNAL_MAX;
}

size_t attempts_from_history(const struct history *history, const struct event *ended, struct arena *arena,
                             struct attempt ret_attempts[ATTEMPT_JOURNAL_MAX])
{
    struct reading reading = {.arena = arena, .attempts = ret_attempts, .history = history};
    reading.session.id = history->session;
    reading.session.peer = ended->body.session_ended.peer;
    reading.session.unix_ms = event_id_unix_ms(history->session);
    for (size_t i = 0; i < history->count; i++)
        take(&reading, &history->events[i]);
    session_alone(&reading, ended);
    envelope_end(&reading, ended->stamp.unix_us);
    const size_t count = unroll(&reading);
    for (size_t i = 0; i < count; i++)
        finish(&reading, &ended->body.session_ended, &ret_attempts[i]);
    return count;
}

struct attempt attempt_from_end(const struct event *ended, bool has_sender, struct slice sender)
{
    const struct event_session_ended *body = &ended->body.session_ended;
    const size_t sign = slice_find_last(sender, '@');
    struct slice flags = body->flags, flag;
    struct attempt attempt = {.has = ATTEMPT_HAS_VERDICT,
                              .id = ended->stamp.session,
                              .unix_ms = ended->stamp.unix_us / 1000,
                              .peer = body->peer,
                              .ptr = body->ptr,
                              .ptr_confirmed = body->ptr.len > 0,
                              .helo = body->helo,
                              .verdict = ATTEMPT_ACCEPTED};
    attempt.has |= (body->ptr.len ? ATTEMPT_HAS_PTR : 0u) | (body->helo.len ? ATTEMPT_HAS_HELO : 0u);
    if (has_sender) {
        attempt.sender = sender;
        attempt.has |= ATTEMPT_HAS_SENDER;
    }
    while (slice_cut(&flags, ',', &flag)) {
        enum finding finding;
        if (finding_parse(flag, &finding))
            attempt_finding_set(&attempt, finding);
    }
    attempt.ptr_generic = attempt_finding(&attempt, FIND_PTR_GENERIC);
    if (has_sender && attempt_finding(&attempt, FIND_SPF_PASS) && sign != SLICE_NOT_FOUND) {
        attempt.spf_pass = slice_from(sender, sign + 1);
        attempt.has |= ATTEMPT_HAS_SPF;
    }
    return attempt;
}
