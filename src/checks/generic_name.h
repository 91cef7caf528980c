/* Whether a host's name was made by its provider out of the address, as access lines have it, or given to a
 * machine by a person. */
#ifndef CHECKS_GENERIC_NAME_H
#define CHECKS_GENERIC_NAME_H

#include "base/address.h"
#include "base/slice.h"

enum generic {
    GENERIC_NO,
    GENERIC_ADDRESS, /* the whole address is inside, or so much of it that it cannot be chance */
    GENERIC_PART, /* the last half of an IPv4 address, and a word that goes with it: host, client, static */
    GENERIC_WORD  /* a word of access lines (dyn, dsl, pool …) and a number */
};

/* The name may have letters of any case and a final dot. ret_word (may be NULL) is the word that told, in the
 * name, or empty. Its last two labels name the provider and say nothing. A name that says mail, smtp, mx or
 * the like was given to a mail host: it is generic only where a word of access lines stands beside. */
enum generic generic_name(struct slice name, const struct address *address, struct slice *ret_word);

#endif
