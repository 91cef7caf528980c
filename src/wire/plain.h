/* A quick look over the octets that nearly all mail is made of. */
#ifndef WIRE_PLAIN_H
#define WIRE_PLAIN_H

#include "base/slice.h"

#include <string.h>

/* Whether each of the eight octets is printable ASCII (0x20 to 0x7e). The sums are those of a borrow: the
 * high bit of an octet is left standing where a subtraction ran below it. */
static inline bool plain_word(uint64_t word)
{
    const uint64_t ones = UINT64_MAX / 255, highs = ones * 0x80, deletes = word ^ ones * 0x7f;
    return ((word | ((word - ones * 0x20) & ~word) | ((deletes - ones) & ~deletes)) & highs) == 0;
}

/* How many octets at the front are printable ASCII for certain: a multiple of eight, and perhaps too few. */
static inline size_t plain_len(struct slice s)
{
    size_t len = 0;
    uint64_t word;
    for (; s.len - len >= sizeof word; len += sizeof word) {
        memcpy(&word, s.at + len, sizeof word);
        if (!plain_word(word))
            break;
    }
    return len;
}

#endif
