/* What is remembered of hosts and of those they belong to: how much of theirs was taken and how much turned
 * away.
 *
 * Tables of a fixed size. Where the places that a key may stand at are all taken, the one that tells least
 * makes room: the fewest attempts, and among those the oldest. Hosts that are in an open campaign stay. */
#ifndef WATCH_HOSTS_H
#define WATCH_HOSTS_H

#include "watch/trace.h"

struct host_record {
    struct host_key key; /* both 0: an empty place */
    uint32_t pool;       /* as last seen, as in struct trace */
    uint32_t passes;
    uint32_t as_number;
    uint32_t last_s;   /* seconds since 1970 */
    uint32_t campaign; /* slot + 1 of the open campaign it is in; 0: none */
    uint16_t accepted;
    uint16_t refused;
    uint8_t family;
    uint8_t flags; /* TRACE_NAMED, TRACE_HAS_PTR of the newest */
};

/* Taken and turned away, of a PTR domain, an SPF domain or a /24. */
struct standing {
    uint32_t key; /* 0: an empty place */
    uint16_t accepted;
    uint16_t refused;
};

struct hosts {
    struct host_record *records;
    uint32_t size; /* a power of two */
    uint32_t used;
    struct standing *standings;
    uint32_t standing_size;
};

void hosts_init(struct hosts *hosts, uint32_t size); /* places for hosts, a power of two, 1024 or more */
void hosts_done(struct hosts *hosts);
/* Finds the host, or makes its record. `hash` is host_key_hash of it. NULL: all its places are taken by hosts
 * in campaigns. */
struct host_record *hosts_take(struct hosts *hosts, struct host_key key, uint64_t hash, uint32_t now_s);
struct host_record *hosts_find(const struct hosts *hosts, struct host_key key, uint64_t hash); /* or NULL */
struct standing *hosts_standing(struct hosts *hosts, uint32_t key); /* key not 0; found or made */
/* Counts one attempt of that key as taken or turned away; key 0 does nothing. */
void hosts_count(struct hosts *hosts, uint32_t key, bool accepted);
/* Whether most of what came was taken, and not just once or twice. */
bool standing_is_good(uint32_t accepted, uint32_t refused);
bool hosts_are_good(const struct hosts *hosts, uint32_t key);
bool hosts_were_taken(const struct hosts *hosts, uint32_t key); /* at least once */

#endif
