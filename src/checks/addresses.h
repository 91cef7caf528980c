/* Lists of addresses, as answers of the DNS bring them. */
#ifndef CHECKS_ADDRESSES_H
#define CHECKS_ADDRESSES_H

#include "base/address.h"
#include "base/slice.h"

/* Whether the address is among those of the text, which are parted by blanks. Ports do not count. */
static inline bool addresses_hold(struct slice text, const struct address *address)
{
    struct slice word;
    struct address one;
    while (slice_word(&text, &word))
        if (address_parse(word, &one) && address_equal_host(&one, address))
            return true;
    return false;
}

#endif
