#include "core/override.h"

#include "wire/syn_match.h"

static const char *const by_words[OVERRIDE_BY_COUNT] = {"ptr",           "helo", "sender",  "recipient",
                                                        "authenticated", "as",   "country", "fingerprint"};

const char *override_by_word(unsigned by)
{
    return by < OVERRIDE_BY_COUNT ? by_words[by] : NULL;
}

/* --- matching ---------------------------------------------------------------------------------------------
 */

#define PRECISION_BELOW   1u   /* a domain with all below it, and an octet each */
#define PRECISION_EXACT   256u /* a domain or name */
#define PRECISION_ADDRESS 512u
#define PRECISION_ONE     4096u /* for each criterion, before all else */

/* 0: no. */
static uint32_t domain_precision(struct slice pattern, struct slice name)
{
    if (slice_starts(pattern, SLICE(".")))
        return slice_ends_fold(name, pattern) ? PRECISION_BELOW + (uint32_t)pattern.len : 0;
    return slice_equal_fold(name, pattern) ? PRECISION_EXACT + (uint32_t)pattern.len : 0;
}

static uint32_t address_precision(struct slice pattern, struct slice address)
{
    size_t at = slice_find_last(address, '@');
    if (slice_find(pattern, '@') != SLICE_NOT_FOUND)
        return slice_equal_fold(pattern, address) ? PRECISION_ADDRESS + (uint32_t)pattern.len : 0;
    return at == SLICE_NOT_FOUND ? 0 : domain_precision(pattern, slice_from(address, at + 1));
}

/* One of the words. */
static uint32_t word_precision(struct slice pattern, struct slice words)
{
    struct slice word;
    while (slice_word(&words, &word))
        if (slice_equal(word, pattern))
            return PRECISION_EXACT + (uint32_t)pattern.len;
    return 0;
}

static uint32_t name_precision(const struct subject *subject, unsigned by, struct slice pattern)
{
    struct slice name = subject->by[by];
    if (by == OVERRIDE_SENDER && subject->null_sender && slice_equal(pattern, SLICE("<>")))
        return PRECISION_ADDRESS;
    if (!name.len)
        return 0;
    if (by == OVERRIDE_SENDER || by == OVERRIDE_RECIPIENT)
        return address_precision(pattern, name);
    if (by == OVERRIDE_AS)
        return word_precision(pattern, name);
    if (by == OVERRIDE_FINGERPRINT)
        return syn_matches(pattern, name) ? PRECISION_EXACT : 0;
    return domain_precision(pattern, name);
}

static uint32_t names_precision(const struct override *override, unsigned by, const struct subject *subject)
{
    uint32_t most = 0;
    for (size_t i = 0; i < override->by[by].count; i++) {
        uint32_t precision = name_precision(subject, by, override->by[by].items[i]);
        if (precision > most)
            most = precision;
    }
    return most;
}

/* A network counts by its length: IPv4 stands in the last 32 of 128 bits. */
static uint32_t networks_precision(const struct networks *networks, const struct address *peer)
{
    uint32_t most = 0;
    if (!peer || !networks_contain(networks, peer))
        return 0;
    for (size_t i = 0; i < networks->count; i++) {
        const struct prefix *prefix = &networks->items[i];
        uint32_t bits = prefix->bits + (peer->family == ADDRESS_IPV4 ? 96u : 0u);
        if (bits + PRECISION_BELOW > most && prefix_contains(prefix, peer))
            most = bits + PRECISION_BELOW;
    }
    return most;
}

bool override_matches(const struct override *override, const struct subject *subject, uint32_t *ret_precision)
{
    uint32_t total = 0;
    if (override->networks.count) {
        uint32_t precision = networks_precision(&override->networks, subject->peer);
        if (!precision)
            return false;
        total += PRECISION_ONE + precision;
    }
    for (unsigned by = 0; by < OVERRIDE_BY_COUNT; by++) {
        if (!override->by[by].count)
            continue;
        uint32_t precision = names_precision(override, by, subject);
        if (!precision)
            return false;
        total += PRECISION_ONE + precision;
    }
    *ret_precision = total;
    return true;
}

/* --- the stance -------------------------------------------------------------------------------------------
 */

static void stance_add(struct stance *stance, const struct override *override, uint32_t precision)
{
    size_t place = stance->count;
    while (place && stance->precision[place - 1] > precision)
        place--;
    if (stance->count == STANCE_MAX) {
        if (!place)
            return;
        for (size_t i = 0; i + 1 < place; i++) {
            stance->matched[i] = stance->matched[i + 1];
            stance->precision[i] = stance->precision[i + 1];
        }
        place--;
    } else {
        for (size_t i = stance->count++; i > place; i--) {
            stance->matched[i] = stance->matched[i - 1];
            stance->precision[i] = stance->precision[i - 1];
        }
    }
    stance->matched[place] = override;
    stance->precision[place] = precision;
}

/* Of all criteria, by one of both. */
static bool matches_either(const struct override *override, const struct subject *subject,
                           uint32_t *ret_precision)
{
    if (override_matches(override, subject, ret_precision))
        return true;
    return subject->behind && override_matches(override, subject->behind, ret_precision);
}

void stance_make(const struct site *site, const struct subject *subject, struct stance *ret_stance)
{
    ret_stance->count = 0;
    ret_stance->allow = ret_stance->block = NULL;
    ret_stance->known = ret_stance->observe = false;
    for (size_t i = 0; i < site->override_count; i++) {
        uint32_t precision;
        if (matches_either(&site->overrides[i], subject, &precision))
            stance_add(ret_stance, &site->overrides[i], precision);
    }
    for (size_t i = 0; i < ret_stance->count; i++) {
        const struct override *override = ret_stance->matched[i];
        ret_stance->known |= override->known;
        ret_stance->observe |= override->observe;
        if (override->allow)
            ret_stance->allow = override;
        if (override->block)
            ret_stance->block = override;
    }
    if (ret_stance->allow)
        ret_stance->block = NULL;
}

struct rule stance_rule(const struct site *site, const struct stance *stance, enum finding finding)
{
    struct rule rule = site->rules[finding];
    for (size_t i = 0; i < stance->count; i++)
        for (size_t j = 0; j < stance->matched[i]->change_count; j++)
            if (stance->matched[i]->changes[j].finding == finding)
                rule_change_apply(&stance->matched[i]->changes[j], &rule);
    return rule;
}

static void raise(struct site *site, unsigned finding)
{
    site->raised[finding / 64] |= UINT64_C(1) << (finding % 64);
}

/* What an override looks at must be looked for. */
static void note_origin(struct site *site, const struct override *override)
{
    if (!override->by[OVERRIDE_AS].count && !override->by[OVERRIDE_COUNTRY].count)
        return;
    site->by_origin = true;
    raise(site, FIND_ORIGIN);
}

static void note_fingerprint(struct site *site, const struct override *override)
{
    if (!override->by[OVERRIDE_FINGERPRINT].count)
        return;
    site->by_fingerprint = true;
    raise(site, FIND_FINGERPRINT);
}

static void note_change(struct site *site, const struct rule_change *change)
{
    site->by_fingerprint |= change->finding == FIND_FINGERPRINT;
    if (change->fields & RULE_MODE && change->rule.mode != MODE_OFF)
        raise(site, change->finding);
}

void overrides_note(struct site *site)
{
    for (size_t i = 0; i < site->override_count; i++) {
        const struct override *override = &site->overrides[i];
        site->by_recipient |= override->by[OVERRIDE_RECIPIENT].count > 0;
        note_origin(site, override);
        note_fingerprint(site, override);
        for (size_t j = 0; j < override->change_count; j++)
            note_change(site, &override->changes[j]);
    }
}

bool site_wants(const struct site *site, enum finding finding)
{
    return site->rules[finding].mode != MODE_OFF || site->raised[finding / 64] & UINT64_C(1)
                                                                                     << (finding % 64);
}
