#include "base/list.h"
#include "base/memory.h"
#include "base/table.h"
#include "io/store.h"

#include <string.h>
#include <sys/random.h>

#define APPLIED_WITHIN_MS 60000

struct tell {
    struct link link; /* in the order of telling */
    struct store_position position;
    int64_t told_ms;
    int64_t expires_unix_ms;
    enum store_verb verb;
    size_t key_len;
    size_t value_len;
    char octets[]; /* the key, then the value */
};

struct store_overlay {
    struct store *store;
    struct table tells; /* the newest for each key */
    struct link order;
    size_t most;
    size_t stream_len;
    char stream[64];
};

static void tell_free(struct store_overlay *overlay, struct tell *tell)
{
    table_remove(&overlay->tells, slice_of(tell->octets, tell->key_len));
    list_remove(&tell->link);
    memory_give(tell, sizeof *tell + tell->key_len + tell->value_len);
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
    table_init(&overlay->tells, seed);
    list_init(&overlay->order);
    return overlay;
}

static struct tell *oldest(const struct store_overlay *overlay)
{
    return list_is_empty(&overlay->order) ? NULL : LIST_OF(overlay->order.next, struct tell, link);
}

void store_overlay_tell(struct store_overlay *overlay, const struct store_write *write,
                        struct store_position position, int64_t now_unix_ms)
{
    struct tell *before = table_get(&overlay->tells, write->key);
    if (before)
        tell_free(overlay, before);
    else if (overlay->tells.used >= overlay->most)
        tell_free(overlay, oldest(overlay));
    size_t value_len = write->verb == STORE_PUT ? write->value.len : 0;
    struct tell *tell = memory_take(sizeof *tell + write->key.len + value_len);
    tell->position = position;
    tell->told_ms = now_unix_ms;
    tell->expires_unix_ms = write->expires_unix_ms;
    tell->verb = write->verb;
    tell->key_len = write->key.len;
    tell->value_len = value_len;
    memcpy(tell->octets, write->key.at, write->key.len);
    if (value_len)
        memcpy(tell->octets + write->key.len, write->value.at, value_len);
    list_add_last(&overlay->order, &tell->link);
    table_put(&overlay->tells, slice_of(tell->octets, tell->key_len), tell);
}

static bool is_applied(const struct tell *tell, const struct store_position *applied)
{
    if (applied->sequence != tell->position.sequence)
        return applied->sequence > tell->position.sequence;
    return applied->offset > tell->position.offset;
}

/* Drops what the store has by now, and what it will never get. */
static void prune(struct store_overlay *overlay, int64_t now_unix_ms)
{
    struct store_position applied = {0};
    struct slice stream = slice_of(overlay->stream, overlay->stream_len);
    if (list_is_empty(&overlay->order))
        return;
    store_position(overlay->store, stream, &applied, NULL);
    for (struct tell *tell; (tell = oldest(overlay));) {
        bool late = now_unix_ms - tell->told_ms > APPLIED_WITHIN_MS;
        if (!late && !is_applied(tell, &applied))
            return;
        tell_free(overlay, tell);
    }
}

enum store_status store_overlay_get(struct store_overlay *overlay, struct slice key, int64_t now_unix_ms,
                                    struct slice *ret_value, struct error *error)
{
    prune(overlay, now_unix_ms);
    const struct tell *tell = table_get(&overlay->tells, key);
    if (!tell)
        return store_get(overlay->store, key, now_unix_ms, ret_value, error);
    bool over = tell->expires_unix_ms && tell->expires_unix_ms <= now_unix_ms;
    if (tell->verb == STORE_REMOVE || over)
        return STORE_NONE;
    *ret_value = slice_of(tell->octets + tell->key_len, tell->value_len);
    return STORE_FOUND;
}

size_t store_overlay_count(const struct store_overlay *overlay)
{
    return overlay->tells.used;
}

void store_overlay_free(struct store_overlay *overlay)
{
    if (!overlay)
        return;
    for (struct tell *tell; (tell = oldest(overlay));)
        tell_free(overlay, tell);
    table_drop(&overlay->tells);
    memory_give(overlay, sizeof *overlay);
}
