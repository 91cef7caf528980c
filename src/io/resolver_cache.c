/* What is known and what is being asked, by type and name. */
#include "base/memory.h"
#include "io/resolver_part.h"

#include <string.h>

#define KEY_MAX (DNS_NAME_MAX + 1)

static struct slice key_make(enum dns_type type, struct slice name, char key[KEY_MAX])
{
    key[0] = (char)type;
    memcpy(key + 1, name.at, name.len);
    return slice_of(key, name.len + 1);
}

struct entry *cache_get(struct resolver *resolver, enum dns_type type, struct slice name)
{
    char key[KEY_MAX];
    return table_get(&resolver->entries, key_make(type, name, key));
}

struct entry *cache_new(struct resolver *resolver, enum dns_type type, struct slice name)
{
    char room[KEY_MAX];
    const struct slice key = key_make(type, name, room);
    const size_t size = sizeof(struct entry) + key.len;
    struct entry *entry = memory_take(size);
    entry->resolver = resolver;
    entry->size = (uint32_t)size;
    entry->type = (uint8_t)type;
    entry->key_len = (uint16_t)key.len;
    memcpy(entry->key, key.at, key.len);
    list_init(&entry->recent);
    list_init(&entry->to_send);
    list_init(&entry->waiters);
    table_put(&resolver->entries, slice_of(entry->key, key.len), entry);
    return entry;
}

/* What it counts beside its own octets: its place in the table. */
static size_t octets_of(const struct entry *entry)
{
    return entry->size + 2 * sizeof(void *) * 2;
}

static void value_drop(struct entry *entry)
{
    memory_give(entry->value, entry->value_len);
    entry->size -= entry->value_len;
    entry->value = NULL;
    entry->value_len = 0;
}

/* It is kept no longer; it may still be under way. */
static void keep_end(struct entry *entry)
{
    struct resolver *resolver = entry->resolver;
    if (entry->status == ANSWER_PENDING)
        return;
    resolver->counts.kept--;
    resolver->counts.kept_octets -= octets_of(entry);
    list_remove(&entry->recent);
    entry->status = ANSWER_PENDING;
    value_drop(entry);
}

void cache_remove(struct entry *entry)
{
    struct resolver *resolver = entry->resolver;
    keep_end(entry);
    list_remove(&entry->to_send);
    loop_timer_clear(resolver->loop, &entry->deadline);
    while (!list_is_empty(&entry->waiters))
        list_remove(entry->waiters.next);
    table_remove(&resolver->entries, slice_of(entry->key, entry->key_len));
    memory_give(entry, entry->size);
}

void cache_trim(struct resolver *resolver)
{
    while (resolver->counts.kept_octets > resolver->settings.cache_octets &&
           !list_is_empty(&resolver->recent)) {
        struct entry *oldest = LIST_OF(resolver->recent.next, struct entry, recent);
        if (list_is_empty(&oldest->waiters) && !oldest->asking)
            cache_remove(oldest);
        else
            keep_end(oldest);
    }
}

void cache_keep(struct entry *entry, enum answer_status status, struct slice value, uint64_t keep_ms)
{
    struct resolver *resolver = entry->resolver;
    keep_end(entry);
    if (value.len) {
        entry->value = memory_take(value.len);
        memcpy(entry->value, value.at, value.len);
        entry->value_len = (uint32_t)value.len;
        entry->size += entry->value_len;
    }
    entry->status = (uint8_t)status;
    entry->until_ms = loop_now_ms(resolver->loop) + keep_ms;
    resolver->counts.kept++;
    resolver->counts.kept_octets += octets_of(entry);
    list_add_last(&resolver->recent, &entry->recent);
}

void cache_used(struct entry *entry)
{
    list_remove(&entry->recent);
    list_add_last(&entry->resolver->recent, &entry->recent);
}
