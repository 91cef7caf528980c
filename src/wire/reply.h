/* SMTP replies (RFC 5321 section 4.2) with enhanced status codes (RFC 2034, 3463): reading them as a client,
 * writing them as a server. */
#ifndef WIRE_REPLY_H
#define WIRE_REPLY_H

#include "base/buf.h"
#include "base/slice.h"

#define REPLY_SIZE_MAX  16384 /* octets of one whole reply */
#define REPLY_LINES_MAX 128
#define REPLY_LINE_MAX  2048 /* tolerance: RFC 5321 says 512 */

/* class.subject.detail; class 0: none. */
struct enhanced {
    uint8_t class;
    uint16_t subject;
    uint16_t detail;
};

enum reply_status {
    REPLY_DONE,
    REPLY_PARTIAL, /* come again with more, from the reply's first octet */
    REPLY_BAD      /* no reply, or one past the limits: the connection cannot be used any more */
};

struct reply {
    unsigned code;            /* 200 to 599 */
    struct enhanced enhanced; /* of the first line, if its class fits the code */
    struct slice whole;       /* all lines as they came, line ends included; points into the input */
    size_t taken;             /* octets used up */
    unsigned lines;
};

/* Reads one reply from the front of the input. Every line must have the same code. A bare LF is taken for a
 * line end. */
enum reply_status reply_parse(struct slice input, struct reply *ret_reply);

/* Walks the lines of a reply: start with *at = 0, false at the end. The text has neither code nor enhanced
 * code nor line end; it may hold control octets and 8-bit octets: reply_format makes them harmless. */
bool reply_line(const struct reply *reply, size_t *at, struct slice *ret_text);

/* "5.7.1" at the front of the text, followed by a blank or the end. Takes it and the blank off *text. */
bool enhanced_parse(struct slice *text, struct enhanced *ret_enhanced);

enum reply_tail_place {
    REPLY_TAIL_LAST,  /* behind the last line */
    REPLY_TAIL_FIRST, /* behind the first, as in seed 002's banner */
    REPLY_TAIL_EACH
};

/* A reply to be written. */
struct reply_form {
    unsigned code;
    struct enhanced enhanced; /* class 0: none; stands on every line */
    struct slice text;        /* one or more lines, separated by LF; may be empty */
    struct slice tail;        /* "#253 (ID)": a blank is put before it; empty: none */
    enum reply_tail_place tail_place;
    bool more; /* the last line, too, is a continuation (`250-`): the first part of a banner, sent early */
    bool utf8; /* well-formed UTF-8 may stay */
};

/* Adds the reply to buf, each line ended by CRLF and at most 512 octets long; longer text is folded into more
 * lines, at a blank where there is one. Control octets, and 8-bit ones unless utf8, become `?`. False: the
 * buf's maximum, and nothing was added. */
bool reply_format(struct buf *buf, const struct reply_form *form);

#endif
