/* Mistakes and warnings, in order, and what of the file's own text may be shown in them. */
#include "daemon/conf_make.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

#define SHOWN_MAX 80 /* octets of a value */
#define TEXT_MAX  600

void conf_report_init(struct conf_report *report)
{
    *report = (struct conf_report){0};
    arena_init(&report->arena, NULL, 0);
}

void conf_report_drop(struct conf_report *report)
{
    if (!report)
        return;
    arena_drop(&report->arena);
    *report = (struct conf_report){0};
}

void conf_notes_print(const struct conf_notes *notes, struct buf *buf)
{
    size_t shown = 0;

    for (const struct conf_note *note = notes->first; note; note = note->next, shown++) {
        (void)buf_add_format(buf, "%.*s:", SLICE_ARGS(note->file));
        if (note->line)
            (void)buf_add_format(buf, "%u:", note->line);
        (void)buf_add_format(buf, " %.*s\n", SLICE_ARGS(note->text));
    }
    if (notes->count > shown)
        (void)buf_add_format(buf, "and %zu more\n", notes->count - shown);
}

static bool note_is_before(const struct conf_note *note, unsigned order, unsigned line)
{
    return note->order < order || (note->order == order && note->line <= line);
}

/* Kept in the order of files and lines: what only the whole shows is found last. */
static struct conf_note *note_add(struct conf_report *report, struct conf_notes *notes,
                                  struct conf_place place, struct slice text)
{
    if (++notes->count > CONF_NOTES_MAX)
        return NULL;
    struct conf_note **at = &notes->first;
    while (*at && note_is_before(*at, place.source->number, place.line))
        at = &(*at)->next;
    struct conf_note *note = arena_take(&report->arena, sizeof *note);
    *note = (struct conf_note){.next = *at,
                               .file = arena_copy(&report->arena, place.source->name),
                               .line = place.line,
                               .order = place.source->number,
                               .text = arena_copy(&report->arena, text)};
    *at = note;
    return note;
}

static struct slice formatted(char text[TEXT_MAX], const char *format, va_list arguments)
{
    const int len = vsnprintf(text, TEXT_MAX, format, arguments);

    return slice_head(slice_text(text), len < 0 ? 0 : (size_t)len);
}

/* What follows from a line that could not even be read says nothing new. */
static bool is_garbled(const struct conf_notes *notes, struct conf_place place)
{
    for (const struct conf_note *note = notes->first; note; note = note->next)
        if (note->garbled && note->order == place.source->number && note->line == place.line)
            return true;
    return false;
}

void conf_garbled(struct conf_maker *maker, struct conf_place place, struct slice text)
{
    struct conf_note *note = note_add(maker->report, &maker->report->mistakes, place, text);

    if (note)
        note->garbled = true;
}

void conf_mistake(struct conf_maker *maker, struct conf_place place, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;

    if (is_garbled(&maker->report->mistakes, place))
        return;
    va_start(arguments, format);
    (void)note_add(maker->report, &maker->report->mistakes, place, formatted(text, format, arguments));
    va_end(arguments);
}

void conf_warning(struct conf_maker *maker, struct conf_place place, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)note_add(maker->report, &maker->report->warnings, place, formatted(text, format, arguments));
    va_end(arguments);
}

struct conf_place conf_place_of(const struct conf_at *at)
{
    return (struct conf_place){at->source, at->node->line};
}

struct conf_place conf_place_of_value(const struct conf_at *at, size_t index)
{
    return (struct conf_place){at->source, at->node->values[index].line};
}

struct slice conf_shown(struct conf_maker *maker, struct slice text)
{
    return conf_shown_within(maker, text, SHOWN_MAX);
}

struct slice conf_shown_within(struct conf_maker *maker, struct slice text, size_t most)
{
    struct buf buf;
    size_t len = text.len < most ? text.len : most;

    while (len < text.len && len > 0 && ((unsigned char)text.at[len] & 0xc0) == 0x80)
        len--;
    buf_init(&buf, most * 4 + 4);
    (void)text_escape(&buf, slice_head(text, len), true);
    if (len < text.len)
        (void)buf_add(&buf, SLICE("..."));
    const struct slice shown = arena_copy(&maker->scratch, buf_slice(&buf));
    buf_drop(&buf);
    return shown;
}

struct slice conf_place_shown(struct conf_maker *maker, const struct conf_place *place)
{
    return arena_format(&maker->scratch, "%.*s:%u", SLICE_ARGS(place->source->name), place->line);
}

void conf_bad_value(const struct conf_at *at, size_t index, const char *expected)
{
    const struct slice name = at->node->name;
    const struct slice shown = conf_shown(at->maker, at->node->values[index].text);

    conf_mistake(at->maker, conf_place_of_value(at, index), "%.*s cannot be \"%.*s\": expected %s",
                 SLICE_ARGS(name), SLICE_ARGS(shown), expected);
}
