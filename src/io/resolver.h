/* Questions to name servers, for a process with a loop: A, AAAA, PTR, MX, TXT (wire/dns.h), over c-ares.
 *
 * Equal questions under way are asked once. Answers are kept as long as they say, what is not there as long
 * as its SOA says (RFC 2308), failures for a moment; the oldest of what is kept goes first when there is too
 * much. A question has an answer within the deadline, whatever the servers do:
 *
 * - A server that does not answer in a quarter of the deadline is followed by the next, or asked again; three
 *   times in all, or once more than there are servers.
 * - Where none answers, the resolver falls silent after three such failures and one question of its own that
 *   nobody answers either: then every question fails at once, until that question of its own is answered. It
 *   is asked each five seconds.
 * - Answers with another id, to another question or from another address are counted and otherwise ignored.
 * - What was cut short is asked for by TCP.
 * - A server that invents addresses for names that do not exist is found by asking for names that cannot;
 *   answers that consist of the invented addresses then count as "no such name".
 *
 * The names localhost, invalid and onion (RFC 6761, 7686) and all below are answered here. */
#ifndef IO_RESOLVER_H
#define IO_RESOLVER_H

#include "base/error.h"
#include "base/list.h"
#include "core/ask.h"
#include "io/loop.h"
#include "wire/dns.h"

struct resolver;

#define RESOLVER_SERVERS 4

enum resolver_state { RESOLVER_WORKS, RESOLVER_SILENT, RESOLVER_REWRITES };

struct resolver_settings {
    struct loop *loop;
    struct slice servers; /* "192.0.2.53 [2001:db8::53]:5353"; empty: the system's (resolv.conf) */
    uint64_t deadline_ms;
    size_t cache_octets; /* the most that is kept */
    struct slice probe;  /* a domain below which names are made up to find inventing servers; empty: none */
    /* A change, told once; may be NULL. The reason is good for the call. */
    void (*tell)(void *data, enum resolver_state state, const char *reason);
    void *data;
};

struct resolver_answer {
    enum answer_status status; /* FOUND, NONE ("no such name", "no such data") or FAILED and why */
    struct slice value;        /* as dns_answer has it; good for the call */
    bool gone;                 /* FAILED, since nobody answered: not the server's own word */
};

/* Part of its owner's struct. */
struct resolver_waiter {
    struct link link;
    void (*done)(struct resolver_waiter *waiter, const struct resolver_answer *answer);
};

struct resolver_counts {
    uint64_t asked;     /* questions that came */
    uint64_t cached;    /* of them answered from what was kept, or known without asking */
    uint64_t merged;    /* that joined one under way */
    uint64_t sent;      /* questions sent, again and again included */
    uint64_t answered;  /* by a server, whatever it said */
    uint64_t failed;    /* that ended without a usable answer, the deadline included */
    uint64_t strays;    /* answers to what was not asked */
    uint64_t cut;       /* answers that were cut short */
    uint64_t rewritten; /* invented addresses that were taken for none */
    uint64_t took_us;   /* the sum over `answered` */
    size_t kept;        /* answers in the cache */
    size_t kept_octets;
    size_t under_way;
    enum resolver_state state;
};

/* The servers that the text names, the system's where it is empty. Negative with *error: none, or not
 * rightly. */
int resolver_servers(struct slice servers, struct address ret_servers[RESOLVER_SERVERS], size_t *ret_count,
                     struct error *error);
/* NULL with *error: no server is named rightly, or the system refuses. */
struct resolver *resolver_open(const struct resolver_settings *settings, struct error *error);
/* Nobody who waits is told. NULL is taken. */
void resolver_close(struct resolver *resolver);

/* True: *ret_answer is the answer, good until the next call. False: it will come to waiter->done, once, from
 * the loop. The name may end in a dot and in any case of letters; one that cannot be in the DNS does not
 * exist. */
bool resolver_ask(struct resolver *resolver, enum dns_type type, struct slice name,
                  struct resolver_waiter *waiter, struct resolver_answer *ret_answer);
/* The answer is not wanted any more. A waiter that does not wait is taken. */
void resolver_forget(struct resolver_waiter *waiter);

/* Whether all servers are at home (address_is_special): they may know what special addresses stand for. */
bool resolver_is_local(const struct resolver *resolver);
void resolver_counts(const struct resolver *resolver, struct resolver_counts *ret_counts);

#endif
