#include "base/table.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

#define SIZE_MIN 16U

/* The hash tells what a slot is. Removing leaves a grave and moves nothing, so that a walk may remove. */
enum { HASH_EMPTY = 0, HASH_GRAVE = 1, HASH_FIRST = 2 };

struct table_slot {
    uint64_t hash;
    struct slice key;
    void *value;
};

/* The low bits of FNV-1a hang on the low bits of the key alone: keys that differ in high bits would share a
 * run whatever the seed. So the bits are mixed before the low ones choose the slot. */
static uint64_t hash_of(const struct table *table, struct slice key)
{
    uint64_t hash = slice_hash(key, table->seed);

    hash = (hash ^ (hash >> 32)) * 0x9e3779b97f4a7c15U;
    hash ^= hash >> 29;
    return hash < HASH_FIRST ? hash + HASH_FIRST : hash;
}

static struct table_slot *find(const struct table *table, struct slice key, uint64_t hash)
{
    if (table->size == 0)
        return NULL;
    for (size_t i = hash & (table->size - 1);; i = (i + 1) & (table->size - 1)) {
        struct table_slot *slot = &table->slots[i];

        if (slot->hash == HASH_EMPTY)
            return NULL;
        if (slot->hash == hash && slice_equal(slot->key, key))
            return slot;
    }
}

/* A place for a key that is not in the table; graves are not used again here, so that `full` stays true
 * without a second look. */
static struct table_slot *empty_place(struct table_slot *slots, size_t size, uint64_t hash)
{
    size_t i = hash & (size - 1);

    while (slots[i].hash != HASH_EMPTY)
        i = (i + 1) & (size - 1);
    return &slots[i];
}

/* Makes room for one more entry: the double when entries fill it, the same size when graves do. */
static void make_room(struct table *table)
{
    if (table->size && (table->full + 1) * 4 <= table->size * 3)
        return;

    size_t size = table->size ? table->size : SIZE_MIN;
    while ((table->used + 1) * 2 > size)
        size *= 2;
    struct table_slot *slots = memory_take(size * sizeof(*slots));
    for (size_t i = 0; i < table->size; i++)
        if (table->slots[i].hash >= HASH_FIRST)
            *empty_place(slots, size, table->slots[i].hash) = table->slots[i];
    memory_give(table->slots, table->size * sizeof(*slots));
    table->slots = slots;
    table->size = size;
    table->full = table->used;
}

void table_init(struct table *table, uint64_t seed)
{
    memset(table, 0, sizeof(*table));
    table->seed = seed;
}

void *table_get(const struct table *table, struct slice key)
{
    struct table_slot *slot = find(table, key, hash_of(table, key));

    return slot ? slot->value : NULL;
}

void *table_put(struct table *table, struct slice key, void *value)
{
    const uint64_t hash = hash_of(table, key);
    struct table_slot *slot = find(table, key, hash);

    assert(value);
    if (slot) {
        void *value_old = slot->value;

        slot->key = key;
        slot->value = value;
        return value_old;
    }
    make_room(table);
    *empty_place(table->slots, table->size, hash) = (struct table_slot){hash, key, value};
    table->used++;
    table->full++;
    return NULL;
}

void *table_remove(struct table *table, struct slice key)
{
    struct table_slot *slot = find(table, key, hash_of(table, key));

    if (!slot)
        return NULL;
    void *value = slot->value;

    *slot = (struct table_slot){HASH_GRAVE, SLICE_NONE, NULL};
    table->used--;
    return value;
}

bool table_next(const struct table *table, size_t *at, struct slice *ret_key, void **ret_value)
{
    while (*at < table->size) {
        const struct table_slot *slot = &table->slots[(*at)++];

        if (slot->hash >= HASH_FIRST) {
            *ret_key = slot->key;
            *ret_value = slot->value;
            return true;
        }
    }
    return false;
}

void table_drop(struct table *table)
{
    if (!table)
        return;
    memory_give(table->slots, table->size * sizeof(*table->slots));
    table_init(table, table->seed);
}
