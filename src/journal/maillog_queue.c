/* The mail log's lines for deliveries and processes. */
#include "journal/maillog_part.h"

#include <inttypes.h>

/* ", delay=00:01:02" since the session that brought the message; nothing where its id does not tell. */
static const char *age_text(struct maillog *maillog, struct slice queue_id)
{
    char delay[MAILLOG_DELAY_SIZE];
    uint64_t session;
    if (!event_id_parse(slice_head(queue_id, EVENT_ID_SIZE - 1), &session))
        return "";
    int64_t ms = maillog->event->stamp.unix_us / 1000 - event_id_unix_ms(session);
    maillog_delay(ms > 0 ? (uint64_t)ms : 0, delay);
    return arena_format(&maillog->arena, ", delay=%s", delay).at;
}

static void delivered(struct maillog *maillog, const struct event_delivered *delivered)
{
    char delay[MAILLOG_DELAY_SIZE];
    maillog_line(maillog, "%s: to=<%s>, delay=%s, mailer=%s, relay=%s, dsn=%s, stat=Sent%s%s%s",
                 maillog_field(maillog, delivered->queue_id), maillog_field(maillog, delivered->recipient),
                 maillog_delay(delivered->waited_ms, delay), maillog_field(maillog, delivered->by),
                 maillog_target(maillog, delivered->target), maillog_dsn(maillog, delivered->reply, "2.0.0"),
                 delivered->reply.len ? " (" : "", maillog_free_text(maillog, delivered->reply),
                 delivered->reply.len ? ")" : "");
}

static void delivery_deferred(struct maillog *maillog, const struct event_delivery_deferred *deferred)
{
    maillog_line(maillog, "%s: to=<%s>%s, relay=%s, dsn=%s, stat=Deferred: %s",
                 maillog_field(maillog, deferred->queue_id), maillog_field(maillog, deferred->recipient),
                 age_text(maillog, deferred->queue_id), maillog_target(maillog, deferred->target),
                 maillog_dsn(maillog, deferred->reason, "4.0.0"),
                 maillog_free_text(maillog, deferred->reason));
}

static void delivery_failed(struct maillog *maillog, const struct event_delivery_failed *failed)
{
    maillog_line(maillog, "%s: to=<%s>%s, relay=%s, dsn=%s, stat=Service unavailable: %s",
                 maillog_field(maillog, failed->queue_id), maillog_field(maillog, failed->recipient),
                 age_text(maillog, failed->queue_id), maillog_target(maillog, failed->target),
                 maillog_dsn(maillog, failed->reason, "5.0.0"), maillog_free_text(maillog, failed->reason));
}

static void notification_queued(struct maillog *maillog, const struct event_notification_queued *queued)
{
    const char *id = maillog_field(maillog, queued->queue_id);
    maillog_line(maillog, "%s: %s: DSN: %s", maillog_field(maillog, queued->about), id,
                 maillog_free_text(maillog, queued->kind));
    maillog_line(maillog, "%s: from=<>, nrcpts=1, relay=localhost", id);
}

/* The queue has it under a name of its own, and lines of its delivery follow. */
static void notice_queued(struct maillog *maillog, const struct event_notice_queued *queued)
{
    const char *id = maillog_field(maillog, queued->queue_id);
    maillog_line(maillog, "%s: notice to <%s>: %s", id, maillog_field(maillog, queued->recipient),
                 maillog_free_text(maillog, queued->sums));
    maillog_line(maillog, "%s: from=<>, nrcpts=1, relay=localhost", id);
}

static void report_sent(struct maillog *maillog, const struct event_report_sent *sent)
{
    const char *id = maillog_field(maillog, sent->queue_id);
    maillog_line(maillog, "%s: report to <%s>: %" PRIu64 " attempts of %s", id,
                 maillog_field(maillog, sent->recipient), sent->attempts,
                 maillog_free_text(maillog, sent->hosts));
}

static const char *value_text(struct maillog *maillog, const struct event_field *field, const void *value)
{
    char address[ADDRESS_PORT_TEXT_SIZE] = "";
    switch (field->type) {
    case EVENT_TYPE_NUMBER: return arena_format(&maillog->arena, "%" PRIu64, *(const uint64_t *)value).at;
    case EVENT_TYPE_TEXT: return maillog_free_text(maillog, *(const struct slice *)value);
    case EVENT_TYPE_ADDRESS:
        address_port_print(value, address);
        return arena_copy(&maillog->arena, slice_text(address)).at;
    }
    return "";
}

/* What concerns the whole has every field: "word: field=value, …". */
static void plain(struct maillog *maillog, const struct event *event)
{
    struct slice text = slice_text(event->info->word);
    for (size_t i = 0; i < event->info->field_count; i++) {
        const struct event_field *field = &event->info->fields[i];
        const void *value = (const char *)&event->body + field->offset;
        text = arena_format(&maillog->arena, "%.*s%s%s=%s", SLICE_ARGS(text), i ? ", " : ": ", field->name,
                            value_text(maillog, field, value));
    }
    maillog_line(maillog, "%.*s", SLICE_ARGS(text));
}

static void service_changed(struct maillog *maillog, const struct event_service_changed *changed)
{
    maillog_line(maillog, "%s: %s: %s%s%s", maillog_free_text(maillog, changed->service),
                 maillog_free_text(maillog, changed->state), maillog_free_text(maillog, changed->reason),
                 changed->effect.len ? "; " : "", maillog_free_text(maillog, changed->effect));
}

void maillog_courier_event(struct maillog *maillog, const struct event *event)
{
    const union event_body *body = &event->body;
    switch ((unsigned)event->kind) {
    case EVENT_KIND_delivered: delivered(maillog, &body->delivered); break;
    case EVENT_KIND_delivery_deferred: delivery_deferred(maillog, &body->delivery_deferred); break;
    case EVENT_KIND_delivery_failed: delivery_failed(maillog, &body->delivery_failed); break;
    case EVENT_KIND_message_queued: break; /* the gate's from= told it */
    case EVENT_KIND_message_removed:
        maillog_line(maillog, "%s: done; %s", maillog_field(maillog, body->message_removed.queue_id),
                     maillog_free_text(maillog, body->message_removed.why));
        break;
    case EVENT_KIND_notification_queued: notification_queued(maillog, &body->notification_queued); break;
    case EVENT_KIND_message_held:
        maillog_line(maillog, "%s: %s", maillog_field(maillog, body->message_held.queue_id),
                     body->message_held.held ? "held" : "released");
        break;
    case EVENT_KIND_service_changed: service_changed(maillog, &body->service_changed); break;
    case EVENT_KIND_report_sent: report_sent(maillog, &body->report_sent); break;
    case EVENT_KIND_notice_queued: notice_queued(maillog, &body->notice_queued); break;
    default: plain(maillog, event); break;
    }
}
