#include "base/slab.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

/* Things come in blocks that never move: a pointer stays good as long as the thing is in use. */
#define BLOCK_ITEMS 256U
#define ALIGNMENT   8U

/* A place's generation is odd while it is in use: so 0 is no handle. `free_first` and `free_next` hold places
 * plus one: so 0 ends the chain. */

static void *item_at(const struct slab *slab, uint32_t place)
{
    char *block = slab->blocks[place / BLOCK_ITEMS];

    return block + (size_t)(place % BLOCK_ITEMS) * slab->item_size;
}

static slab_handle handle_of(const struct slab *slab, uint32_t place)
{
    return (uint64_t)slab->generations[place] << 32 | place;
}

/* The arrays beside the blocks double: their room follows from the number of blocks. */
static uint32_t blocks_room(uint32_t block_count)
{
    uint32_t room = block_count ? 1 : 0;

    while (room < block_count)
        room *= 2;
    return room;
}

static void grow_arrays(struct slab *slab, uint32_t room_old, uint32_t room_new)
{
    const size_t old = (size_t)room_old * BLOCK_ITEMS * sizeof(uint32_t);
    const size_t new = (size_t)room_new *BLOCK_ITEMS * sizeof(uint32_t);

    slab->generations = memory_resize(slab->generations, old, new);
    slab->free_next = memory_resize(slab->free_next, old, new);
    slab->blocks = memory_resize(slab->blocks, room_old * sizeof(void *), room_new * sizeof(void *));
}

static void block_add(struct slab *slab)
{
    const uint32_t room = blocks_room(slab->block_count);
    const uint32_t first = slab->block_count * BLOCK_ITEMS;

    assert(slab->block_count < UINT32_MAX / BLOCK_ITEMS);
    if (slab->block_count == room)
        grow_arrays(slab, room, blocks_room(slab->block_count + 1));
    slab->blocks[slab->block_count++] = memory_take((size_t)BLOCK_ITEMS * slab->item_size);
    memset(slab->generations + first, 0, BLOCK_ITEMS * sizeof(uint32_t));
    for (uint32_t i = 0; i < BLOCK_ITEMS; i++)
        slab->free_next[first + i] = first + i + 2;
    slab->free_next[first + BLOCK_ITEMS - 1] = slab->free_first;
    slab->free_first = first + 1;
}

void slab_init(struct slab *slab, size_t item_size)
{
    assert(item_size > 0 && item_size < UINT32_MAX / BLOCK_ITEMS);
    memset(slab, 0, sizeof(*slab));
    slab->item_size = (uint32_t)((item_size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
}

void *slab_take(struct slab *slab, slab_handle *ret_handle)
{
    if (slab->free_first == 0)
        block_add(slab);

    const uint32_t place = slab->free_first - 1;
    void *item = item_at(slab, place);

    slab->free_first = slab->free_next[place];
    slab->generations[place]++;
    slab->used++;
    *ret_handle = handle_of(slab, place);
    return memset(item, 0, slab->item_size);
}

void *slab_get(const struct slab *slab, slab_handle handle)
{
    const uint32_t place = (uint32_t)handle;
    const uint32_t generation = (uint32_t)(handle >> 32);

    if (generation % 2 == 0 || place / BLOCK_ITEMS >= slab->block_count ||
        slab->generations[place] != generation)
        return NULL;
    return item_at(slab, place);
}

void slab_give(struct slab *slab, slab_handle handle)
{
    const uint32_t place = (uint32_t)handle;

    assert(slab_get(slab, handle));
    slab->generations[place]++;
    slab->free_next[place] = slab->free_first;
    slab->free_first = place + 1;
    slab->used--;
}

void *slab_next(const struct slab *slab, uint32_t *at, slab_handle *ret_handle)
{
    const uint32_t places = slab->block_count * BLOCK_ITEMS;

    while (*at < places) {
        const uint32_t place = (*at)++;

        if (slab->generations[place] % 2) {
            *ret_handle = handle_of(slab, place);
            return item_at(slab, place);
        }
    }
    return NULL;
}

void slab_drop(struct slab *slab)
{
    if (!slab)
        return;
    const uint32_t room = blocks_room(slab->block_count);

    for (uint32_t i = 0; i < slab->block_count; i++)
        memory_give(slab->blocks[i], (size_t)BLOCK_ITEMS * slab->item_size);
    grow_arrays(slab, room, 0);
    slab_init(slab, slab->item_size);
}
