/* Which sessions are wanted: terms that all have to hold, each about one kind of trait, and a span of time.
 *
 * A term is matched against keys as they are stored (journal/traits.h). So the index answers it by ranges of
 * keys, and a session that is read from the journal is judged by the very same term. */
#ifndef JOURNAL_FILTER_H
#define JOURNAL_FILTER_H

#include "journal/traits.h"

enum filter_how {
    FILTER_EXACT,
    FILTER_NAME,    /* this name, or one below it */
    FILTER_BELOW,   /* names below it alone */
    FILTER_DOMAIN,  /* mailboxes of this domain, or of one below it */
    FILTER_NETWORK, /* addresses */
    FILTER_PATTERN  /* * stands for any octets */
};

struct filter_term {
    enum trait kind;
    enum filter_how how;
    unsigned bits; /* NETWORK */
    size_t len;
    char key[TRAIT_KEY_MAX]; /* as stored; a pattern back to front, too */
};

#define FILTER_TERMS 16

struct filter {
    struct filter_term terms[FILTER_TERMS];
    size_t count;
    const uint64_t *members; /* of the campaign that is wanted, ascending; whoever searches finds them */
    size_t member_count;
    int64_t since_us, until_us; /* when the session ended, both included; INT64_MIN and INT64_MAX: any time */
};

void filter_init(struct filter *filter);
/* A mailbox, a domain or a name, whatever the case of letters:
 * "joe@example.org" that mailbox; "example.org" or "@example.org" the domain and those below it, for names
 * the name and those below it; ".example.org" those below it alone; "<>" the null sender; a word without dot
 * and
 * @ is looked for anywhere, and * stands for anything. False: there are too many terms, or the text is empty
 * or too long. */
bool filter_add_text(struct filter *filter, enum trait kind, struct slice text);
bool filter_add_number(struct filter *filter, enum trait kind, uint64_t number);
/* Sessions of a campaign. */
bool filter_add_campaign(struct filter *filter, uint64_t campaign);
bool filter_add_network(struct filter *filter, const struct prefix *network);

bool filter_is_member(const struct filter *filter, uint64_t session);
bool filter_term_matches(const struct filter_term *term, struct slice key);
/* Whether all terms hold for a session that was gathered whole. */
bool filter_matches(const struct filter *filter, const struct traits *traits);
/* What the end alone can tell: false where the session cannot be wanted. */
bool filter_end_matches(const struct filter *filter, const struct event *ended);

/* Keys that a term can match lie in these ranges, both ends included; a pattern's is all of the kind. */
#define FILTER_RANGES 2
struct filter_range {
    size_t low_len, high_len;
    char low[TRAIT_KEY_MAX + 1], high[TRAIT_KEY_MAX + 1];
};
size_t filter_ranges(const struct filter_term *term, struct filter_range ranges[FILTER_RANGES]);

#endif
