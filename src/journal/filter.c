#include "journal/filter.h"

#include "base/text.h"

void filter_init(struct filter *filter)
{
    *filter = (struct filter){.since_us = INT64_MIN, .until_us = INT64_MAX};
}

/* --- terms --------------------------------------------------------------------------------------------- */

static bool add(struct filter *filter, enum trait kind, enum filter_how how, struct slice text)
{
    if (filter->count == FILTER_TERMS || text.len > TRAIT_KEY_MAX)
        return false;
    struct filter_term *term = &filter->terms[filter->count++];
    *term = (struct filter_term){.kind = kind, .how = how};
    term->len = trait_key_text(text, term->key);
    return true;
}

static bool add_anywhere(struct filter *filter, enum trait kind, struct slice text)
{
    char pattern[TRAIT_KEY_MAX];
    if (text.len + 2 > sizeof pattern)
        return false;
    pattern[0] = pattern[text.len + 1] = '*';
    memcpy(pattern + 1, text.at, text.len);
    return add(filter, kind, FILTER_PATTERN, slice_of(pattern, text.len + 2));
}

bool filter_add_text(struct filter *filter, enum trait kind, struct slice text)
{
    bool mailbox = kind == TRAIT_SENDER || kind == TRAIT_RECIPIENT;
    size_t at = slice_find_last(text, '@');
    if (!text.len)
        return false;
    if (slice_find(text, '*') != SLICE_NOT_FOUND)
        return add(filter, kind, FILTER_PATTERN, text);
    if (mailbox && slice_equal(text, SLICE("<>")))
        return add(filter, kind, FILTER_EXACT, SLICE_NONE);
    if (text.at[0] == '.' && text.len > 1 && !mailbox)
        return add(filter, kind, FILTER_BELOW, slice_from(text, 1));
    if (mailbox && at == 0 && text.len > 1)
        return add(filter, kind, FILTER_DOMAIN, slice_from(text, 1));
    if (mailbox && at != SLICE_NOT_FOUND && at + 1 < text.len)
        return add(filter, kind, FILTER_EXACT, text);
    bool whole = slice_find(text, '.') != SLICE_NOT_FOUND || slice_find(text, ':') != SLICE_NOT_FOUND;
    if (at != SLICE_NOT_FOUND || !whole)
        return add_anywhere(filter, kind, text);
    return add(filter, kind, mailbox ? FILTER_DOMAIN : FILTER_NAME, text);
}

bool filter_add_number(struct filter *filter, enum trait kind, uint64_t number)
{
    if (filter->count == FILTER_TERMS || number > UINT32_MAX)
        return false;
    struct filter_term *term = &filter->terms[filter->count++];
    *term = (struct filter_term){.kind = kind, .how = FILTER_EXACT};
    term->len = trait_key_number(number, term->key);
    return true;
}

bool filter_add_campaign(struct filter *filter, uint64_t campaign)
{
    if (filter->count == FILTER_TERMS)
        return false;
    struct filter_term *term = &filter->terms[filter->count++];
    *term = (struct filter_term){.kind = TRAIT_CAMPAIGN, .how = FILTER_EXACT, .len = sizeof campaign};
    memcpy(term->key, &campaign, sizeof campaign);
    return true;
}

bool filter_is_member(const struct filter *filter, uint64_t session)
{
    size_t low = 0, high = filter->member_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (filter->members[middle] == session)
            return true;
        if (filter->members[middle] < session)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool filter_add_network(struct filter *filter, const struct prefix *network)
{
    if (filter->count == FILTER_TERMS)
        return false;
    struct filter_term *term = &filter->terms[filter->count++];
    *term = (struct filter_term){.kind = TRAIT_ADDRESS, .how = FILTER_NETWORK, .bits = network->bits};
    term->len = trait_key_address(&network->network, term->key);
    return true;
}

/* --- matching ------------------------------------------------------------------------------------------ */

static struct slice key_of(const struct filter_term *term)
{
    return slice_of(term->key, term->len);
}

static bool network_matches(const struct filter_term *term, struct slice key)
{
    size_t whole = term->bits / 8, rest = term->bits % 8;
    if (key.len != term->len || memcmp(key.at, term->key, whole) != 0)
        return false;
    unsigned mask = rest ? 0xff00u >> rest & 0xffu : 0;
    return !rest || (((unsigned char)key.at[whole] ^ (unsigned char)term->key[whole]) & mask) == 0;
}

bool filter_term_matches(const struct filter_term *term, struct slice key)
{
    bool starts = slice_starts(key, key_of(term));
    char next = starts && key.len > term->len ? key.at[term->len] : '\0';
    switch (term->how) {
    case FILTER_EXACT: return starts && key.len == term->len;
    case FILTER_NAME: return starts && (key.len == term->len || next == '.');
    case FILTER_BELOW: return next == '.';
    case FILTER_DOMAIN: return next == '@' || next == '.';
    case FILTER_NETWORK: return network_matches(term, key);
    case FILTER_PATTERN: return text_match(key_of(term), key);
    }
    return false;
}

static bool term_holds(const struct filter_term *term, const struct traits *traits)
{
    enum trait kind;
    struct slice key;
    for (size_t at = 0; traits_next(traits, &at, &kind, &key);)
        if (kind == term->kind && filter_term_matches(term, key))
            return true;
    return false;
}

bool filter_matches(const struct filter *filter, const struct traits *traits)
{
    for (size_t i = 0; i < filter->count; i++) {
        const struct filter_term *term = &filter->terms[i];
        bool holds = term->kind == TRAIT_CAMPAIGN ? filter_is_member(filter, traits->session)
                                                  : term_holds(term, traits);
        if (!holds)
            return false;
    }
    return true;
}

static bool is_of_end(enum trait kind)
{
    return kind == TRAIT_ADDRESS || kind == TRAIT_PTR || kind == TRAIT_HELO;
}

bool filter_end_matches(const struct filter *filter, const struct event *ended)
{
    int64_t at_us = ended->stamp.unix_us;
    struct traits traits;
    bool holds = at_us >= filter->since_us && at_us <= filter->until_us;
    traits_init(&traits, ended->stamp.session);
    if (holds)
        traits_take(&traits, ended);
    for (size_t i = 0; i < filter->count && holds; i++)
        if (is_of_end(filter->terms[i].kind))
            holds = term_holds(&filter->terms[i], &traits);
    traits_drop(&traits);
    return holds;
}

/* --- ranges -------------------------------------------------------------------------------------------- */

/* All keys that begin with the term's and this octet; octets are 7 bits wide here: the next one is behind. */
static void range_of(const struct filter_term *term, char next, struct filter_range *ret_range)
{
    memcpy(ret_range->low, term->key, term->len);
    memcpy(ret_range->high, term->key, term->len);
    ret_range->low[term->len] = next;
    ret_range->high[term->len] = (char)(next + 1);
    ret_range->low_len = ret_range->high_len = term->len + 1;
}

static void range_exact(const struct filter_term *term, struct filter_range *ret_range)
{
    memcpy(ret_range->low, term->key, term->len);
    memcpy(ret_range->high, term->key, term->len);
    ret_range->low_len = ret_range->high_len = term->len;
}

static void range_network(const struct filter_term *term, struct filter_range *ret_range)
{
    range_exact(term, ret_range);
    for (size_t bit = term->bits; bit < term->len * 8; bit++)
        ret_range->high[bit / 8] = (char)((unsigned char)ret_range->high[bit / 8] | 0x80u >> bit % 8);
}

/* A key is no longer than TRAIT_KEY_MAX: behind the last possible one stands 0xff as long. */
static void range_all(struct filter_range *ret_range)
{
    ret_range->low_len = 0;
    ret_range->high_len = sizeof ret_range->high;
    memset(ret_range->high, 0xff, sizeof ret_range->high);
}

size_t filter_ranges(const struct filter_term *term, struct filter_range ranges[FILTER_RANGES])
{
    switch (term->how) {
    case FILTER_EXACT: range_exact(term, &ranges[0]); return 1;
    case FILTER_BELOW: range_of(term, '.', &ranges[0]); return 1;
    case FILTER_NETWORK: range_network(term, &ranges[0]); return 1;
    case FILTER_PATTERN: range_all(&ranges[0]); return 1;
    case FILTER_NAME:
        range_exact(term, &ranges[0]);
        range_of(term, '.', &ranges[1]);
        return 2;
    case FILTER_DOMAIN:
        range_of(term, '.', &ranges[0]);
        range_of(term, '@', &ranges[1]);
        return 2;
    }
    return 0;
}
