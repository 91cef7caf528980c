/* The log view's lines for what the courier and the processes do. */
#include "journal/render_log_part.h"

#include "base/calendar.h"

static enum who deliverer(struct slice by)
{
    if (slice_equal(by, SLICE("maildir")))
        return WHO_MAILDIR;
    if (slice_equal(by, SLICE("lmtp")))
        return WHO_LMTP;
    return slice_equal(by, SLICE("smtp")) ? WHO_OUT : WHO_SYSTEM;
}

static void delivered(struct render_log *log, const struct event *event)
{
    const struct event_delivered *delivered = &event->body.delivered;
    enum who who = deliverer(delivered->by);
    log_line(log, 2, who, "[%s] delivered to (%s)%s%s", log_text(log, delivered->queue_id),
             log_text(log, delivered->target), delivered->reply.len ? ": " : "",
             log_text(log, delivered->reply));
    log_line(log, 5, who, "[%s] <%s> waited %llu ms", log_text(log, delivered->queue_id),
             log_text(log, delivered->recipient), LOG_NUMBER(delivered->waited_ms));
}

static void delivery_deferred(struct render_log *log, const struct event *event)
{
    const struct event_delivery_deferred *deferred = &event->body.delivery_deferred;
    char next[CALENDAR_TEXT_SIZE];
    int64_t seconds = (int64_t)deferred->next_unix;
    int zone = log->settings.zone_minutes ? log->settings.zone_minutes(seconds) : 0;
    calendar_print_syslog(seconds, zone, next);
    log_line(log, 2, WHO_SYSTEM, "[%s] <%s> deferred at (%s), attempt %llu, next %s: %s",
             log_text(log, deferred->queue_id), log_text(log, deferred->recipient),
             log_text(log, deferred->target), LOG_NUMBER(deferred->attempts), next,
             log_text(log, deferred->reason));
}

static void delivery_failed(struct render_log *log, const struct event *event)
{
    const struct event_delivery_failed *failed = &event->body.delivery_failed;
    log_line(log, 2, WHO_SYSTEM, "[%s] <%s> failed at (%s), the sender is %s: %s",
             log_text(log, failed->queue_id), log_text(log, failed->recipient), log_text(log, failed->target),
             failed->notified ? "told" : "not told", log_text(log, failed->reason));
}

static void message_queued(struct render_log *log, const struct event *event)
{
    const struct event_message_queued *queued = &event->body.message_queued;
    log_line(log, 2, WHO_SYSTEM, "[%s] %s 0+%llu From:%s", log_text(log, queued->queue_id),
             queued->message_id.len ? log_text(log, queued->message_id) : "<>",
             LOG_NUMBER(queued->recipients), log_text(log, queued->sender));
    log_line(log, 5, WHO_SYSTEM, "[%s] %llu bytes", log_text(log, queued->queue_id),
             LOG_NUMBER(queued->octets));
}

static void message_removed(struct render_log *log, const struct event *event)
{
    const struct event_message_removed *removed = &event->body.message_removed;
    bool plain = slice_equal(removed->why, SLICE("delivered"));
    log_line(log, 2, WHO_SYSTEM, "[%s] deleted%s%s", log_text(log, removed->queue_id), plain ? "" : ", ",
             plain ? "" : log_text(log, removed->why));
}

static void notification_queued(struct render_log *log, const struct event *event)
{
    const struct event_notification_queued *queued = &event->body.notification_queued;
    log_line(log, 2, WHO_SYSTEM, "[%s] tells <%s> that [%s] is %s", log_text(log, queued->queue_id),
             log_text(log, queued->recipient), log_text(log, queued->about), log_text(log, queued->kind));
}

static void queue_damaged(struct render_log *log, const struct event *event)
{
    const struct event_queue_damaged *damaged = &event->body.queue_damaged;
    log_line(log, 1, WHO_SYSTEM, "%s was set aside: %s", log_text(log, damaged->file),
             log_text(log, damaged->reason));
}

static void message_held(struct render_log *log, const struct event *event)
{
    const struct event_message_held *held = &event->body.message_held;
    log_line(log, 2, WHO_SYSTEM, "[%s] %s", log_text(log, held->queue_id), held->held ? "held" : "released");
}

static void unknown(struct render_log *log, const struct event *event)
{
    log_line(log, 5, WHO_SYSTEM, "Event %u of a newer program", (unsigned)event->kind);
}

/* The names of all kinds stand here, so that one that is new does not pass unseen: a test walks them. */
void log_courier_event(struct render_log *log, const struct event *event)
{
    switch ((unsigned)event->kind) {
    case EVENT_KIND_delivered: delivered(log, event); break;
    case EVENT_KIND_delivery_deferred: delivery_deferred(log, event); break;
    case EVENT_KIND_delivery_failed: delivery_failed(log, event); break;
    case EVENT_KIND_message_queued: message_queued(log, event); break;
    case EVENT_KIND_message_removed: message_removed(log, event); break;
    case EVENT_KIND_notification_queued: notification_queued(log, event); break;
    case EVENT_KIND_queue_damaged: queue_damaged(log, event); break;
    case EVENT_KIND_message_held: message_held(log, event); break;
    default: unknown(log, event); break;
    }
}

/* --- processes ----------------------------------------------------------------------------------------- */

static void process_started(struct render_log *log, const struct event *event)
{
    const struct event_process_started *started = &event->body.process_started;
    log_line(log, 2, WHO_SYSTEM, "%s started, pid %llu, version %s, configuration %s",
             log_text(log, started->role), LOG_NUMBER(started->pid), log_text(log, started->version),
             log_text(log, started->configuration));
}

static void process_crashed(struct render_log *log, const struct event *event)
{
    const struct event_process_crashed *crashed = &event->body.process_crashed;
    log_line(log, 1, WHO_SYSTEM, "%s crashed, pid %llu: %s; started again in %llu ms",
             log_text(log, crashed->role), LOG_NUMBER(crashed->pid), log_text(log, crashed->how),
             LOG_NUMBER(crashed->again_ms));
}

static void process_stopped(struct render_log *log, const struct event *event)
{
    const struct event_process_stopped *stopped = &event->body.process_stopped;
    log_line(log, 2, WHO_SYSTEM, "%s stopped, pid %llu", log_text(log, stopped->role),
             LOG_NUMBER(stopped->pid));
}

static void trouble(struct render_log *log, const struct event *event)
{
    const struct event_trouble *trouble = &event->body.trouble;
    log_line(log, 1, WHO_SYSTEM, "Trouble: %s: %s%s%s", log_text(log, trouble->what),
             log_text(log, trouble->reason), trouble->effect.len ? "; " : "", log_text(log, trouble->effect));
}

static void service_changed(struct render_log *log, const struct event *event)
{
    const struct event_service_changed *changed = &event->body.service_changed;
    log_line(log, 1, WHO_SYSTEM, "%s: %s: %s%s%s", log_text(log, changed->service),
             log_text(log, changed->state), log_text(log, changed->reason), changed->effect.len ? "; " : "",
             log_text(log, changed->effect));
}

/* The four events of a campaign; their ids are printed like those of sessions. */
static void campaign(struct render_log *log, const struct event *event)
{
    const union event_body *body = &event->body;
    char id[EVENT_ID_SIZE], member[EVENT_ID_SIZE], host[ADDRESS_TEXT_SIZE];
    event_id_print(body->campaign_opened.campaign, id); /* the first field of each */
    switch ((unsigned)event->kind) {
    case EVENT_KIND_campaign_opened:
        log_line(log, 2, WHO_SYSTEM, "Campaign %s, %s: %s", id, log_text(log, body->campaign_opened.kind),
                 log_text(log, body->campaign_opened.sentence));
        break;
    case EVENT_KIND_campaign_joined:
        event_id_print(body->campaign_joined.member, member);
        address_print(&body->campaign_joined.host, host);
        log_line(log, 3, WHO_SYSTEM, "Campaign %s has session %s of [%s] in it", id, member, host);
        break;
    case EVENT_KIND_campaign_changed:
        log_line(log, 2, WHO_SYSTEM, "Campaign %s is %s now: %s", id,
                 log_text(log, body->campaign_changed.kind), log_text(log, body->campaign_changed.sentence));
        break;
    default:
        log_line(log, 2, WHO_SYSTEM, "Campaign %s, %s, is over: %s", id,
                 log_text(log, body->campaign_closed.kind), log_text(log, body->campaign_closed.sentence));
        break;
    }
}

static void allowance(struct render_log *log, const struct event *event)
{
    const union event_body *body = &event->body;
    char id[EVENT_ID_SIZE], until[CALENDAR_TEXT_SIZE];
    switch ((unsigned)event->kind) {
    case EVENT_KIND_allowed:
        event_id_print(body->allowed.session, id);
        calendar_print_iso((int64_t)body->allowed.until_ms, 0, until);
        log_line(log, 2, WHO_SYSTEM, "%s is allowed by %s until %s%s%s%s%s",
                 log_text(log, body->allowed.prefix), log_text(log, body->allowed.by), until,
                 body->allowed.session ? " for session " : "", body->allowed.session ? id : "",
                 body->allowed.why.len ? ": " : "", log_text(log, body->allowed.why));
        break;
    case EVENT_KIND_allowance_removed:
        log_line(log, 2, WHO_SYSTEM, "%s is not allowed any more: %s has taken it back",
                 log_text(log, body->allowance_removed.prefix), log_text(log, body->allowance_removed.by));
        break;
    default:
        log_line(log, 2, WHO_SYSTEM, "%s is not allowed any more: its time is over",
                 log_text(log, body->allowance_over.prefix));
        break;
    }
}

void log_process_event(struct render_log *log, const struct event *event)
{
    const union event_body *body = &event->body;
    switch ((unsigned)event->kind) {
    case EVENT_KIND_process_started: process_started(log, event); break;
    case EVENT_KIND_process_stopped: process_stopped(log, event); break;
    case EVENT_KIND_process_crashed: process_crashed(log, event); break;
    case EVENT_KIND_events_lost:
        log_line(log, 1, WHO_SYSTEM, "%llu events lost: %s", LOG_NUMBER(body->events_lost.count),
                 log_text(log, body->events_lost.reason));
        break;
    case EVENT_KIND_configuration_loaded:
        log_line(log, 2, WHO_SYSTEM, "Configuration %s in force, digest %s",
                 log_text(log, body->configuration_loaded.file),
                 log_text(log, body->configuration_loaded.digest));
        break;
    case EVENT_KIND_configuration_refused:
        log_line(log, 1, WHO_SYSTEM, "Configuration %s refused: %s",
                 log_text(log, body->configuration_refused.file),
                 log_text(log, body->configuration_refused.mistakes));
        break;
    case EVENT_KIND_trouble: trouble(log, event); break;
    case EVENT_KIND_service_changed: service_changed(log, event); break;
    case EVENT_KIND_notice_queued:
        log_line(log, 2, WHO_SYSTEM, "[%s] tells <%s> of %s", log_text(log, body->notice_queued.queue_id),
                 log_text(log, body->notice_queued.recipient), log_text(log, body->notice_queued.sums));
        break;
    case EVENT_KIND_report_sent:
        log_line(log, 2, WHO_SYSTEM, "[%s] tells <%s> of %llu attempts of %s",
                 log_text(log, body->report_sent.queue_id), log_text(log, body->report_sent.recipient),
                 LOG_NUMBER(body->report_sent.attempts), log_text(log, body->report_sent.hosts));
        break;
    case EVENT_KIND_notice_failed:
        log_line(log, 1, WHO_SYSTEM, "A notice to the postmaster waits: %s",
                 log_text(log, body->notice_failed.reason));
        break;
    case EVENT_KIND_history_damaged:
        log_line(log, 1, WHO_SYSTEM,
                 "A day of the history was damaged and is made anew: %s; what was damaged is now %s",
                 log_text(log, body->history_damaged.reason), log_text(log, body->history_damaged.file));
        break;
    case EVENT_KIND_campaign_opened:
    case EVENT_KIND_campaign_joined:
    case EVENT_KIND_campaign_changed:
    case EVENT_KIND_campaign_closed: campaign(log, event); break;
    case EVENT_KIND_block_suggested:
    case EVENT_KIND_block_made:
    case EVENT_KIND_block_declined:
    case EVENT_KIND_block_removed:
    case EVENT_KIND_block_expired: log_block_event(log, event); break;
    case EVENT_KIND_allowed:
    case EVENT_KIND_allowance_removed:
    case EVENT_KIND_allowance_over: allowance(log, event); break;
    default: unknown(log, event); break;
    }
}

void render_system_text(const struct event *event, struct buf *out)
{
    struct render_log_settings settings = {.level = 4};
    struct render_log log;
    struct buf line;
    buf_init(&line, 8 * EVENT_SIZE_MAX);
    render_log_init(&log, &settings);
    render_log_event(&log, event, &line);
    /* "HH:MM:SS L SYSTEM " goes; "SYSTEM(" cannot be, processes deliver nothing. */
    struct slice text = slice_from(buf_slice(&line), sizeof "HH:MM:SS L SYSTEM " - 1);
    buf_add(out, slice_head(text, text.len ? text.len - 1 : 0));
    render_log_done(&log);
    buf_drop(&line);
}
