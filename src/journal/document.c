#include "journal/document.h"

#include "base/calendar.h"
#include "base/memory.h"
#include "base/text.h"
#include "core/event.h"

#include <stdarg.h>
#include <stdio.h>

void document_init(struct document *document, const char *view, uint64_t session)
{
    *document = (struct document){.view = view, .session = session};
    arena_init(&document->arena, NULL, 0);
}

void document_drop(struct document *document)
{
    if (!document)
        return;
    memory_give(document->facts, document->fact_room * sizeof *document->facts);
    memory_give(document->lines, document->line_room * sizeof *document->lines);
    memory_give(document->spans, document->span_room * sizeof *document->spans);
    arena_drop(&document->arena);
    document_init(document, document->view, document->session);
}

/* --- texts --------------------------------------------------------------------------------------------- */

struct slice document_shown(struct document *document, struct slice text)
{
    struct buf buf;
    buf_init(&buf, 8 * (size_t)EVENT_SIZE_MAX);
    text_escape(&buf, text, true);
    struct slice kept = arena_copy(&document->arena, buf_slice(&buf));
    buf_drop(&buf);
    return kept.at ? kept : SLICE("");
}

bool document_guard(struct buf *out, struct slice text)
{
    const uint32_t before = out->len;
    struct slice part;
    while (text.len) {
        const size_t end = slice_find(text, '\\');
        part = slice_head(text, end == SLICE_NOT_FOUND ? text.len : end);
        if (!text_escape(out, part, true) || (end != SLICE_NOT_FOUND && !buf_add_octet(out, '\\'))) {
            out->len = before;
            return false;
        }
        text = slice_from(text, part.len + (end != SLICE_NOT_FOUND));
    }
    return true;
}

/* --- adding -------------------------------------------------------------------------------------------- */

/* Room for one more element of a list that doubles. */
static void *room_for(void *list, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return list;
    const size_t wanted = *room ? *room * 2 : 32;
    list = memory_resize(list, *room * size, wanted * size);
    *room = wanted;
    return list;
}

static void add_one(struct document *document, const struct document_line *line, struct slice text)
{
    if (text.len && text.at[text.len - 1] == '\r')
        text.len--;
    document->lines = room_for(document->lines, document->line_count, &document->line_room,
                               sizeof *document->lines);
    document->lines[document->line_count++] = (struct document_line){
        .style = line->style,
        .unix_us = line->unix_us,
        .moment = arena_copy(&document->arena, line->moment),
        .lead = arena_copy(&document->arena, line->lead),
        .text = arena_copy(&document->arena, text),
    };
}

void document_add(struct document *document, const struct document_line *line)
{
    struct slice rest = line->text, text;
    if (!rest.len)
        add_one(document, line, rest);
    while (slice_cut(&rest, '\n', &text))
        add_one(document, line, text);
}

void document_format(struct document *document, enum document_style style, const char *format, ...)
{
    struct buf buf;
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct document_line line = {.style = style};
    if (len < 0)
        return;
    buf_init(&buf, (size_t)len + 1);
    if ((size_t)len < sizeof text) {
        line.text = slice_of(text, (size_t)len);
    } else {
        char *room = buf_room(&buf, (size_t)len + 1);
        va_start(arguments, format);
        (void)vsnprintf(room, (size_t)len + 1, format, arguments);
        va_end(arguments);
        line.text = slice_of(room, (size_t)len);
    }
    document_add(document, &line);
    buf_drop(&buf);
}

void document_fact(struct document *document, const char *name, struct slice value)
{
    document->facts = room_for(document->facts, document->fact_count, &document->fact_room,
                               sizeof *document->facts);
    document->facts[document->fact_count++] = (struct document_fact){
        arena_copy(&document->arena, slice_text(name)), arena_copy(&document->arena, value)};
}

void document_span(struct document *document, const struct document_span *span)
{
    document->spans = room_for(document->spans, document->span_count, &document->span_room,
                               sizeof *document->spans);
    struct document_span *kept = &document->spans[document->span_count++];
    *kept = *span;
    kept->label = arena_copy(&document->arena, span->label);
}

/* --- words --------------------------------------------------------------------------------------------- */

const char *document_style_word(enum document_style style)
{
    static const char *const words[DOCUMENT_STYLE_COUNT] = {"plain",   "client",  "server", "comment",
                                                            "finding", "failure", "heading"};
    return words[style];
}

const char *document_lane_word(enum document_lane lane)
{
    static const char *const words[DOCUMENT_LANE_COUNT] = {"client", "gate", "question"};
    return words[lane];
}

struct slice document_date(const struct document *document, char text[DOCUMENT_DATE_SIZE])
{
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const int zone = document->zone_minutes, size = zone < 0 ? -zone : zone;
    const struct calendar at = calendar_from_unix(document->began_us / 1000000, zone);
    int len = snprintf(text, DOCUMENT_DATE_SIZE, "%d %s %04d, %02d:%02d:%02d ", at.day, months[at.month - 1],
                       at.year, at.hour, at.minute, at.second);
    if (zone)
        len += snprintf(text + len, DOCUMENT_DATE_SIZE - (size_t)len, "%c%02d%02d", zone < 0 ? '-' : '+',
                        size / 60 % 100, size % 60);
    else
        len += snprintf(text + len, DOCUMENT_DATE_SIZE - (size_t)len, "UTC");
    return slice_of(text, (size_t)len);
}
