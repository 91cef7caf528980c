/* The view `annotated`: the dialogue of a session with a comment over each step, for somebody who has never
 * seen SMTP. What the comments say comes from the session's own events; their words from the catalogues of
 * phrase.h. What teaches in general is said once, what this session's facts are every time. */
#include "journal/annotate.h"

#include "base/text.h"
#include "journal/phrase.h"
#include "journal/words.h"

#include <stdarg.h>
#include <stdio.h>

#define COMMENT_MAX 65536
#define SHOWN_MAX   200

/* --- the comment at hand ------------------------------------------------------------------------------- */

void annotate_note(struct annotate *annotate, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (annotate->comment.len)
        buf_add_octet(&annotate->comment, ' ');
    buf_add(&annotate->comment, slice_text(text));
}

void annotate_note_filled(struct annotate *annotate, const char *phrase, struct slice text)
{
    const char *gap = strstr(phrase, "{}");
    if (gap)
        annotate_note(annotate, "%.*s%s%s", (int)(gap - phrase), phrase, annotate_shown(annotate, text),
                      gap + 2);
    else
        annotate_note(annotate, "%s", phrase);
}

void annotate_note_once(struct annotate *annotate, bool *said, const char *sentence)
{
    if (!*said && sentence && *sentence)
        annotate_note(annotate, "%s", sentence);
    *said = true;
}

const char *annotate_shown(struct annotate *annotate, struct slice text)
{
    struct slice cut = slice_head(text, SHOWN_MAX);
    const struct slice shown = document_shown(annotate->document, cut);
    return cut.len == text.len ? shown.at : arena_format(&annotate->document->arena, "%s …", shown.at).at;
}

void annotate_flush(struct annotate *annotate)
{
    const struct document_line line = {.style = DOCUMENT_COMMENT,
                                       .unix_us = annotate->event ? annotate->event->stamp.unix_us : 0,
                                       .text = buf_slice(&annotate->comment)};
    if (annotate->comment.len)
        document_add(annotate->document, &line);
    buf_clear(&annotate->comment);
}

const char *annotate_peer(struct annotate *annotate)
{
    char text[ADDRESS_TEXT_SIZE];
    address_print(&annotate->peer, text);
    return arena_format(&annotate->document->arena, "%s", text).at;
}

const char *annotate_time(struct annotate *annotate, uint64_t ms)
{
    char text[JOURNAL_DURATION_SIZE];
    journal_duration(ms, text);
    return arena_copy(&annotate->document->arena, slice_text(text)).at;
}

const char *annotate_number(struct annotate *annotate, uint64_t number)
{
    char text[JOURNAL_COUNT_SIZE];
    journal_count(number, text);
    return arena_copy(&annotate->document->arena, slice_text(text)).at;
}

int64_t annotate_sum(const struct annotate *annotate)
{
    int64_t sum = 0;
    for (size_t i = 0; i < annotate->found_count; i++)
        sum += annotate->found[i].weight;
    return sum > 0 ? sum : 0;
}

/* --- the walk ------------------------------------------------------------------------------------------ */

/* What the log has to say of the event, with the log's words but without its columns. Of the dialogue it only
 * takes notice. */
static void log_lines(struct annotate *annotate, bool silent)
{
    annotate->log.settings.level = silent ? 0 : annotate->settings->level;
    render_log_event(&annotate->log, annotate->event, NULL);
}

static void comment_on(struct annotate *annotate)
{
    switch ((unsigned)annotate->event->kind) {
    case EVENT_KIND_session_opened:
    case EVENT_KIND_session_proxied:
    case EVENT_KIND_state_changed:
    case EVENT_KIND_octets_received:
    case EVENT_KIND_line_received:
    case EVENT_KIND_reply_sent:
    case EVENT_KIND_tls_started:
    case EVENT_KIND_tls_failed:
    case EVENT_KIND_http_request:
    case EVENT_KIND_session_ended: annotate_dialogue(annotate); break;
    case EVENT_KIND_question_asked:
    case EVENT_KIND_question_answered: annotate_question(annotate); break;
    case EVENT_KIND_finding:
    case EVENT_KIND_verdict: annotate_judgement(annotate); break;
    default: annotate_message(annotate); break;
    }
}

/* What the dialogue tells already, and what only programs can use, is for level 5. */
static bool is_shown(const struct annotate *annotate, const struct event *event)
{
    const int level = annotate->settings->level;
    switch ((unsigned)event->kind) {
    case EVENT_KIND_mail_started:
    case EVENT_KIND_recipient_judged:
    case EVENT_KIND_told: return level >= 5;
    case EVENT_KIND_question_asked:
    case EVENT_KIND_question_answered: return event->info->level <= level && !annotate_passes_over(annotate);
    default: return event->info && event->info->level <= level;
    }
}

/* Dialogue and questions have lines of another form than the log's. */
static bool own_lines(struct annotate *annotate, bool shown)
{
    switch ((unsigned)annotate->event->kind) {
    case EVENT_KIND_line_received:
        if (shown)
            annotate_client_line(annotate);
        return true;
    case EVENT_KIND_reply_sent:
        if (shown)
            annotate_server_lines(annotate);
        return true;
    case EVENT_KIND_question_asked:
    case EVENT_KIND_question_answered:
        if (shown)
            annotate_question_line(annotate);
        return true;
    default: return false;
    }
}

static void walk_event(struct annotate *annotate, const struct event *event)
{
    annotate->event = event;
    comment_on(annotate);
    const bool shown = is_shown(annotate, event);
    if (shown)
        annotate_flush(annotate);
    log_lines(annotate, own_lines(annotate, shown) || !shown);
    buf_clear(&annotate->comment);
    annotate->event = NULL;
}

/* Told before the dialogue, since it decides what weighs how much. */
static uint64_t threshold_of(const struct history *history)
{
    for (size_t i = 0; i < history->count; i++)
        if (history->events[i].kind == EVENT_KIND_verdict && history->events[i].body.verdict.threshold)
            return history->events[i].body.verdict.threshold;
    return 0;
}

static void legend(struct annotate *annotate)
{
    struct document *document = annotate->document;
    document_format(document, DOCUMENT_HEADING, "The conversation");
    document_format(document, DOCUMENT_COMMENT,
                    "Each comment is about the lines beneath it. What the client "
                    "sent stands behind \"they say\", what we sent behind \"we "
                    "say\". \"They\", or \"it\", are the computer that calls, \"we\" are "
                    "this mail server.");
}

static void take_found(struct annotate *annotate)
{
    size_t count = 0;
    for (size_t i = 0; i < annotate->history->count; i++)
        count += annotate->history->events[i].kind == EVENT_KIND_finding;
    annotate->found = arena_take(&annotate->document->arena, (count + 1) * sizeof *annotate->found);
}

void view_annotated(const struct history *history, const struct view_settings *settings,
                    struct document *document)
{
    struct summary summary;
    struct annotate *annotate = arena_take(&document->arena, sizeof *annotate);
    summary_make(history, &document->arena, &summary);
    *annotate = (struct annotate){
        .history = history,
        .settings = settings,
        .document = document,
        .summary = &summary,
        .threshold = threshold_of(history),
    };
    buf_init(&annotate->comment, COMMENT_MAX);
    render_log_init(&annotate->log, &(struct render_log_settings){.level = settings->level,
                                                                  .zone_minutes = settings->zone_minutes,
                                                                  .document = document,
                                                                  .bare = true});
    take_found(annotate);
    view_head(history, &summary, document);
    legend(annotate);
    for (size_t i = 0; i < history->count; i++)
        walk_event(annotate, &history->events[i]);
    annotate_closing(annotate);
    render_log_done(&annotate->log);
    buf_drop(&annotate->comment);
}
