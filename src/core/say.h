/* The replies: one catalogue with numbers that never change. The table is say.def. */
#ifndef CORE_SAY_H
#define CORE_SAY_H

#include "base/buf.h"

enum say {
    SAY_NOTHING = 0,
#define SAY(name, number, code, enhanced, text, cause, remedy) SAY_##name = number,
#include "core/say.def"
#undef SAY
    SAY_LIMIT = 256
};

struct say_info {
    const char *name; /* "RELAY_DENIED" */
    const char *enhanced;
    const char *text;
    const char *cause;
    const char *remedy;
    uint16_t number;
    uint16_t code;
};

const struct say_info *say_info(unsigned number); /* NULL: there is none */

/* " #NUMBER (SESSION-ID)" and the policy's page. Negative replies (4yz, 5yz) always get the number, at the
 * end of their last line; others where `wanted` says so (reply-number all), at the end of their first. */
struct say_tail {
    bool wanted;
    bool url_in_4yz;
    uint64_t session; /* its id */
    struct slice url; /* added to 5yz replies, on a line of its own, or empty; {number} becomes the reply's */
};

#define SAY_URL_NUMBER "{number}" /* once: what follows the first stays as it is */

#define SAY_ARGUMENTS  4
#define SAY_SIZE_MAX   4096

/* Adds the whole reply with its CRLFs, or nothing when the buf's maximum stops it. Arguments fill the text's
 * {} in turn; control octets and malformed UTF-8 in them become '?', so that no peer's text can end a line;
 * each is cut at 512 octets. An argument for {+} (BANNER, EHLO, HELP) is our own: \n in it begins a further
 * line, and it is not cut. Lines longer than 512 octets with their CRLF are broken at a blank. A reply has 64
 * lines at most. An enhanced code of "{}" takes the first argument, or x.0.0 where that is none. NULL for
 * arguments: none; for tail: no tail. */
void say_add(struct buf *buf, enum say say, const struct slice arguments[SAY_ARGUMENTS],
             const struct say_tail *tail);

/* The same with a text that is ready: for the replies whose lines the caller makes (banner, EHLO, HELP).
 * Octets of a peer must have been made harmless before. */
void say_add_text(struct buf *buf, enum say say, struct slice text, const struct say_tail *tail);

#endif
