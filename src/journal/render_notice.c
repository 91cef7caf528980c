#include "journal/render_notice.h"

#include "base/calendar.h"
#include "base/text.h"
#include "journal/words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct transcript {
    const struct render_notice_settings *settings;
    struct buf *out;   /* NULL: lines are only counted */
    size_t from, upto; /* the lines that are left out */
    size_t line;       /* which comes next */
};

/* --- lines --------------------------------------------------------------------------------------------- */

static void text_add(struct buf *out, struct slice text, size_t most)
{
    struct buf safe;
    buf_init(&safe, 4 * RENDER_NOTICE_LINE + 8);
    (void)text_escape(&safe, slice_head(text, RENDER_NOTICE_LINE), false);
    const bool cut = text.len > RENDER_NOTICE_LINE || safe.len > most;
    (void)buf_add(out, slice_head(buf_slice(&safe), cut ? most - 4 : most));
    if (cut)
        (void)buf_add(out, SLICE(" ..."));
    buf_drop(&safe);
}

static void line_add(struct transcript *transcript, const char *head, struct slice text)
{
    const size_t line = transcript->line++;
    if (!transcript->out)
        return;
    if (line == transcript->from && transcript->upto > line)
        (void)buf_add_format(transcript->out, "  (%zu lines are left out here)\n", transcript->upto - line);
    if (line >= transcript->from && line < transcript->upto)
        return;
    (void)buf_add(transcript->out, slice_text(head));
    text_add(transcript->out, text, RENDER_NOTICE_LINE - strlen(head));
    (void)buf_add_octet(transcript->out, '\n');
}

static void reply_add(struct transcript *transcript, struct slice reply)
{
    struct slice line;
    while (slice_cut(&reply, '\n', &line)) {
        if (line.len && line.at[line.len - 1] == '\r')
            line.len--;
        line_add(transcript, " Out: ", line);
    }
}

/* --- events -------------------------------------------------------------------------------------------- */

static void note_add(struct transcript *transcript, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void note_add(struct transcript *transcript, const char *format, ...)
{
    char text[RENDER_NOTICE_LINE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    line_add(transcript, "  ", slice_text(text));
}

static void http_add(struct transcript *transcript, const struct event_http_request *request)
{
    note_add(transcript, "(an HTTP request of %" PRIu64 " octets with %" PRIu64 " SMTP commands in it)",
             request->octets, request->commands);
    if (request->sender.len || request->recipients.len)
        note_add(transcript, "(it tried to send from <%.*s> to %.*s)",
                 SLICE_ARGS(slice_head(request->sender, 64)),
                 SLICE_ARGS(slice_head(request->recipients, 100)));
}

static void event_add_lines(struct transcript *transcript, const struct event *event)
{
    const unsigned kind = event->kind;
    switch (kind) {
    case EVENT_KIND_line_received: line_add(transcript, " In:  ", event->body.line_received.text); break;
    case EVENT_KIND_reply_sent: reply_add(transcript, event->body.reply_sent.text); break;
    case EVENT_KIND_tls_started:
        note_add(transcript, "(%.*s began)", SLICE_ARGS(slice_head(event->body.tls_started.version, 32)));
        break;
    case EVENT_KIND_tls_failed:
        note_add(transcript, "(the TLS handshake failed: %.*s)",
                 SLICE_ARGS(slice_head(event->body.tls_failed.reason, 100)));
        break;
    case EVENT_KIND_message_received:
        note_add(transcript, "(a message of %" PRIu64 " octets)", event->body.message_received.octets);
        break;
    case EVENT_KIND_http_request: http_add(transcript, &event->body.http_request); break;
    case EVENT_KIND_session_ended:
        note_add(transcript, "(%s)", journal_ending_phrase(event->body.session_ended.why));
        break;
    }
}

/* --- the whole ----------------------------------------------------------------------------------------- */

static void head_add(const struct history *history, struct transcript *transcript)
{
    const struct render_notice_settings *settings = transcript->settings;
    const int64_t unix_ms = event_id_unix_ms(history->session);
    const int zone = settings->zone_minutes ? settings->zone_minutes(unix_ms / 1000) : 0;
    char id[EVENT_ID_SIZE], time[CALENDAR_TEXT_SIZE], address[ADDRESS_TEXT_SIZE] = "?";
    struct slice name = SLICE_NONE;

    for (size_t i = 0; i < history->count; i++) {
        const struct event *event = &history->events[i];
        if (event->kind == EVENT_KIND_session_opened)
            address_print(&event->body.session_opened.peer, address);
        else if (event->kind == EVENT_KIND_session_proxied)
            address_print(&event->body.session_proxied.peer, address);
        else if (event->kind == EVENT_KIND_session_ended) {
            address_print(&event->body.session_ended.peer, address);
            name = event->body.session_ended.ptr;
        }
    }
    event_id_print(history->session, id);
    (void)calendar_print_mail(unix_ms / 1000, zone, time);
    (void)buf_add_format(transcript->out, "Session %s, %s, from %s", id, time, address);
    if (name.len) {
        (void)buf_add(transcript->out, SLICE(" ("));
        text_add(transcript->out, name, RENDER_NOTICE_LINE / 2);
        (void)buf_add_octet(transcript->out, ')');
    }
    (void)buf_add_octet(transcript->out, '\n');
}

static void walk(const struct history *history, struct transcript *transcript)
{
    transcript->line = 0;
    for (size_t i = 0; i < history->count; i++)
        event_add_lines(transcript, &history->events[i]);
}

void render_notice(const struct history *history, const struct render_notice_settings *settings,
                   struct buf *out)
{
    struct transcript transcript = {.settings = settings};
    const size_t most = settings->lines_max;

    walk(history, &transcript);
    if (most && transcript.line > most) {
        transcript.from = most - most / 4;
        transcript.upto = transcript.line - most / 4;
    }
    transcript.out = out;
    head_add(history, &transcript);
    walk(history, &transcript);
}
