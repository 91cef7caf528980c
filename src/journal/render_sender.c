/* The view `sender`: the dialogue as the sender's own program saw it: what it sent, what it got, and how long
 * it waited. Nothing stands here that only we know: no finding, no weight, no list, no store, and neither our
 * sentence nor our facts. It is made from what went over the wire and from nothing else. */
#include "journal/view.h"

#include "journal/words.h"

#include <stdio.h>

#define WAIT_MS 1000 /* a wait that is worth a word */

struct sender {
    struct document *document;
    int64_t began_us;
    int64_t asked_us; /* since when the program waits for an answer; 0: it does not */
    uint64_t message; /* octets since the message was asked for */
    bool in_message;
};

static struct slice moment(const struct sender *sender, int64_t now_us, char text[24])
{
    const long long ms = (long long)(now_us - sender->began_us) / 1000;
    const int len = snprintf(text, 24, "%6lld.%03lld s", ms / 1000, ms % 1000);
    return slice_of(text, (size_t)len);
}

static void add(struct sender *sender, enum document_style style, int64_t now_us, const char *lead,
                struct slice text)
{
    char room[24];
    const struct document_line line = {
        .style = style,
        .unix_us = now_us,
        .moment = moment(sender, now_us, room),
        .lead = slice_text(lead),
        .text = document_shown(sender->document, text),
    };
    document_add(sender->document, &line);
}

static void opened(struct sender *sender, const struct event *event)
{
    const struct event_session_opened *opened = &event->body.session_opened;
    char text[ADDRESS_PORT_TEXT_SIZE], from[ADDRESS_PORT_TEXT_SIZE];
    address_port_print(&opened->local, text);
    address_port_print(&opened->peer, from);
    sender->began_us = sender->asked_us = event->stamp.unix_us;
    add(sender, DOCUMENT_PLAIN, event->stamp.unix_us, "",
        arena_format(&sender->document->arena, "connected from %s to %s", from, text));
}

static void line(struct sender *sender, const struct event *event)
{
    const struct event_line_received *line = &event->body.line_received;
    add(sender, DOCUMENT_CLIENT, event->stamp.unix_us, "sent: ", line->text);
    sender->asked_us = event->stamp.unix_us;
}

static void waited(struct sender *sender, int64_t now_us)
{
    char time[JOURNAL_DURATION_SIZE];
    const int64_t ms = (now_us - sender->asked_us) / 1000;
    if (!sender->asked_us || ms < WAIT_MS)
        return;
    journal_duration((uint64_t)ms, time);
    document_format(sender->document, DOCUMENT_COMMENT, "It waited %s for this answer.", time);
}

static void reply(struct sender *sender, const struct event *event)
{
    struct slice rest = event->body.reply_sent.text, text;
    const char *lead = "got:  ";
    waited(sender, event->stamp.unix_us);
    sender->asked_us = 0;
    while (slice_cut(&rest, '\n', &text)) {
        if (text.len && text.at[text.len - 1] == '\r')
            text.len--;
        add(sender, DOCUMENT_SERVER, event->stamp.unix_us, lead, text);
        lead = "      ";
    }
    sender->in_message = event->body.reply_sent.code == 354;
    sender->message = 0;
}

static void message(struct sender *sender, const struct event *event)
{
    char octets[JOURNAL_COUNT_SIZE];
    journal_count(event->body.message_received.octets, octets);
    add(sender, DOCUMENT_CLIENT, event->stamp.unix_us,
        "sent: ", arena_format(&sender->document->arena, "(the message: %s octets, and the dot)", octets));
    sender->asked_us = event->stamp.unix_us;
    sender->in_message = false;
}

static void ended(struct sender *sender, const struct event *event)
{
    static const char *const endings[] = {"the connection ended",
                                          "the server closed the connection after QUIT",
                                          "closed the connection",
                                          "the server closed the connection",
                                          "the server closed the connection: nothing had come for too long",
                                          "the server closed the connection"};
    const uint64_t why = event->body.session_ended.why;
    if (sender->in_message && sender->message)
        add(sender, DOCUMENT_CLIENT, event->stamp.unix_us, "sent: ",
            arena_format(&sender->document->arena, "(a part of the message: %llu octets)",
                         (unsigned long long)sender->message));
    add(sender, DOCUMENT_PLAIN, event->stamp.unix_us, "",
        slice_text(endings[why < sizeof endings / sizeof *endings ? why : 0]));
}

static void take(struct sender *sender, const struct event *event)
{
    switch ((unsigned)event->kind) {
    case EVENT_KIND_session_opened: opened(sender, event); break;
    case EVENT_KIND_line_received: line(sender, event); break;
    case EVENT_KIND_octets_received: sender->message += event->body.octets_received.count; break;
    case EVENT_KIND_message_received: message(sender, event); break;
    case EVENT_KIND_reply_sent: reply(sender, event); break;
    case EVENT_KIND_tls_started:
        add(sender, DOCUMENT_PLAIN, event->stamp.unix_us, "",
            SLICE("the connection is encrypted from here on"));
        break;
    case EVENT_KIND_tls_failed:
        add(sender, DOCUMENT_PLAIN, event->stamp.unix_us, "", SLICE("the encryption could not be agreed on"));
        break;
    case EVENT_KIND_session_ended: ended(sender, event); break;
    default: break;
    }
}

void view_sender(const struct history *history, const struct view_settings *settings,
                 struct document *document)
{
    struct sender sender = {.document = document, .began_us = document->began_us};
    (void)settings;
    document->lanes[DOCUMENT_LANE_CLIENT] = "the server waited for the program";
    document->lanes[DOCUMENT_LANE_GATE] = "the program waited for the server";
    for (size_t i = 0; i < history->count; i++)
        take(&sender, &history->events[i]);
    view_spans(history, false, document);
}
