/* A slab holds many things of one size, each named by a handle that stops working when the thing is given
 * back: what waits outside is named by a handle, never by a pointer (rule 3). */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

/* 32 bits of place, 32 bits of generation; 0 is never a valid handle. */
typedef uint64_t slab_handle; /* a number, not a struct */

struct slab {
    void **blocks;
    uint32_t *generations;
    uint32_t *free_next;
    uint32_t block_count;
    uint32_t free_first;
    uint32_t used;
    uint32_t item_size;
};

void slab_init(struct slab *slab, size_t item_size);
void *slab_take(struct slab *slab, slab_handle *ret_handle); /* zeroed */
void *slab_get(const struct slab *slab, slab_handle handle); /* NULL: given back meanwhile */
void slab_give(struct slab *slab, slab_handle handle);
/* Walks the things in use: start with *at = 0; NULL at the end. */
void *slab_next(const struct slab *slab, uint32_t *at, slab_handle *ret_handle);
void slab_drop(struct slab *slab);

#endif
