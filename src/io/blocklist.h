/* Lists of addresses that are asked by DNS (RFC 5782), over a resolver: which codes a list has for an
 * address, and its reason.
 *
 * A list is believed only while it shows that it is one: 127.0.0.2 must be listed and 127.0.0.1 must not
 * (RFC 5782 section 5; for a list of IPv6 alone ::ffff:7f00:2 and ::ffff:7f00:1). That is asked at the start,
 * from time to time, and when answers fail three times in a row. Questions that come before the first such
 * probe is over wait for it. A list that fails it is switched off: its questions fail at once, with the
 * reason, until a later probe finds it well. Where no name server answers at all, that is the resolver's news
 * and no list's: nothing is switched off then.
 *
 * An answer that holds an error (127.255.255.0/24, or anything outside 127.0.0.0/8) is never a listing. Zones
 * appear nowhere but in the questions to name servers: they may hold a key. */
#ifndef IO_BLOCKLIST_H
#define IO_BLOCKLIST_H

#include "io/resolver.h"
#include "wire/dnsbl.h"

struct blocklist_item;
struct blocklists;

#define BLOCKLIST_VALUE_MAX 512 /* octets of an answer: codes, LF, reason */

struct blocklist_settings {
    struct slice name; /* as people see it: no blank in it */
    struct slice zone;
    bool reasons; /* its TXT records are asked for */
    bool probes;  /* false: it has no test entries, and is believed */
    bool ipv4, ipv6;
};

struct blocklists_settings {
    struct loop *loop;
    struct resolver *resolver;
    const struct blocklist_settings *lists;
    size_t count;
    uint64_t probe_each_ms; /* while a list is well */
    uint64_t retry_ms;      /* while it is switched off */
    /* A list was switched off, or is believed again; may be NULL. The reason is good for the call. */
    void (*tell)(void *data, size_t list, bool works, const char *reason);
    void *data;
};

enum blocklist_state {
    BLOCKLIST_UNPROVED, /* the first probe is not over, or nobody answered to it */
    BLOCKLIST_WORKS,
    BLOCKLIST_OFF
};

/* Why a list is switched off. */
enum blocklist_trouble {
    BLOCKLIST_NO_TROUBLE,
    BLOCKLIST_UNANSWERED, /* its name servers do not answer, or with a failure */
    BLOCKLIST_EMPTY,      /* its test entry is not listed */
    BLOCKLIST_EVERYTHING, /* what must not be listed is */
    BLOCKLIST_ERROR,      /* it answers with an error, `code` */
    BLOCKLIST_OUTSIDE     /* its answer is no return code: `code` */
};

struct blocklist_counts {
    uint64_t asked;   /* questions */
    uint64_t listed;  /* of them answered: listed */
    uint64_t failed;  /* answered: error, no answer, or the list is switched off */
    uint64_t waited;  /* for which name servers had to be asked */
    uint64_t took_us; /* the sum over `waited`, without the reason */
    enum blocklist_state state;
    enum blocklist_trouble trouble;
    struct address code;
};

#define BLOCKLIST_WORDS_MAX 160
/* The trouble as a sentence without subject: "lists 127.0.0.1, which must not be listed (RFC 5782)". */
struct slice blocklist_trouble_words(enum blocklist_trouble trouble, const struct address *code,
                                     char room[BLOCKLIST_WORDS_MAX]);

/* State, trouble and code in one number, which is never 0. */
uint64_t blocklist_condition_pack(const struct blocklist_counts *counts);
/* The other way; nothing else is changed. False: the number is 0. */
bool blocklist_condition_unpack(uint64_t condition, struct blocklist_counts *ret_counts);

/* Part of its owner's struct. */
struct blocklist_waiter {
    void (*done)(struct blocklist_waiter *waiter, const struct resolver_answer *answer);
    /* the list's own */
    struct resolver_waiter asks;
    struct link link;
    struct blocklist_item *list;
    struct address address;
    uint64_t asked_us;
    char codes[BLOCKLIST_VALUE_MAX - DNSBL_REASON_MAX - 1];
    uint16_t codes_len;
};

/* Names and zones are copied. The resolver outlives it. */
struct blocklists *blocklists_open(const struct blocklists_settings *settings);
void blocklists_close(struct blocklists *lists); /* nobody who waits is told; NULL is taken */

/* True: *ret_answer is the answer, good until the next call. False: it will come to waiter->done, once, from
 * the loop. FOUND: the return codes parted by blanks, then, where the list gives one, LF and its reason; NONE
 * and empty: not listed, or the list has none of the family; FAILED and why, also for a name that is no
 * list's. */
bool blocklists_ask(struct blocklists *lists, struct slice name, const struct address *address,
                    struct blocklist_waiter *waiter, struct resolver_answer *ret_answer);
void blocklists_counts(const struct blocklists *lists, size_t list, struct blocklist_counts *ret_counts);

#endif
