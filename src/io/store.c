#include "base/text.h"
#include "io/store_class.h"

#include <assert.h>
#include <stdio.h>

bool store_write_is_sane(const struct store_write *write)
{
    uint64_t number;
    if (!write->key.len || write->key.len > STORE_KEY_MAX || write->value.len > STORE_VALUE_MAX)
        return false;
    switch (write->verb) {
    case STORE_PUT:
    case STORE_REMOVE:
    case STORE_SEEN: return true;
    case STORE_ADD: return text_parse_u64(write->value, &number);
    }
    return false;
}

size_t store_touches_print(const struct store_touches *touches, char text[STORE_TOUCHES_SIZE])
{
    int len = snprintf(text, STORE_TOUCHES_SIZE, "%lld %lld %llu %u", (long long)touches->first_unix_ms,
                       (long long)touches->last_unix_ms, (unsigned long long)touches->count,
                       touches->distinct);
    return (size_t)len;
}

static enum store_status find(struct store *store, struct slice key, int64_t now_unix_ms,
                              struct store_entry *ret_entry, struct error *error)
{
    struct store_look look = {key, SLICE_NONE};
    assert(key.len && key.len <= STORE_KEY_MAX);
    return store->class->find(store, &look, now_unix_ms, ret_entry, NULL, error);
}

enum store_status store_get(struct store *store, struct slice key, int64_t now_unix_ms,
                            struct slice *ret_value, struct error *error)
{
    struct store_entry entry;
    enum store_status status = find(store, key, now_unix_ms, &entry, error);
    if (status != STORE_FOUND)
        return status;
    if (entry.kind != STORE_KIND_VALUE)
        return STORE_NONE;
    *ret_value = entry.value;
    return STORE_FOUND;
}

enum store_status store_count(struct store *store, struct slice key, int64_t now_unix_ms, uint64_t *ret_count,
                              struct error *error)
{
    struct store_entry entry;
    enum store_status status = find(store, key, now_unix_ms, &entry, error);
    if (status == STORE_FOUND && !store_entry_count(&entry, ret_count))
        return STORE_NONE;
    return status;
}

enum store_status store_seen(struct store *store, struct slice key, int64_t now_unix_ms,
                             struct store_touches *ret_touches, struct error *error)
{
    struct store_entry entry;
    enum store_status status = find(store, key, now_unix_ms, &entry, error);
    if (status == STORE_FOUND && !store_entry_touches(&entry, ret_touches))
        return STORE_NONE;
    return status;
}

int store_apply(struct store *store, const struct store_batch *batch, struct error *error)
{
    for (size_t i = 0; i < batch->write_count; i++)
        assert(store_write_is_sane(&batch->writes[i]));
    return store->class->apply(store, batch, error);
}

enum store_status store_position(struct store *store, struct slice stream,
                                 struct store_position *ret_position, struct error *error)
{
    return store->class->position(store, stream, ret_position, error);
}

int store_sweep(struct store *store, int64_t now_unix_ms, size_t most, struct error *error)
{
    return store->class->sweep(store, now_unix_ms, most, error);
}

/* False: damaged. */
static bool item_make(struct slice key, const struct store_entry *entry, struct store_item *ret_item)
{
    *ret_item = (struct store_item){.key = key, .expires_unix_ms = entry->expires_unix_ms, .by = STORE_PUT};
    if (entry->kind == STORE_KIND_VALUE)
        ret_item->value = entry->value;
    else if (store_entry_count(entry, &ret_item->count))
        ret_item->by = STORE_ADD;
    else if (store_entry_touches(entry, &ret_item->touches))
        ret_item->by = STORE_SEEN;
    else
        return false;
    return true;
}

enum store_status store_item(struct store *store, struct slice key, int64_t now_unix_ms,
                             struct store_item *ret_item, struct error *error)
{
    struct store_entry entry;
    enum store_status status = find(store, key, now_unix_ms, &entry, error);
    return status == STORE_FOUND && !item_make(key, &entry, ret_item) ? STORE_NONE : status;
}

void store_visit(const struct store_visit *visit, struct slice key, const struct store_entry *entry)
{
    struct store_item item;
    if (!store_is_over(entry->expires_unix_ms, visit->now_unix_ms) && item_make(key, entry, &item))
        visit->visit(visit->data, &item);
}

int store_walk(struct store *store, struct store_walk *walk, int64_t now_unix_ms,
               void (*visit)(void *data, const struct store_item *item), void *data, struct error *error)
{
    struct store_visit each = {now_unix_ms, visit, data};
    assert(walk->most && walk->cursor_len <= sizeof walk->cursor);
    return store->class->walk(store, walk, &each, error);
}

int store_counts(struct store *store, struct store_counts *ret_counts, struct error *error)
{
    return store->class->counts(store, ret_counts, error);
}

uint64_t store_version(const struct store *store)
{
    return store->class->version(store);
}

void store_close(struct store *store)
{
    if (store)
        store->class->close(store);
}
