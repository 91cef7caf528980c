/* The view `sender`: the dialogue as the sender's own program saw it: what it sent, what it got, and how long
 * it waited. Nothing stands here that only we know: no finding, no weight, no list, no store, and neither our
 * sentence nor our facts. It is made from what went over the wire, and when, and from nothing else.
 *
 * A line is sent when its octets came, which may be before the gate took notice of it; an answer is there
 * when its last octet went out. */
#include "journal/view.h"

#include "base/memory.h"
#include "core/trace.h"
#include "journal/words.h"

#include <stdio.h>

#define WAIT_MS 1000 /* a wait that is worth a word */

struct step {
    enum document_style style; /* CLIENT it sent, SERVER it got, PLAIN something happened */
    int64_t at_us;
    int64_t done_us; /* an answer octet by octet: when its last one came; else 0 */
    size_t order;    /* as recorded, where the times are equal */
    struct slice text;
};

struct sender {
    struct document *document;
    struct step *steps;
    size_t count, room;
    int64_t began_us;
    /* When which octet came: arrivals are passed as what came is used up. */
    const struct history *history;
    size_t arrival;    /* the event behind the one that was looked at last */
    uint64_t received; /* up to it */
    uint64_t used;
    int64_t arrived_us;
    struct slice seen; /* the first line of another protocol */
    uint64_t message;  /* octets since the message was asked for */
    bool in_message;
};

static struct step *add(struct sender *sender, enum document_style style, int64_t at_us, struct slice text)
{
    if (sender->count == sender->room) {
        const size_t room = sender->room ? sender->room * 2 : 64;
        sender->steps = memory_resize(sender->steps, sender->room * sizeof *sender->steps,
                                      room * sizeof *sender->steps);
        sender->room = room;
    }
    struct step *step = &sender->steps[sender->count];
    *step = (struct step){.style = style, .at_us = at_us, .order = sender->count++, .text = text};
    return step;
}

/* --- what happened ------------------------------------------------------------------------------------- */

/* When the last of the next `octets` came. */
static int64_t arrival_of(struct sender *sender, uint64_t octets)
{
    const struct history *history = sender->history;
    sender->used += octets;
    while (sender->received < sender->used && sender->arrival < history->count) {
        const struct event *event = &history->events[sender->arrival++];
        if (event->kind != EVENT_KIND_octets_received)
            continue;
        sender->received += event->body.octets_received.count;
        sender->arrived_us = event->stamp.unix_us;
    }
    return sender->arrived_us;
}

static void opened(struct sender *sender, const struct event *event)
{
    const struct event_session_opened *opened = &event->body.session_opened;
    char to[ADDRESS_PORT_TEXT_SIZE], from[ADDRESS_PORT_TEXT_SIZE];
    address_port_print(&opened->local, to);
    address_port_print(&opened->peer, from);
    sender->began_us = event->stamp.unix_us;
    (void)add(sender, DOCUMENT_PLAIN, event->stamp.unix_us,
              arena_format(&sender->document->arena, "connected from %s to %s", from, to));
}

/* Records of old do not tell what else was used up: there a line was sent when it was noticed. */
static void line(struct sender *sender, const struct event *event)
{
    const struct event_line_received *line = &event->body.line_received;
    const int64_t arrived_us = line->at ? arrival_of(sender, line->octets) : 0;
    const bool known = arrived_us && arrived_us < event->stamp.unix_us;
    (void)add(sender, DOCUMENT_CLIENT, known ? arrived_us : event->stamp.unix_us, line->text);
}

static void reply(struct sender *sender, const struct event *event)
{
    (void)add(sender, DOCUMENT_SERVER, event->stamp.unix_us, event->body.reply_sent.text);
    sender->in_message = event->body.reply_sent.code == 354;
    sender->message = 0;
}

static void message(struct sender *sender, const struct event *event)
{
    char octets[JOURNAL_COUNT_SIZE];
    journal_count(event->body.message_received.octets, octets);
    (void)add(sender, DOCUMENT_CLIENT, event->stamp.unix_us,
              arena_format(&sender->document->arena, "(the message: %s octets, and its end)", octets));
    sender->in_message = false;
}

/* Of another protocol the gate keeps the first line, and how much came. */
static void taken(struct sender *sender, const struct event *event)
{
    const struct event_octets_taken *taken = &event->body.octets_taken;
    const int64_t arrived_us = arrival_of(sender, taken->count);
    const int64_t at_us = arrived_us ? arrived_us : event->stamp.unix_us;
    struct slice line = SLICE_NONE;
    if (taken->what != TRACE_FOREIGN)
        return;
    (void)slice_cut(&sender->seen, '\n', &line);
    if (line.len && line.at[line.len - 1] == '\r')
        line.len--;
    if (line.len)
        (void)add(sender, DOCUMENT_CLIENT, at_us, line);
    const uint64_t rest = taken->count > line.len + 2 ? taken->count - (line.len ? line.len + 2 : 0) : 0;
    if (rest)
        (void)add(sender, DOCUMENT_CLIENT, at_us,
                  arena_format(&sender->document->arena, "(%llu octets)", (unsigned long long)rest));
    sender->seen = SLICE_NONE;
}

static void moved(struct sender *sender, const struct event *event)
{
    if (event->body.session_moved.what != TRACE_DRIPPED)
        return;
    for (size_t i = sender->count; i-- > 0;)
        if (sender->steps[i].style == DOCUMENT_SERVER) {
            sender->steps[i].done_us = event->stamp.unix_us;
            return;
        }
}

static void ended(struct sender *sender, const struct event *event)
{
    static const char *const endings[] = {"the connection ended",
                                          "the server closed the connection after QUIT",
                                          "closed the connection",
                                          "the server closed the connection",
                                          "the server closed the connection: nothing had come for too long",
                                          "the server closed the connection",
                                          "the connection was gone"};
    const uint64_t why = event->body.session_ended.why;
    if (sender->in_message && sender->message)
        (void)add(sender, DOCUMENT_CLIENT, event->stamp.unix_us,
                  arena_format(&sender->document->arena, "(a part of the message: %llu octets)",
                               (unsigned long long)sender->message));
    (void)add(sender, DOCUMENT_PLAIN, event->stamp.unix_us,
              slice_text(endings[why < sizeof endings / sizeof *endings ? why : 0]));
}

static void take(struct sender *sender, const struct event *event)
{
    const int64_t now = event->stamp.unix_us;
    switch ((unsigned)event->kind) {
    case EVENT_KIND_session_opened: opened(sender, event); break;
    case EVENT_KIND_line_received: line(sender, event); break;
    case EVENT_KIND_octets_received: sender->message += event->body.octets_received.count; break;
    case EVENT_KIND_octets_seen: sender->seen = event->body.octets_seen.head; break;
    case EVENT_KIND_octets_taken: taken(sender, event); break;
    case EVENT_KIND_message_received: message(sender, event); break;
    case EVENT_KIND_reply_sent: reply(sender, event); break;
    case EVENT_KIND_session_moved: moved(sender, event); break;
    case EVENT_KIND_tls_started:
        (void)add(sender, DOCUMENT_PLAIN, now, SLICE("the connection is encrypted from here on"));
        break;
    case EVENT_KIND_tls_failed:
        (void)add(sender, DOCUMENT_PLAIN, now, SLICE("the encryption could not be agreed on"));
        break;
    case EVENT_KIND_session_ended: ended(sender, event); break;
    default: break;
    }
}

/* --- the document -------------------------------------------------------------------------------------- */

static int in_time(const void *a, const void *b)
{
    const struct step *one = a, *other = b;
    if (one->at_us != other->at_us)
        return one->at_us < other->at_us ? -1 : 1;
    return one->order < other->order ? -1 : one->order > other->order;
}

static void show_line(struct sender *sender, const struct step *step, const char *lead, struct slice text)
{
    const long long ms = (long long)(step->at_us - sender->began_us) / 1000;
    char moment[40];
    const int len = snprintf(moment, sizeof moment, "%6lld.%03lld s", ms / 1000, ms % 1000);
    if (text.len && text.at[text.len - 1] == '\r')
        text.len--;
    const struct document_line line = {
        .style = step->style,
        .unix_us = step->at_us,
        .moment = slice_of(moment, (size_t)len),
        .lead = slice_text(lead),
        .text = document_shown(sender->document, text),
    };
    document_add(sender->document, &line);
}

/* What it waited for an answer, and what the answer itself took. */
static void show_waits(struct sender *sender, const struct step *step, int64_t since_us)
{
    char waited[JOURNAL_DURATION_SIZE], took[JOURNAL_DURATION_SIZE];
    const int64_t wait_ms = (step->at_us - since_us) / 1000, took_ms = (step->done_us - step->at_us) / 1000;
    journal_duration(wait_ms > 0 ? (uint64_t)wait_ms : 0, waited);
    journal_duration(took_ms > 0 ? (uint64_t)took_ms : 0, took);
    if (took_ms >= WAIT_MS && wait_ms >= WAIT_MS)
        document_format(sender->document, DOCUMENT_COMMENT,
                        "It waited %s for this answer, which then came octet by octet for %s.", waited, took);
    else if (took_ms >= WAIT_MS)
        document_format(sender->document, DOCUMENT_COMMENT, "This answer came octet by octet for %s.", took);
    else if (wait_ms >= WAIT_MS)
        document_format(sender->document, DOCUMENT_COMMENT, "It waited %s for this answer.", waited);
}

static void show(struct sender *sender)
{
    int64_t since_us = sender->began_us;
    for (size_t i = 0; i < sender->count; i++) {
        const struct step *step = &sender->steps[i];
        const char *lead = step->style == DOCUMENT_CLIENT ? "sent: " : "";
        struct slice rest = step->text, text = SLICE_NONE;
        if (step->style != DOCUMENT_SERVER) {
            since_us = step->at_us > since_us ? step->at_us : since_us;
            show_line(sender, step, lead, rest);
            continue;
        }
        show_waits(sender, step, since_us);
        since_us = step->done_us ? step->done_us : step->at_us;
        for (lead = "got:  "; slice_cut(&rest, '\n', &text); lead = "      ")
            show_line(sender, step, lead, text);
    }
}

void view_sender(const struct history *history, const struct view_settings *settings,
                 struct document *document)
{
    struct sender sender = {.document = document, .began_us = document->began_us, .history = history};
    (void)settings;
    document->lanes[DOCUMENT_LANE_CLIENT] = "the server waited for the program";
    document->lanes[DOCUMENT_LANE_GATE] = "the program waited for the server";
    for (size_t i = 0; i < history->count; i++)
        take(&sender, &history->events[i]);
    memory_sort(sender.steps, sender.count, sizeof *sender.steps, in_time);
    show(&sender);
    memory_give(sender.steps, sender.room * sizeof *sender.steps);
    view_spans(history, false, document);
}
