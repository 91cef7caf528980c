/* The store in memory: gone with its process. */
#include "base/memory.h"
#include "base/table.h"
#include "io/store_class.h"

#include <assert.h>
#include <string.h>

struct entry {
    enum store_kind kind;
    int64_t expires_unix_ms;
    size_t key_len;
    size_t value_len;
    char octets[]; /* the key, then the value */
};

struct stream {
    struct stream *next;
    struct store_position position;
    size_t name_len;
    char name[64];
};

struct store_memory {
    struct store store;
    struct table entries;
    struct stream *streams;
    size_t octets;
    size_t swept; /* where the sweep goes on */
    uint64_t version;
};

static struct store_memory *memory_of(struct store *store)
{
    return (struct store_memory *)(void *)store;
}

static void entry_free(struct store_memory *memory, struct entry *entry)
{
    if (!entry)
        return;
    size_t size = sizeof *entry + entry->key_len + entry->value_len;
    memory->octets -= size;
    memory_give(entry, size);
}

static struct store_entry entry_view(const struct entry *entry)
{
    return (struct store_entry){entry->kind, entry->expires_unix_ms,
                                slice_of(entry->octets + entry->key_len, entry->value_len)};
}

static struct entry *entry_new(struct slice key, const struct store_entry *from)
{
    struct entry *entry = memory_take(sizeof *entry + key.len + from->value.len);
    entry->kind = from->kind;
    entry->expires_unix_ms = from->expires_unix_ms;
    entry->key_len = key.len;
    entry->value_len = from->value.len;
    memcpy(entry->octets, key.at, key.len);
    if (from->value.len)
        memcpy(entry->octets + key.len, from->value.at, from->value.len);
    return entry;
}

static void change(struct store_memory *memory, const struct store_write *write)
{
    char room[STORE_RECORD_MAX];
    struct store_entry before, after;
    const struct entry *old = table_get(&memory->entries, write->key);
    if (old)
        before = entry_view(old);
    store_entry_fold(old ? &before : NULL, write, room, &after);
    struct entry *entry = entry_new(write->key, &after);
    memory->octets += sizeof *entry + entry->key_len + entry->value_len;
    /* Out before in: the table would keep the key of the entry that goes. */
    entry_free(memory, table_remove(&memory->entries, write->key));
    table_put(&memory->entries, slice_of(entry->octets, entry->key_len), entry);
}

static struct stream *stream_find(const struct store_memory *memory, struct slice name)
{
    for (struct stream *stream = memory->streams; stream; stream = stream->next)
        if (slice_equal(slice_of(stream->name, stream->name_len), name))
            return stream;
    return NULL;
}

static void stream_put(struct store_memory *memory, const struct store_stream *at)
{
    struct stream *stream = stream_find(memory, at->name);
    if (!stream) {
        assert(at->name.len <= sizeof stream->name);
        stream = memory_take(sizeof *stream);
        memcpy(stream->name, at->name.at, at->name.len);
        stream->name_len = at->name.len;
        stream->next = memory->streams;
        memory->streams = stream;
    }
    stream->position = at->position;
}

static int memory_apply(struct store *store, const struct store_batch *batch, struct error *error)
{
    (void)error;
    struct store_memory *memory = memory_of(store);
    for (size_t i = 0; i < batch->write_count; i++) {
        const struct store_write *write = &batch->writes[i];
        if (write->verb == STORE_REMOVE)
            entry_free(memory, table_remove(&memory->entries, write->key));
        else
            change(memory, write);
    }
    for (size_t i = 0; i < batch->stream_count; i++)
        stream_put(memory, &batch->streams[i]);
    memory->version++;
    return 0;
}

static enum store_status memory_position(struct store *store, struct slice name,
                                         struct store_position *ret_position, struct error *error)
{
    (void)error;
    const struct stream *stream = stream_find(memory_of(store), name);
    if (!stream)
        return STORE_NONE;
    *ret_position = stream->position;
    return STORE_FOUND;
}

static enum store_status memory_find(struct store *store, const struct store_look *look, int64_t now_unix_ms,
                                     struct store_entry *ret_entry, struct store_position *ret_position,
                                     struct error *error)
{
    const struct entry *entry = table_get(&memory_of(store)->entries, look->key);
    if (look->stream.len) {
        *ret_position = (struct store_position){0, 0};
        memory_position(store, look->stream, ret_position, error);
    }
    if (!entry || store_is_over(entry->expires_unix_ms, now_unix_ms))
        return STORE_NONE;
    *ret_entry = entry_view(entry);
    return STORE_FOUND;
}

static int memory_sweep(struct store *store, int64_t now_unix_ms, size_t most, struct error *error)
{
    (void)error;
    struct store_memory *memory = memory_of(store);
    int removed = 0;
    for (; most; most--) {
        struct slice key;
        void *value;
        if (!table_next(&memory->entries, &memory->swept, &key, &value)) {
            memory->swept = 0;
            break;
        }
        struct entry *entry = value;
        if (!store_is_over(entry->expires_unix_ms, now_unix_ms))
            continue;
        table_remove(&memory->entries, key);
        entry_free(memory, entry);
        removed++;
    }
    return removed;
}

/* The cursor is a place in the table: what is put meanwhile may make that grow, and entries come again. */
static int memory_walk(struct store *store, struct store_walk *walk, const struct store_visit *visit,
                       struct error *error)
{
    (void)error;
    struct store_memory *memory = memory_of(store);
    size_t at = 0, left = walk->most;
    struct slice key;
    void *value;
    if (walk->cursor_len == sizeof at)
        memcpy(&at, walk->cursor, sizeof at);
    walk->cursor_len = 0;
    for (; left; left--) {
        if (!table_next(&memory->entries, &at, &key, &value))
            return 0;
        struct store_entry entry = entry_view(value);
        if (slice_starts(key, walk->prefix))
            store_visit(visit, key, &entry);
    }
    memcpy(walk->cursor, &at, sizeof at);
    walk->cursor_len = sizeof at;
    return 0;
}

static int memory_counts(struct store *store, struct store_counts *ret_counts, struct error *error)
{
    (void)error;
    const struct store_memory *memory = memory_of(store);
    *ret_counts = (struct store_counts){.entries = memory->entries.used, .octets = memory->octets};
    return 0;
}

static void memory_close(struct store *store)
{
    struct store_memory *memory = memory_of(store);
    struct slice key;
    void *value;
    for (size_t at = 0; table_next(&memory->entries, &at, &key, &value);)
        entry_free(memory, value);
    table_drop(&memory->entries);
    while (memory->streams) {
        struct stream *stream = memory->streams;
        memory->streams = stream->next;
        memory_give(stream, sizeof *stream);
    }
    memory_give(memory, sizeof *memory);
}

static uint64_t memory_version(const struct store *store)
{
    return ((const struct store_memory *)store)->version;
}

static const struct store_class class = {memory_find, memory_apply,  memory_position, memory_sweep,
                                         memory_walk, memory_counts, memory_version,  memory_close};

struct store *store_memory_new(void)
{
    struct store_memory *memory = memory_take(sizeof *memory);
    memory->store.class = &class;
    memory->version = 1;
    /* Keys are chosen by configuration and tests here; nobody can aim at the table. */
    table_init(&memory->entries, 0x9e3779b97f4a7c15);
    return &memory->store;
}
