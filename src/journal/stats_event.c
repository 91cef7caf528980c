/* What each kind of event adds to the statistics. */
#include "core/ask.h"
#include "core/finding.h"
#include "core/say.h"
#include "journal/stats.h"

enum { REASON_VERDICTS = 8, CODE_NEGATIVE = 400, CODE_REFUSING = 500 };

_Static_assert(REASON_VERDICTS *FIND_LIMIT * 2 == STATS_REASON_COUNT, "a cell for each");
_Static_assert(STATS_HISTOGRAM_LIMIT <= STATS_HISTOGRAM_COUNT, "histograms have room");

/* The items of one event, as they gather. */
struct items {
    struct stats_item *at;
    size_t count;
};

/* Cell 0 is none: what this program does not know is not counted. */
static void add(struct items *items, unsigned cell, uint64_t count)
{
    if (cell && count)
        items->at[items->count++] = (struct stats_item){cell, count};
}

/* --- histograms ----------------------------------------------------------------------------------------- */

static const uint32_t bounds_short[STATS_BUCKETS - 1] = {1,   2,   5,    10,   25,   50,    100,
                                                         250, 500, 1000, 2500, 5000, 10000, 30000};
static const uint32_t bounds_long[STATS_BUCKETS - 1] = {
    100, 500, 1000, 2000, 5000, 10000, 30000, 60000, 300000, 900000, 3600000, 14400000, 86400000, 432000000};

const uint32_t *stats_bounds(enum stats_histogram histogram)
{
    return histogram == STATS_SESSION || histogram == STATS_DELIVERY ? bounds_long : bounds_short;
}

static void observe(struct items *items, unsigned histogram, uint64_t ms)
{
    const uint32_t *bounds = stats_bounds((enum stats_histogram)histogram);
    unsigned cell = STATS_HISTOGRAMS + histogram * STATS_HISTOGRAM_CELLS, bucket = 0;
    while (bucket < STATS_BUCKETS - 1 && ms > bounds[bucket])
        bucket++;
    add(items, cell + bucket, 1);
    add(items, cell + STATS_BUCKETS, ms);
}

/* --- commands and replies ------------------------------------------------------------------------------- */

#define WORD(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* As command_parse has it: the verb ends at a blank, and its case does not matter. All that have four letters
 * are told by them; the two that are longer, by their whole. */
static unsigned verb_stat(struct slice line)
{
    struct slice word;
    if (!slice_word(&line, &word) || word.len < 4)
        return STAT_COMMAND_OTHER;
    if (word.len > 4)
        return slice_equal_fold(word, SLICE("STARTTLS"))  ? STAT_COMMAND_STARTTLS
               : slice_equal_fold(word, SLICE("XCLIENT")) ? STAT_COMMAND_XCLIENT
                                                          : STAT_COMMAND_OTHER;
    switch (WORD(word.at[0] & 0xdf, word.at[1] & 0xdf, word.at[2] & 0xdf, word.at[3] & 0xdf)) {
    case WORD('H', 'E', 'L', 'O'): return STAT_COMMAND_HELO;
    case WORD('E', 'H', 'L', 'O'): return STAT_COMMAND_EHLO;
    case WORD('M', 'A', 'I', 'L'): return STAT_MAIL;
    case WORD('R', 'C', 'P', 'T'): return STAT_RCPT;
    case WORD('D', 'A', 'T', 'A'): return STAT_COMMAND_DATA;
    case WORD('B', 'D', 'A', 'T'): return STAT_COMMAND_BDAT;
    case WORD('R', 'S', 'E', 'T'): return STAT_COMMAND_RSET;
    case WORD('N', 'O', 'O', 'P'): return STAT_COMMAND_NOOP;
    case WORD('Q', 'U', 'I', 'T'): return STAT_COMMAND_QUIT;
    case WORD('V', 'R', 'F', 'Y'): return STAT_COMMAND_VRFY;
    case WORD('E', 'X', 'P', 'N'): return STAT_COMMAND_EXPN;
    case WORD('H', 'E', 'L', 'P'): return STAT_COMMAND_HELP;
    case WORD('A', 'U', 'T', 'H'): return STAT_COMMAND_AUTH;
    }
    return STAT_COMMAND_OTHER;
}

static void line(struct items *items, const struct event_line_received *body)
{
    unsigned verb = verb_stat(body->text);
    add(items, STAT_COMMANDS, 1);
    add(items, verb, 1);
    add(items, verb == STAT_COMMAND_DATA ? STAT_DATA : STAT_NONE, 1);
}

static void reply(struct items *items, const struct event_reply_sent *body)
{
    add(items, STAT_REPLIES, 1);
    add(items,
        body->code >= CODE_REFUSING   ? STAT_REPLIES_REFUSING
        : body->code >= CODE_NEGATIVE ? STAT_REPLIES_DEFERRING
                                      : STAT_REPLIES_POSITIVE,
        1);
    add(items, stat_of_reply(body->number), 1);
    add(items, body->number == SAY_SEND_MESSAGE ? STAT_DATA_ACCEPTED : STAT_NONE, 1);
    if (body->answers && body->answers <= STATS_STAGE_MESSAGE + 1)
        observe(items, (unsigned)body->answers - 1, body->took_ms);
}

static void recipient(struct items *items, const struct event_recipient_judged *body)
{
    add(items,
        body->code >= CODE_REFUSING   ? STAT_RCPT_REFUSED
        : body->code >= CODE_NEGATIVE ? STAT_RCPT_DEFERRED
                                      : STAT_RCPT_ACCEPTED,
        1);
}

/* --- sessions ------------------------------------------------------------------------------------------- */

static void opened(struct items *items, const struct event_session_opened *body)
{
    add(items, STAT_CLIENTS, 1);
    add(items, body->peer.family == ADDRESS_IPV6 ? STAT_IPV6 : STAT_NONE, 1);
}

static void ended(struct items *items, const struct event_session_ended *body)
{
    static const uint16_t how[] = {STAT_NONE,      STAT_QUIT,    STAT_CLIENT_CLOSED, STAT_CLOSED_BY_US,
                                   STAT_TIMED_OUT, STAT_STOPPED, STAT_KILLED};
    add(items, STAT_SESSIONS_ENDED, 1);
    add(items, body->why < sizeof how / sizeof *how ? how[body->why] : STAT_NONE, 1);
    add(items, body->accepted ? STAT_WITH_MAIL : STAT_NONE, 1);
    add(items, STAT_OCTETS_RECEIVED, body->octets_in);
    add(items, STAT_OCTETS_SENT, body->octets_out);
    observe(items, STATS_SESSION, body->took_ms);
}

static void mail(struct items *items, const struct event_mail_started *body)
{
    add(items, STAT_MAIL_ACCEPTED, 1);
    add(items, body->sender.len ? STAT_NONE : STAT_NULL_SENDER, 1);
}

static void received(struct items *items, const struct event_message_received *body)
{
    add(items, STAT_MESSAGES, 1);
    add(items, STAT_OCTETS_OF_MESSAGES, body->octets);
    add(items, body->chunks ? STAT_DATA : STAT_NONE, 1);
}

static void stored(struct items *items, const struct event_message_stored *body)
{
    add(items, STAT_MESSAGE_STORED, 1);
    observe(items, STATS_MESSAGE_STORE, body->took_ms);
}

static void relayed(struct items *items, const struct event_message_relayed *body)
{
    add(items,
        body->code >= CODE_REFUSING   ? STAT_MESSAGE_REFUSED_INNER
        : body->code >= CODE_NEGATIVE ? STAT_MESSAGE_DEFERRED_INNER
                                      : STAT_MESSAGE_RELAYED,
        1);
    observe(items, STATS_MESSAGE_RELAY, body->took_ms);
}

/* --- questions, findings, verdicts ---------------------------------------------------------------------- */

static unsigned question_histogram(uint64_t kind)
{
    switch (kind) {
    case ASK_ADDRESS4:
    case ASK_ADDRESS6:
    case ASK_POINTER:
    case ASK_MX:
    case ASK_TXT:
    case ASK_LISTED: return STATS_DNS;
    case ASK_STORED:
    case ASK_SEEN:
    case ASK_COUNT: return STATS_STORE;
    case ASK_RECIPIENT: return STATS_VERIFICATION;
    }
    return STATS_HISTOGRAM_LIMIT;
}

static void asked(struct items *items, const struct event_question_asked *body)
{
    add(items, STAT_QUESTIONS, 1);
    add(items, stat_of_question(body->kind), 1);
}

static void answered(struct items *items, const struct event_question_answered *body)
{
    static const uint16_t of[] = {STAT_NONE, STAT_ANSWERS_FOUND, STAT_ANSWERS_NONE, STAT_ANSWERS_FAILED,
                                  STAT_ANSWERS_TIMEOUT};
    unsigned histogram = question_histogram(body->kind);
    add(items, body->status < sizeof of / sizeof *of ? of[body->status] : STAT_NONE, 1);
    if (histogram < STATS_HISTOGRAM_LIMIT)
        observe(items, histogram, body->took_ms);
}

unsigned stats_reason_cell(uint64_t verdict, uint64_t finding, bool observed)
{
    if (verdict >= REASON_VERDICTS || finding >= FIND_LIMIT)
        return 0;
    return STATS_REASONS + ((observed ? REASON_VERDICTS : 0) + (unsigned)verdict) * FIND_LIMIT +
           (unsigned)finding;
}

static void verdict(struct items *items, const struct event_verdict *body)
{
    add(items, stat_of_verdict(body->stage, body->verdict, body->observed), 1);
    add(items, body->verdict ? stats_reason_cell(body->verdict, body->finding, body->observed) : 0, 1);
}

/* --- all ------------------------------------------------------------------------------------------------ */

/* What happened to a recipient's copy. */
static void delivery(struct items *items, unsigned stat)
{
    add(items, STAT_DELIVERIES, 1);
    add(items, stat, 1);
}

/* Those of which nothing but their coming counts. */
static unsigned plain(enum event_kind kind)
{
    static const uint16_t of[EVENT_KIND_LIMIT] = {
        [EVENT_KIND_session_proxied] = STAT_PROXIED,
        [EVENT_KIND_tls_failed] = STAT_TLS_FAILED,
        [EVENT_KIND_http_request] = STAT_HTTP_REQUESTS,
        [EVENT_KIND_message_failed] = STAT_MESSAGE_FAILED,
        [EVENT_KIND_message_remembered] = STAT_MESSAGE_REMEMBERED,
        [EVENT_KIND_message_discarded] = STAT_MESSAGE_DISCARDED,
        [EVENT_KIND_message_removed] = STAT_UNQUEUED,
        [EVENT_KIND_notification_queued] = STAT_NOTIFICATIONS,
        [EVENT_KIND_queue_damaged] = STAT_QUEUE_DAMAGED,
        [EVENT_KIND_notice_queued] = STAT_NOTICES,
        [EVENT_KIND_notice_failed] = STAT_NOTICES_FAILED,
        [EVENT_KIND_forwarded] = STAT_FORWARDED,
        [EVENT_KIND_process_started] = STAT_PROCESSES_STARTED,
        [EVENT_KIND_process_stopped] = STAT_PROCESSES_STOPPED,
        [EVENT_KIND_process_crashed] = STAT_PROCESSES_CRASHED,
        [EVENT_KIND_configuration_loaded] = STAT_CONFIGURATIONS_LOADED,
        [EVENT_KIND_configuration_refused] = STAT_CONFIGURATIONS_REFUSED,
        [EVENT_KIND_trouble] = STAT_TROUBLES,
        [EVENT_KIND_service_changed] = STAT_SERVICES_CHANGED,
    };
    return (unsigned)kind < EVENT_KIND_LIMIT ? of[kind] : STAT_NONE;
}

static void courier(struct items *items, const struct event *event)
{
    const union event_body *body = &event->body;
    if (event->kind == EVENT_KIND_delivered) {
        delivery(items, STAT_DELIVERED);
        observe(items, STATS_DELIVERY, body->delivered.waited_ms);
    } else if (event->kind == EVENT_KIND_delivery_deferred) {
        delivery(items, STAT_DELIVERY_DEFERRED);
    } else if (event->kind == EVENT_KIND_delivery_failed) {
        delivery(items, STAT_DELIVERY_FAILED);
    } else if (event->kind == EVENT_KIND_message_queued) {
        add(items, STAT_QUEUED, 1);
        add(items, STAT_OCTETS_QUEUED, body->message_queued.octets);
    }
}

size_t stats_of(const struct event *event, struct stats_item items[STATS_ITEMS_MAX])
{
    const union event_body *body = &event->body;
    struct items all = {items, 0};
    switch ((unsigned)event->kind) {
    case EVENT_KIND_session_opened: opened(&all, &body->session_opened); break;
    case EVENT_KIND_session_ended: ended(&all, &body->session_ended); break;
    case EVENT_KIND_line_received: line(&all, &body->line_received); break;
    case EVENT_KIND_reply_sent: reply(&all, &body->reply_sent); break;
    case EVENT_KIND_question_asked: asked(&all, &body->question_asked); break;
    case EVENT_KIND_question_answered: answered(&all, &body->question_answered); break;
    case EVENT_KIND_finding: add(&all, stat_of_finding(body->finding.finding), 1); break;
    case EVENT_KIND_verdict: verdict(&all, &body->verdict); break;
    case EVENT_KIND_mail_started: mail(&all, &body->mail_started); break;
    case EVENT_KIND_recipient_judged: recipient(&all, &body->recipient_judged); break;
    case EVENT_KIND_message_received: received(&all, &body->message_received); break;
    case EVENT_KIND_message_stored: stored(&all, &body->message_stored); break;
    case EVENT_KIND_message_relayed: relayed(&all, &body->message_relayed); break;
    case EVENT_KIND_events_lost: add(&all, STAT_EVENTS_LOST, body->events_lost.count); break;
    case EVENT_KIND_tls_started:
        add(&all, STAT_TLS_STARTED, 1);
        observe(&all, STATS_TLS, body->tls_started.took_ms);
        break;
    case EVENT_KIND_delivered:
    case EVENT_KIND_delivery_deferred:
    case EVENT_KIND_delivery_failed:
    case EVENT_KIND_message_queued: courier(&all, event); break;
    default: add(&all, plain(event->kind), 1); break; /* most add nothing */
    }
    return all.count;
}
