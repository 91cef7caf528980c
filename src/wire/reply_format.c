#include "wire/reply.h"

#include <assert.h>

#define LINE_MAX 512 /* RFC 5321 section 4.5.3.1.5, CRLF included */
#define TAIL_MAX 256

/* Octets of text that always fit on a line: code, enhanced code, blanks and CRLF taken off, and the tail too,
 * whether it comes to stand on this line or not. */
static size_t room_for_text(struct slice tail)
{
    return LINE_MAX - (sizeof "250 5.123.123 " - 1) - (tail.len ? tail.len + 1 : 0) - 2;
}

/* Octets that must not leave: they could end the line, or are not what the client has agreed to. */
static bool add_clean(struct buf *buf, struct slice text, bool utf8)
{
    char *at = buf_room(buf, text.len);
    if (text.len == 0)
        return true;
    if (!at)
        return false;
    utf8 = utf8 && slice_is_utf8(text);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char octet = (unsigned char)text.at[i];
        bool clean = octet > 127 ? utf8 : octet >= 0x20 && octet != 0x7f;
        at[i] = clean ? text.at[i] : '?';
    }
    buf_grow(buf, text.len);
    return true;
}

/* The last place at or before `at` that does not tear a UTF-8 character; at is within the text. */
static size_t cut_before_character(struct slice text, size_t at)
{
    for (unsigned back = 0; back < 3 && ((unsigned char)text.at[at] & 0xc0) == 0x80; back++)
        at--;
    return at;
}

/* Takes what fits on one line off the front of *text: up to an LF, or to the last blank that fits, or, where
 * there is none, as much as fits without tearing a UTF-8 character. */
static struct slice piece_take(struct slice *text, size_t room)
{
    struct slice window = slice_head(*text, room + 1);
    size_t end = slice_find(window, '\n'), skip = 1;
    if (end == SLICE_NOT_FOUND && text->len <= room) {
        end = text->len;
    } else if (end == SLICE_NOT_FOUND) {
        end = slice_find_last(window, ' ');
        skip = end != SLICE_NOT_FOUND && end > 0;
        end = skip ? end : cut_before_character(*text, room);
    }
    struct slice piece = slice_head(*text, end);
    *text = slice_from(*text, end + skip);
    return piece;
}

static bool line_format(struct buf *buf, const struct reply_form *form, struct slice text, struct slice tail,
                        bool more)
{
    const struct enhanced *e = &form->enhanced;
    bool ok = buf_add_format(buf, "%03u%c", form->code, more ? '-' : ' ');
    if (e->class != 0)
        ok = ok && buf_add_format(buf, "%u.%u.%u", e->class, e->subject, e->detail);
    if (e->class != 0 && text.len > 0)
        ok = ok && buf_add_octet(buf, ' ');
    ok = ok && add_clean(buf, text, form->utf8);
    if (tail.len > 0 && (text.len > 0 || e->class != 0))
        ok = ok && buf_add_octet(buf, ' ');
    ok = ok && add_clean(buf, tail, form->utf8);
    return ok && buf_add(buf, SLICE("\r\n"));
}

static bool tail_stands_here(enum reply_tail_place place, bool first, bool last)
{
    switch (place) {
    case REPLY_TAIL_LAST: return last;
    case REPLY_TAIL_FIRST: return first;
    case REPLY_TAIL_EACH: return true;
    }
    return false;
}

bool reply_format(struct buf *buf, const struct reply_form *form)
{
    assert(form->code >= 200 && form->code <= 599);
    assert(form->enhanced.class <= 9 && form->enhanced.subject <= 999 && form->enhanced.detail <= 999);
    struct slice tail = slice_head(form->tail, TAIL_MAX), text = form->text;
    uint32_t start = buf->len;
    bool first = true, last;
    do {
        struct slice piece = piece_take(&text, room_for_text(tail));
        last = text.len == 0;
        struct slice here = tail_stands_here(form->tail_place, first, last) ? tail : SLICE_NONE;
        if (!line_format(buf, form, piece, here, form->more || !last)) {
            buf->len = start;
            return false;
        }
        first = false;
    } while (!last);
    return true;
}
