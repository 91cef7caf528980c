/* What the resolver's files share: not for others.
 *
 * resolver.c takes questions and gives answers, resolver_cache.c keeps entries, resolver_channel.c is c-ares
 * and the sockets, resolver_health.c finds out what the servers are worth. */
#ifndef IO_RESOLVER_PART_H
#define IO_RESOLVER_PART_H

#include "base/arena.h"
#include "base/random.h"
#include "base/table.h"
#include "io/resolver.h"

#include <ares.h>

#define UNDER_WAY_MAX     8192u
#define FAILED_KEEP_MS    2000u /* RFC 9520 section 3.2: a failure is kept, for a moment */
#define NO_SOA_KEEP_MS    5000u
#define SILENT_AFTER      3u
#define ALIVE_EACH_MS     5000u
#define INVENTED_MAX      8u
#define INVENTS_EACH_MS   3600000u
#define INVENTS_FAILED_MS 60000u
#define IDS               128u
#define PROBE_MAX         200u /* octets of settings.probe */

/* One question: under way, kept, or both while it is asked anew. */
struct entry {
    struct link recent;  /* of those kept, the least recently used first */
    struct link to_send; /* at the end of this turn */
    struct link waiters; /* struct resolver_waiter */
    struct loop_timer deadline;
    struct resolver *resolver;
    char *value; /* NULL where empty */
    uint32_t value_len;
    uint32_t size; /* octets it counts as, the value included */
    uint64_t until_ms;
    uint64_t sent_us;
    uint16_t id;
    uint8_t type;   /* enum dns_type */
    uint8_t status; /* enum answer_status; PENDING: no answer is kept */
    uint8_t server; /* that it was last sent to */
    uint8_t sent;   /* how often */
    bool asking;    /* it is under way: sent, or to be sent */
    bool own;       /* the resolver's own: asked while silent, too */
    uint16_t key_len;
    char key[]; /* the type's octet and the name */
};

/* A socket of c-ares'. */
struct channel_socket {
    struct link link;
    struct loop_watch watch;
    struct channel *channel;
};

struct channel {
    struct resolver *resolver;
    ares_channel ares; /* with one server */
    struct address address;
    struct link sockets;
};

struct health {
    enum resolver_state state;
    unsigned failures; /* in a row, since a server was last heard */
    uint64_t strays;   /* at the beginning of the row */
    struct loop_timer alive_timer;
    struct resolver_waiter alive;
    struct loop_timer invents_timer;
    struct resolver_waiter invents[2]; /* A, AAAA */
    char invented[INVENTED_MAX][ADDRESS_TEXT_SIZE];
    size_t invented_count;
    bool asks_alive;
};

struct resolver {
    struct resolver_settings settings;
    struct loop *loop;
    struct loop_hook hook;  /* sends what was asked in this turn */
    struct loop_timer tick; /* while questions are under way: c-ares looks at its times */
    struct channel channels[RESOLVER_SERVERS];
    size_t channel_count;
    size_t preferred; /* the server that is asked first */
    struct table entries;
    struct table by_id; /* those that have an id */
    struct link recent;
    struct link to_send;
    struct arena scratch; /* of the answer at hand */
    struct random random;
    uint16_t ids[IDS]; /* drawn in advance */
    size_t ids_left;
    struct health health;
    struct resolver_counts counts;
    char probe[PROBE_MAX + 1];
    bool local;
    bool closing;
};

/* --- resolver.c */
/* The server's packet, or SLICE_NONE and why there is none. */
void entry_answered(struct entry *entry, struct slice packet, const char *trouble);
struct resolver_answer entry_answer(const struct entry *entry);
static inline struct slice entry_name(const struct entry *entry)
{
    return slice_of(entry->key + 1, entry->key_len - 1u);
}

/* --- resolver_cache.c */
struct entry *cache_get(struct resolver *resolver, enum dns_type type, struct slice name);
struct entry *cache_new(struct resolver *resolver, enum dns_type type, struct slice name);
/* The answer is kept from now on. */
void cache_keep(struct entry *entry, enum answer_status status, struct slice value, uint64_t keep_ms);
void cache_used(struct entry *entry);
void cache_remove(struct entry *entry);
/* The oldest go, until the rest fits. Nobody may hold an answer. */
void cache_trim(struct resolver *resolver);

/* --- resolver_channel.c */
int channels_open(struct resolver *resolver, struct error *error);
void channels_close(struct resolver *resolver);
void entry_send(struct entry *entry);
uint64_t clock_us(void);

/* --- resolver_health.c */
void health_begin(struct resolver *resolver);
void health_end(struct resolver *resolver);
void health_heard(struct resolver *resolver);
void health_failed(struct resolver *resolver);
/* Whether all of these addresses are invented ones. */
bool health_is_invented(const struct resolver *resolver, struct slice addresses);

#endif
