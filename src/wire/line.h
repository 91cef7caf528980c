/* Lines of a command stream (RFC 5321 section 2.3.8): CRLF ends a line.
 *
 * For tolerance a bare LF ends a command line as well and is flagged. A bare CR ends nothing: it stays in the
 * text and is flagged. */
#ifndef WIRE_LINE_H
#define WIRE_LINE_H

#include "base/slice.h"

enum line_status {
    LINE_DONE,    /* a whole line; `taken` octets are used up */
    LINE_PARTIAL, /* no end yet, and room for one within the maximum: come again with more; taken is 0 */
    LINE_LONG     /* no end within the maximum; `taken` octets (at least one) may be thrown away */
};

struct line {
    struct slice text; /* points into the input, without the line end; LINE_LONG: what may be thrown away */
    size_t taken;      /* octets used up, the line end among them */
    bool bare_lf;      /* ended by LF alone */
    bool bare_cr;      /* holds a CR that no LF follows */
    bool nul;
    bool eight_bit;
};

#define LINE_MAX_COMMAND  512  /* RFC 5321 section 4.5.3.1.4, CRLF included */
#define LINE_MAX_EXTENDED 2048 /* room for the parameters of all extensions offered */

/* Looks for the first line of the input, which begins where the line before ended. max counts text and CRLF
 * and is 2 or more. The flags cover `text`.
 *
 * To skip a huge line in constant memory: after LINE_LONG discard `taken` octets, and go on calling and
 * discarding until LINE_DONE: that one is the tail of the long line, not a line of its own. A CR at the end
 * of the discarded part is held back, so that CRLF is never torn. */
enum line_status line_take(struct slice input, size_t max, struct line *ret_line);

#endif
