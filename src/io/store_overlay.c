#include "base/list.h"
#include "base/memory.h"
#include "base/table.h"
#include "io/store_class.h"

#include <assert.h>
#include <string.h>
#include <sys/random.h>

#define APPLIED_WITHIN_MS 60000
#define OF_KEY_MAX        1024 /* a look at a key costs a step for each of its tells */

/* The tells of one key, in the order of telling. */
struct chain {
    struct link tells;
    size_t count;
    size_t key_len;
    char key[];
};

struct tell {
    struct link link;     /* of all tells, in the order of telling */
    struct link of_chain; /* of those of its key */
    struct chain *chain;
    struct store_position position;
    int64_t told_ms;
    int64_t expires_unix_ms;
    int64_t at_unix_ms;
    enum store_verb verb;
    size_t value_len;
    char value[];
};

struct store_overlay {
    struct store *store;
    struct table chains;
    struct link order;
    size_t count, most;
    size_t stream_len;
    char stream[64];
    char room[STORE_RECORD_MAX]; /* the record that an answer points into */
};

static void tell_free(struct store_overlay *overlay, struct tell *tell)
{
    struct chain *chain = tell->chain;
    list_remove(&tell->link);
    list_remove(&tell->of_chain);
    memory_give(tell, sizeof *tell + tell->value_len);
    overlay->count--;
    if (--chain->count)
        return;
    table_remove(&overlay->chains, slice_of(chain->key, chain->key_len));
    memory_give(chain, sizeof *chain + chain->key_len);
}

struct store_overlay *store_overlay_new(struct store *store, struct slice stream, size_t most)
{
    struct store_overlay *overlay = memory_take(sizeof *overlay);
    uint64_t seed = (uint64_t)(uintptr_t)overlay;
    /* Strangers have a say in the keys. Should the system have no random octets, an address must do. */
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) < 0)
        seed ^= 0x9e3779b97f4a7c15;
    overlay->store = store;
    overlay->most = most ? most : 1;
    overlay->stream_len = stream.len < sizeof overlay->stream ? stream.len : sizeof overlay->stream;
    memcpy(overlay->stream, stream.at, overlay->stream_len);
    table_init(&overlay->chains, seed);
    list_init(&overlay->order);
    return overlay;
}

static struct tell *oldest(const struct store_overlay *overlay)
{
    return list_is_empty(&overlay->order) ? NULL : LIST_OF(overlay->order.next, struct tell, link);
}

static struct tell *newest_of(const struct chain *chain)
{
    return LIST_OF(chain->tells.prev, struct tell, of_chain);
}

static bool is_applied(const struct tell *tell, const struct store_position *applied)
{
    if (applied->sequence != tell->position.sequence)
        return applied->sequence > tell->position.sequence;
    return applied->offset > tell->position.offset;
}

/* Drops what the store has by now, and what it will never get. */
static void prune(struct store_overlay *overlay, const struct store_position *applied, int64_t now_unix_ms)
{
    for (struct tell *tell; (tell = oldest(overlay));) {
        bool late = now_unix_ms - tell->told_ms > APPLIED_WITHIN_MS;
        if (!late && !is_applied(tell, applied))
            return;
        tell_free(overlay, tell);
    }
}

/* --- telling ------------------------------------------------------------------------------------------- */

static void make_room(struct store_overlay *overlay, int64_t now_unix_ms)
{
    struct store_position applied = {0, 0};
    if (overlay->count < overlay->most)
        return;
    store_position(overlay->store, slice_of(overlay->stream, overlay->stream_len), &applied, NULL);
    prune(overlay, &applied, now_unix_ms);
    if (overlay->count >= overlay->most)
        tell_free(overlay, oldest(overlay));
}

static struct chain *chain_for(struct store_overlay *overlay, struct slice key)
{
    struct chain *chain = table_get(&overlay->chains, key);
    if (chain)
        return chain;
    chain = memory_take(sizeof *chain + key.len);
    chain->key_len = key.len;
    memcpy(chain->key, key.at, key.len);
    list_init(&chain->tells);
    table_put(&overlay->chains, slice_of(chain->key, chain->key_len), chain);
    return chain;
}

/* What a value or a removal takes the place of counts no more. */
static void drop_before(struct store_overlay *overlay, struct slice key)
{
    for (struct chain *chain; (chain = table_get(&overlay->chains, key));)
        tell_free(overlay, newest_of(chain));
}

void store_overlay_tell(struct store_overlay *overlay, const struct store_write *write,
                        struct store_position position, int64_t now_unix_ms)
{
    assert(store_write_is_sane(write));
    if (write->verb == STORE_PUT || write->verb == STORE_REMOVE)
        drop_before(overlay, write->key);
    make_room(overlay, now_unix_ms);
    struct chain *chain = chain_for(overlay, write->key);
    struct tell *tell = memory_take(sizeof *tell + write->value.len);
    *tell = (struct tell){.chain = chain,
                          .position = position,
                          .told_ms = now_unix_ms,
                          .expires_unix_ms = write->expires_unix_ms,
                          .at_unix_ms = write->at_unix_ms,
                          .verb = write->verb,
                          .value_len = write->value.len};
    if (write->value.len)
        memcpy(tell->value, write->value.at, write->value.len);
    list_add_last(&overlay->order, &tell->link);
    list_add_last(&chain->tells, &tell->of_chain);
    overlay->count++;
    if (++chain->count > OF_KEY_MAX)
        tell_free(overlay, LIST_OF(chain->tells.next, struct tell, of_chain));
}

/* --- answering ----------------------------------------------------------------------------------------- */

/* True: there is an entry. What the store has is taken as it was at the very moment up to which its position
 * tells of our own tells: none is missed, and none counted twice. */
static bool fold(struct store_overlay *overlay, const struct chain *chain, bool found,
                 struct store_entry *entry)
{
    for (const struct link *at = chain->tells.next; at != &chain->tells; at = at->next) {
        const struct tell *tell = LIST_OF(at, const struct tell, of_chain);
        struct store_write write = {tell->verb, slice_of(chain->key, chain->key_len),
                                    slice_of(tell->value, tell->value_len), tell->expires_unix_ms,
                                    tell->at_unix_ms};
        if (tell->verb == STORE_REMOVE) {
            found = false;
            continue;
        }
        store_entry_fold(found ? entry : NULL, &write, overlay->room, entry);
        found = true;
    }
    return found;
}

static enum store_status find(struct store_overlay *overlay, struct slice key, int64_t now_unix_ms,
                              struct store_entry *ret_entry, struct error *error)
{
    struct store *store = overlay->store;
    struct store_position applied;
    const struct chain *chain = table_get(&overlay->chains, key);
    struct store_look look = {key, chain ? slice_of(overlay->stream, overlay->stream_len) : SLICE_NONE};
    enum store_status status = store->class->find(store, &look, now_unix_ms, ret_entry, &applied, error);
    if (!chain || status == STORE_FAILED)
        return status;
    prune(overlay, &applied, now_unix_ms);
    chain = table_get(&overlay->chains, key);
    bool found = status == STORE_FOUND;
    if (chain)
        found = fold(overlay, chain, found, ret_entry);
    return found && !store_is_over(ret_entry->expires_unix_ms, now_unix_ms) ? STORE_FOUND : STORE_NONE;
}

enum store_status store_overlay_get(struct store_overlay *overlay, struct slice key, int64_t now_unix_ms,
                                    struct slice *ret_value, struct error *error)
{
    struct store_entry entry;
    enum store_status status = find(overlay, key, now_unix_ms, &entry, error);
    if (status != STORE_FOUND)
        return status;
    if (entry.kind != STORE_KIND_VALUE)
        return STORE_NONE;
    *ret_value = entry.value;
    return STORE_FOUND;
}

enum store_status store_overlay_counter(struct store_overlay *overlay, struct slice key, int64_t now_unix_ms,
                                        uint64_t *ret_count, struct error *error)
{
    struct store_entry entry;
    enum store_status status = find(overlay, key, now_unix_ms, &entry, error);
    return status == STORE_FOUND && !store_entry_count(&entry, ret_count) ? STORE_NONE : status;
}

enum store_status store_overlay_seen(struct store_overlay *overlay, struct slice key, int64_t now_unix_ms,
                                     struct store_touches *ret_touches, struct error *error)
{
    struct store_entry entry;
    enum store_status status = find(overlay, key, now_unix_ms, &entry, error);
    return status == STORE_FOUND && !store_entry_touches(&entry, ret_touches) ? STORE_NONE : status;
}

size_t store_overlay_count(const struct store_overlay *overlay)
{
    return overlay->count;
}

void store_overlay_free(struct store_overlay *overlay)
{
    if (!overlay)
        return;
    for (struct tell *tell; (tell = oldest(overlay));)
        tell_free(overlay, tell);
    table_drop(&overlay->chains);
    memory_give(overlay, sizeof *overlay);
}
