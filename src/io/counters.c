#include "io/counters.h"
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#define BUCKETS     8192u /* a power of two */
#define BUCKET_SIZE 8u

/* No host's /64 begins so: ::ffff:0:0/96 is IPv4's, and 1::/16 is nobody's. */
#define IPV4_HOST    UINT64_C(0x0000ffff00000000)
#define IPV4_NETWORK UINT64_C(0x0001ffff00000000)
#define IPV4_MASK    UINT64_C(0xffffffff00000000)

/* A key has an entry while it has connections; an entry whose count is 0 is free, whatever its key. Only the
 * slot's gate writes. */
struct bucket {
    _Atomic uint64_t keys[BUCKET_SIZE];
    _Atomic uint32_t counts[BUCKET_SIZE];
    _Atomic uint32_t overflow; /* connections of keys that found no entry */
    uint32_t pad[7];
};
_Static_assert(sizeof(struct bucket) == 128, "two cache lines");

/* Connections that began since a moment, which counts for COUNTERS_RATE_MS. Of hosts and networks alike. */
struct rate_bucket {
    _Atomic uint64_t keys[BUCKET_SIZE];
    _Atomic uint32_t began[BUCKET_SIZE]; /* ms, the low half of the clock */
    _Atomic uint32_t counts[BUCKET_SIZE];
};
_Static_assert(sizeof(struct rate_bucket) == 128, "two cache lines");

struct page {
    _Alignas(4096) _Atomic uint64_t values[COUNTER_LIMIT];
    _Atomic uint64_t lists[COUNTERS_LISTS][LIST_COUNTER_LIMIT];
    _Alignas(128) struct bucket hosts[BUCKETS];
    _Alignas(128) struct bucket networks[BUCKETS];
    _Alignas(128) struct rate_bucket rates[BUCKETS];
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

/* IPv6: the first 64 bits. Never 0. */
uint64_t counters_host_key(const struct address *address)
{
    uint64_t key = 0;
    bool ipv6 = address->family == ADDRESS_IPV6;
    for (size_t i = 0; i < (ipv6 ? 8u : 4u); i++)
        key = key << 8 | address->octets[i];
    if (!ipv6)
        return IPV4_HOST | key;
    return key ? key : 1;
}

uint64_t counters_network_key(uint64_t host_key)
{
    bool loopback = (host_key & 0xff000000) == 0x7f000000;
    if ((host_key & IPV4_MASK) != IPV4_HOST || loopback)
        return 0;
    return IPV4_NETWORK | (host_key & 0xffffff00);
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

static void count_set(_Atomic uint32_t *at, uint32_t value)
{
    atomic_store_explicit(at, value, memory_order_release);
}

/* --- connections that are open ------------------------------------------------------------------------- */

/* The key's entry, or BUCKET_SIZE. */
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

static void open_add(struct bucket *bucket, uint64_t key)
{
    unsigned entry = entry_find(bucket, key);
    if (entry == BUCKET_SIZE) {
        entry = entry_free(bucket);
        if (entry < BUCKET_SIZE)
            number_set(&bucket->keys[entry], key);
    }
    _Atomic uint32_t *at = entry < BUCKET_SIZE ? &bucket->counts[entry] : &bucket->overflow;
    count_set(at, count_get(at) + 1);
}

/* A connection that came while the bucket was full may leave an entry that was made since: what the bucket
 * holds in all stays right. */
static void open_remove(struct bucket *bucket, uint64_t key)
{
    unsigned entry = entry_find(bucket, key);
    _Atomic uint32_t *at = entry < BUCKET_SIZE ? &bucket->counts[entry] : &bucket->overflow;
    if (count_get(at))
        count_set(at, count_get(at) - 1);
}

static uint64_t open_get(const struct bucket *bucket, uint64_t key)
{
    unsigned entry = entry_find(bucket, key);
    uint64_t overflow = count_get(&bucket->overflow); /* too high for a while, never too low */
    return overflow + (entry < BUCKET_SIZE ? count_get(&bucket->counts[entry]) : 0);
}

/* --- connections within a minute ----------------------------------------------------------------------- */

static bool is_over(const struct rate_bucket *bucket, unsigned entry, uint32_t now_ms)
{
    return now_ms - count_get(&bucket->began[entry]) >= COUNTERS_RATE_MS;
}

/* The key's entry; else one that is over; else the one that came least. */
static unsigned rate_entry(const struct rate_bucket *bucket, uint64_t key, uint32_t now_ms)
{
    unsigned best = 0;
    uint32_t least = UINT32_MAX;
    for (unsigned i = 0; i < BUCKET_SIZE; i++) {
        if (number_get(&bucket->keys[i]) == key)
            return i;
        uint32_t count = is_over(bucket, i, now_ms) ? 0 : count_get(&bucket->counts[i]);
        if (count < least) {
            least = count;
            best = i;
        }
    }
    return best;
}

static void rate_add(struct rate_bucket *bucket, uint64_t key, uint32_t now_ms)
{
    unsigned entry = rate_entry(bucket, key, now_ms);
    if (number_get(&bucket->keys[entry]) != key || is_over(bucket, entry, now_ms)) {
        count_set(&bucket->counts[entry], 0);
        number_set(&bucket->keys[entry], key);
        count_set(&bucket->began[entry], now_ms);
    }
    count_set(&bucket->counts[entry], count_get(&bucket->counts[entry]) + 1);
}

static void rate_remove(struct rate_bucket *bucket, uint64_t key)
{
    for (unsigned i = 0; i < BUCKET_SIZE; i++)
        if (number_get(&bucket->keys[i]) == key && count_get(&bucket->counts[i]))
            count_set(&bucket->counts[i], count_get(&bucket->counts[i]) - 1);
}

static uint64_t rate_get(const struct rate_bucket *bucket, uint64_t key, uint32_t now_ms)
{
    for (unsigned i = 0; i < BUCKET_SIZE; i++)
        if (number_get(&bucket->keys[i]) == key)
            return is_over(bucket, i, now_ms) ? 0 : count_get(&bucket->counts[i]);
    return 0;
}

/* --- both ---------------------------------------------------------------------------------------------- */

static void value_add(struct page *page, enum counter counter, int64_t difference)
{
    number_set(&page->values[counter], number_get(&page->values[counter]) + (uint64_t)difference);
}

static void host_add(const struct counters *counters, struct page *page, uint64_t host_key, uint64_t now_ms)
{
    uint32_t host = bucket_index(counters, host_key);
    uint64_t network_key = counters_network_key(host_key);
    open_add(&page->hosts[host], host_key);
    rate_add(&page->rates[host], host_key, (uint32_t)now_ms);
    if (!network_key)
        return;
    uint32_t network = bucket_index(counters, network_key);
    open_add(&page->networks[network], network_key);
    rate_add(&page->rates[network], network_key, (uint32_t)now_ms);
}

static void host_remove(const struct counters *counters, struct page *page, uint64_t host_key)
{
    uint64_t network_key = counters_network_key(host_key);
    open_remove(&page->hosts[bucket_index(counters, host_key)], host_key);
    if (network_key)
        open_remove(&page->networks[bucket_index(counters, network_key)], network_key);
}

void counters_connected(struct counters *counters, unsigned slot, uint64_t host_key, uint64_t now_ms)
{
    struct page *page = page_of(counters, slot);
    value_add(page, COUNTER_CONNECTIONS, 1);
    value_add(page, COUNTER_ACCEPTED, 1);
    host_add(counters, page, host_key, now_ms);
}

void counters_moved(struct counters *counters, unsigned slot, uint64_t from_key, uint64_t to_key,
                    uint64_t now_ms)
{
    struct page *page = page_of(counters, slot);
    uint64_t network_key = counters_network_key(from_key);
    host_remove(counters, page, from_key);
    rate_remove(&page->rates[bucket_index(counters, from_key)], from_key);
    if (network_key)
        rate_remove(&page->rates[bucket_index(counters, network_key)], network_key);
    host_add(counters, page, to_key, now_ms);
}

void counters_disconnected(struct counters *counters, unsigned slot, uint64_t host_key)
{
    struct page *page = page_of(counters, slot);
    value_add(page, COUNTER_CONNECTIONS, -1);
    host_remove(counters, page, host_key);
}

uint64_t counters_host(const struct counters *counters, uint64_t host_key)
{
    uint32_t index = bucket_index(counters, host_key);
    uint32_t slots = atomic_load_explicit(&counters->slots, memory_order_relaxed);
    uint64_t sum = 0;
    for (uint32_t slot = 0; slot < slots; slot++)
        sum += open_get(&counters->pages[slot].hosts[index], host_key);
    return sum;
}

void counters_look(const struct counters *counters, uint64_t host_key, uint64_t now_ms,
                   struct counters_place *ret_place)
{
    uint64_t network_key = counters_network_key(host_key);
    uint32_t host = bucket_index(counters, host_key), network = bucket_index(counters, network_key);
    uint32_t slots = atomic_load_explicit(&counters->slots, memory_order_relaxed);
    struct counters_place place = {.host_used = counters_host(counters, host_key)};
    for (uint32_t slot = 0; slot < slots; slot++) {
        const struct page *page = &counters->pages[slot];
        place.host_rate += rate_get(&page->rates[host], host_key, (uint32_t)now_ms);
        if (!network_key)
            continue;
        place.network_used += open_get(&page->networks[network], network_key);
        place.network_rate += rate_get(&page->rates[network], network_key, (uint32_t)now_ms);
    }
    if (!network_key) {
        place.network_used = place.host_used;
        place.network_rate = place.host_rate;
    }
    *ret_place = place;
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
