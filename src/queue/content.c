#include "queue/content.h"

#include "base/memory.h"

#include <errno.h>
#include <string.h>

void content_init_memory(struct content *content, struct slice octets)
{
    *content = (struct content){.memory = octets, .size = octets.len, .descriptor = -1};
}

void content_init_file(struct content *content, struct files *files, int descriptor, uint64_t offset,
                       uint64_t size)
{
    *content = (struct content){.files = files, .descriptor = descriptor, .offset = offset, .size = size};
}

void content_done(struct content *content)
{
    if (content->room)
        memory_give(content->room, CONTENT_PIECE);
    content->room = NULL;
}

int content_next(void *from, struct slice *ret_piece, struct error *error)
{
    struct content *content = from;
    const uint64_t left = content->size - content->at;
    const size_t size = left < CONTENT_PIECE ? (size_t)left : CONTENT_PIECE;
    size_t got;

    if (!content->files) {
        *ret_piece = slice_head(slice_from(content->memory, (size_t)content->at), size);
        content->at += size;
        return 0;
    }
    if (!content->room)
        content->room = memory_take(CONTENT_PIECE);
    if (content->files->read(content->files, content->descriptor, content->offset + content->at,
                             content->room, size, &got, error) < 0)
        return -1;
    if (got != size)
        return error_set(error, EIO, "the file has become shorter");
    content->at += size;
    *ret_piece = slice_of(content->room, size);
    return 0;
}

void content_rewind(void *from)
{
    ((struct content *)from)->at = 0;
}
