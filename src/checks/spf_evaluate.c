/* RFC 7208 section 4.6: the terms of a record, one after the other, until one matches.
 *
 * A record is read once and to its end, since a mistake anywhere spoils it; what it says by itself of the
 * client is found by the way. Recursion stays recursion: it is as deep as include goes, and the limit of
 * look-ups bounds that. */
#include "checks/spf.h"

#include "wire/netstring.h"

#include <stddef.h>

struct name {
    char at[SPF_NAME_MAX];
    size_t len;
};

/* One evaluation, with all that it includes. */
struct spf {
    struct turn *turn;
    struct spf_values values;
    struct spf_verdict *verdict;
    unsigned lookups, voids;
    struct name client_name; /* for %{p}; its len 0: not found out yet */
};

/* What a record says of the client. Terms behind one that surely matches are read, but say nothing; nor do
 * more terms that ask than may. */
struct record {
    struct spf_term asks[SPF_LOOKUPS_MAX + 1]; /* terms that ask, in order */
    size_t ask_count;
    struct spf_term sure;  /* the first that matches without asking; its text is empty: there is none */
    struct slice redirect; /* domain-spec, or empty */
    struct slice exp;      /* likewise */
};

enum match { MATCH_WAIT, MATCH_NO, MATCH_YES, MATCH_TEMPERROR, MATCH_PERMERROR };

static struct slice name_slice(const struct name *name)
{
    return slice_of(name->at, name->len);
}

static const struct ask *ask_name(struct spf *spf, enum ask_kind kind, const struct name *name)
{
    return turn_ask(spf->turn, kind, name_slice(name));
}

static enum ask_kind address_kind(const struct spf *spf)
{
    return spf->values.address->family == ADDRESS_IPV6 ? ASK_ADDRESS6 : ASK_ADDRESS4;
}

/* --- limits and errors --------------------------------------------------------------------------------- */

static enum match broken(struct spf *spf, struct slice text)
{
    spf->verdict->problem = text;
    return MATCH_PERMERROR;
}

static bool lookup_over(struct spf *spf)
{
    return ++spf->lookups > SPF_LOOKUPS_MAX;
}

static enum match lookups_over(struct spf *spf)
{
    return broken(spf, SLICE("more than 10 terms ask for something"));
}

/* A term whose question has the answer that there is nothing matches nothing, and only two may. */
static enum match void_match(struct spf *spf)
{
    return ++spf->voids > SPF_VOIDS_MAX ? broken(spf, SLICE("more than 2 terms name what does not exist"))
                                        : MATCH_NO;
}

static bool has_failed(const struct ask *ask)
{
    return ask->status == ANSWER_FAILED || ask->status == ANSWER_TIMEOUT;
}

static enum match failed(struct spf *spf, const struct ask *ask)
{
    struct slice why = ask->status == ANSWER_TIMEOUT ? SLICE("no answer in time") : ask->value;
    spf->verdict->problem = turn_format(spf->turn, "%.*s: %.*s", SLICE_ARGS(ask->key), SLICE_ARGS(why));
    return MATCH_TEMPERROR;
}

/* --- addresses and names of the client ----------------------------------------------------------------- */

static bool addresses_hold(const struct spf *spf, struct slice list, const struct spf_term *term)
{
    struct slice word;
    while (slice_word(&list, &word)) {
        struct prefix prefix;
        if (!address_parse(word, &prefix.network))
            continue;
        prefix.bits = prefix.network.family == ADDRESS_IPV6 ? term->bits6 : term->bits4;
        if (prefix_contains(&prefix, spf->values.address))
            return true;
    }
    return false;
}

/* Whether the client's name leads back to it; one that cannot be looked up does not (section 5.5). */
static enum match name_confirmed(struct spf *spf, const struct name *name)
{
    static const struct spf_term whole = {.bits4 = 32, .bits6 = 128};
    const struct ask *ask = ask_name(spf, address_kind(spf), name);
    if (!ask)
        return MATCH_WAIT;
    return ask->status == ANSWER_FOUND && addresses_hold(spf, ask->value, &whole) ? MATCH_YES : MATCH_NO;
}

/* How near the name is to the domain: 0 the same, 1 below it, 2 neither. */
static unsigned name_distance(struct slice name, struct slice domain)
{
    if (name.len < domain.len || !slice_equal(slice_from(name, name.len - domain.len), domain))
        return 2;
    if (name.len == domain.len)
        return 0;
    return name.at[name.len - domain.len - 1] == '.' ? 1 : 2;
}

/* The first confirmed name of the client at this distance from the domain. */
static enum match names_search(struct spf *spf, struct slice names, struct slice domain, unsigned distance,
                               struct name *ret_name)
{
    struct slice word;
    for (unsigned i = 0; i < SPF_NAMES_MAX && slice_word(&names, &word); i++) {
        if (!spf_name_make(word, ret_name->at, &ret_name->len) ||
            name_distance(name_slice(ret_name), domain) != distance)
            continue;
        enum match match = name_confirmed(spf, ret_name);
        if (match != MATCH_NO)
            return match;
    }
    return MATCH_NO;
}

/* The client's names; NULL: not here yet. */
static const struct ask *ask_names(struct spf *spf)
{
    char text[ADDRESS_TEXT_SIZE];
    size_t len = address_print(spf->values.address, text);
    return turn_ask(spf->turn, ASK_POINTER, slice_of(text, len));
}

/* %{p} (section 7.3): the domain itself, else a name below it, else any; "unknown" where none is confirmed.
 * It is looked up once, and counts as one look-up. */
static enum match client_name_find(struct spf *spf, struct slice domain)
{
    struct name *name = &spf->client_name;
    const struct ask *ask = ask_names(spf);
    if (!ask)
        return MATCH_WAIT;
    if (name->len)
        return MATCH_YES;
    if (lookup_over(spf))
        return lookups_over(spf);
    for (unsigned distance = 0; distance < 3 && ask->status == ANSWER_FOUND; distance++) {
        enum match match = names_search(spf, ask->value, domain, distance, name);
        if (match == MATCH_WAIT)
            name->len = 0;
        if (match != MATCH_NO)
            return match;
    }
    memcpy(name->at, "unknown", 7);
    name->len = 7;
    return MATCH_YES;
}

/* --- targets ------------------------------------------------------------------------------------------- */

/* What the macros stand for within a record of the domain; asks for %{p} where the text has it. */
static enum match values_set(struct spf *spf, struct slice text, struct slice domain, bool explanation)
{
    spf->values.domain = domain;
    if (!spf_macros_have(text, 'p', explanation))
        return MATCH_YES;
    enum match match = client_name_find(spf, domain);
    spf->values.name = name_slice(&spf->client_name);
    return match;
}

/* MATCH_NO: no name that could be asked for. */
static enum match name_expand(struct spf *spf, struct slice spec, struct slice domain, struct name *ret_name)
{
    bool good;
    if (slice_find(spec, '%') == SLICE_NOT_FOUND) {
        good = spf_name_make(spec, ret_name->at, &ret_name->len);
        return good ? MATCH_YES : MATCH_NO;
    }
    enum match match = values_set(spf, spec, domain, false);
    if (match != MATCH_YES)
        return match;
    good = spf_name_expand(spec, &spf->values, ret_name->at, &ret_name->len);
    return good ? MATCH_YES : MATCH_NO;
}

static enum match target_find(struct spf *spf, const struct spf_term *term, const struct name *domain,
                              struct name *ret_name)
{
    if (term->domain.len)
        return name_expand(spf, term->domain, name_slice(domain), ret_name);
    *ret_name = *domain;
    return MATCH_YES;
}

/* --- mechanisms that ask ------------------------------------------------------------------------------- */

static enum match match_a(struct spf *spf, const struct spf_term *term, const struct name *target)
{
    const struct ask *ask = ask_name(spf, address_kind(spf), target);
    if (!ask)
        return MATCH_WAIT;
    if (has_failed(ask))
        return failed(spf, ask);
    if (ask->status == ANSWER_NONE)
        return void_match(spf);
    return addresses_hold(spf, ask->value, term) ? MATCH_YES : MATCH_NO;
}

static enum match match_exists(struct spf *spf, const struct name *target)
{
    const struct ask *ask = ask_name(spf, ASK_ADDRESS4, target);
    if (!ask)
        return MATCH_WAIT;
    if (has_failed(ask))
        return failed(spf, ask);
    return ask->status == ANSWER_NONE ? void_match(spf) : MATCH_YES;
}

/* One mail server of a domain. */
static enum match match_exchange(struct spf *spf, const struct spf_term *term, const struct name *name)
{
    const struct ask *ask = ask_name(spf, address_kind(spf), name);
    if (!ask)
        return MATCH_WAIT;
    if (has_failed(ask))
        return failed(spf, ask);
    return addresses_hold(spf, ask->value, term) ? MATCH_YES : MATCH_NO;
}

/* Takes preference and name off the list; false at its end. */
static bool exchange_next(struct slice *list, struct slice *ret_name)
{
    struct slice preference;
    return slice_word(list, &preference) && slice_word(list, ret_name);
}

static size_t exchanges_count(struct slice list)
{
    struct slice name;
    size_t count = 0;
    while (exchange_next(&list, &name))
        count++;
    return count;
}

/* All of them are asked for before the first counts, so that their answers come together. */
static enum match exchanges_match(struct spf *spf, const struct spf_term *term, struct slice list)
{
    struct slice rest = list, word;
    struct name name;
    while (exchange_next(&rest, &word))
        if (spf_name_make(word, name.at, &name.len))
            (void)ask_name(spf, address_kind(spf), &name);
    while (exchange_next(&list, &word)) {
        if (!spf_name_make(word, name.at, &name.len))
            continue;
        enum match match = match_exchange(spf, term, &name);
        if (match != MATCH_NO)
            return match;
    }
    return MATCH_NO;
}

static enum match match_mx(struct spf *spf, const struct spf_term *term, const struct name *target)
{
    const struct ask *ask = ask_name(spf, ASK_MX, target);
    if (!ask)
        return MATCH_WAIT;
    if (has_failed(ask))
        return failed(spf, ask);
    if (ask->status == ANSWER_NONE)
        return void_match(spf);
    if (exchanges_count(ask->value) > SPF_NAMES_MAX)
        return broken(spf,
                      turn_format(spf->turn, "%.*s has more than 10 mail servers", SLICE_ARGS(ask->key)));
    return exchanges_match(spf, term, ask->value);
}

/* Trouble with the client's own names matches nothing: the sender's domain has no hand in it. */
static enum match match_ptr(struct spf *spf, const struct name *target)
{
    struct name name;
    const struct ask *ask = ask_names(spf);
    if (!ask)
        return MATCH_WAIT;
    if (ask->status == ANSWER_NONE)
        return void_match(spf);
    enum match match = MATCH_NO;
    for (unsigned distance = 0; distance < 2 && match == MATCH_NO && !has_failed(ask); distance++)
        match = names_search(spf, ask->value, name_slice(target), distance, &name);
    return match;
}

/* --- records ------------------------------------------------------------------------------------------- */

/* Redirect and exp may stand once each (section 6). A domain-spec is never empty, so an empty one is none. */
static bool modifier_enter(struct slice *place, struct slice domain)
{
    bool first = !place->len;
    *place = domain;
    return first;
}

/* False: the term may not stand here. */
static bool term_enter(const struct spf *spf, const struct spf_term *term, struct record *record)
{
    switch (term->kind) {
    case SPF_OTHER: return true;
    case SPF_REDIRECT: return modifier_enter(&record->redirect, term->domain);
    case SPF_EXP: return modifier_enter(&record->exp, term->domain);
    case SPF_ALL:
    case SPF_IP4:
    case SPF_IP6:
        if (!record->sure.text.len &&
            (term->kind == SPF_ALL || prefix_contains(&term->network, spf->values.address)))
            record->sure = *term;
        return true;
    case SPF_INCLUDE:
    case SPF_A:
    case SPF_MX:
    case SPF_PTR:
    case SPF_EXISTS: break;
    }
    if (!record->sure.text.len && record->ask_count <= SPF_LOOKUPS_MAX)
        record->asks[record->ask_count++] = *term;
    return true;
}

/* What is no term may hold any octet. */
static struct slice printable(struct slice text, char room[64])
{
    text = slice_head(text, 64);
    for (size_t i = 0; i < text.len; i++)
        room[i] = text.at[i] >= 0x20 && text.at[i] < 0x7f ? text.at[i] : '?';
    return slice_of(room, text.len);
}

static enum match record_read(struct spf *spf, const struct ask *ask, struct slice text,
                              struct record *ret_record)
{
    struct slice terms = spf_record_terms(text);
    struct spf_term term;
    enum spf_status status;
    char room[64];
    ret_record->ask_count = 0;
    ret_record->sure.text = ret_record->redirect = ret_record->exp = SLICE_NONE;
    while ((status = spf_term_next(&terms, &term)) == SPF_TERM)
        if (!term_enter(spf, &term, ret_record)) {
            status = SPF_BAD;
            break;
        }
    if (status == SPF_END)
        return MATCH_YES;
    return broken(spf, turn_format(spf->turn, "the record of %.*s has \"%.*s\"", SLICE_ARGS(ask->key),
                                   SLICE_ARGS(printable(term.text, room))));
}

/* MATCH_NO: none of the texts is a record. */
static enum match record_select(struct spf *spf, const struct ask *ask, struct record *ret_record)
{
    struct slice list = ask->value, text, found = SLICE_NONE;
    while (netstring_cut(&list, &text)) {
        if (!spf_record_is(text))
            continue;
        if (found.len)
            return broken(spf, turn_format(spf->turn, "%.*s has several records", SLICE_ARGS(ask->key)));
        found = text;
    }
    return found.len ? record_read(spf, ask, found, ret_record) : MATCH_NO;
}

/* MATCH_NO: the domain has no record, or is none that could have one (section 4.3). */
static enum match record_find(struct spf *spf, const struct name *domain, struct record *ret_record)
{
    if (slice_find(name_slice(domain), '.') == SLICE_NOT_FOUND)
        return MATCH_NO;
    const struct ask *ask = ask_name(spf, ASK_TXT, domain);
    if (!ask)
        return MATCH_WAIT;
    if (has_failed(ask))
        return failed(spf, ask);
    return ask->status == ANSWER_FOUND ? record_select(spf, ask, ret_record) : MATCH_NO;
}

static enum match domain_evaluate(struct spf *spf, struct name *domain, enum spf_result *ret_result,
                                  struct slice *ret_exp);

/* Section 5.2: what the other domain's record says is only whether this term matches. */
static enum match match_include(struct spf *spf, const struct name *target)
{
    struct name domain = *target;
    enum spf_result result;
    struct slice exp;
    enum match match = domain_evaluate(spf, &domain, &result, &exp);
    if (match == MATCH_NO)
        return broken(spf, turn_format(spf->turn, "%.*s is included and has no record",
                                       SLICE_ARGS(name_slice(target))));
    if (match != MATCH_YES)
        return match;
    return result == SPF_PASS ? MATCH_YES : MATCH_NO;
}

static enum match term_ask(struct spf *spf, const struct spf_term *term, const struct name *domain)
{
    struct name target;
    if (lookup_over(spf))
        return lookups_over(spf);
    enum match match = target_find(spf, term, domain, &target);
    if (match == MATCH_NO && term->kind == SPF_INCLUDE)
        return broken(spf, SLICE("a name is included that is none"));
    if (match != MATCH_YES)
        return match;
    switch (term->kind) {
    case SPF_INCLUDE: return match_include(spf, &target);
    case SPF_A: return match_a(spf, term, &target);
    case SPF_MX: return match_mx(spf, term, &target);
    case SPF_PTR: return match_ptr(spf, &target);
    case SPF_EXISTS: return match_exists(spf, &target);
    case SPF_ALL:
    case SPF_IP4:
    case SPF_IP6:
    case SPF_REDIRECT:
    case SPF_EXP:
    case SPF_OTHER: break;
    }
    return MATCH_NO;
}

/* MATCH_YES: a term has matched, *ret_result is its qualifier's. */
static enum match terms_try(struct spf *spf, const struct record *record, const struct name *domain,
                            enum spf_result *ret_result)
{
    const struct spf_term *term = &record->sure;
    enum match match = term->text.len ? MATCH_YES : MATCH_NO;
    for (size_t i = 0; i < record->ask_count; i++) {
        enum match asked = term_ask(spf, &record->asks[i], domain);
        if (asked == MATCH_NO)
            continue;
        term = &record->asks[i];
        match = asked;
        break;
    }
    spf->verdict->mechanism = term->text;
    *ret_result = match == MATCH_NO ? SPF_NEUTRAL : term->qualifier;
    return match;
}

/* The record of the domain, or of those that it redirects to (section 6.1); *domain is then the last of them,
 * and *ret_exp its exp. MATCH_NO: the domain has no record. */
static enum match domain_evaluate(struct spf *spf, struct name *domain, enum spf_result *ret_result,
                                  struct slice *ret_exp)
{
    struct record record;
    struct name next;
    enum match match = record_find(spf, domain, &record);
    while (match == MATCH_YES) {
        match = terms_try(spf, &record, domain, ret_result);
        *ret_exp = record.exp;
        if (match != MATCH_NO)
            return match;
        if (!record.redirect.len)
            return MATCH_YES;
        if (lookup_over(spf))
            return lookups_over(spf);
        match = name_expand(spf, record.redirect, name_slice(domain), &next);
        if (match == MATCH_YES) {
            *domain = next;
            match = record_find(spf, domain, &record);
        }
        if (match == MATCH_NO)
            return broken(spf, SLICE("a redirect leads to no record"));
    }
    return match;
}

/* --- explanation --------------------------------------------------------------------------------------- */

/* Section 6.2: whatever goes wrong, there is then no explanation. False: an answer is awaited. */
static bool explanation_find(struct spf *spf, const struct name *domain, struct slice exp)
{
    struct spf_verdict *verdict = spf->verdict;
    struct name name;
    struct slice list, text;
    enum match match = name_expand(spf, exp, name_slice(domain), &name);
    if (match != MATCH_YES)
        return match != MATCH_WAIT;
    const struct ask *ask = ask_name(spf, ASK_TXT, &name);
    if (!ask)
        return false;
    list = ask->value;
    if (ask->status != ANSWER_FOUND || !netstring_cut(&list, &text) || list.len)
        return true;
    match = values_set(spf, text, name_slice(domain), true);
    if (match == MATCH_YES && !spf_explanation_expand(text, &spf->values, verdict->explanation,
                                                      SPF_EXPLANATION_MAX, &verdict->explanation_len))
        verdict->explanation_len = 0;
    return match != MATCH_WAIT;
}

enum check_result spf_evaluate(struct turn *turn, const struct spf_query *query,
                               struct spf_verdict *ret_verdict)
{
    struct spf spf = {.turn = turn, .verdict = ret_verdict};
    struct name domain;
    struct slice exp = SLICE_NONE;
    spf.values = (struct spf_values){
        .local = query->local.len ? query->local : SLICE("postmaster"),
        .origin = query->domain,
        .helo = query->helo,
        .receiver = query->receiver.len ? query->receiver : SLICE("unknown"),
        .address = query->address,
        .unix_seconds = query->unix_seconds,
    };
    ret_verdict->result = SPF_NONE;
    ret_verdict->mechanism = ret_verdict->problem = SLICE_NONE;
    ret_verdict->explanation_len = 0;
    bool literal = query->domain.len && query->domain.at[0] == '[';
    if (literal || query->domain.len > SPF_NAME_MAX + 1 ||
        !spf_name_make(query->domain, domain.at, &domain.len))
        return CHECK_DONE;
    enum match match = domain_evaluate(&spf, &domain, &ret_verdict->result, &exp);
    if (match == MATCH_NO)
        ret_verdict->result = SPF_NONE;
    else if (match == MATCH_TEMPERROR)
        ret_verdict->result = SPF_TEMPERROR;
    else if (match == MATCH_PERMERROR)
        ret_verdict->result = SPF_PERMERROR;
    else if (match == MATCH_YES && ret_verdict->result == SPF_FAIL && exp.len &&
             !explanation_find(&spf, &domain, exp))
        match = MATCH_WAIT;
    return match == MATCH_WAIT ? CHECK_WAIT : CHECK_DONE;
}
