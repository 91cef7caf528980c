#include "watch/hosts.h"

#include "base/memory.h"

#include <assert.h>

enum { PLACES = 8, STANDING_PLACES = 4 };

void hosts_init(struct hosts *hosts, uint32_t size)
{
    assert(size >= 1024 && (size & (size - 1)) == 0);
    *hosts = (struct hosts){.size = size, .standing_size = size / 4};
    hosts->records = memory_take(size * sizeof *hosts->records);
    hosts->standings = memory_take(hosts->standing_size * sizeof *hosts->standings);
}

void hosts_done(struct hosts *hosts)
{
    memory_give(hosts->standings, hosts->standing_size * sizeof *hosts->standings);
    memory_give(hosts->records, hosts->size * sizeof *hosts->records);
    *hosts = (struct hosts){0};
}

static bool is_empty(const struct host_record *record)
{
    return !record->key.high && !record->key.low;
}

static struct host_record *place_of(const struct hosts *hosts, uint64_t hash, unsigned i)
{
    return &hosts->records[((hash >> 8) + i) & (hosts->size - 1)];
}

struct host_record *hosts_find(const struct hosts *hosts, struct host_key key, uint64_t hash)
{
    for (unsigned i = 0; i < PLACES; i++) {
        struct host_record *record = place_of(hosts, hash, i);
        if (host_key_equal(record->key, key))
            return record;
    }
    return NULL;
}

static bool tells_less(const struct host_record *a, const struct host_record *b)
{
    const unsigned of_a = a->accepted + a->refused, of_b = b->accepted + b->refused;
    return of_a != of_b ? of_a < of_b : a->last_s < b->last_s;
}

struct host_record *hosts_take(struct hosts *hosts, struct host_key key, uint64_t hash, uint32_t now_s)
{
    struct host_record *worst = NULL;
    for (unsigned i = 0; i < PLACES; i++) {
        struct host_record *record = place_of(hosts, hash, i);
        if (host_key_equal(record->key, key))
            return record;
        if (worst && is_empty(worst))
            continue; /* none is ever emptied again, but a key may stand behind */
        if (is_empty(record) || (!record->campaign && (!worst || tells_less(record, worst))))
            worst = record;
    }
    if (!worst)
        return NULL;
    hosts->used += is_empty(worst);
    *worst = (struct host_record){.key = key, .last_s = now_s};
    return worst;
}

/* --- standings ------------------------------------------------------------------------------------------ */

static struct standing *standing_place(const struct hosts *hosts, uint32_t key, unsigned i)
{
    return &hosts->standings[((key >> 3) + i) & (hosts->standing_size - 1)];
}

static const struct standing *standing_find(const struct hosts *hosts, uint32_t key)
{
    for (unsigned i = 0; key && i < STANDING_PLACES; i++)
        if (standing_place(hosts, key, i)->key == key)
            return standing_place(hosts, key, i);
    return NULL;
}

struct standing *hosts_standing(struct hosts *hosts, uint32_t key)
{
    struct standing *worst = standing_place(hosts, key, 0);
    for (unsigned i = 0; i < STANDING_PLACES; i++) {
        struct standing *standing = standing_place(hosts, key, i);
        if (standing->key == key)
            return standing;
        if (standing->accepted + standing->refused < worst->accepted + worst->refused)
            worst = standing;
    }
    *worst = (struct standing){.key = key};
    return worst;
}

void hosts_count(struct hosts *hosts, uint32_t key, bool accepted)
{
    if (!key)
        return;
    struct standing *standing = hosts_standing(hosts, key);
    uint16_t *count = accepted ? &standing->accepted : &standing->refused;
    if (++*count < UINT16_MAX)
        return;
    standing->accepted /= 2; /* what is long ago counts less */
    standing->refused /= 2;
}

bool standing_is_good(uint32_t accepted, uint32_t refused)
{
    return accepted >= 3 && accepted >= 2 * refused;
}

bool hosts_are_good(const struct hosts *hosts, uint32_t key)
{
    const struct standing *standing = standing_find(hosts, key);
    return standing && standing_is_good(standing->accepted, standing->refused);
}

bool hosts_were_taken(const struct hosts *hosts, uint32_t key)
{
    const struct standing *standing = standing_find(hosts, key);
    return standing && standing->accepted;
}
