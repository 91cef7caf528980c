/* The attempts of a session, with what a report wants to know of each. */
#include "watch/report_case_part.h"

#include "core/event.h"
#include "core/finding.h"
#include "journal/notice_transcript.h"
#include "journal/words.h"
#include "watch/attempt_journal.h"

#define SAID_MOST  3u
#define SAID_MAX   400u
#define REPLY_MAX  400u
#define HEADER_MAX 512u

/* One attempt, and the events that belong to it. */
struct telling {
    struct report_case *of;
    struct report_attempt *told;
    uint64_t transaction; /* that the events at hand belong to; 0: none yet */
    struct slice reply;   /* the negative one of its transaction that tells most, the last of those */
    unsigned reply_rank;  /* how much it tells */
    struct slice any;     /* the last negative one of the session before */
    struct slice said[SAID_MOST];
    unsigned said_finding[SAID_MOST];
    size_t said_count;
};

static bool is_its(const struct telling *telling, uint64_t transaction)
{
    return transaction == telling->told->envelope;
}

/* DATA is refused because all recipients were; other words come behind that. */
static unsigned rank_of(const struct event_reply_sent *reply)
{
    enum { TO_MAIL = 3, TO_RCPT = 4, TO_DATA = 5, TO_MESSAGE = 6 };

    switch (reply->answers) {
    case TO_MAIL:
    case TO_RCPT:
    case TO_MESSAGE: return 2;
    case TO_DATA: return 1;
    default: return 0;
    }
}

static void take_reply(struct telling *telling, const struct event_reply_sent *reply)
{
    struct slice rest = reply->text, line;
    const unsigned rank = rank_of(reply);

    if (reply->code < 400 || !slice_cut(&rest, '\r', &line))
        return;
    if (!is_its(telling, telling->transaction)) {
        telling->any = telling->transaction ? telling->any : line;
    } else if (rank >= telling->reply_rank) {
        telling->reply = line;
        telling->reply_rank = rank;
    }
}

/* What weighs nothing is no reason, and an observed one was none. */
static void take_finding(struct telling *telling, const struct event_finding *finding)
{
    const bool counts = finding->mode == MODE_ENFORCE && !finding->relief &&
                        (finding->weight || finding_is_firm((unsigned)finding->finding) ||
                         finding->finding == FIND_HTTP_TUNNEL);
    const struct finding_info *info = finding_info((unsigned)finding->finding);

    /* Who is told of a trap takes it off the list, and goes on. */
    if (!info || finding->finding == FIND_TRAP || telling->said_count == SAID_MOST ||
        (telling->transaction && !is_its(telling, telling->transaction)) ||
        !(counts || info->action != ACTION_NONE))
        return;
    for (size_t i = 0; i < telling->said_count; i++)
        if (telling->said_finding[i] == finding->finding)
            return;
    telling->said_finding[telling->said_count] = (unsigned)finding->finding;
    telling->said[telling->said_count++] = finding->evidence;
}

static void take_message(struct telling *telling, const struct event_message_received *message)
{
    struct report_attempt *told = telling->told;
    struct arena *arena = &telling->of->arena;

    if (!is_its(telling, message->transaction))
        return;
    told->message = true;
    told->octets = message->octets;
    told->message_id = arena_join(arena, message->message_id, message->message_id_rest);
    told->message_id = slice_head(told->message_id, HEADER_MAX);
    told->date = arena_copy(arena, slice_head(message->date, HEADER_MAX));
    told->subject = arena_copy(arena, slice_head(message->subject, HEADER_MAX));
}

static void take(struct telling *telling, const struct event *event)
{
    const union event_body *body = &event->body;

    switch ((unsigned)event->kind) {
    case EVENT_KIND_mail_started: telling->transaction = body->mail_started.transaction; break;
    case EVENT_KIND_reply_sent: take_reply(telling, &body->reply_sent); break;
    case EVENT_KIND_finding: take_finding(telling, &body->finding); break;
    case EVENT_KIND_message_received: take_message(telling, &body->message_received); break;
    case EVENT_KIND_message_stored:
        if (is_its(telling, body->message_stored.transaction))
            telling->told->queue_id = arena_copy(&telling->of->arena, body->message_stored.queue_id);
        break;
    case EVENT_KIND_message_discarded:
        telling->told->fooled = telling->told->fooled || is_its(telling, body->message_discarded.transaction);
        break;
    default: break;
    }
}

static struct slice said_join(const struct telling *telling)
{
    struct arena *arena = &telling->of->arena;
    struct slice said = SLICE_NONE;

    for (size_t i = 0; i < telling->said_count; i++)
        said = arena_format(arena, "%.*s%s%s%s%.*s", SLICE_ARGS(said), i ? "; " : "",
                            journal_finding_word(telling->said_finding[i]), telling->said[i].len ? ": " : "",
                            SLICE_ARGS(slice_head(telling->said[i], SAID_MAX)));
    return said;
}

/* --- SPF ----------------------------------------------------------------------------------------------- */

static const char *spf_word(const struct attempt *attempt)
{
    static const struct {
        unsigned finding;
        const char *word;
    } rows[] = {{FIND_SPF_PASS, "pass"},          {FIND_SPF_FAIL, "fail"}, {FIND_SPF_SOFTFAIL, "softfail"},
                {FIND_SPF_NEUTRAL, "neutral"},    {FIND_SPF_NONE, "none"}, {FIND_SPF_TEMPERROR, "temperror"},
                {FIND_SPF_PERMERROR, "permerror"}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (attempt_finding(attempt, rows[i].finding))
            return rows[i].word;
    return NULL;
}

static void spf_tell(struct report_case *of, const struct attempt *attempt, struct report_attempt *told)
{
    const size_t at = slice_find_last(attempt->sender, '@');

    if (!attempt_has(attempt, ATTEMPT_HAS_SENDER) || at == SLICE_NOT_FOUND)
        return;
    told->spf = spf_word(attempt);
    told->spf_domain = arena_copy(&of->arena, slice_from(attempt->sender, at + 1));
}

/* --- an attempt ---------------------------------------------------------------------------------------- */

static void recipients_tell(struct report_case *of, const struct attempt *attempt,
                            struct report_attempt *told)
{
    struct slice *recipients = arena_take(&of->arena, ATTEMPT_RECIPIENTS_MAX * sizeof *recipients);

    for (uint32_t i = 0; i < attempt->recipient_count; i++)
        recipients[i] = arena_copy(&of->arena, attempt->recipients[i]);
    told->recipients = recipients;
    told->recipient_count = attempt->recipient_count;
    told->recipients_tried = attempt->recipients_tried;
}

static struct report_attempt attempt_tell(struct report_case *of, const struct attempt *attempt)
{
    struct report_attempt told = {
        .session = attempt->id,
        .envelope = attempt->envelope,
        .unix_ms = attempt->unix_ms,
        .peer = attempt->peer,
        .has_helo = attempt_has(attempt, ATTEMPT_HAS_HELO),
        .has_sender = attempt_has(attempt, ATTEMPT_HAS_SENDER),
        .helo = arena_copy(&of->arena, attempt->helo),
        .sender = arena_copy(&of->arena, attempt->sender),
        .verdict = attempt->verdict,
        .fooled = attempt->verdict == ATTEMPT_ACCEPTED && attempt_finding(attempt, FIND_TRAP),
    };

    if (attempt_has(attempt, ATTEMPT_HAS_RECIPIENTS))
        recipients_tell(of, attempt, &told);
    spf_tell(of, attempt, &told);
    return told;
}

static void events_tell(struct report_case *of, const struct history *history, struct report_attempt *told)
{
    struct telling telling = {.of = of, .told = told};

    for (size_t i = 0; i < history->count; i++)
        take(&telling, &history->events[i]);
    const struct slice reply = telling.reply.len ? telling.reply : telling.any;
    if (told->verdict != ATTEMPT_ACCEPTED)
        told->reply = arena_copy(&of->arena, slice_head(reply, REPLY_MAX));
    told->said = said_join(&telling);
}

static bool was_turned_away(const struct report_attempt *told)
{
    return told->fooled || told->verdict == ATTEMPT_REFUSED || told->verdict == ATTEMPT_DROPPED;
}

/* False: it is not wanted. Beyond what is kept only its host is counted. */
static bool attempt_take(struct report_case *of, const struct history *history, const struct attempt *attempt,
                         bool all)
{
    struct report_attempt told = attempt_tell(of, attempt);

    events_tell(of, history, &told);
    if (!all && !was_turned_away(&told))
        return false;
    if (report_case_host_take(of, &told, attempt) && of->attempt_count < REPORT_CASE_ATTEMPTS)
        of->attempts[of->attempt_count++] = told;
    return true;
}

/* --- a session ----------------------------------------------------------------------------------------- */

static const struct event *ended_of(const struct history *history)
{
    for (size_t i = history->count; i > 0; i--)
        if (history->events[i - 1].kind == EVENT_KIND_session_ended)
            return &history->events[i - 1];
    return NULL;
}

/* One that did nothing, for who wants it reported all the same. */
static struct attempt attempt_bare(const struct event *ended)
{
    struct attempt attempt = attempt_from_end(ended, false, SLICE_NONE);

    attempt.verdict = ATTEMPT_LEFT;
    attempt.unix_ms = event_id_unix_ms(ended->stamp.session);
    return attempt;
}

size_t report_case_add(struct report_case *of, const struct history *history, bool all)
{
    const struct event *ended = ended_of(history);
    struct attempt attempts[ATTEMPT_JOURNAL_MAX];
    struct arena arena;
    size_t taken = 0;

    if (!ended)
        return 0;
    arena_init(&arena, NULL, 0);
    size_t count = attempts_from_history(history, ended, &arena, attempts);
    if (!count && all)
        attempts[count++] = attempt_bare(ended);
    for (size_t i = 0; i < count; i++)
        taken += attempt_take(of, history, &attempts[i], all);
    arena_drop(&arena);
    return taken;
}

/* --- its dialogue -------------------------------------------------------------------------------------- */

#define TRANSCRIPT_LINES 60u
#define TRANSCRIPT_MAX   (1u << 20)

struct slice report_transcript(const struct history *history, struct arena *arena)
{
    const struct notice_transcript_settings settings = {.lines_max = TRANSCRIPT_LINES};
    struct slice rest, head;
    struct buf out;

    buf_init(&out, TRANSCRIPT_MAX);
    notice_transcript(history, &settings, &out);
    rest = buf_slice(&out);
    if (!slice_cut(&rest, '\n', &head))
        head = SLICE_NONE;
    const size_t end = slice_find_slice(rest, SLICE("\n\n"));
    if (end != SLICE_NOT_FOUND)
        rest = slice_from(rest, end + 1);
    const struct slice text = arena_format(arena, "%.*s\n%.*s", SLICE_ARGS(head), SLICE_ARGS(rest));
    buf_drop(&out);
    return text;
}
