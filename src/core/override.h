/* Overrides: what the configuration says for some clients, senders or recipients.
 *
 * An override matches when each of its criteria does; of the values of one criterion one is enough. Where
 * several match, each setting comes from the most specific one that has it: the one with more criteria, and
 * among those with equally many the one whose values say more (a longer prefix, an address rather than a
 * domain, a longer name); the later one in the file where even that is equal. An allow beats a block, always.
 */
#ifndef CORE_OVERRIDE_H
#define CORE_OVERRIDE_H

#include "core/site.h"

enum override_by {
    OVERRIDE_PTR,       /* the client's confirmed name: "mx.example.org", or ".example.org" for all below */
    OVERRIDE_HELO,      /* likewise */
    OVERRIDE_SENDER,    /* "a@example.org", "example.org", ".example.org"; "<>": the null sender */
    OVERRIDE_RECIPIENT, /* likewise, without "<>" */
    OVERRIDE_AUTHENTICATED, /* the domain that SPF has confirmed */
    OVERRIDE_AS,            /* the number of the client's autonomous system: "64500" */
    OVERRIDE_COUNTRY,       /* where that is registered: "NL" */
    OVERRIDE_FINGERPRINT,   /* how its TCP began: a signature as wire/syn_match.h has it */
    OVERRIDE_BY_COUNT
};

const char *override_by_word(unsigned by); /* "ptr"; NULL: there is none */

struct names {
    struct slice *items;
    size_t count;
};

struct override {
    struct slice name; /* "FILE:LINE" */
    struct networks networks;
    struct names by[OVERRIDE_BY_COUNT];
    struct rule_change *changes;
    size_t change_count;
    struct slice words; /* of the block, for the client */
    bool allow;         /* nothing that may be forgiven counts */
    bool block;
    bool known;   /* the client counts as known */
    bool observe; /* everything is recorded, nothing is acted on */
};

/* Who is looked at; empty: not known (yet). */
struct subject {
    const struct address *peer;
    struct slice by[OVERRIDE_BY_COUNT];
    bool null_sender;
    const struct subject
        *behind; /* a client behind a forwarder, or NULL: what matches one of both, matches */
};

#define STANCE_MAX 16 /* of more that match the least specific are left out */

/* What the overrides say of one subject. */
struct stance {
    const struct override *matched[STANCE_MAX]; /* the most specific last */
    uint32_t precision[STANCE_MAX];
    size_t count;
    const struct override *allow; /* NULL: none does */
    const struct override *block; /* NULL: none does, or one allows */
    bool known;
    bool observe;
};

/* Notes what the site must know beforehand of its overrides, once they are all there. */
void overrides_note(struct site *site);
bool override_matches(const struct override *override, const struct subject *subject,
                      uint32_t *ret_precision);
void stance_make(const struct site *site, const struct subject *subject, struct stance *ret_stance);
/* The rule in force for the finding. */
struct rule stance_rule(const struct site *site, const struct stance *stance, enum finding finding);
/* Whether any configuration of the site lets the finding be recorded at all. */
bool site_wants(const struct site *site, enum finding finding);

#endif
