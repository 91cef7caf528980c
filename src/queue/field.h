/* Fields of a record's payload: NUMBER as LEB128, TEXT as LEB128 length and octets, ADDRESS as family octet,
 * 0, 4 or 16 octets, port u16. A field that an older record lacks reads as zero or empty. */
#ifndef QUEUE_FIELD_H
#define QUEUE_FIELD_H

#include "base/address.h"
#include "base/buf.h"

/* Numbers of fixed size, little-endian. */
void field_put_u32(char *at, uint32_t value);
void field_put_u64(char *at, uint64_t value);
uint32_t field_get_u32(const char *at);
uint64_t field_get_u64(const char *at);

/* False: the buf's maximum. */
bool field_add_number(struct buf *buf, uint64_t value);
bool field_add_text(struct buf *buf, struct slice text);
bool field_add_address(struct buf *buf, const struct address *address);

struct fields {
    struct slice rest;
    bool bad; /* a field that does not fit: what was read is not to be used */
};

uint64_t field_number(struct fields *fields);
struct slice field_text(struct fields *fields); /* points into the payload */
struct address field_address(struct fields *fields);

#endif
