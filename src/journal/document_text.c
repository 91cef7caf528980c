/* Documents as lines for a terminal or a file. */
#include "journal/document.h"

#include "core/event.h"

#include <stdio.h>

#define WIDTH 80

static const char *const sequences[DOCUMENT_STYLE_COUNT] = {
    [DOCUMENT_CLIENT] = "\033[1;31m", [DOCUMENT_SERVER] = "\033[4;34m", [DOCUMENT_COMMENT] = "\033[3;32m",
    [DOCUMENT_FINDING] = "\033[1m",   [DOCUMENT_FAILURE] = "\033[1m",   [DOCUMENT_HEADING] = "\033[1m",
};

struct text {
    const struct document_writing *writing;
    struct buf *out;
    bool whole;                 /* nothing was cut so far */
    bool started;               /* a line was written */
    enum document_style before; /* of the line before */
};

static void put(struct text *text, struct slice what)
{
    text->whole = buf_add(text->out, what) && text->whole;
}

static void put_guarded(struct text *text, struct slice what)
{
    text->whole = document_guard(text->out, what) && text->whole;
}

static void put_styled(struct text *text, enum document_style style, struct slice what)
{
    const bool styled = text->writing->colour && sequences[style] && what.len;
    put(text, slice_text(styled ? sequences[style] : ""));
    put_guarded(text, what);
    put(text, styled ? SLICE("\033[0m") : SLICE_NONE);
}

static void put_blanks(struct text *text, size_t count)
{
    while (count--)
        put(text, SLICE(" "));
}

/* Columns of a text, one for each character: what is wider or narrower than others is not told apart. */
static size_t columns(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += (text.at[i] & 0xc0) != 0x80;
    return count;
}

/* As many words as go into the width; one that is longer stands alone. */
static struct slice take_line(struct slice *text, size_t width)
{
    struct slice rest = *text, word;
    const char *begin = NULL, *end = NULL;
    while (slice_word(&rest, &word)) {
        const char *first = begin ? begin : word.at;
        const char *last = word.at + word.len;
        if (begin && columns(slice_of(first, (size_t)(last - first))) > width)
            break;
        begin = first;
        end = last;
        *text = rest;
    }
    return begin ? slice_of(begin, (size_t)(end - begin)) : SLICE_NONE;
}

static void put_wrapped(struct text *text, enum document_style style, struct slice what, size_t indent)
{
    const size_t whole = text->writing->width ? text->writing->width : WIDTH;
    const size_t width = whole > indent + 20 ? whole - indent : 20;
    what = slice_trim(what);
    while (what.len) {
        const struct slice line = take_line(&what, width);
        what = slice_trim(what);
        put_blanks(text, indent);
        put_styled(text, style, line);
        put(text, SLICE("\n"));
    }
}

static void put_head(struct text *text, const struct document *document)
{
    char id[EVENT_ID_SIZE], date[DOCUMENT_DATE_SIZE];
    event_id_print(document->session, id);
    put_styled(text, DOCUMENT_HEADING, slice_text(id));
    put(text, SLICE("  "));
    put(text, document_date(document, date));
    put(text, SLICE("\n"));
    put_wrapped(text, DOCUMENT_PLAIN, document->sentence, 0);
    put(text, SLICE("\n"));
}

/* Comments stand where the texts begin that they are about. */
static size_t indent_of(const struct document *document)
{
    for (size_t i = 0; i < document->line_count; i++)
        if (document->lines[i].moment.len)
            return columns(document->lines[i].moment) + 2;
    return 0;
}

/* An empty line stands before each comment, so that it is seen what it is about. */
static void put_line(struct text *text, const struct document_line *line, size_t indent)
{
    if (line->style == DOCUMENT_COMMENT) {
        if (text->before != DOCUMENT_COMMENT && text->before != DOCUMENT_HEADING)
            put(text, SLICE("\n"));
        put_wrapped(text, line->style, line->text, indent);
        return;
    }
    if (line->style == DOCUMENT_HEADING && text->started)
        put(text, SLICE("\n"));
    if (line->moment.len) {
        put_guarded(text, line->moment);
        put(text, SLICE(" "));
    }
    put_guarded(text, line->lead);
    put_styled(text, line->style, line->text);
    put(text, SLICE("\n"));
}

bool document_text(const struct document *document, const struct document_writing *writing, struct buf *out)
{
    const uint32_t before = out->len;
    const size_t indent = indent_of(document);
    struct text text = {writing, out, true, false, DOCUMENT_HEADING};
    if (writing->head)
        put_head(&text, document);
    for (size_t i = 0; i < document->line_count; i++) {
        put_line(&text, &document->lines[i], indent);
        text.before = document->lines[i].style;
        text.started = true;
    }
    if (!text.whole)
        out->len = before;
    return text.whole;
}
