/* A streaming look at the header section of a message (RFC 5322 section 2.2): which fields there are, how
 * many, what is wrong with them, and the values of a few. Bounded memory; the same result at any split. */
#ifndef WIRE_HEADER_H
#define WIRE_HEADER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"

/* Fields that are counted by name. Those before HEADER_KEEP_COUNT keep their first value. */
enum header_kind {
    HEADER_MESSAGE_ID,
    HEADER_FROM,
    HEADER_DATE,
    HEADER_SUBJECT,
    HEADER_SENDER,
    HEADER_TO,
    HEADER_CONTENT_TYPE,
    HEADER_KEEP_COUNT,
    HEADER_REPLY_TO = HEADER_KEEP_COUNT,
    HEADER_CC,
    HEADER_BCC,
    HEADER_IN_REPLY_TO,
    HEADER_REFERENCES,
    HEADER_RECEIVED,
    HEADER_RETURN_PATH,
    HEADER_DELIVERED_TO,
    HEADER_MIME_VERSION,
    HEADER_CONTENT_ENCODING, /* Content-Transfer-Encoding */
    HEADER_LIST_ID,
    HEADER_AUTO_SUBMITTED,
    HEADER_DKIM_SIGNATURE,
    HEADER_ARC_SEAL,
    HEADER_AUTHENTICATION_RESULTS,
    HEADER_OTHER,
    HEADER_KIND_COUNT
};

#define HEADER_NO_END             0x01u /* the content ended before an empty line */
#define HEADER_JUNK               0x02u /* a line that is neither field nor continuation */
#define HEADER_EIGHT_BIT          0x04u /* octets over 127 */
#define HEADER_BAD_UTF8           0x08u /* … and they are not well-formed UTF-8 */
#define HEADER_TOO_MANY           0x10u /* more fields than the limit */
#define HEADER_TOO_LARGE          0x20u /* more octets than the limit */
#define HEADER_NUL                0x40u
#define HEADER_BLANK_COLON        0x80u  /* blanks between name and colon */
#define HEADER_LONG_LINE          0x100u /* a line over 998 octets */
#define HEADER_CONTROL            0x200u /* control octets other than HT, CR, LF and NUL */

#define HEADER_RECEIVED_MAX       8    /* Received fields that may be kept */
#define HEADER_RECEIVED_VALUE_MAX 1024 /* octets kept of each */

struct header_limits {
    uint32_t count_max;    /* fields */
    uint32_t size_max;     /* octets of the whole section */
    uint32_t value_max;    /* octets kept of one value */
    uint32_t received_max; /* Received fields that are kept, the topmost: HEADER_RECEIVED_MAX at most */
};

#define HEADER_LIMITS_DEFAULT                                                                                \
    ((struct header_limits){.count_max = 1000, .size_max = 256 * 1024, .value_max = 2048})

#define HEADER_NAME_MAX 77 /* longer names are HEADER_OTHER; RFC 5322 has 998 for the whole line */

struct header {
    struct header_limits limits;
    uint32_t count; /* fields */
    uint32_t junk_lines;
    uint64_t size;                         /* octets, the empty line included */
    unsigned flags;                        /* HEADER_… bits */
    bool done;                             /* the empty line was seen, or header_end was called */
    uint16_t counts[HEADER_KIND_COUNT];    /* of each kind; stays at 65535 */
    struct slice value[HEADER_KEEP_COUNT]; /* of the first such field, trimmed, see below; in the arena */
    bool value_cut[HEADER_KEEP_COUNT];     /* longer than value_max */
    struct slice received[HEADER_RECEIVED_MAX]; /* values of the topmost Received fields, as above */
    uint32_t received_count;
    /* Private. */
    struct arena *arena;
    struct buf kept; /* the value at hand */
    char name[HEADER_NAME_MAX + 1];
    uint32_t line_len;
    uint8_t name_len;
    uint8_t state;
    uint8_t kind;
    uint8_t utf8_left, utf8_low, utf8_high;
    bool cr;      /* a CR held back */
    bool field;   /* the line before belongs to a field: a continuation goes there */
    bool keeping; /* the value at hand is kept */
};

/* The arena keeps the values and must outlive the header; at most HEADER_KEEP_COUNT × value_max and
 * received_max × HEADER_RECEIVED_VALUE_MAX octets are taken from it. header_drop is needed afterwards. */
void header_init(struct header *header, struct header_limits limits, struct arena *arena);
/* Takes content from the front, up to and including the empty line, and returns how many octets it took: all
 * of them, while not `done`. The content has CRLF line ends (dot_decode sees to it); a bare LF is taken for
 * one, too. Past size_max or count_max octets are still read to find the end, but nothing is kept. */
size_t header_feed(struct header *header, struct slice content);
/* The content ended: sets HEADER_NO_END unless the empty line was seen. May be called twice. */
void header_end(struct header *header);
void header_drop(struct header *header); /* NULL and a zeroed header are taken */

/* Values are unfolded (the line ends are taken out, the blanks stay) and trimmed; control octets other than
 * HT have become `?`. A field that is there with nothing in it has a value of length 0 and a count of 1. */

/* Which kind a field name is (without colon), without regard to case. */
enum header_kind header_kind_of(struct slice name);
struct slice header_kind_name(enum header_kind kind); /* "Message-ID", …; "other" */

#endif
