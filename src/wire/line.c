#include "wire/line.h"

#include "wire/plain.h"

#include <assert.h>
#include <string.h>

/*
 * line = *octet ( CRLF / LF )     ; octet: anything but LF. A CR belongs to the end only right before the LF.
 */

static void line_look(struct line *line)
{
    for (size_t i = plain_len(line->text); i < line->text.len; i++) {
        unsigned char octet = (unsigned char)line->text.at[i];
        line->bare_cr |= octet == '\r';
        line->nul |= octet == '\0';
        line->eight_bit |= octet > 127;
    }
}

static enum line_status line_long(struct slice input, size_t max, struct line *line)
{
    size_t len = max;
    if (input.at[len - 1] == '\r')
        len--;
    line->text = slice_head(input, len);
    line->taken = len;
    line_look(line);
    return LINE_LONG;
}

enum line_status line_take(struct slice input, size_t max, struct line *ret_line)
{
    assert(max >= 2);
    *ret_line = (struct line){.text = SLICE_NONE};
    size_t window = input.len < max ? input.len : max;
    const char *end = window ? memchr(input.at, '\n', window) : NULL;
    if (!end)
        return input.len < max ? LINE_PARTIAL : line_long(input, max, ret_line);
    size_t len = (size_t)(end - input.at);
    ret_line->taken = len + 1;
    ret_line->bare_lf = len == 0 || input.at[len - 1] != '\r';
    ret_line->text = slice_head(input, ret_line->bare_lf ? len : len - 1);
    line_look(ret_line);
    return LINE_DONE;
}
