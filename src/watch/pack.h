/* Numbers and texts as octets, for states that outlive a process: numbers as LEB128, texts with their length.
 */
#ifndef WATCH_PACK_H
#define WATCH_PACK_H

#include "base/buf.h"

struct pack {
    struct buf *buf;
    bool fits;
};

void pack_number(struct pack *pack, uint64_t number);
void pack_text(struct pack *pack, struct slice text);

struct unpack {
    struct slice rest;
    bool good; /* once false all that is taken is 0 or empty */
};

uint64_t unpack_number(struct unpack *unpack, uint64_t most); /* a larger one is not good */
struct slice unpack_text(struct unpack *unpack, size_t most); /* points into the octets */

/* Times and other numbers with a sign. */
static inline uint64_t pack_signed(int64_t number)
{
    return (uint64_t)number << 1 ^ (uint64_t)(number >> 63);
}

static inline int64_t unpack_signed(uint64_t number)
{
    return (int64_t)(number >> 1 ^ (0 - (number & 1)));
}

#endif
