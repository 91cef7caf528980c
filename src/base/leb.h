/* Unsigned LEB128: seven bits an octet, the lowest first, the eighth set where more follow. Inline, for the
 * journal writes some hundred a session. */
#ifndef BASE_LEB_H
#define BASE_LEB_H

#include "base/slice.h"

#define LEB_MAX 10 /* octets of a number */

/* Returns the place behind it; LEB_MAX octets must fit at `at`. */
static inline char *leb_put(char *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (char)(value | 0x80);
        value >>= 7;
    }
    *at++ = (char)value;
    return at;
}

/* Takes a number from the front of *rest. False: it ends within the number, or that is longer than LEB_MAX;
 * *rest is then somewhere within it. */
static inline bool leb_get(struct slice *rest, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && rest->len; shift += 7) {
        unsigned char octet = (unsigned char)*rest->at;
        *rest = slice_from(*rest, 1);
        value |= (uint64_t)(octet & 0x7f) << shift;
        if (!(octet & 0x80)) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

#endif
