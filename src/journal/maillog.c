#include "journal/maillog.h"

#include "base/arena.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/table.h"
#include "base/text.h"
#include "wire/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TO_MAX 1000 /* octets of recipients in one line */

/* What is known of a session that is not over. */
struct kept {
    struct link link; /* the oldest first */
    uint64_t session; /* the key */
    struct address peer;
    enum verb verb; /* of the last line */
    struct buf sender, to, message_id, name, refusal;
    uint64_t octets;
    uint64_t recipients;
    bool esmtp, tls;
};

struct maillog {
    struct table table;
    struct link order;
    size_t count, max;
};

struct maillog *maillog_new(size_t sessions_max)
{
    struct maillog *maillog = memory_take(sizeof *maillog);
    table_init(&maillog->table, 0);
    list_init(&maillog->order);
    maillog->max = sessions_max;
    return maillog;
}

static struct slice key_of(const uint64_t *session)
{
    return slice_of((const char *)session, sizeof *session);
}

static void kept_drop(struct maillog *maillog, struct kept *kept)
{
    if (!kept)
        return;
    table_remove(&maillog->table, key_of(&kept->session));
    list_remove(&kept->link);
    buf_drop(&kept->sender);
    buf_drop(&kept->to);
    buf_drop(&kept->message_id);
    buf_drop(&kept->name);
    buf_drop(&kept->refusal);
    memory_give(kept, sizeof *kept);
    maillog->count--;
}

static struct kept *kept_new(struct maillog *maillog, uint64_t session)
{
    if (maillog->count == maillog->max)
        kept_drop(maillog, LIST_OF(maillog->order.next, struct kept, link));
    struct kept *kept = memory_take(sizeof *kept);
    kept->session = session;
    buf_init(&kept->sender, 1024);
    buf_init(&kept->to, TO_MAX);
    buf_init(&kept->message_id, 512);
    buf_init(&kept->name, 512);
    buf_init(&kept->refusal, 512);
    list_add_last(&maillog->order, &kept->link);
    table_put(&maillog->table, key_of(&kept->session), kept);
    maillog->count++;
    return kept;
}

static struct kept *kept_find(const struct maillog *maillog, uint64_t session)
{
    return table_get(&maillog->table, key_of(&session));
}

static void kept_text(struct buf *buf, struct slice text)
{
    buf_clear(buf);
    buf_add(buf, text);
}

/* --- pieces of lines ------------------------------------------------------------------------------------ */

static void put(struct buf *lines, struct slice text)
{
    buf_add(lines, text);
}

/* A stranger's text: no octet of it ends the line. */
static void put_text(struct buf *lines, struct slice text)
{
    text_escape(lines, slice_head(text, 1000), true);
}

/* … nor the quotes that it stands in. */
static void put_quoted(struct buf *lines, struct slice text)
{
    struct slice part;
    put(lines, SLICE("\""));
    for (bool first = true; slice_cut(&text, '"', &part); first = false) {
        if (!first)
            put(lines, SLICE("'"));
        put_text(lines, part);
    }
    put(lines, SLICE("\""));
}

static void put_number(struct buf *lines, uint64_t number)
{
    char text[TEXT_UNIT_SIZE];
    put(lines, slice_of(text, text_print_u64(number, text)));
}

static void put_id(struct buf *lines, uint64_t session)
{
    char id[EVENT_ID_SIZE];
    event_id_print(session, id);
    put(lines, slice_of(id, EVENT_ID_SIZE - 1));
}

static void put_address(struct buf *lines, const struct address *address)
{
    char text[ADDRESS_TEXT_SIZE];
    put(lines, slice_of(text, address_print(address, text)));
}

/* "name [192.0.2.7]" or "[192.0.2.7]". */
static void put_relay(struct buf *lines, const struct kept *kept)
{
    put(lines, SLICE(", relay="));
    if (kept->name.len) {
        put_text(lines, buf_slice(&kept->name));
        put(lines, SLICE(" "));
    }
    put(lines, SLICE("["));
    if (kept->peer.family == ADDRESS_IPV6)
        put(lines, SLICE("IPv6:"));
    put_address(lines, &kept->peer);
    put(lines, SLICE("]"));
}

static void put_delay(struct buf *lines, uint64_t ms)
{
    uint64_t seconds = ms / 1000;
    char text[64];
    int len = snprintf(text, sizeof text, ", delay=%02" PRIu64 ":%02u:%02u", seconds / 3600,
                       (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
    put(lines, slice_of(text, (size_t)len));
}

static void put_parenthesis(struct buf *lines, struct slice text)
{
    if (!text.len)
        return;
    put(lines, SLICE(" ("));
    put_text(lines, text);
    put(lines, SLICE(")"));
}

static void put_end(struct buf *lines)
{
    put(lines, SLICE("\n"));
}

/* --- lines ---------------------------------------------------------------------------------------------- */

static const char *protocol(const struct kept *kept)
{
    if (kept->tls)
        return "ESMTPS";
    return kept->esmtp ? "ESMTP" : "SMTP";
}

static void from_line(struct buf *lines, const struct kept *kept, uint64_t transaction)
{
    put_id(lines, kept->session);
    put(lines, SLICE("."));
    put_number(lines, transaction);
    put(lines, SLICE(": from=<"));
    put_text(lines, buf_slice(&kept->sender));
    put(lines, SLICE(">, size="));
    put_number(lines, kept->octets);
    put(lines, SLICE(", class=0, nrcpts="));
    put_number(lines, kept->recipients);
    if (kept->message_id.len) {
        put(lines, SLICE(", msgid="));
        put_text(lines, buf_slice(&kept->message_id));
    }
    put(lines, SLICE(", proto="));
    put(lines, slice_text(protocol(kept)));
    put(lines, SLICE(", daemon=postern"));
    put_relay(lines, kept);
    put_end(lines);
}

static void relayed_line(struct buf *lines, const struct kept *kept,
                         const struct event_message_relayed *relayed)
{
    put_id(lines, kept->session);
    put(lines, SLICE("."));
    put_number(lines, relayed->transaction);
    put(lines, SLICE(": to="));
    put_text(lines, buf_slice(&kept->to));
    put_delay(lines, relayed->took_ms);
    put(lines, SLICE(", mailer=relay, relay="));
    put_text(lines, relayed->server);
    bool taken = relayed->code < 300, later = relayed->code < 500;
    put(lines, taken   ? SLICE(", dsn=2.0.0, stat=Sent")
               : later ? SLICE(", dsn=4.0.0, stat=Deferred:")
                       : SLICE(", dsn=5.0.0, stat="));
    if (taken)
        put_parenthesis(lines, relayed->reply);
    else {
        put(lines, SLICE(" "));
        put_text(lines, relayed->reply);
    }
    put_end(lines);
}

static struct slice ruleset(enum verb verb)
{
    switch (verb) {
    case VERB_MAIL: return SLICE("check_mail");
    case VERB_RCPT: return SLICE("check_rcpt");
    case VERB_DATA:
    case VERB_BDAT: return SLICE("check_eom");
    case VERB_NONE: return SLICE("check_relay");
    default: return SLICE_NONE;
    }
}

/* Refusals of a connection, a sender, a recipient or a message; not of a command that is none. */
static void refusal_line(struct buf *lines, const struct kept *kept, const struct event_reply_sent *reply)
{
    struct slice rules = ruleset(kept->verb), first = slice_head(reply->text, slice_find(reply->text, '\r'));
    if (reply->code < 400 || !rules.len)
        return;
    put_id(lines, kept->session);
    put(lines, SLICE(": ruleset="));
    put(lines, rules);
    if (kept->refusal.len) {
        put(lines, SLICE(", arg1="));
        put_text(lines, buf_slice(&kept->refusal));
    }
    put_relay(lines, kept);
    put(lines, SLICE(", reject="));
    put_text(lines, first);
    put_end(lines);
}

static void end_line(struct buf *lines, uint64_t session, const struct event_session_ended *ended)
{
    put_id(lines, session);
    put(lines, SLICE(" #721 end i="));
    put_address(lines, &ended->peer);
    put(lines, SLICE(" p="));
    put_quoted(lines, ended->ptr);
    put(lines, SLICE(" f="));
    put_quoted(lines, ended->flags);
    put(lines, SLICE(" h="));
    put_quoted(lines, ended->helo);
    put(lines, SLICE(" m="));
    put_number(lines, ended->accepted);
    put(lines, SLICE("/"));
    put_number(lines, ended->tried);
    put(lines, SLICE(" b="));
    put_number(lines, ended->octets_in);
    put(lines, SLICE(" R="));
    put_number(lines, ended->negative);
    put(lines, SLICE(" t="));
    put_number(lines, (ended->took_ms + 500) / 1000);
    put(lines, SLICE(" l="));
    put_quoted(lines, ended->last_negative);
    if (ended->tls.len) {
        put(lines, SLICE(" tls="));
        put_quoted(lines, ended->tls);
    }
    put_end(lines);
}

/* --- the courier's -----------------------------------------------------------------------------------------
 */

struct delivery {
    struct slice queue_id, recipient, by, target, dsn, status, words;
    uint64_t waited_ms;
    bool timed;
};

static void delivery_line(struct buf *lines, const struct delivery *delivery)
{
    put_text(lines, delivery->queue_id);
    put(lines, SLICE(": to=<"));
    put_text(lines, delivery->recipient);
    put(lines, SLICE(">"));
    if (delivery->timed)
        put_delay(lines, delivery->waited_ms);
    if (delivery->by.len) {
        put(lines, SLICE(", mailer="));
        put_text(lines, delivery->by);
    }
    put(lines, SLICE(", relay="));
    put_text(lines, delivery->target);
    put(lines, SLICE(", dsn="));
    put(lines, delivery->dsn);
    put(lines, SLICE(", stat="));
    put(lines, delivery->status);
    if (delivery->timed)
        put_parenthesis(lines, delivery->words);
    else
        put_text(lines, delivery->words);
    put_end(lines);
}

static void courier_add(const struct event *event, struct buf *lines)
{
    const union event_body *body = &event->body;
    struct delivery line = {.timed = false};
    if (event->kind == EVENT_KIND_delivered)
        line = (struct delivery){.queue_id = body->delivered.queue_id,
                                 .recipient = body->delivered.recipient,
                                 .by = body->delivered.by,
                                 .target = body->delivered.target,
                                 .dsn = SLICE("2.0.0"),
                                 .status = SLICE("Sent"),
                                 .words = body->delivered.reply,
                                 .waited_ms = body->delivered.waited_ms,
                                 .timed = true};
    else if (event->kind == EVENT_KIND_delivery_deferred)
        line = (struct delivery){.queue_id = body->delivery_deferred.queue_id,
                                 .recipient = body->delivery_deferred.recipient,
                                 .target = body->delivery_deferred.target,
                                 .dsn = SLICE("4.0.0"),
                                 .status = SLICE("Deferred: "),
                                 .words = body->delivery_deferred.reason};
    else
        line = (struct delivery){.queue_id = body->delivery_failed.queue_id,
                                 .recipient = body->delivery_failed.recipient,
                                 .target = body->delivery_failed.target,
                                 .dsn = SLICE("5.0.0"),
                                 .status = SLICE("Service unavailable: "),
                                 .words = body->delivery_failed.reason};
    delivery_line(lines, &line);
}

/* --- what concerns the whole -----------------------------------------------------------------------------
 */

/* Every field of the event, as "word: field=value, …". */
static void plain_add(const struct event *event, struct buf *lines)
{
    put(lines, slice_text(event->info->word));
    for (size_t i = 0; i < event->info->field_count; i++) {
        const struct event_field *field = &event->info->fields[i];
        const void *value = (const char *)&event->body + field->offset;
        put(lines, i ? SLICE(", ") : SLICE(": "));
        put(lines, slice_text(field->name));
        put(lines, SLICE("="));
        if (field->type == EVENT_TYPE_NUMBER)
            put_number(lines, *(const uint64_t *)value);
        else if (field->type == EVENT_TYPE_TEXT)
            put_text(lines, *(const struct slice *)value);
    }
    put_end(lines);
}

/* --- what is kept of a session
 * ------------------------------------------------------------------------------ */

static void transaction_begin(struct kept *kept, const struct event_mail_started *mail)
{
    kept_text(&kept->sender, mail->sender);
    buf_clear(&kept->to);
    buf_clear(&kept->message_id);
    kept->recipients = kept->octets = 0;
}

static void recipient_add(struct kept *kept, const struct event_recipient_judged *judged)
{
    if (judged->code >= 300)
        return;
    kept->recipients++;
    struct buf *to = &kept->to;
    uint32_t before = to->len;
    if ((before && !buf_add_octet(to, ',')) || !buf_add_octet(to, '<') || !buf_add(to, judged->recipient) ||
        !buf_add_octet(to, '>'))
        to->len = before; /* the line is long enough */
}

static void line_seen(struct kept *kept, struct slice text)
{
    struct command command;
    command_parse(text, &command);
    kept->verb = command.verb == VERB_NONE ? VERB_UNKNOWN : command.verb;
    if (command.verb == VERB_EHLO || command.verb == VERB_HELO)
        kept->esmtp = command.verb == VERB_EHLO;
    buf_clear(&kept->refusal);
    size_t colon = slice_find(command.argument, ':');
    if ((command.verb == VERB_MAIL || command.verb == VERB_RCPT) && colon != SLICE_NOT_FOUND)
        kept_text(&kept->refusal, slice_head(slice_trim(slice_from(command.argument, colon + 1)), 300));
}

static void session_add(struct maillog *maillog, struct kept *kept, const struct event *event,
                        struct buf *lines)
{
    const union event_body *body = &event->body;
    switch (event->kind) {
    case EVENT_KIND_session_proxied:
        kept->peer = body->session_proxied.peer;
        kept_text(&kept->name, body->session_proxied.name);
        break;
    case EVENT_KIND_line_received: line_seen(kept, body->line_received.text); break;
    case EVENT_KIND_tls_started: kept->tls = true; break;
    case EVENT_KIND_mail_started: transaction_begin(kept, &body->mail_started); break;
    case EVENT_KIND_recipient_judged: recipient_add(kept, &body->recipient_judged); break;
    case EVENT_KIND_message_received:
        kept->octets = body->message_received.octets;
        kept_text(&kept->message_id, body->message_received.message_id);
        break;
    case EVENT_KIND_reply_sent: refusal_line(lines, kept, &body->reply_sent); break;
    case EVENT_KIND_message_stored: from_line(lines, kept, body->message_stored.transaction); break;
    case EVENT_KIND_message_relayed:
        from_line(lines, kept, body->message_relayed.transaction);
        relayed_line(lines, kept, &body->message_relayed);
        break;
    case EVENT_KIND_session_ended:
        end_line(lines, event->stamp.session, &body->session_ended);
        kept_drop(maillog, kept);
        break;
    default: break;
    }
}

void maillog_add(struct maillog *maillog, const struct event *event, struct buf *lines)
{
    if (!event->info)
        return;
    if (event->kind >= 150) {
        plain_add(event, lines);
        return;
    }
    if (event->kind >= EVENT_KIND_delivered) {
        if (event->kind <= EVENT_KIND_delivery_failed)
            courier_add(event, lines);
        else if (event->kind == EVENT_KIND_queue_damaged)
            plain_add(event, lines);
        return;
    }
    if (event->kind == EVENT_KIND_session_opened) {
        struct kept *old = kept_find(maillog, event->stamp.session);
        kept_drop(maillog, old);
        kept_new(maillog, event->stamp.session)->peer = event->body.session_opened.peer;
        return;
    }
    struct kept *kept = kept_find(maillog, event->stamp.session);
    if (kept)
        session_add(maillog, kept, event, lines);
    else if (event->kind == EVENT_KIND_session_ended)
        end_line(lines, event->stamp.session, &event->body.session_ended);
}

size_t maillog_sessions(const struct maillog *maillog)
{
    return maillog->count;
}

void maillog_free(struct maillog *maillog)
{
    if (!maillog)
        return;
    while (!list_is_empty(&maillog->order))
        kept_drop(maillog, LIST_OF(maillog->order.next, struct kept, link));
    table_drop(&maillog->table);
    memory_give(maillog, sizeof *maillog);
}
