#include "base/buf.h"

#include "base/memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SIZE_MIN 64U

void buf_init(struct buf *buf, size_t max)
{
    assert(max <= UINT32_MAX);
    memset(buf, 0, sizeof(*buf));
    buf->max = (uint32_t)max;
}

char *buf_room_more(struct buf *buf, size_t size)
{
    if (size > buf->max - buf->len)
        return NULL;
    if (buf->at && size <= buf->size - buf->len)
        return buf->at + buf->len;

    uint64_t size_new = buf->size > SIZE_MIN / 2 ? (uint64_t)buf->size * 2 : SIZE_MIN;
    while (size_new < buf->len + size)
        size_new *= 2;
    if (size_new > buf->max)
        size_new = buf->max;
    buf->at = memory_resize(buf->at, buf->size, (size_t)size_new);
    buf->size = (uint32_t)size_new;
    return buf->at ? buf->at + buf->len : NULL;
}

bool buf_add_format(struct buf *buf, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    const int printed = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    assert(printed >= 0);
    const size_t len = (size_t)printed;
    if (len < sizeof(text))
        return buf_add(buf, slice_of(text, len));
    if (len > buf->max - buf->len)
        return false;

    /* Not printed in place: the NUL behind the text may stand past the maximum. */
    char *long_text = memory_take(len + 1);
    va_start(arguments, format);
    vsnprintf(long_text, len + 1, format, arguments);
    va_end(arguments);
    const bool added = buf_add(buf, slice_of(long_text, len));
    memory_give(long_text, len + 1);
    return added;
}

void buf_take_front(struct buf *buf, size_t n)
{
    assert(n <= buf->len);
    buf->len -= (uint32_t)n;
    if (buf->len && n)
        memmove(buf->at, buf->at + n, buf->len);
}

void buf_drop(struct buf *buf)
{
    if (!buf)
        return;
    memory_give(buf->at, buf->size);
    buf->at = NULL;
    buf->len = buf->size = 0;
}
