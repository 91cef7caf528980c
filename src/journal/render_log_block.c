/* The log view's lines for what becomes of the block list. */
#include "journal/render_log_part.h"

#include "base/calendar.h"

#include <stdio.h>

/* ", campaign ID", or nothing. */
struct shown {
    char text[32];
};

static struct shown shown_by(uint64_t campaign, uint64_t member)
{
    struct shown shown = {""};
    char id[EVENT_ID_SIZE];
    event_id_print(campaign ? campaign : member, id);
    if (campaign || member)
        (void)snprintf(shown.text, sizeof shown.text, ", %s %s", campaign ? "campaign" : "session", id);
    return shown;
}

/* " until 2026-11-28 20:00:00", or nothing: for good. */
static struct shown until(uint64_t unix_ms)
{
    struct shown shown = {""};
    char text[CALENDAR_TEXT_SIZE];
    if (!unix_ms)
        return shown;
    (void)calendar_print_iso((int64_t)unix_ms, 0, text);
    (void)snprintf(shown.text, sizeof shown.text, " until %.10s %.8s", text, text + 11);
    return shown;
}

static void suggested(struct render_log *log, const struct event_block_suggested *event)
{
    log_line(log, 2, WHO_SYSTEM, "%s is suggested to be shut out: %s%s", log_text(log, event->prefix),
             log_text(log, event->reason), shown_by(event->campaign, event->member).text);
}

static void made(struct render_log *log, const struct event_block_made *event)
{
    log_line(log, 2, WHO_SYSTEM, "%s is shut out%s by %s%s: %s%s", log_text(log, event->prefix),
             until(event->until_ms).text, event->by.len ? "" : "rule ",
             log_text(log, event->by.len ? event->by : event->rule), log_text(log, event->reason),
             shown_by(event->campaign, event->member).text);
}

static void removed(struct render_log *log, const struct event_block_removed *event)
{
    log_line(log, 2, WHO_SYSTEM, "%s is not %s any more: %s%s%s", log_text(log, event->prefix),
             event->in_force ? "shut out" : "suggested", log_text(log, event->why),
             event->by.len ? " by " : "", log_text(log, event->by));
}

void log_block_event(struct render_log *log, const struct event *event)
{
    const union event_body *body = &event->body;
    switch ((unsigned)event->kind) {
    case EVENT_KIND_block_suggested: suggested(log, &body->block_suggested); break;
    case EVENT_KIND_block_made: made(log, &body->block_made); break;
    case EVENT_KIND_block_declined:
        log_line(log, 2, WHO_SYSTEM, "%s is not to be shut out, says %s",
                 log_text(log, body->block_declined.prefix), log_text(log, body->block_declined.by));
        break;
    case EVENT_KIND_block_removed: removed(log, &body->block_removed); break;
    default:
        log_line(log, 2, WHO_SYSTEM, "%s is not shut out any more: its time is over, after %llu hits",
                 log_text(log, body->block_expired.prefix), LOG_NUMBER(body->block_expired.hits));
        break;
    }
}
