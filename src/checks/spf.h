/* What a domain's SPF record says of a client: check_host() of RFC 7208 section 4, asked for by turn_ask and
 * run again from its top whenever an answer has come. */
#ifndef CHECKS_SPF_H
#define CHECKS_SPF_H

#include "core/check.h"
#include "wire/spf.h"

#define SPF_LOOKUPS_MAX     10u  /* terms that ask something (section 4.6.4) */
#define SPF_VOIDS_MAX       2u   /* of these, terms whose answer was that there is nothing */
#define SPF_NAMES_MAX       10u  /* MX names of one term; names of the client that are looked at */
#define SPF_EXPLANATION_MAX 400u /* octets */

struct spf_query {
    struct slice local; /* of the sender; empty: postmaster (section 4.3) */
    struct slice domain;
    struct slice helo;
    struct slice receiver;         /* our name */
    const struct address *address; /* the client's */
    uint64_t unix_seconds;
};

/* The slices live as long as the turn. */
struct spf_verdict {
    enum spf_result result;
    struct slice mechanism; /* the term that decided; empty: none did */
    struct slice problem;   /* with temperror and permerror: what is wrong, in words */
    char explanation[SPF_EXPLANATION_MAX];
    size_t explanation_len; /* with fail, where the domain gives an explanation; printable ASCII */
};

/* CHECK_WAIT: an answer is awaited; *ret_verdict says nothing then. */
enum check_result spf_evaluate(struct turn *turn, const struct spf_query *query,
                               struct spf_verdict *ret_verdict);

#endif
