#include "journal/view.h"

#include "base/calendar.h"
#include "journal/render_log.h"

#include <stdio.h>

static const struct view views[] = {
    {"annotated", "the dialogue with a comment over each step, for everybody", view_annotated},
    {"log", "the session as the gate logged it, line by line", view_log},
    {"sender", "the dialogue as the sender's own program saw it", view_sender},
    {"notice", "the dialogue as the postmaster's mail shows it, In: and Out:", view_notice},
};

const struct view *view_at(size_t index)
{
    return index < sizeof views / sizeof *views ? &views[index] : NULL;
}

const struct view *view_find(struct slice name)
{
    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        if (slice_equal(name, slice_text(views[i].name)))
            return &views[i];
    return NULL;
}

static int zone_at(const struct view_settings *settings, int64_t unix_us)
{
    return settings->zone_minutes ? settings->zone_minutes(unix_us / 1000000) : 0;
}

struct slice view_time(const struct view_settings *settings, int64_t unix_us, char text[VIEW_TIME_SIZE])
{
    const struct calendar at = calendar_from_unix(unix_us / 1000000, zone_at(settings, unix_us));
    const int len = snprintf(text, VIEW_TIME_SIZE, "%02d:%02d:%02d", at.hour, at.minute, at.second);
    return slice_of(text, (size_t)len);
}

void view_make(const struct view *view, const struct history *history, const struct view_settings *settings,
               struct document *ret_document)
{
    document_init(ret_document, view->name, history->session);
    ret_document->began_us = history->count ? history->events[0].stamp.unix_us
                                            : event_id_unix_ms(history->session) * 1000;
    ret_document->zone_minutes = zone_at(settings, ret_document->began_us);
    view->make(history, settings, ret_document);
}

/* --- log ----------------------------------------------------------------------------------------------- */

void view_log(const struct history *history, const struct view_settings *settings, struct document *document)
{
    const struct render_log_settings log_settings = {
        .level = settings->level, .zone_minutes = settings->zone_minutes, .document = document};
    struct render_log log;
    struct summary summary;
    summary_make(history, &document->arena, &summary);
    view_head(history, &summary, document);
    render_log_init(&log, &log_settings);
    for (size_t i = 0; i < history->count; i++)
        render_log_event(&log, &history->events[i], NULL);
    render_log_end(&log, NULL);
    render_log_done(&log);
}
