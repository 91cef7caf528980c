/* The content of a message on the wire (RFC 5321 sections 4.1.1.4 and 4.5.2): taking the dots out on the way
 * in, putting them in on the way out.
 *
 * The end of data is CRLF.CRLF and nothing else. What comes out of the decoder has CRLF line ends only: each
 * bare CR and each bare LF has become CRLF, and neither of them begins a line at which a dot would count or
 * be taken out. Such a line may therefore begin with a dot in the content; the encoder doubles it again, so
 * that it is relayed as it is and ends nothing anywhere.
 *
 * Both directions give the same octets and counts however the input is split. */
#ifndef WIRE_DOT_H
#define WIRE_DOT_H

#include "base/slice.h"

enum dot_mode {
    DOT_NORMALISE, /* bare CR and LF become CRLF */
    DOT_REJECT     /* the same, and dot_refused says that the message is to be refused at its end */
};

#define DOT_LINE_MAX 998 /* RFC 5322 section 2.1.1: octets without CRLF */

/* Zero-initialised by dot_init. The counts may be read at any time. */
struct dot {
    uint64_t octets;     /* of content given out so far */
    uint64_t bare_lf;    /* in the input */
    uint64_t bare_cr;    /* … */
    uint64_t nul;        /* … */
    uint64_t eight_bit;  /* octets over 127 */
    uint64_t lines;      /* line ends given out */
    uint64_t lines_over; /* lines longer than line_max */
    uint64_t line_len;   /* octets of the line at hand */
    uint32_t line_max;
    uint8_t mode;  /* enum dot_mode */
    uint8_t state; /* private */
    bool plain;    /* BDAT: no dots are taken out, nothing ends */
    bool ended;
};

#define DOT_PIECES 16

/* What one call gives out: content in order. The pieces point into the input or are constant text. */
struct dot_out {
    struct slice pieces[DOT_PIECES];
    size_t count;
    bool end; /* the end of data was met: octets behind it were not touched */
};

/* plain: content by BDAT, which has no dots to take out and no end of its own. line_max 0 means 998. */
void dot_init(struct dot *dot, enum dot_mode mode, bool plain, size_t line_max);

/* Decodes from the front of the input and returns how many octets it used up: fewer than all when the pieces
 * ran out (call again with the rest) or at the end of data. At least one for a non-empty input before the
 * end. */
size_t dot_decode(struct dot *dot, struct slice input, struct dot_out *ret_out);

/* After the last BDAT chunk: gives out what was held back (a CR at the very end). For DATA there is nothing
 * held back at its end. */
void dot_finish(struct dot *dot, struct dot_out *ret_out);

/* DOT_REJECT and a bare CR or LF was met. */
bool dot_refused(const struct dot *dot);

/* The way out, for DATA and LMTP. Zero-initialised, it stands at the beginning of a message. Bare CR and LF,
 * should the content have any, leave as CRLF. NULs between the begin of a line and a dot do not leave: there
 * is no way to send them that no receiver takes for an end of data. All else is sent as it is. */
struct dot_encoder {
    uint64_t octets; /* given out so far */
    uint64_t nuls;   /* private: NULs held back at the begin of a line */
    uint8_t state;   /* private */
};

/* Encodes from the front of the content, returns how many octets it used up; call again with the rest.
 * ret_out->end stays false. */
size_t dot_encode(struct dot_encoder *encoder, struct slice content, struct dot_out *ret_out);
/* The end: CRLF where the content did not end in one, then ".CRLF". Call until ret_out->end. */
void dot_encode_end(struct dot_encoder *encoder, struct dot_out *ret_out);

#endif
