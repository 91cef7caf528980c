/* What stands at the head of a view: the sentence, the facts, and who waited for whom. */
#include "journal/view.h"

#include "base/text.h"
#include "core/event.h"
#include "core/trace.h"
#include "journal/words.h"
#include "wire/command.h"

#define SENTENCE_MAX 65536
#define LABEL_MAX    60

static void sentence(const struct summary *summary, struct document *document)
{
    struct buf buf;
    buf_init(&buf, SENTENCE_MAX);
    summary_sentence(summary, &buf);
    document->sentence = arena_copy(&document->arena, buf_slice(&buf));
    buf_drop(&buf);
}

static void fact(struct document *document, const char *name, struct slice value)
{
    if (value.len)
        document_fact(document, name, document_shown(document, slice_head(value, 1000)));
}

static struct slice joined(struct document *document, const struct slice *list, size_t count)
{
    struct slice text = SLICE_NONE;
    for (size_t i = 0; i < count && i < 20; i++)
        text = arena_format(&document->arena, "%.*s%s%.*s", SLICE_ARGS(text), i ? ", " : "",
                            SLICE_ARGS(list[i]));
    if (count > 20)
        text = arena_format(&document->arena, "%.*s and %zu more", SLICE_ARGS(text), count - 20);
    return text;
}

static void facts(const struct history *history, const struct summary *summary, struct document *document)
{
    char address[ADDRESS_TEXT_SIZE], time[JOURNAL_DURATION_SIZE];
    address_print(&summary->peer, address);
    if (summary->peer.family)
        fact(document, "Client",
             arena_format(&document->arena, "%.*s%s[%s]", SLICE_ARGS(summary->ptr),
                          summary->ptr.len ? " " : "", address));
    fact(document, "Calls itself", summary->helo);
    if (summary->has_sender)
        fact(document, "Sender", summary->sender.len ? summary->sender : SLICE("<>"));
    fact(document, "Recipients", joined(document, summary->recipients, summary->recipient_count));
    fact(document, "Findings", joined(document, summary->findings, summary->finding_count));
    fact(document, "Last refusal", summary->reply);
    for (size_t i = 0; i < history->count; i++)
        if (history->events[i].kind == EVENT_KIND_session_opened)
            fact(document, "TCP fingerprint", history->events[i].body.session_opened.fingerprint);
    if (summary->ended) {
        journal_duration(summary->took_ms, time);
        fact(document, "Lasted", slice_text(time));
    }
}

/* --- who waited for whom ------------------------------------------------------------------------------- */

struct turns {
    struct document *document;
    bool questions;
    bool ours; /* the client waits for us */
    bool begun;
    int64_t since_us; /* whose turn it is, it has been since then */
};

static void turn(struct turns *turns, bool was_ours, int64_t now_us, struct slice label)
{
    const struct document_span span = {
        .lane = was_ours ? DOCUMENT_LANE_GATE : DOCUMENT_LANE_CLIENT,
        .from_us = turns->since_us,
        .to_us = now_us,
        .label = document_shown(turns->document, slice_head(label, LABEL_MAX)),
    };
    if (turns->begun && turns->ours == was_ours && now_us >= turns->since_us)
        document_span(turns->document, &span);
    if (turns->ours == was_ours || !turns->begun)
        turns->since_us = now_us;
    turns->begun = true;
    turns->ours = !was_ours;
}

static void question(struct turns *turns, const struct event *event)
{
    const struct event_question_answered *answered = &event->body.question_answered;
    const uint64_t most_ms = 86400000; /* a record may say anything */
    const uint64_t took_ms = answered->took_ms < most_ms ? answered->took_ms : most_ms;
    const struct document_span span = {
        .lane = DOCUMENT_LANE_QUESTION,
        .from_us = event->stamp.unix_us - (int64_t)took_ms * 1000,
        .to_us = event->stamp.unix_us,
        .label = arena_format(&turns->document->arena, "%s %s", journal_question_word(answered->kind),
                              document_shown(turns->document, slice_head(answered->key, LABEL_MAX)).at),
    };
    if (turns->questions)
        document_span(turns->document, &span);
}

/* The first line of a reply. */
static struct slice first_line(struct slice text)
{
    const size_t end = slice_find(text, '\r');
    return slice_head(text, end == SLICE_NOT_FOUND ? text.len : end);
}

/* A reply that goes out octet by octet keeps the client waiting until its last one. */
static void moved(struct turns *turns, const struct event *event)
{
    if (event->body.session_moved.what != TRACE_DRIPPED || turns->ours || !turns->begun)
        return;
    turns->ours = true;
    turn(turns, true, event->stamp.unix_us, SLICE("octet by octet"));
}

static void take(struct turns *turns, const struct event *event)
{
    const int64_t now = event->stamp.unix_us;
    switch ((unsigned)event->kind) {
    case EVENT_KIND_session_opened:
        *turns = (struct turns){turns->document, turns->questions, true, true, now};
        break;
    case EVENT_KIND_line_received: turn(turns, false, now, event->body.line_received.text); break;
    case EVENT_KIND_message_received: turn(turns, false, now, SLICE("the message")); break;
    case EVENT_KIND_reply_sent: turn(turns, true, now, first_line(event->body.reply_sent.text)); break;
    case EVENT_KIND_question_answered: question(turns, event); break;
    case EVENT_KIND_session_moved: moved(turns, event); break;
    case EVENT_KIND_session_ended: turn(turns, turns->ours, now, SLICE("the end")); break;
    default: break;
    }
}

void view_spans(const struct history *history, bool questions, struct document *document)
{
    struct turns turns = {.document = document, .questions = questions};
    for (size_t i = 0; i < history->count; i++)
        take(&turns, &history->events[i]);
}

void view_head(const struct history *history, const struct summary *summary, struct document *document)
{
    sentence(summary, document);
    facts(history, summary, document);
    view_spans(history, true, document);
}
