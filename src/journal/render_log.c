#include "journal/render_log_part.h"

#include "base/calendar.h"
#include "base/text.h"
#include "core/ask.h"
#include "core/finding.h"
#include "journal/words.h"
#include "wire/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CLIENT_STYLE  "\033[1;31m"
#define SERVER_STYLE  "\033[4;34m"
#define FAILURE_STYLE "\033[1m"
#define PLAIN_STYLE   "\033[0m"

/* --- lines --------------------------------------------------------------------------------------------- */

static void put_time(struct render_log *log, struct buf *out)
{
    int64_t seconds = log->event ? log->event->stamp.unix_us / 1000000 : log->ended_us / 1000000;
    int zone = log->settings.zone_minutes ? log->settings.zone_minutes(seconds) : 0;
    struct calendar at = calendar_from_unix(seconds, zone);
    buf_add_format(out, "%02d:%02d:%02d", at.hour, at.minute, at.second);
}

static void put_who(struct render_log *log, enum who who, struct buf *out)
{
    switch (who) {
    case WHO_LINE: buf_add_format(out, "SMTP-%llu(%s)", LOG_NUMBER(log->line), log->shown); break;
    case WHO_TCP: buf_add(out, SLICE("SMTP(tcp)")); break;
    case WHO_SMTP: buf_add(out, SLICE("SMTP")); break;
    case WHO_SYSTEM: buf_add(out, SLICE("SYSTEM")); break;
    case WHO_MAILDIR: buf_add(out, SLICE("SYSTEM(MAILDIR)")); break;
    case WHO_LMTP: buf_add(out, SLICE("SYSTEM(LMTP)")); break;
    case WHO_OUT: buf_add(out, SLICE("SYSTEM(SMTP)")); break;
    }
}

static enum document_style style_of(const struct render_log *log, int level)
{
    switch (log->event ? (unsigned)log->event->kind : 0) {
    case EVENT_KIND_line_received: return DOCUMENT_CLIENT;
    case EVENT_KIND_reply_sent: return DOCUMENT_SERVER;
    case EVENT_KIND_finding:
    case EVENT_KIND_verdict: return DOCUMENT_FINDING;
    default: return level == 1 ? DOCUMENT_FAILURE : DOCUMENT_PLAIN;
    }
}

static const char *sequence_of(const struct render_log *log, int level)
{
    if (!log->settings.colour)
        return "";
    switch ((unsigned)style_of(log, level)) {
    case DOCUMENT_CLIENT: return CLIENT_STYLE;
    case DOCUMENT_SERVER: return SERVER_STYLE;
    case DOCUMENT_FAILURE: return FAILURE_STYLE;
    default: return "";
    }
}

static void put_line(struct render_log *log, int level, enum who who, struct slice text)
{
    const char *style = sequence_of(log, level);
    buf_add(log->out, slice_text(style));
    put_time(log, log->out);
    buf_add_format(log->out, " %d ", level);
    put_who(log, who, log->out);
    buf_add_octet(log->out, ' ');
    buf_add(log->out, text);
    buf_add(log->out, slice_text(*style ? PLAIN_STYLE "\n" : "\n"));
}

/* Of the dialogue only what was said has its style: what the gate says about it leads it in. */
static void add_line(struct render_log *log, int level, enum who who, struct slice text)
{
    static const struct slice leads[] = {{"Input Line: ", 12}, {"Sending ", 8}};
    struct document_line line = {.style = style_of(log, level)};
    struct buf moment, lead;
    buf_init(&moment, 64);
    buf_init(&lead, 1024);
    put_time(log, &moment);
    if (!log->settings.bare) {
        buf_add_format(&lead, "%d ", level);
        put_who(log, who, &lead);
        buf_add_octet(&lead, ' ');
    }
    if (line.style == DOCUMENT_CLIENT || line.style == DOCUMENT_SERVER) {
        const struct slice what = leads[line.style == DOCUMENT_SERVER];
        if (slice_starts(text, what)) {
            buf_add(&lead, what);
            text = slice_from(text, what.len);
        } else {
            line.style = DOCUMENT_PLAIN;
        }
    }
    line.unix_us = log->event ? log->event->stamp.unix_us : log->ended_us;
    line.moment = buf_slice(&moment);
    line.lead = buf_slice(&lead);
    line.text = text;
    document_add(log->settings.document, &line);
    buf_drop(&lead);
    buf_drop(&moment);
}

void log_line(struct render_log *log, int level, enum who who, const char *format, ...)
{
    va_list arguments;
    char room[512], *text = room;
    if (level > log->settings.level)
        return;
    va_start(arguments, format);
    int len = vsnprintf(room, sizeof room, format, arguments);
    va_end(arguments);
    if (len < 0)
        return;
    if ((size_t)len >= sizeof room) {
        text = arena_take(&log->arena, (size_t)len + 1);
        va_start(arguments, format);
        vsnprintf(text, (size_t)len + 1, format, arguments);
        va_end(arguments);
    }
    if (log->settings.document)
        add_line(log, level, who, slice_of(text, (size_t)len));
    else
        put_line(log, level, who, slice_of(text, (size_t)len));
}

const char *log_text(struct render_log *log, struct slice text)
{
    struct buf buf;
    buf_init(&buf, 8 * EVENT_SIZE_MAX);
    text_escape(&buf, text, true);
    struct slice kept = arena_copy(&log->arena, buf_slice(&buf));
    buf_drop(&buf);
    return kept.at ? kept.at : "";
}

/* --- who is on the line -------------------------------------------------------------------------------- */

static void keep(char *text, size_t size, const char *from)
{
    snprintf(text, size, "%s", from);
}

static void show_name(struct render_log *log)
{
    char address[ADDRESS_TEXT_SIZE];
    if (log->looking && log->helo[0]) {
        keep(log->shown, sizeof log->shown, log->helo);
    } else if (log->confirmed[0]) {
        keep(log->shown, sizeof log->shown, log->confirmed);
    } else if (log->peer.family) {
        address_print(&log->peer, address);
        snprintf(log->shown, sizeof log->shown, "[%s]", address);
    } else {
        log->shown[0] = '\0';
    }
}

static const char *peer_text(struct render_log *log, const struct address *peer)
{
    char text[ADDRESS_PORT_TEXT_SIZE];
    address_port_print(peer, text);
    bool bare = peer->family == ADDRESS_IPV4;
    return arena_format(&log->arena, bare ? "[%s]" : "%s", text).at;
}

/* --- events of a session ------------------------------------------------------------------------------- */

static void session_opened(struct render_log *log, const struct event *event)
{
    const struct event_session_opened *opened = &event->body.session_opened;
    log->line = opened->sequence;
    log->opened = true;
    log_line(log, 5, WHO_LINE, "Stream Created");
    log_line(log, 4, WHO_SMTP, "Line %llu created for answering", LOG_NUMBER(log->line));
    log_line(log, 4, WHO_LINE, "Got connection from %s", peer_text(log, &opened->peer));
    log_line(log, 4, WHO_TCP, "Connection accepted from %s, seq=%llu, %llu/%llu",
             peer_text(log, &opened->peer), LOG_NUMBER(opened->sequence), LOG_NUMBER(opened->slots_used),
             LOG_NUMBER(opened->slots_max));
    log->peer = opened->peer;
    show_name(log);
    log_line(log, 5, WHO_LINE, "It called %s, connections of its host: %llu", peer_text(log, &opened->local),
             LOG_NUMBER(opened->host_used));
    if (opened->network_used)
        log_line(log, 5, WHO_LINE,
                 "Connections of its network: %llu; within a minute: %llu, of its host %llu",
                 LOG_NUMBER(opened->network_used), LOG_NUMBER(opened->network_rate),
                 LOG_NUMBER(opened->host_rate));
}

static void session_proxied(struct render_log *log, const struct event *event)
{
    const struct event_session_proxied *proxied = &event->body.session_proxied;
    log_line(log, 3, WHO_LINE, "%s names %s as the client%s%s%s%s", log_text(log, proxied->how),
             peer_text(log, &proxied->peer), proxied->name.len ? ", name " : "", log_text(log, proxied->name),
             proxied->helo.len ? ", HELO " : "", log_text(log, proxied->helo));
    log->peer = proxied->peer;
    keep(log->confirmed, sizeof log->confirmed, log_text(log, proxied->name));
    show_name(log);
}

static void forwarded(struct render_log *log, const struct event *event)
{
    const struct event_forwarded *forwarded = &event->body.forwarded;
    if (forwarded->client.family)
        log_line(log, 3, WHO_LINE,
                 "Behind the trusted forwarder: %s, HELO %s, as %s wrote in Received field %llu",
                 peer_text(log, &forwarded->client), log_text(log, forwarded->helo),
                 log_text(log, forwarded->by), LOG_NUMBER(forwarded->field));
    else
        log_line(log, 3, WHO_LINE, "Behind the trusted forwarder: nobody is judged, %s",
                 log_text(log, forwarded->problem));
}

static void state_changed(struct render_log *log, const struct event *event)
{
    if (log->looking) {
        log->looking = false;
        show_name(log);
    }
    log_line(log, 5, WHO_LINE, "*Status=%llu", LOG_NUMBER(event->body.state_changed.to));
}

static void octets_received(struct render_log *log, const struct event *event)
{
    log_line(log, 5, WHO_LINE, "Received %llu bytes", LOG_NUMBER(event->body.octets_received.count));
}

static void octets_taken(struct render_log *log, const struct event *event)
{
    log_line(log, 5, WHO_LINE, "Used up %llu bytes", LOG_NUMBER(event->body.octets_taken.count));
}

static void octets_seen(struct render_log *log, const struct event *event)
{
    log_line(log, 5, WHO_LINE, "Looked at: %s", log_text(log, event->body.octets_seen.head));
}

static void session_moved(struct render_log *log, const struct event *event)
{
    log_line(log, 5, WHO_LINE, "Moved on: %s", journal_moved_word(event->body.session_moved.what));
}

static void line_received(struct render_log *log, const struct event *event)
{
    const struct event_line_received *line = &event->body.line_received;
    struct command command;
    command_parse(line->text, &command);
    if (command.verb == VERB_HELO || command.verb == VERB_EHLO)
        keep(log->helo, sizeof log->helo, log_text(log, command.argument));
    /* The line's end is told by its length: CR LF, or LF alone. What replaced a secret has another length. */
    bool lone = line->octets == line->text.len + 1;
    log_line(log, 4, WHO_LINE, "Input Line: %s%s", log_text(log, line->text), lone ? "" : "\\r");
    if (line->octets > line->text.len + 2 && line->text.len >= 1000)
        log_line(log, 4, WHO_LINE, "It went on to %llu bytes", LOG_NUMBER(line->octets));
}

static void reply_sent(struct render_log *log, const struct event *event)
{
    struct slice text = event->body.reply_sent.text;
    log_line(log, 4, WHO_LINE, "Sending %s\\r\\n", log_text(log, text));
    log_line(log, 5, WHO_LINE, "OT %zu of %zu bytes sent, Flags=0", text.len + 2, text.len + 2);
}

static void tls_started(struct render_log *log, const struct event *event)
{
    const struct event_tls_started *tls = &event->body.tls_started;
    log_line(log, 3, WHO_LINE, "TLS started after %llu ms: %s %s%s%s", LOG_NUMBER(tls->took_ms),
             log_text(log, tls->version), log_text(log, tls->cipher), tls->server_name.len ? ", for " : "",
             log_text(log, tls->server_name));
}

static void tls_failed(struct render_log *log, const struct event *event)
{
    log_line(log, 3, WHO_LINE, "TLS failed: %s", log_text(log, event->body.tls_failed.reason));
}

/* Questions are asked in lower case; the log shows the name as the client gave it. */
static bool is_greeting_name(const struct render_log *log, uint64_t kind, struct slice key)
{
    return (kind == ASK_ADDRESS4 || kind == ASK_ADDRESS6) && key.len &&
           slice_equal_fold(key, slice_text(log->helo));
}

static void question_asked(struct render_log *log, const struct event *event)
{
    const struct event_question_asked *asked = &event->body.question_asked;
    bool name = is_greeting_name(log, asked->kind, asked->key);
    bool again = name && log->looking; /* the other kind of address of the same name */
    if (name) {
        log->looking = true;
        show_name(log);
    }
    log_line(log, again ? 5 : 4, WHO_LINE, "Looking for %s%s%s",
             name ? "" : journal_question_word(asked->kind), name ? "" : " ",
             name ? log->helo : log_text(log, asked->key));
}

static void name_answered(struct render_log *log, const struct event_question_answered *answered)
{
    if (answered->status == ANSWER_FOUND)
        log_line(log, 4, WHO_LINE, "%s is %s", log->helo, log_text(log, answered->value));
    else
        log_line(log, 5, WHO_LINE, "%s has no %s", log->helo, journal_question_word(answered->kind));
}

/* What the client's address points to, and which of these names points back to it. */
static void keep_names(struct render_log *log, const struct event_question_answered *answered)
{
    char address[ADDRESS_TEXT_SIZE];
    address_print(&log->peer, address);
    if (answered->kind == ASK_POINTER && slice_equal(answered->key, slice_text(address)))
        keep(log->pointed, sizeof log->pointed, log_text(log, answered->value));
    if (!journal_confirms(answered, slice_text(log->pointed), &log->peer))
        return;
    keep(log->confirmed, sizeof log->confirmed, log_text(log, answered->key));
    show_name(log);
}

static void question_answered(struct render_log *log, const struct event *event)
{
    const struct event_question_answered *answered = &event->body.question_answered;
    bool fine = answered->status == ANSWER_FOUND || answered->status == ANSWER_NONE;
    keep_names(log, answered);
    if (fine && is_greeting_name(log, answered->kind, answered->key))
        name_answered(log, answered);
    else
        log_line(log, fine ? 4 : 3, WHO_LINE, "Answer to %s %s: %s%s%s",
                 journal_question_word(answered->kind), log_text(log, answered->key),
                 journal_answer_word(answered->status), answered->value.len ? ", " : "",
                 log_text(log, answered->value));
    log_line(log, 5, WHO_LINE, "The answer took %llu ms", LOG_NUMBER(answered->took_ms));
}

static void finding(struct render_log *log, const struct event *event)
{
    const struct event_finding *found = &event->body.finding;
    if (found->finding == FIND_HELO_UNVERIFIED) {
        log_line(log, 3, WHO_LINE, "Failed to verify. Real address is %s", peer_text(log, &log->peer));
        return;
    }
    log_line(log, 3, WHO_LINE, "Finding %s: %s (weight %s%llu, %s)", journal_finding_word(found->finding),
             log_text(log, found->evidence), found->relief ? "-" : "",
             LOG_NUMBER(found->relief ? found->relief : found->weight), journal_mode_word(found->mode));
}

/* "12 of 10: early-talk 10, no-ptr 2"; records of old have neither limit nor parts. */
static const char *sum_text(struct render_log *log, const struct event_verdict *verdict)
{
    const char *sum = arena_format(&log->arena, "%llu", LOG_NUMBER(verdict->sum)).at;
    if (!verdict->parts.len)
        return sum;
    return arena_format(&log->arena, "%s of %llu: %s", sum, LOG_NUMBER(verdict->threshold),
                        log_text(log, verdict->parts))
        .at;
}

static void verdict(struct render_log *log, const struct event *event)
{
    const struct event_verdict *verdict = &event->body.verdict;
    const char *word = journal_verdict_word(verdict->verdict);
    log_line(log, 3, WHO_LINE, "Verdict at %s: %s%s%s%s%s (sum %s)", journal_stage_word(verdict->stage), word,
             verdict->finding ? (verdict->spared.len ? " in spite of " : " for ") : "",
             verdict->finding ? journal_finding_word(verdict->finding) : "", verdict->reason.len ? ": " : "",
             log_text(log, verdict->reason), sum_text(log, verdict));
    if (verdict->spared.len)
        log_line(log, 3, WHO_LINE, "It was not done: %s", log_text(log, verdict->spared));
    if (verdict->observed)
        log_line(log, 3, WHO_LINE, "It was not done: the policy only observes");
    if (verdict->override.len)
        log_line(log, 4, WHO_LINE, "The override at %s counts here", log_text(log, verdict->override));
}

static void mail_started(struct render_log *log, const struct event *event)
{
    const struct event_mail_started *mail = &event->body.mail_started;
    log_line(log, 3, WHO_LINE, "Mail %llu from <%s>%s%s", LOG_NUMBER(mail->transaction),
             log_text(log, mail->sender), mail->parameters.len ? " " : "", log_text(log, mail->parameters));
}

static void recipient_judged(struct render_log *log, const struct event *event)
{
    const struct event_recipient_judged *judged = &event->body.recipient_judged;
    log_line(log, 3, WHO_LINE, "Recipient <%s> got %llu (#%llu)%s%s", log_text(log, judged->recipient),
             LOG_NUMBER(judged->code), LOG_NUMBER(judged->number), judged->route.len ? ", route " : "",
             log_text(log, judged->route));
}

static void message_received(struct render_log *log, const struct event *event)
{
    const struct event_message_received *message = &event->body.message_received;
    log_line(log, 5, WHO_LINE, "Writing %llu byte at 0", LOG_NUMBER(message->octets));
    log_line(log, 5, WHO_LINE, "SHA-256 %s, %llu chunks", log_text(log, message->digest),
             LOG_NUMBER(message->chunks));
    log_line(log, 2, WHO_LINE, "Message %llu has %llu header fields, Message-ID: %s, Subject: %s",
             LOG_NUMBER(message->transaction), LOG_NUMBER(message->headers),
             message->message_id.len ? log_text(log, message->message_id) : "none",
             message->subject.len ? log_text(log, message->subject) : "none");
    if (message->bare_lf || message->bare_cr || message->nul)
        log_line(log, 3, WHO_LINE, "Message %llu has %llu bare LF, %llu bare CR, %llu NUL",
                 LOG_NUMBER(message->transaction), LOG_NUMBER(message->bare_lf), LOG_NUMBER(message->bare_cr),
                 LOG_NUMBER(message->nul));
}

static void message_stored(struct render_log *log, const struct event *event)
{
    const struct event_message_stored *stored = &event->body.message_stored;
    log_line(log, 2, WHO_LINE, "{%s} received, %llu bytes", log_text(log, stored->queue_id),
             LOG_NUMBER(stored->octets));
    log_line(log, 5, WHO_LINE, "{%s} was on disk after %llu ms", log_text(log, stored->queue_id),
             LOG_NUMBER(stored->took_ms));
}

static void message_relayed(struct render_log *log, const struct event *event)
{
    const struct event_message_relayed *relayed = &event->body.message_relayed;
    const char *came = relayed->code >= 200 && relayed->code < 300 ? "taken" : "not taken";
    log_line(log, 2, WHO_LINE, "{%llu} %s by %s: %s", LOG_NUMBER(relayed->transaction), came,
             log_text(log, relayed->server), log_text(log, relayed->reply));
    log_line(log, 5, WHO_LINE, "Its answer took %llu ms", LOG_NUMBER(relayed->took_ms));
}

static void message_failed(struct render_log *log, const struct event *event)
{
    const struct event_message_failed *failed = &event->body.message_failed;
    log_line(log, 1, WHO_LINE, "{%llu} not taken, the client keeps it: %s", LOG_NUMBER(failed->transaction),
             log_text(log, failed->reason));
}

static void message_discarded(struct render_log *log, const struct event *event)
{
    const struct event_message_discarded *discarded = &event->body.message_discarded;
    log_line(log, 2, WHO_LINE, "Message %llu for %llu recipients was thrown away",
             LOG_NUMBER(discarded->transaction), LOG_NUMBER(discarded->recipients));
}

static void message_remembered(struct render_log *log, const struct event *event)
{
    const struct event_message_remembered *remembered = &event->body.message_remembered;
    log_line(log, 2, WHO_LINE, "{%llu} was taken before: its 250 is given again, nothing is passed on twice",
             LOG_NUMBER(remembered->transaction));
    log_line(log, 5, WHO_LINE, "It was remembered under %s", log_text(log, remembered->key));
}

static void told(struct render_log *log, const struct event *event)
{
    const struct event_told *told = &event->body.told;
    log_line(log, 5, WHO_LINE, "To remember: %s %s %s", journal_told_word(told->verb),
             log_text(log, told->key), log_text(log, told->value));
}

static void http_request(struct render_log *log, const struct event *event)
{
    const struct event_http_request *request = &event->body.http_request;
    log_line(log, 3, WHO_LINE, "HTTP instead of SMTP: %s %s for %s, %llu bytes",
             log_text(log, request->method), log_text(log, request->target), log_text(log, request->host),
             LOG_NUMBER(request->octets));
    log_line(log, 3, WHO_LINE, "The proxy claims to serve %s (unverified)",
             request->forwarded_for.len ? log_text(log, request->forwarded_for) : "nobody in particular");
    if (request->commands)
        log_line(log, 3, WHO_LINE, "It carried HELO %s, MAIL FROM:<%s>, %llu recipients: %s",
                 log_text(log, request->helo), log_text(log, request->sender),
                 LOG_NUMBER(request->recipient_count), log_text(log, request->recipients));
}

static void session_ended(struct render_log *log, const struct event *event)
{
    const struct event_session_ended *ended = &event->body.session_ended;
    log->ended = true;
    log->ended_us = event->stamp.unix_us;
    log_line(log, 4, WHO_LINE, "Closing");
    log_line(log, 5, WHO_LINE, "Closing because %s", journal_ending_phrase(ended->why));
    log_line(log, 3, WHO_LINE,
             "Session: %llu of %llu messages accepted, %llu bytes in, %llu bytes out, %llu negative replies, "
             "%llu ms%s%s",
             LOG_NUMBER(ended->accepted), LOG_NUMBER(ended->tried), LOG_NUMBER(ended->octets_in),
             LOG_NUMBER(ended->octets_out), LOG_NUMBER(ended->negative), LOG_NUMBER(ended->took_ms),
             ended->flags.len ? ", flags " : "", log_text(log, ended->flags));
    log_line(log, 4, WHO_LINE, "Input Stream ended");
}

static void (*const renderers[EVENT_KIND_LIMIT])(struct render_log *log, const struct event *event) = {
    [EVENT_KIND_session_opened] = session_opened,
    [EVENT_KIND_session_proxied] = session_proxied,
    [EVENT_KIND_forwarded] = forwarded,
    [EVENT_KIND_state_changed] = state_changed,
    [EVENT_KIND_octets_received] = octets_received,
    [EVENT_KIND_octets_taken] = octets_taken,
    [EVENT_KIND_octets_seen] = octets_seen,
    [EVENT_KIND_session_moved] = session_moved,
    [EVENT_KIND_line_received] = line_received,
    [EVENT_KIND_reply_sent] = reply_sent,
    [EVENT_KIND_tls_started] = tls_started,
    [EVENT_KIND_tls_failed] = tls_failed,
    [EVENT_KIND_question_asked] = question_asked,
    [EVENT_KIND_question_answered] = question_answered,
    [EVENT_KIND_finding] = finding,
    [EVENT_KIND_verdict] = verdict,
    [EVENT_KIND_mail_started] = mail_started,
    [EVENT_KIND_recipient_judged] = recipient_judged,
    [EVENT_KIND_message_received] = message_received,
    [EVENT_KIND_message_stored] = message_stored,
    [EVENT_KIND_message_relayed] = message_relayed,
    [EVENT_KIND_message_failed] = message_failed,
    [EVENT_KIND_message_remembered] = message_remembered,
    [EVENT_KIND_message_discarded] = message_discarded,
    [EVENT_KIND_told] = told,
    [EVENT_KIND_http_request] = http_request,
    [EVENT_KIND_session_ended] = session_ended,
};

/* --- the view ------------------------------------------------------------------------------------------ */

void render_log_init(struct render_log *log, const struct render_log_settings *settings)
{
    *log = (struct render_log){.settings = *settings};
    arena_init(&log->arena, NULL, 0);
}

void render_log_event(struct render_log *log, const struct event *event, struct buf *out)
{
    log->out = out;
    log->event = event;
    if (event->kind < EVENT_KIND_LIMIT && renderers[event->kind])
        renderers[event->kind](log, event);
    else if (event->kind >= EVENT_KIND_process_started)
        log_process_event(log, event);
    else
        log_courier_event(log, event);
    log->event = NULL;
    arena_drop(&log->arena);
}

void render_log_end(struct render_log *log, struct buf *out)
{
    if (!log->opened || !log->ended)
        return;
    log->out = out;
    log_line(log, 4, WHO_SMTP, "disposing line %llu", LOG_NUMBER(log->line));
    log_line(log, 5, WHO_LINE, "Stream Disposed");
}

void render_log_done(struct render_log *log)
{
    arena_drop(&log->arena);
}
