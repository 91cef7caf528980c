/* What is kept of an attempt for a while: who it was and what it tried, as numbers that can be compared at
 * once.
 *
 * Texts are told apart by hashes under a secret seed, so that nobody can make two that look alike to us. A
 * zero means absent: it neither matches nor contradicts. */
#ifndef WATCH_TRACE_H
#define WATCH_TRACE_H

#include "watch/attempt.h"

/* Times further from 1970 are cut to this, so that spans can be added to them. */
#define TRACE_TIME_MAX (INT64_C(1) << 60)

enum trace_flag {
    TRACE_HAS_PTR = 1u << 0,
    TRACE_HAS_SPF = 1u << 1,
    TRACE_NAMED = 1u << 2,    /* confirmed name that is not generic: given by a person */
    TRACE_NULL = 1u << 3,     /* the null sender */
    TRACE_TUNNEL = 1u << 4,   /* through an open web proxy */
    TRACE_TIMED = 1u << 5,    /* duration_ms is known */
    TRACE_GAVE_UP = 1u << 6,  /* or it is not known whether */
    TRACE_ENVELOPE = 1u << 7, /* it had a sender and recipients */
    TRACE_HELO_TELLS = 1u << 8,
    TRACE_GOOD = 1u << 9 /* most of what came from its host or pool was taken */
};

enum trace_chain { CHAIN_MESSAGE, CHAIN_BODY, CHAIN_HOST, CHAIN_NET, CHAIN_TARGET, CHAINS };

struct host_key {
    uint64_t high; /* IPv4 mapped; IPv6: the /64 */
    uint64_t low;
};

struct trace {
    uint64_t id; /* of the session */
    int64_t start_ms;
    uint32_t duration_ms;
    uint32_t envelope;
    struct host_key host;
    uint64_t chain[CHAINS]; /* keys: sender's domain and recipients; body; host; /22 or /48; target */
    uint64_t sender;        /* exact */
    uint32_t shape;         /* of the sender, its domain included */
    uint32_t octets;        /* of the message, or as declared */
    uint32_t helo;          /* its shape */
    uint32_t print;         /* fingerprint */
    uint32_t pool;          /* registered domain of the confirmed name */
    uint32_t passes;        /* domain whose SPF passes */
    uint32_t as_number;
    uint32_t campaign; /* number of the slot + 1 that it belongs to; 0: none */
    uint16_t tried;
    uint16_t unknown;
    uint16_t flags;  /* enum trace_flag */
    uint8_t verdict; /* enum attempt_verdict */
    uint8_t family;  /* enum address_family */
};

/* Fills all but campaign; of an attempt that was taken no more than who it was and which message it
 * brought. */
void trace_make(const struct attempt *attempt, uint64_t seed, struct trace *ret_trace);

static inline bool trace_is(const struct trace *trace, unsigned flags)
{
    return (trace->flags & flags) == flags;
}

static inline bool host_key_equal(struct host_key a, struct host_key b)
{
    return a.high == b.high && a.low == b.low;
}

/* The key of an address, and the address (IPv6: its /64) of a key. */
struct host_key host_key_of(const struct address *address);
struct address host_key_address(struct host_key key, enum address_family family);
uint64_t host_key_hash(struct host_key key, uint64_t seed);

static inline int64_t trace_end_ms(const struct trace *trace)
{
    return trace->start_ms + trace->duration_ms;
}

/* Whether it was turned away, for good or by breaking the session. */
bool trace_is_refused(const struct trace *trace);
/* Whether it speaks for a pattern: refused, or deferred and given up by a host that nobody has named. A mail
 * server that is deferred does what it has to. */
bool trace_is_evidence(const struct trace *trace);

/* Whether both try to bring the same message: sender (as it is, or made up alike), recipients, and one thing
 * more; or the same body. A size that differs by more than 5 % contradicts the former. */
bool trace_same_message(const struct trace *a, const struct trace *b);
/* Whether sizes are known of both, and are within 5 %. */
bool trace_same_size(const struct trace *a, const struct trace *b);
bool trace_same_sender(const struct trace *a, const struct trace *b);
/* One thing more than sender and recipients, and no size that contradicts. */
bool trace_same_more(const struct trace *a, const struct trace *b);

/* Whether the hosts of both belong together: the same network (/24, /48), PTR domain or SPF domain, or both
 * named and of one AS (where an AS is not known: one /16 or /32). */
bool trace_related(const struct trace *a, const struct trace *b);

#define TRACE_GROUP_MAX 64u

/* The groups of related hosts among some traces, TRACE_GROUP_MAX at most. */
struct trace_groups {
    uint8_t of[TRACE_GROUP_MAX];  /* each trace's group, by the number of its first */
    bool counts[TRACE_GROUP_MAX]; /* whether the group of that number speaks for a pattern */
    unsigned counted;             /* groups that do */
};

/* A group counts where it has evidence, nothing of it is in good standing, and one of it is sure. Not sure is
 * a host whose name or SPF is not known this time while others of these traces have such. */
void trace_group(const struct trace *const *traces, size_t count, struct trace_groups *ret_groups);

#endif
