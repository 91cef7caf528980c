/* A growing run of octets with a maximum that it can never pass.
 *
 * Zero-initialised except for `max` it owns nothing: an idle session has a NULL pointer. Adding past the
 * maximum changes nothing and returns false: the caller decides what that means. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/slice.h"

struct buf {
    char *at;
    uint32_t len;
    uint32_t size;
    uint32_t max;
};

void buf_init(struct buf *buf, size_t max);    /* max in octets, below 4 GiB */
bool buf_add(struct buf *buf, struct slice s); /* false: would pass the maximum, nothing was added */
bool buf_add_octet(struct buf *buf, char octet);
bool buf_add_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *buf_room(struct buf *buf, size_t size);   /* room for size more octets, or NULL past the maximum */
void buf_grow(struct buf *buf, size_t size);    /* size octets of the room were written */
struct slice buf_slice(const struct buf *buf);  /* lives until the next change */
void buf_take_front(struct buf *buf, size_t n); /* drops the first n octets */
void buf_clear(struct buf *buf);                /* empty, memory kept */
void buf_drop(struct buf *buf);                 /* empty, memory given back; NULL is taken */

#endif
