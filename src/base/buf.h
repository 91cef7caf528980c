/* A growing run of octets with a maximum that it can never pass.
 *
 * Zero-initialised except for `max` it owns nothing: an idle session has a NULL pointer. Adding past the
 * maximum changes nothing and returns false: the caller decides what that means. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/slice.h"

#include <assert.h>

struct buf {
    char *at;
    uint32_t len;
    uint32_t size;
    uint32_t max;
};

void buf_init(struct buf *buf, size_t max); /* max in octets, below 4 GiB */
bool buf_add_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *buf_room_more(struct buf *buf, size_t size); /* buf_room where there is none yet */
void buf_take_front(struct buf *buf, size_t n);    /* drops the first n octets */
void buf_drop(struct buf *buf);                    /* empty, memory given back; NULL is taken */

/* room for size more octets, or NULL past the maximum */
static inline char *buf_room(struct buf *buf, size_t size)
{
    return buf->at && size <= buf->size - buf->len ? buf->at + buf->len : buf_room_more(buf, size);
}

/* size octets of the room were written */
static inline void buf_grow(struct buf *buf, size_t size)
{
    assert(size <= buf->size - buf->len);
    buf->len += (uint32_t)size;
}

/* false: would pass the maximum, nothing was added */
static inline bool buf_add(struct buf *buf, struct slice s)
{
    if (s.len == 0)
        return true;
    char *room = buf_room(buf, s.len);

    if (!room)
        return false;
    memcpy(room, s.at, s.len);
    buf->len += (uint32_t)s.len;
    return true;
}

static inline bool buf_add_octet(struct buf *buf, char octet)
{
    return buf_add(buf, slice_of(&octet, 1));
}

/* lives until the next change */
static inline struct slice buf_slice(const struct buf *buf)
{
    return slice_of(buf->at, buf->len);
}

/* empty, memory kept */
static inline void buf_clear(struct buf *buf)
{
    buf->len = 0;
}

#endif
