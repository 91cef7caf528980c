#include "journal/maillog_part.h"

#include "base/memory.h"
#include "base/text.h"
#include "core/ask.h"
#include "journal/segment.h"
#include "journal/words.h"
#include "wire/command.h"
#include "wire/reply.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define KEPT_MAX       1024  /* of a text that is kept between events */
#define RECIPIENTS_MAX 65536 /* octets of a message's recipients */

/* What is kept of a session between its events. The texts are escaped already. */
struct open_session {
    struct link link; /* in the order of their beginning */
    uint64_t id;
    struct address peer;
    struct buf name;    /* confirmed */
    struct buf pointed; /* names that the client's address points to */
    struct buf line;    /* the last command, as it came */
    struct buf sender;
    struct buf recipients; /* accepted ones: "<a>,<b>" */
    struct buf message_id;
    uint64_t transaction;
    uint64_t recipient_count;
    uint64_t octets;
    int64_t content_us; /* when the content was complete */
    bool answered;      /* the content has its reply */
    bool esmtp;
    bool tls;
};

/* --- lines and texts ----------------------------------------------------------------------------------- */

void maillog_line(struct maillog *maillog, const char *format, ...)
{
    char text[8192];
    va_list arguments;
    if (!maillog->lines)
        return;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t kept = len < 0 ? 0 : (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    if (buf_add(maillog->lines, slice_of(text, kept)))
        buf_add_octet(maillog->lines, '\n');
}

static bool is_plain(struct slice text, const char *but)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] < 0x20 || text.at[i] > 0x7e || text.at[i] == '\\' || strchr(but, text.at[i]))
            return false;
    return true;
}

/* Escaped as for a terminal, and what stands in `but` as \xHH. */
static const char *escaped(struct maillog *maillog, struct slice text, const char *but)
{
    if (is_plain(text, but)) {
        struct slice copy = arena_copy(&maillog->arena, text);
        return copy.at ? copy.at : "";
    }
    struct buf safe, out;
    buf_init(&safe, 8 * EVENT_SIZE_MAX);
    buf_init(&out, 32 * EVENT_SIZE_MAX);
    text_escape(&safe, text, true);
    for (size_t i = 0; i < safe.len; i++) {
        if (safe.at[i] && strchr(but, safe.at[i]))
            buf_add_format(&out, "\\x%02x", (unsigned char)safe.at[i]);
        else
            buf_add_octet(&out, safe.at[i]);
    }
    struct slice copy = arena_copy(&maillog->arena, buf_slice(&out));
    buf_drop(&safe);
    buf_drop(&out);
    return copy.at ? copy.at : "";
}

const char *maillog_free_text(struct maillog *maillog, struct slice text)
{
    return escaped(maillog, text, "");
}

const char *maillog_quoted(struct maillog *maillog, struct slice text)
{
    struct slice copy = arena_copy(&maillog->arena, text);
    for (size_t i = 0; i < copy.len; i++)
        if (copy.at[i] == '"')
            ((char *)(uintptr_t)copy.at)[i] = '\'';
    return escaped(maillog, copy, "");
}

const char *maillog_field(struct maillog *maillog, struct slice text)
{
    return escaped(maillog, text, " ,<>\"");
}

const char *maillog_target(struct maillog *maillog, struct slice text)
{
    return escaped(maillog, text, ",<>\"");
}

const char *maillog_delay(uint64_t ms, char text[MAILLOG_DELAY_SIZE])
{
    uint64_t seconds = ms / 1000, days = seconds / 86400;
    unsigned hour = (unsigned)(seconds / 3600 % 24), minute = (unsigned)(seconds / 60 % 60);
    int used = days ? snprintf(text, MAILLOG_DELAY_SIZE, "%" PRIu64 "+", days) : 0;
    snprintf(text + used, MAILLOG_DELAY_SIZE - (size_t)used, "%02u:%02u:%02u", hour, minute,
             (unsigned)(seconds % 60));
    return text;
}

static bool is_code(struct slice text)
{
    return text.len >= 3 && text.at[0] >= '2' && text.at[0] <= '5' && text_is_digit(text.at[1]) &&
           text_is_digit(text.at[2]);
}

const char *maillog_dsn(struct maillog *maillog, struct slice reply, const char *otherwise)
{
    struct enhanced enhanced = {0};
    if (!is_code(reply))
        return otherwise;
    struct slice rest = slice_from(reply, 4);
    if (enhanced_parse(&rest, &enhanced) && enhanced.class)
        return arena_format(&maillog->arena, "%u.%u.%u", enhanced.class, enhanced.subject, enhanced.detail)
            .at;
    return arena_format(&maillog->arena, "%c.0.0", reply.at[0]).at;
}

/* A reply of several lines in one: their texts, parted by blanks, behind the first line's codes. */
static const char *flat_reply(struct maillog *maillog, struct slice reply)
{
    struct slice rest = reply, line, flat = SLICE_NONE;
    while (slice_cut(&rest, '\n', &line)) {
        if (line.len && line.at[line.len - 1] == '\r')
            line.len--;
        struct enhanced enhanced;
        struct slice text = slice_from(line, 4);
        if (!flat.len) {
            flat = arena_format(&maillog->arena, "%.*s %.*s", SLICE_ARGS(slice_head(line, 3)),
                                SLICE_ARGS(text));
            continue;
        }
        enhanced_parse(&text, &enhanced);
        flat = arena_format(&maillog->arena, "%.*s %.*s", SLICE_ARGS(flat), SLICE_ARGS(text));
    }
    return maillog_free_text(maillog, flat);
}

/* --- sessions ------------------------------------------------------------------------------------------ */

static struct open_session *session_find(const struct maillog *maillog, uint64_t id)
{
    return table_get(&maillog->sessions, slice_of((const char *)&id, sizeof id));
}

static void session_free(struct maillog *maillog, struct open_session *session)
{
    table_remove(&maillog->sessions, slice_of((const char *)&session->id, sizeof session->id));
    list_remove(&session->link);
    buf_drop(&session->name);
    buf_drop(&session->pointed);
    buf_drop(&session->line);
    buf_drop(&session->sender);
    buf_drop(&session->recipients);
    buf_drop(&session->message_id);
    memory_give(session, sizeof *session);
}

static struct open_session *session_new(struct maillog *maillog, uint64_t id)
{
    if (maillog->sessions.used >= maillog->sessions_max)
        session_free(maillog, LIST_OF(maillog->order.next, struct open_session, link));
    struct open_session *session = memory_take(sizeof *session);
    session->id = id;
    list_add_last(&maillog->order, &session->link);
    session->answered = true;
    buf_init(&session->name, KEPT_MAX);
    buf_init(&session->pointed, KEPT_MAX);
    buf_init(&session->line, KEPT_MAX);
    buf_init(&session->sender, KEPT_MAX);
    buf_init(&session->recipients, RECIPIENTS_MAX);
    buf_init(&session->message_id, KEPT_MAX);
    table_put(&maillog->sessions, slice_of((const char *)&session->id, sizeof session->id), session);
    return session;
}

static void keep(struct buf *buf, struct slice text)
{
    buf_clear(buf);
    buf_add(buf, slice_head(text, buf->max));
}

static void keep_escaped(struct buf *buf, const char *text)
{
    keep(buf, slice_text(text));
}

/* "NAME [192.0.2.7]", or the address alone. */
static const char *relay_text(struct maillog *maillog, const struct open_session *session)
{
    char address[ADDRESS_TEXT_SIZE];
    address_print(&session->peer, address);
    bool six = session->peer.family == ADDRESS_IPV6;
    return arena_format(&maillog->arena, "%.*s%s[%s%s]", SLICE_ARGS(buf_slice(&session->name)),
                        session->name.len ? " " : "", six ? "IPv6:" : "", address)
        .at;
}

static const char *id_text(struct maillog *maillog, uint64_t session)
{
    char id[EVENT_ID_SIZE];
    event_id_print(session, id);
    return arena_copy(&maillog->arena, slice_text(id)).at;
}

static const char *message_text(struct maillog *maillog, const struct open_session *session)
{
    return arena_format(&maillog->arena, "%s.%" PRIu64, id_text(maillog, session->id), session->transaction)
        .at;
}

static void from_line(struct maillog *maillog, const struct open_session *session)
{
    maillog_line(maillog,
                 "%s: from=<%.*s>, size=%" PRIu64 ", class=0, nrcpts=%" PRIu64
                 "%s%.*s, proto=%s%s, daemon=postern, relay=%s",
                 message_text(maillog, session), SLICE_ARGS(buf_slice(&session->sender)), session->octets,
                 session->recipient_count, session->message_id.len ? ", msgid=" : "",
                 SLICE_ARGS(buf_slice(&session->message_id)), session->esmtp ? "ESMTP" : "SMTP",
                 session->tls ? "S" : "", relay_text(maillog, session));
}

struct outcome {
    uint64_t took_ms;
    const char *mailer;
    const char *relay;
    const char *dsn;
    const char *stat;
};

#define TO_MAX 2000 /* octets of recipients in one line; the rest has further lines */

/* The front of a list of recipients, cut behind a whole one; takes it off the list. */
static struct slice some_recipients(struct slice *list)
{
    struct slice some = *list;
    if (some.len > TO_MAX) {
        size_t comma = slice_find_last(slice_head(some, TO_MAX), ',');
        if (comma == SLICE_NOT_FOUND)
            comma = slice_find(some, ',');
        some = slice_head(some, comma == SLICE_NOT_FOUND ? some.len : comma);
    }
    *list = slice_from(*list, some.len + 1);
    return some;
}

static void to_line(struct maillog *maillog, const struct open_session *session,
                    const struct outcome *outcome)
{
    char delay[MAILLOG_DELAY_SIZE];
    maillog_delay(outcome->took_ms, delay);
    struct slice list = buf_slice(&session->recipients);
    while (list.len) {
        struct slice some = some_recipients(&list);
        maillog_line(maillog, "%s: to=%.*s, delay=%s, mailer=%s%s%s, dsn=%s, stat=%s",
                     message_text(maillog, session), SLICE_ARGS(some), delay, outcome->mailer,
                     *outcome->relay ? ", relay=" : "", outcome->relay, outcome->dsn, outcome->stat);
    }
}

/* --- refusals ------------------------------------------------------------------------------------------ */

/* The address in MAIL or RCPT as it was sent, without its brackets. */
static struct slice path_of(struct slice argument)
{
    size_t open = slice_find(argument, '<');
    if (open == SLICE_NOT_FOUND) {
        slice_cut(&argument, ':', &(struct slice){0});
        struct slice word = SLICE_NONE;
        slice_word(&argument, &word);
        return word;
    }
    argument = slice_from(argument, open + 1);
    size_t close = slice_find_last(argument, '>');
    return slice_head(argument, close == SLICE_NOT_FOUND ? argument.len : close);
}

static const char *ruleset_of(const struct open_session *session, const struct command *command)
{
    if (!session->answered)
        return "check_eom";
    if (!session->line.len)
        return "check_relay";
    switch ((unsigned)command->verb) {
    case VERB_HELO:
    case VERB_EHLO: return "check_helo";
    case VERB_MAIL: return "check_mail";
    case VERB_RCPT: return "check_rcpt";
    case VERB_DATA:
    case VERB_BDAT: return "check_data";
    default: return NULL;
    }
}

/* Refused commands that are no refusal of mail (unknown words, wrong order) are counted by the last line
 * alone; what ends the connection is told. */
static void refused(struct maillog *maillog, const struct open_session *session,
                    const struct event_reply_sent *reply)
{
    struct command command;
    command_parse(buf_slice(&session->line), &command);
    const char *ruleset = ruleset_of(session, &command);
    if (!ruleset && reply->code != 421)
        return;
    bool has_path = session->answered && session->line.len &&
                    (command.verb == VERB_MAIL || command.verb == VERB_RCPT);
    const char *text = flat_reply(maillog, reply->text);
    const char *path = has_path ? maillog_field(maillog, path_of(command.argument)) : "";
    maillog_line(maillog, "%s: %s%s%s%s%s%srelay=%s, reject=%s",
                 session->answered ? id_text(maillog, session->id) : message_text(maillog, session),
                 ruleset ? "ruleset=" : "", ruleset ? ruleset : "", ruleset ? ", " : "",
                 has_path ? "arg1=<" : "", path, has_path ? ">, " : "", relay_text(maillog, session), text);
    if (session->answered)
        return;
    int64_t us = maillog->event->stamp.unix_us - session->content_us;
    from_line(maillog, session);
    to_line(maillog, session,
            &(struct outcome){us > 0 ? (uint64_t)us / 1000 : 0, "gate", "",
                              maillog_dsn(maillog, reply->text, "5.0.0"), text});
}

/* --- events of a session ------------------------------------------------------------------------------- */

static void line_received(struct open_session *session, const struct event_line_received *line)
{
    keep(&session->line, line->text);
    if (slice_starts_fold(line->text, SLICE("EHLO")))
        session->esmtp = true;
    else if (slice_starts_fold(line->text, SLICE("HELO")))
        session->esmtp = false;
}

static void reply_sent(struct maillog *maillog, struct open_session *session,
                       const struct event_reply_sent *reply)
{
    if (reply->code >= 400)
        refused(maillog, session, reply);
    session->answered = true;
}

static void question_answered(struct maillog *maillog, struct open_session *session,
                              const struct event_question_answered *answered)
{
    char address[ADDRESS_TEXT_SIZE];
    address_print(&session->peer, address);
    if (answered->kind == ASK_POINTER && slice_equal(answered->key, slice_text(address)))
        keep(&session->pointed, answered->value);
    if (journal_confirms(answered, buf_slice(&session->pointed), &session->peer))
        keep_escaped(&session->name, maillog_field(maillog, answered->key));
}

static void session_proxied(struct maillog *maillog, struct open_session *session,
                            const struct event_session_proxied *proxied)
{
    session->peer = proxied->peer;
    keep_escaped(&session->name, maillog_field(maillog, proxied->name));
}

static void mail_started(struct maillog *maillog, struct open_session *session,
                         const struct event_mail_started *mail)
{
    session->transaction = mail->transaction;
    session->recipient_count = 0;
    session->octets = 0;
    buf_clear(&session->recipients);
    buf_clear(&session->message_id);
    keep_escaped(&session->sender, maillog_field(maillog, mail->sender));
}

static void recipient_judged(struct maillog *maillog, struct open_session *session,
                             const struct event_recipient_judged *judged)
{
    if (judged->code >= 300)
        return;
    session->recipient_count++;
    buf_add_format(&session->recipients, "%s<%s>", session->recipients.len ? "," : "",
                   maillog_field(maillog, judged->recipient));
}

/* A Message-ID keeps the brackets at its ends. */
static void keep_message_id(struct maillog *maillog, struct open_session *session, struct slice id)
{
    bool open = id.len && id.at[0] == '<', close = id.len > 1 && id.at[id.len - 1] == '>';
    struct slice inner = slice_from(slice_head(id, id.len - close), open);
    keep_escaped(&session->message_id, arena_format(&maillog->arena, "%s%s%s", open ? "<" : "",
                                                    maillog_field(maillog, inner), close ? ">" : "")
                                           .at);
}

static void message_received(struct maillog *maillog, struct open_session *session,
                             const struct event_message_received *message)
{
    session->octets = message->octets;
    session->content_us = maillog->event->stamp.unix_us;
    session->answered = false;
    keep_message_id(maillog, session, message->message_id);
}

static void message_stored(struct maillog *maillog, struct open_session *session,
                           const struct event_message_stored *stored)
{
    session->transaction = stored->transaction;
    from_line(maillog, session);
}

static void message_relayed(struct maillog *maillog, struct open_session *session,
                            const struct event_message_relayed *relayed)
{
    if (relayed->code < 200 || relayed->code >= 300)
        return; /* told by the reply that the client gets for it */
    session->transaction = relayed->transaction;
    from_line(maillog, session);
    const char *stat =
        arena_format(&maillog->arena, "Sent (%s)", maillog_free_text(maillog, relayed->reply)).at;
    to_line(maillog, session,
            &(struct outcome){relayed->took_ms, "relay", maillog_target(maillog, relayed->server),
                              maillog_dsn(maillog, relayed->reply, "2.0.0"), stat});
}

static void message_remembered(struct maillog *maillog, const struct open_session *session)
{
    maillog_line(maillog, "%s: taken before, its 250 is given again, from=<%.*s>, relay=%s",
                 message_text(maillog, session), SLICE_ARGS(buf_slice(&session->sender)),
                 relay_text(maillog, session));
}

static void session_ended(struct maillog *maillog, const struct event *event)
{
    const struct event_session_ended *ended = &event->body.session_ended;
    char address[ADDRESS_TEXT_SIZE];
    address_print(&ended->peer, address);
    maillog_line(maillog,
                 "%s #721 end i=%s p=\"%s\" f=\"%s\" h=\"%s\" m=%" PRIu64 "/%" PRIu64 " b=%" PRIu64
                 " R=%" PRIu64 " t=%" PRIu64 " l=\"%s\"%s%s%s p0f=\"%s\"",
                 id_text(maillog, event->stamp.session), address, maillog_quoted(maillog, ended->ptr),
                 maillog_quoted(maillog, ended->flags), maillog_quoted(maillog, ended->helo), ended->accepted,
                 ended->tried, ended->octets_in, ended->negative, (ended->took_ms + 500) / 1000,
                 maillog_quoted(maillog, ended->last_negative), ended->tls.len ? " tls=\"" : "",
                 maillog_quoted(maillog, ended->tls), ended->tls.len ? "\"" : "",
                 ended->fingerprint.len ? maillog_quoted(maillog, ended->fingerprint) : "unknown");
}

static void session_event(struct maillog *maillog, struct open_session *session, const struct event *event)
{
    const union event_body *body = &event->body;
    switch ((unsigned)event->kind) {
    case EVENT_KIND_session_opened: session->peer = body->session_opened.peer; break;
    case EVENT_KIND_session_proxied: session_proxied(maillog, session, &body->session_proxied); break;
    case EVENT_KIND_line_received: line_received(session, &body->line_received); break;
    case EVENT_KIND_reply_sent: reply_sent(maillog, session, &body->reply_sent); break;
    case EVENT_KIND_tls_started: session->tls = true; break;
    case EVENT_KIND_question_answered: question_answered(maillog, session, &body->question_answered); break;
    case EVENT_KIND_mail_started: mail_started(maillog, session, &body->mail_started); break;
    case EVENT_KIND_recipient_judged: recipient_judged(maillog, session, &body->recipient_judged); break;
    case EVENT_KIND_message_received: message_received(maillog, session, &body->message_received); break;
    case EVENT_KIND_message_stored: message_stored(maillog, session, &body->message_stored); break;
    case EVENT_KIND_message_relayed: message_relayed(maillog, session, &body->message_relayed); break;
    case EVENT_KIND_message_remembered: message_remembered(maillog, session); break;
    default: break;
    }
}

/* --- the log ------------------------------------------------------------------------------------------- */

/* Kinds of a session that leave no trace in the mail log need no look-up. */
static bool matters(unsigned kind)
{
    switch (kind) {
    case EVENT_KIND_state_changed:
    case EVENT_KIND_octets_received:
    case EVENT_KIND_octets_taken:
    case EVENT_KIND_octets_seen:
    case EVENT_KIND_session_moved:
    case EVENT_KIND_tls_failed:
    case EVENT_KIND_question_asked:
    case EVENT_KIND_finding:
    case EVENT_KIND_verdict:
    case EVENT_KIND_told:
    case EVENT_KIND_forwarded:
    case EVENT_KIND_message_failed: return false;
    default: return kind < EVENT_KIND_delivered;
    }
}

static void take_session_event(struct maillog *maillog, const struct event *event)
{
    struct open_session *session = session_find(maillog, event->stamp.session);
    if (event->kind == EVENT_KIND_session_ended) {
        session_ended(maillog, event);
        if (session)
            session_free(maillog, session);
        return;
    }
    if (event->kind == EVENT_KIND_session_opened && session) {
        session_free(maillog, session);
        session = NULL;
    }
    session_event(maillog, session ? session : session_new(maillog, event->stamp.session), event);
}

static void take(struct maillog *maillog, const struct event *event, struct buf *lines)
{
    if (!event->info)
        return;
    maillog->event = event;
    maillog->lines = lines;
    if (event->kind >= EVENT_KIND_delivered)
        maillog_courier_event(maillog, event);
    else if (matters(event->kind))
        take_session_event(maillog, event);
    maillog->event = NULL;
    maillog->lines = NULL;
    arena_drop(&maillog->arena);
}

void maillog_add(struct maillog *maillog, const struct event *event, struct buf *lines)
{
    take(maillog, event, lines);
}

void maillog_learn(struct maillog *maillog, const struct event *event)
{
    take(maillog, event, NULL);
}

bool maillog_lacks(const struct maillog *maillog, const struct event *event)
{
    if (!event->stamp.previous || !matters(event->kind) || event->kind == EVENT_KIND_session_ended)
        return false;
    return !session_find(maillog, event->stamp.session);
}

size_t maillog_sessions(const struct maillog *maillog)
{
    return maillog->sessions.used;
}

void maillog_forget_gate(struct maillog *maillog, unsigned gate)
{
    struct slice key;
    void *value;
    for (size_t at = 0; table_next(&maillog->sessions, &at, &key, &value);) {
        struct open_session *session = value;
        if (segment_gate(session->id) == gate)
            session_free(maillog, session);
    }
}

struct maillog *maillog_new(size_t sessions_max)
{
    struct maillog *maillog = memory_take(sizeof *maillog);
    maillog->sessions_max = sessions_max;
    list_init(&maillog->order);
    arena_init(&maillog->arena, maillog->room, sizeof maillog->room);
    /* Keys are ids that gates give: nobody outside chooses them. */
    table_init(&maillog->sessions, 0x5bd1e9955bd1e995);
    return maillog;
}

void maillog_free(struct maillog *maillog)
{
    if (!maillog)
        return;
    struct slice key;
    void *value;
    for (size_t at = 0; table_next(&maillog->sessions, &at, &key, &value);)
        session_free(maillog, value);
    table_drop(&maillog->sessions);
    arena_drop(&maillog->arena);
    memory_give(maillog, sizeof *maillog);
}
