/* SPF records: their terms, and the domains and texts with macros that stand in them (RFC 7208
 * sections 4.5, 4.6.1, 5, 6, 7 and 12). Grammar only; what the terms mean for a client is
 * checks/spf_evaluate.c. */
#ifndef WIRE_SPF_H
#define WIRE_SPF_H

#include "base/address.h"
#include "base/slice.h"

enum spf_result {
    SPF_NONE,
    SPF_NEUTRAL,
    SPF_PASS,
    SPF_FAIL,
    SPF_SOFTFAIL,
    SPF_TEMPERROR,
    SPF_PERMERROR,
    SPF_RESULT_COUNT
};

const char *spf_result_word(enum spf_result result); /* "softfail" */

/* --- records ------------------------------------------------------------------------------------------ */

enum spf_kind {
    SPF_ALL,
    SPF_INCLUDE,
    SPF_A,
    SPF_MX,
    SPF_PTR,
    SPF_IP4,
    SPF_IP6,
    SPF_EXISTS,
    SPF_REDIRECT,
    SPF_EXP,
    SPF_OTHER /* a modifier that is not known: no effect */
};

struct spf_term {
    enum spf_kind kind;
    enum spf_result qualifier; /* of a mechanism: what it gives where it matches */
    struct slice text;         /* as published */
    struct slice domain;       /* domain-spec, macros not expanded; empty: the current domain */
    struct prefix network;     /* SPF_IP4, SPF_IP6; bits behind the prefix as published */
    uint8_t bits4, bits6;      /* SPF_A, SPF_MX: lengths of the prefix, 32 and 128 where none is given */
};

/* Whether a TXT record is one of SPF's version 1: others are not looked at (section 4.5). */
bool spf_record_is(struct slice text);
/* The terms of a record: what stands behind its version. The text is one that spf_record_is. */
struct slice spf_record_terms(struct slice text);

enum spf_status { SPF_END, SPF_TERM, SPF_BAD };
/* Takes the next term off *terms. SPF_BAD: it breaks the grammar, and *ret_term has only its text. */
enum spf_status spf_term_next(struct slice *terms, struct spf_term *ret_term);

/* --- macros ------------------------------------------------------------------------------------------- */

/* What macros stand for (section 7.2). */
struct spf_values {
    struct slice local;            /* %{l}: of the sender */
    struct slice origin;           /* %{o}: the sender's domain */
    struct slice domain;           /* %{d}: the current domain */
    struct slice helo;             /* %{h} */
    struct slice name;             /* %{p}: a validated name of the client's, or "unknown" */
    struct slice receiver;         /* %{r} */
    const struct address *address; /* %{i}, %{c}, %{v} */
    uint64_t unix_seconds;         /* %{t} */
};

/* Whether the text is a domain-spec, or a macro-string. */
bool spf_domain_spec_is(struct slice text);
bool spf_macro_string_is(struct slice text);
/* Whether the text, a domain-spec or (explanation) an explain-string, has the macro letter (lower case). */
bool spf_macros_have(struct slice text, char letter, bool explanation);

#define SPF_NAME_MAX 253u

/* Expands a domain-spec to a name as one asks DNS for it: lower case, without a final dot, cut to 253 octets
 * by leaving out labels in front (section 7.3). ret_name needs SPF_NAME_MAX octets. False: the result is no
 * name that can be asked for: it has an empty label, one over 63 octets, or octets outside printable ASCII;
 * it is then the same as a name that does not exist (section 4.8). */
bool spf_name_expand(struct slice spec, const struct spf_values *values, char *ret_name, size_t *ret_len);
/* The same for a name that stands as it is. */
bool spf_name_make(struct slice text, char *ret_name, size_t *ret_len);

/* Expands an explain-string into ret_text, cut at `size` octets; what is not printable ASCII becomes `?`.
 * False: the text breaks the grammar (section 6.2). */
bool spf_explanation_expand(struct slice text, const struct spf_values *values, char *ret_text, size_t size,
                            size_t *ret_len);

#endif
