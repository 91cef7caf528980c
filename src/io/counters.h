/* Counters that processes share: each gate writes a page of its own, readers add up. No locks; a reading may
 * be a moment old.
 *
 * The memory is made by the supervisor before it starts the gates (inherited, anonymous). Connections per
 * host (IPv4 by address, IPv6 by /64) and per network (IPv4 by /24) are kept in tables of fixed size: eight
 * keys to a bucket. Where a bucket is full, further keys of it share one count, so that a host may be counted
 * too high for a while, never too low. How many connections began within a minute is kept likewise, but there
 * a key that came seldom makes room, and may be counted too low. */
#ifndef IO_COUNTERS_H
#define IO_COUNTERS_H

#include "base/address.h"
#include "base/error.h"
#include "io/loop.h"

#define COUNTERS_SLOTS 128 /* gates at one time, with those that drain after a reload */

enum counter {
    COUNTER_CONNECTIONS,               /* open now */
    COUNTER_MEMORY,                    /* octets in use */
    COUNTER_CONN_SIZE,                 /* octets of an idle connection by the code's own count */
    COUNTER_DNS_STATE,                 /* 0 no resolver, else 1 and enum resolver_state */
    COUNTER_DNS_KEPT,                  /* answers that are kept */
    COUNTER_DNS_OCTETS,                /* memory that they take */
    COUNTER_GAUGES,                    /* those before are states; those behind only grow */
    COUNTER_ACCEPTED = COUNTER_GAUGES, /* connections since the start */
    COUNTER_REFUSED,                   /* of them refused for want of slots, memory or descriptors */
    COUNTER_MESSAGES,                  /* stored or relayed */
    COUNTER_EVENTS_LOST,               /* the journal could not keep up */
    COUNTER_DNS_ASKED,                 /* questions for name servers (struct resolver_counts tells more) */
    COUNTER_DNS_CACHED,                /* of them answered from memory */
    COUNTER_DNS_MERGED,                /* that shared one under way */
    COUNTER_DNS_SENT,                  /* datagrams to name servers */
    COUNTER_DNS_ANSWERED,              /* answers from name servers */
    COUNTER_DNS_FAILED,                /* questions without a usable answer */
    COUNTER_DNS_STRAYS,                /* answers that nobody asked for */
    COUNTER_DNS_CUT,                   /* answers cut short */
    COUNTER_DNS_REWRITTEN,             /* invented addresses, taken for none */
    COUNTER_DNS_TOOK_US,               /* microseconds that the answers took, together */
    COUNTER_LAG, /* and as many behind it as loop.h has classes: microseconds in turns of that length */
    COUNTER_LIMIT = COUNTER_LAG + LOOP_LAG_CLASSES
};

/* Of one blocklist. */
enum list_counter {
    LIST_CONDITION, /* 0: there is no such list; blocklist_condition_pack */
    LIST_ASKED,     /* as in struct blocklist_counts */
    LIST_LISTED,
    LIST_FAILED,
    LIST_WAITED,
    LIST_TOOK_US,
    LIST_COUNTER_LIMIT
};

#define COUNTERS_LISTS 16
#define COUNTERS_FILES 4 /* of origins */

const char *counter_word(enum counter counter); /* "connections" */

struct counters;

/* `seed` is secret and random: strangers choose the hosts. NULL with *error filled when there is no memory.
 */
struct counters *counters_open(uint64_t seed, struct error *error);
void counters_close(struct counters *counters); /* NULL is taken */

void counters_add(struct counters *counters, unsigned slot, enum counter counter, int64_t difference);
void counters_set(struct counters *counters, unsigned slot, enum counter counter, uint64_t value);
uint64_t counters_get(const struct counters *counters, unsigned slot, enum counter counter);
/* Over all slots; what only grows includes slots that were cleared. */
uint64_t counters_sum(const struct counters *counters, enum counter counter);

/* The wait that was not passed in so many of a hundred busy moments, as the bound of its class, or 10 s for
 * the last one; 0: there were none. */
uint64_t counters_lag_us(const struct counters *counters, unsigned slot, unsigned percent);

/* The same for the blocklist at that place in the configuration. */
void counters_list_set(struct counters *counters, unsigned slot, unsigned list, enum list_counter counter,
                       uint64_t value);
uint64_t counters_list_get(const struct counters *counters, unsigned slot, unsigned list,
                           enum list_counter counter);

/* What gates have said of the services that they share, so that each thing is said once: the value that was
 * there, 0 at first. Subjects are numbers below COUNTERS_SUBJECTS. */
#define COUNTERS_SUBJECTS (1 + COUNTERS_LISTS + COUNTERS_FILES)
uint64_t counters_say(struct counters *counters, unsigned subject, uint64_t value);

#define COUNTERS_RATE_MS 60000

/* A connection came or went. The key names the host; keep it until the connection goes or moves. `now_ms` is
 * a clock that never goes back, the same in all processes. */
uint64_t counters_host_key(const struct address *address);
/* That of the host's network; 0: the host is a network of its own (IPv6, loopback). */
uint64_t counters_network_key(uint64_t host_key);
void counters_connected(struct counters *counters, unsigned slot, uint64_t host_key, uint64_t now_ms);
/* A connection counts for another host from now on, as if it had come from there: a front has named it. */
void counters_moved(struct counters *counters, unsigned slot, uint64_t from_key, uint64_t to_key,
                    uint64_t now_ms);
void counters_disconnected(struct counters *counters, unsigned slot, uint64_t host_key);
uint64_t counters_host(const struct counters *counters, uint64_t host_key); /* open connections, all gates */

/* Of all gates. What is said of the network holds for the host where that is a network of its own. */
struct counters_place {
    uint64_t host_used, network_used; /* connections that are open */
    uint64_t host_rate, network_rate; /* that began within the minute */
};

void counters_look(const struct counters *counters, uint64_t host_key, uint64_t now_ms,
                   struct counters_place *ret_place);

/* By the supervisor when the gate of that slot has ended: its states become 0, what grows is kept for the
 * sums. */
void counters_clear(struct counters *counters, unsigned slot);

#endif
