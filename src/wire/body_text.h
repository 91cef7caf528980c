/* What the text of a body comes to when all is left out that a sender of many copies changes in each: a
 * number to compare bodies by, the same at any split.
 *
 * Only letters and octets above 127 count, letters without regard to case, of the first BODY_TEXT_MAX octets:
 * line ends, blanks, digits, marks and whatever differs in them alone make no difference. It tells copies of
 * one message from others; it keeps nobody out, and is no proof. */
#ifndef WIRE_BODY_TEXT_H
#define WIRE_BODY_TEXT_H

#include "base/slice.h"

#define BODY_TEXT_MAX   4096u /* octets that are looked at */
#define BODY_TEXT_LEAST 24u   /* letters; of fewer two strangers may write the same */

struct body_text {
    uint64_t hash;
    uint64_t word; /* the latest letters, up to eight */
    uint32_t letters;
    uint32_t seen; /* octets */
};

/* Zeroed is begun. */
void body_text_add(struct body_text *text, struct slice octets);
uint64_t body_text_digest(const struct body_text *text); /* 0: too little text */

#endif
