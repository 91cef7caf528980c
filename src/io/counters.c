#include "io/counters.h"
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#define BUCKETS     8192u /* a power of two */
#define BUCKET_SIZE 8u

/* A host has an entry while it has connections; an entry whose count is 0 is free, whatever its key. Only the
 * slot's gate writes. */
struct bucket {
    _Atomic uint64_t keys[BUCKET_SIZE];
    _Atomic uint32_t counts[BUCKET_SIZE];
    _Atomic uint32_t overflow; /* connections of hosts that found no entry */
    uint32_t pad[7];
};
_Static_assert(sizeof(struct bucket) == 128, "two cache lines");

struct page {
    _Alignas(4096) _Atomic uint64_t values[COUNTER_LIMIT];
    _Atomic uint64_t lists[COUNTERS_LISTS][LIST_COUNTER_LIMIT];
    _Alignas(128) struct bucket buckets[BUCKETS];
};

struct counters {
    uint64_t seed;
    _Atomic uint32_t slots; /* all slots in use are below */
    _Alignas(128) _Atomic uint64_t past[COUNTER_LIMIT];
    _Atomic uint64_t said[COUNTERS_SUBJECTS];
    struct page pages[COUNTERS_SLOTS];
};

static const char *const lag_words[LOOP_LAG_CLASSES] = {
    "lag_50us", "lag_100us", "lag_200us", "lag_500us", "lag_1ms",  "lag_2ms",
    "lag_3ms",  "lag_4ms",   "lag_5ms",   "lag_7ms",   "lag_10ms", "lag_20ms",
    "lag_50ms", "lag_100ms", "lag_200ms", "lag_500ms", "lag_1s",   "lag_more"};

const char *counter_word(enum counter counter)
{
    if (counter >= COUNTER_LAG && counter < COUNTER_LIMIT)
        return lag_words[counter - COUNTER_LAG];
    switch (counter) {
    case COUNTER_CONNECTIONS: return "connections";
    case COUNTER_MEMORY: return "memory";
    case COUNTER_CONN_SIZE: return "connection_size";
    case COUNTER_ACCEPTED: return "accepted";
    case COUNTER_REFUSED: return "refused";
    case COUNTER_MESSAGES: return "messages";
    case COUNTER_EVENTS_LOST: return "events_lost";
    case COUNTER_DNS_STATE: return "dns_state";
    case COUNTER_DNS_KEPT: return "dns_kept";
    case COUNTER_DNS_OCTETS: return "dns_octets";
    case COUNTER_DNS_ASKED: return "dns_asked";
    case COUNTER_DNS_CACHED: return "dns_cached";
    case COUNTER_DNS_MERGED: return "dns_merged";
    case COUNTER_DNS_SENT: return "dns_sent";
    case COUNTER_DNS_ANSWERED: return "dns_answered";
    case COUNTER_DNS_FAILED: return "dns_failed";
    case COUNTER_DNS_STRAYS: return "dns_strays";
    case COUNTER_DNS_CUT: return "dns_cut";
    case COUNTER_DNS_REWRITTEN: return "dns_rewritten";
    case COUNTER_DNS_TOOK_US: return "dns_took_us";
    case COUNTER_LAG:
    case COUNTER_LIMIT: break;
    }
    return NULL;
}

struct counters *counters_open(uint64_t seed, struct error *error)
{
    /* Only pages that are touched cost memory. */
    struct counters *counters = mmap(NULL, sizeof *counters, PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (counters == MAP_FAILED) {
        error_set(error, errno, "cannot map the counters");
        return NULL;
    }
    counters->seed = seed;
    return counters;
}

void counters_close(struct counters *counters)
{
    if (counters)
        munmap(counters, sizeof *counters);
}

/* For the one writer of a page: no locked instruction is needed, only that readers never see half a number.
 */
static void number_set(_Atomic uint64_t *at, uint64_t value)
{
    atomic_store_explicit(at, value, memory_order_relaxed);
}

static uint64_t number_get(const _Atomic uint64_t *at)
{
    return atomic_load_explicit(at, memory_order_relaxed);
}

static struct page *page_of(struct counters *counters, unsigned slot)
{
    assert(slot < COUNTERS_SLOTS);
    if (slot >= atomic_load_explicit(&counters->slots, memory_order_relaxed)) {
        uint32_t slots = atomic_load(&counters->slots);
        while (slots <= slot && !atomic_compare_exchange_weak(&counters->slots, &slots, slot + 1)) {}
    }
    return &counters->pages[slot];
}

void counters_add(struct counters *counters, unsigned slot, enum counter counter, int64_t difference)
{
    _Atomic uint64_t *at = &page_of(counters, slot)->values[counter];
    number_set(at, number_get(at) + (uint64_t)difference);
}

void counters_set(struct counters *counters, unsigned slot, enum counter counter, uint64_t value)
{
    number_set(&page_of(counters, slot)->values[counter], value);
}

uint64_t counters_get(const struct counters *counters, unsigned slot, enum counter counter)
{
    assert(slot < COUNTERS_SLOTS);
    return number_get(&counters->pages[slot].values[counter]);
}

uint64_t counters_sum(const struct counters *counters, enum counter counter)
{
    uint64_t sum = number_get(&counters->past[counter]);
    uint32_t slots = atomic_load_explicit(&counters->slots, memory_order_relaxed);
    for (uint32_t slot = 0; slot < slots; slot++)
        sum += number_get(&counters->pages[slot].values[counter]);
    return sum;
}

void counters_list_set(struct counters *counters, unsigned slot, unsigned list, enum list_counter counter,
                       uint64_t value)
{
    assert(list < COUNTERS_LISTS);
    number_set(&page_of(counters, slot)->lists[list][counter], value);
}

uint64_t counters_list_get(const struct counters *counters, unsigned slot, unsigned list,
                           enum list_counter counter)
{
    assert(slot < COUNTERS_SLOTS && list < COUNTERS_LISTS);
    return number_get(&counters->pages[slot].lists[list][counter]);
}

uint64_t counters_say(struct counters *counters, unsigned subject, uint64_t value)
{
    assert(subject < COUNTERS_SUBJECTS);
    return atomic_exchange(&counters->said[subject], value);
}

/* IPv6: the first 64 bits. IPv4 stands where ::ffff:0:0/96 would have its first half: no host's /64. Never 0.
 */
uint64_t counters_lag_us(const struct counters *counters, unsigned slot, unsigned percent)
{
    uint64_t sums[LOOP_LAG_CLASSES], total = 0, below = 0;
    for (unsigned i = 0; i < LOOP_LAG_CLASSES; i++)
        total += sums[i] = counters_get(counters, slot, (enum counter)(COUNTER_LAG + i));
    for (unsigned i = 0; total && i < LOOP_LAG_CLASSES - 1; i++) {
        below += sums[i];
        if (below * 100 >= total * percent)
            return loop_lag_bounds_us[i];
    }
    return total ? 10000000 : 0;
}

uint64_t counters_host_key(const struct address *address)
{
    uint64_t key = 0;
    bool ipv6 = address->family == ADDRESS_IPV6;
    for (size_t i = 0; i < (ipv6 ? 8u : 4u); i++)
        key = key << 8 | address->octets[i];
    if (!ipv6)
        return UINT64_C(0x0000ffff00000000) | key;
    return key ? key : 1;
}

static uint32_t bucket_index(const struct counters *counters, uint64_t key)
{
    uint64_t mixed = key ^ counters->seed;
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(mixed >> 32) & (BUCKETS - 1);
}

static uint32_t count_get(const _Atomic uint32_t *at)
{
    return atomic_load_explicit(at, memory_order_relaxed);
}

static void count_add(_Atomic uint32_t *at, uint32_t difference)
{
    atomic_store_explicit(at, count_get(at) + difference, memory_order_release);
}

/* The host's entry, or BUCKET_SIZE. */
static unsigned entry_find(const struct bucket *bucket, uint64_t key)
{
    for (unsigned i = 0; i < BUCKET_SIZE; i++) {
        if (number_get(&bucket->keys[i]) == key && count_get(&bucket->counts[i]))
            return i;
    }
    return BUCKET_SIZE;
}

static unsigned entry_free(const struct bucket *bucket)
{
    unsigned i = 0;
    while (i < BUCKET_SIZE && count_get(&bucket->counts[i]))
        i++;
    return i;
}

void counters_connected(struct counters *counters, unsigned slot, uint64_t host_key)
{
    struct page *page = page_of(counters, slot);
    struct bucket *bucket = &page->buckets[bucket_index(counters, host_key)];
    number_set(&page->values[COUNTER_CONNECTIONS], number_get(&page->values[COUNTER_CONNECTIONS]) + 1);
    number_set(&page->values[COUNTER_ACCEPTED], number_get(&page->values[COUNTER_ACCEPTED]) + 1);
    unsigned entry = entry_find(bucket, host_key);
    if (entry == BUCKET_SIZE) {
        entry = entry_free(bucket);
        if (entry < BUCKET_SIZE)
            number_set(&bucket->keys[entry], host_key);
    }
    count_add(entry < BUCKET_SIZE ? &bucket->counts[entry] : &bucket->overflow, 1);
}

/* A connection that came while the bucket was full may leave an entry that was made since: what the bucket
 * holds in all stays right. */
void counters_disconnected(struct counters *counters, unsigned slot, uint64_t host_key)
{
    struct page *page = page_of(counters, slot);
    struct bucket *bucket = &page->buckets[bucket_index(counters, host_key)];
    number_set(&page->values[COUNTER_CONNECTIONS], number_get(&page->values[COUNTER_CONNECTIONS]) - 1);
    unsigned entry = entry_find(bucket, host_key);
    if (entry < BUCKET_SIZE)
        count_add(&bucket->counts[entry], UINT32_MAX);
    else if (count_get(&bucket->overflow))
        count_add(&bucket->overflow, UINT32_MAX);
}

uint64_t counters_host(const struct counters *counters, uint64_t host_key)
{
    uint32_t index = bucket_index(counters, host_key);
    uint32_t slots = atomic_load_explicit(&counters->slots, memory_order_relaxed);
    uint64_t sum = 0;
    for (uint32_t slot = 0; slot < slots; slot++) {
        const struct bucket *bucket = &counters->pages[slot].buckets[index];
        unsigned entry = entry_find(bucket, host_key);
        sum += count_get(&bucket->overflow); /* too high for a while, never too low */
        if (entry < BUCKET_SIZE)
            sum += count_get(&bucket->counts[entry]);
    }
    return sum;
}

void counters_clear(struct counters *counters, unsigned slot)
{
    struct page *page = page_of(counters, slot);
    for (unsigned counter = COUNTER_GAUGES; counter < COUNTER_LIMIT; counter++)
        number_set(&counters->past[counter],
                   number_get(&counters->past[counter]) + number_get(&page->values[counter]));
    if (madvise(page, sizeof *page, MADV_REMOVE) != 0) /* zero, and the memory is given back */
        memset(page, 0, sizeof *page);
}
