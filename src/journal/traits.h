/* What a session is found by: its traits, each a kind and a key, made from its events.
 *
 * Addresses are four or sixteen octets, so that a network is a range of keys. Names and mailboxes are in
 * lower case and stand back to front, so that all that ends in ".example.org", or belongs to a domain, is a
 * range, too: "joe@mx.example.org" is "gro.elpmaxe.xm@eoj". Numbers are four octets, the highest first.
 *
 * A session that the archivist takes in and one that `sessions` finds by reading the journal are described by
 * the same code, and so found by the same words. */
#ifndef JOURNAL_TRAITS_H
#define JOURNAL_TRAITS_H

#include "base/buf.h"
#include "core/event.h"

/* Stored in the history: numbers are never used twice. */
enum trait {
    TRAIT_ADDRESS = 1,
    TRAIT_PTR = 2,       /* the confirmed name */
    TRAIT_HELO = 3,      /* the last one */
    TRAIT_SENDER = 4,    /* each reverse-path; the null sender has an empty key */
    TRAIT_RECIPIENT = 5, /* each forward-path, refused or not */
    TRAIT_FINDING = 6,
    TRAIT_VERDICT = 7, /* the gravest that was done */
    TRAIT_REPLY = 8,   /* the number of each negative reply */
    TRAIT_CAMPAIGN = 9 /* of a filter alone: sessions are told of it later, see day.h */
};
#define TRAIT_KINDS   10
#define TRAIT_KEY_MAX 256u  /* octets; of longer texts the first are kept */
#define TRAITS_MOST   1000u /* of one session; beyond it no more are taken */

struct traits {
    uint64_t session;
    uint64_t verdict;
    struct buf keys;
    uint32_t count;
    bool opened; /* its beginning was seen */
    bool ended;
};

void traits_init(struct traits *traits, uint64_t session);
void traits_drop(struct traits *traits);
/* Whether events of that kind matter: others need not be given. */
bool traits_want(enum event_kind kind);
/* Any event of the session, in any order but for the last; one that was given already adds nothing. */
void traits_take(struct traits *traits, const struct event *event);
/* Walks them: start with *at = 0. The key lives as long as the traits do not change. */
bool traits_next(const struct traits *traits, size_t *at, enum trait *ret_kind, struct slice *ret_key);
bool traits_have(const struct traits *traits, enum trait kind, struct slice key);

/* Keys as they are stored; each returns its length. */
size_t trait_key_text(struct slice text, char key[TRAIT_KEY_MAX]);
size_t trait_key_number(uint64_t number, char key[TRAIT_KEY_MAX]);
size_t trait_key_address(const struct address *address, char key[TRAIT_KEY_MAX]);

#endif
