#include "daemon/own_keys.h"

#include "base/memory.h"

#include <assert.h>

struct own_keys {
    struct own_keys_owner owners[OWN_KEYS_OWNERS];
    size_t owner_count;
    struct own_lengths stored; /* none: the store has no such key */
    struct own_lengths wanted; /* by the batch at hand */
    char text[OWN_LENGTHS_SIZE];
    bool unknown; /* what the store has is none of ours: it is to be written anyhow */
    bool changed;
    bool writing; /* `wanted` is in the batch at hand */
};

struct own_keys *own_keys_new(struct store *store, int64_t now_unix_ms)
{
    struct own_keys *keys = memory_take(sizeof *keys);
    struct slice text;
    struct error error;
    const enum store_status status = store_get(store, OWN_LENGTHS_KEY, now_unix_ms, &text, &error);
    keys->unknown = status == STORE_FAILED ||
                    (status == STORE_FOUND && !own_lengths_parse(text, &keys->stored));
    keys->changed = true; /* it may have been right for entries whose time has come since */
    return keys;
}

void own_keys_add(struct own_keys *keys, const struct own_keys_owner *owner)
{
    assert(keys->owner_count < OWN_KEYS_OWNERS);
    keys->owners[keys->owner_count++] = *owner;
    keys->changed = true;
}

void own_keys_changed(struct own_keys *keys)
{
    keys->changed = true;
}

bool own_keys_are_due(const struct own_keys *keys)
{
    return keys->changed || keys->writing;
}

static bool is_stored(const struct own_keys *keys)
{
    return !keys->unknown && keys->wanted.ipv4 == keys->stored.ipv4 && keys->wanted.ipv6 == keys->stored.ipv6;
}

size_t own_keys_writes(struct own_keys *keys, struct store_write room[OWN_KEYS_WRITES])
{
    if (keys->changed) {
        keys->wanted = (struct own_lengths){0, 0};
        for (size_t i = 0; i < keys->owner_count; i++)
            keys->owners[i].lengths(keys->owners[i].data, &keys->wanted);
        keys->changed = false;
        keys->writing = !is_stored(keys);
    }
    if (!keys->writing)
        return 0;
    const size_t len = own_lengths_print(&keys->wanted, keys->text);
    *room = (struct store_write){
        .verb = len ? STORE_PUT : STORE_REMOVE, .key = OWN_LENGTHS_KEY, .value = slice_of(keys->text, len)};
    return 1;
}

void own_keys_committed(struct own_keys *keys)
{
    if (!keys->writing)
        return;
    keys->stored = keys->wanted;
    keys->unknown = keys->writing = false;
}

void own_keys_free(struct own_keys *keys)
{
    if (keys)
        memory_give(keys, sizeof *keys);
}
