/* The view `notice`: the dialogue of a session as a transcript for the postmaster, as Postfix's notices have
 * it: what we said behind "Out:", what the client said behind "In:", and in brackets what else came and how
 * it ended. The secrets of AUTH and the contents of messages are not in the journal, and so not here. */
#include "journal/view.h"

#include "journal/words.h"

#include <inttypes.h>

#define OUT " Out: "
#define IN  " In:  "

static void line_add(struct document *document, const struct event *event, enum document_style style,
                     const char *lead, struct slice text)
{
    const struct document_line line = {.style = style,
                                       .unix_us = event->stamp.unix_us,
                                       .lead = slice_text(lead),
                                       .text = document_shown(document, text)};
    document_add(document, &line);
}

static void reply_add(struct document *document, const struct event *event)
{
    struct slice reply = event->body.reply_sent.text, line;
    while (slice_cut(&reply, '\n', &line)) {
        if (line.len && line.at[line.len - 1] == '\r')
            line.len--;
        line_add(document, event, DOCUMENT_SERVER, OUT, line);
    }
}

static void http_add(struct document *document, const struct event_http_request *request)
{
    document_format(document, DOCUMENT_PLAIN,
                    "  (an HTTP request of %" PRIu64 " octets, %" PRIu64 " SMTP commands in it)",
                    request->octets, request->commands);
    if (request->forwarded_for.len)
        document_format(document, DOCUMENT_PLAIN,
                        "  (the proxy claims to serve %.*s: nobody has verified it)",
                        SLICE_ARGS(document_shown(document, request->forwarded_for)));
    if (request->sender.len || request->recipients.len)
        document_format(document, DOCUMENT_PLAIN, "  (it tried to send from <%.*s> to %.*s)",
                        SLICE_ARGS(document_shown(document, request->sender)),
                        SLICE_ARGS(document_shown(document, request->recipients)));
}

static void event_take(struct document *document, const struct event *event)
{
    const union event_body *body = &event->body;
    switch ((unsigned)event->kind) {
    case EVENT_KIND_line_received:
        line_add(document, event, DOCUMENT_CLIENT, IN, body->line_received.text);
        break;
    case EVENT_KIND_reply_sent: reply_add(document, event); break;
    case EVENT_KIND_tls_started:
        document_format(document, DOCUMENT_PLAIN, "  (%.*s began)",
                        SLICE_ARGS(document_shown(document, body->tls_started.version)));
        break;
    case EVENT_KIND_tls_failed:
        document_format(document, DOCUMENT_PLAIN, "  (the TLS handshake failed: %.*s)",
                        SLICE_ARGS(document_shown(document, body->tls_failed.reason)));
        break;
    case EVENT_KIND_message_received:
        document_format(document, DOCUMENT_PLAIN, "  (a message of %" PRIu64 " octets)",
                        body->message_received.octets);
        break;
    case EVENT_KIND_http_request: http_add(document, &body->http_request); break;
    case EVENT_KIND_session_ended:
        document_format(document, DOCUMENT_PLAIN, "  (%s)", journal_ending_phrase(body->session_ended.why));
        break;
    }
}

void view_notice(const struct history *history, const struct view_settings *settings,
                 struct document *document)
{
    struct summary summary;
    (void)settings;
    summary_make(history, &document->arena, &summary);
    view_head(history, &summary, document);
    for (size_t i = 0; i < history->count; i++)
        event_take(document, &history->events[i]);
}
