#include "wire/syn_match.h"

#include "base/text.h"
#include "wire/syn.h"

enum field { VERSION, TTL, OPTIONS, MSS, WINDOW, LAYOUT, QUIRKS, PAYLOAD, FIELDS };

struct fields {
    struct slice at[FIELDS];
};

static bool is_any(struct slice text)
{
    return slice_equal(text, SLICE("*"));
}

/* False: the octet is not in it. */
static bool split(struct slice text, char octet, struct slice *ret_before, struct slice *ret_behind)
{
    const size_t at = slice_find(text, octet);
    if (at == SLICE_NOT_FOUND)
        return false;
    *ret_before = slice_head(text, at);
    *ret_behind = slice_from(text, at + 1);
    return true;
}

static bool fields_split(struct slice text, struct fields *ret_fields)
{
    for (unsigned i = 0; i < FIELDS - 1; i++)
        if (!split(text, ':', &ret_fields->at[i], &text))
            return false;
    ret_fields->at[PAYLOAD] = text;
    return slice_find(text, ':') == SLICE_NOT_FOUND;
}

static bool number(struct slice text, uint64_t *ret_number)
{
    return text.len <= 10 && text_parse_u64(text, ret_number);
}

/* "52+12" and "64" are 64, "64-" is 64 at most; of "91+?" the 91 alone is known. */
static bool ttl_read(struct slice text, uint64_t *ret_first, bool *ret_most)
{
    struct slice seen, rest;
    uint64_t distance = 0;

    *ret_most = slice_ends_fold(text, SLICE("-"));
    if (*ret_most)
        return number(slice_head(text, text.len - 1), ret_first);
    if (!split(text, '+', &seen, &rest))
        return number(text, ret_first);
    if (!number(seen, ret_first) || (!slice_equal(rest, SLICE("?")) && !number(rest, &distance)))
        return false;
    *ret_first += distance;
    return true;
}

static bool ttl_fits(struct slice pattern, struct slice ttl)
{
    uint64_t wanted, first;
    bool most, unused;

    return ttl_read(pattern, &wanted, &most) && ttl_read(ttl, &first, &unused) &&
           (most ? first <= wanted : first == wanted);
}

/* --- the window ---------------------------------------------------------------------------------------- */

enum unit { WINDOW_ANY, WINDOW_OCTETS, WINDOW_MSS, WINDOW_MTU, WINDOW_MULTIPLE };

struct window {
    enum unit unit;
    uint64_t count;
};

static bool window_read(struct slice text, struct window *ret_window)
{
    const struct {
        struct slice head;
        enum unit unit;
    } units[] = {{SLICE("mss*"), WINDOW_MSS},
                 {SLICE("mtu*"), WINDOW_MTU},
                 {SLICE("%"), WINDOW_MULTIPLE},
                 {SLICE(""), WINDOW_OCTETS}};

    *ret_window = (struct window){.unit = WINDOW_ANY};
    if (is_any(text))
        return true;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (slice_starts(text, units[i].head)) {
            ret_window->unit = units[i].unit;
            return number(slice_from(text, units[i].head.len), &ret_window->count) &&
                   (ret_window->unit != WINDOW_MULTIPLE || ret_window->count);
        }
    return false;
}

/* A raw signature tells a window by the first multiple that it is: in octets that may be one of these. */
static bool octets_fit(const struct window *pattern, const struct window *raw, uint64_t mss)
{
    const uint64_t sizes[] = {mss, mss > 12 ? mss - 12 : 0, 1460, 1448};
    const uint64_t frames[] = {mss + 40, mss + 60, 1500};
    const uint64_t *units = raw->unit == WINDOW_MTU ? frames : sizes;
    const size_t count = raw->unit == WINDOW_MTU ? 3 : 4;

    if (raw->unit == WINDOW_OCTETS)
        return pattern->unit == WINDOW_MULTIPLE ? raw->count % pattern->count == 0
                                                : raw->count == pattern->count;
    for (size_t i = 0; i < count; i++) {
        const uint64_t octets = raw->count * units[i];
        if (pattern->unit == WINDOW_MULTIPLE ? octets % pattern->count == 0 : octets == pattern->count)
            return true;
    }
    return false;
}

static bool window_fits(struct slice pattern, struct slice window, struct slice mss)
{
    struct slice wanted_window, wanted_scale, raw_window, raw_scale;
    struct window wanted, raw;
    uint64_t octets = 0;

    if (!split(pattern, ',', &wanted_window, &wanted_scale) || !split(window, ',', &raw_window, &raw_scale) ||
        !window_read(wanted_window, &wanted) || !window_read(raw_window, &raw))
        return false;
    if (!is_any(wanted_scale) && !slice_equal(wanted_scale, raw_scale))
        return false;
    if (wanted.unit == WINDOW_MSS || wanted.unit == WINDOW_MTU)
        return wanted.unit == raw.unit && wanted.count == raw.count;
    (void)number(mss, &octets);
    return wanted.unit == WINDOW_ANY || octets_fit(&wanted, &raw, octets);
}

/* --- quirks -------------------------------------------------------------------------------------------- */

static bool has_quirk(struct slice quirks, struct slice quirk)
{
    struct slice one;
    while (slice_cut(&quirks, ',', &one))
        if (slice_equal(one, quirk))
            return true;
    return false;
}

static bool is_of_ipv6(struct slice quirk)
{
    return slice_equal(quirk, SLICE("flow"));
}

static bool is_of_ipv4(struct slice quirk)
{
    return slice_equal(quirk, SLICE("df")) || slice_equal(quirk, SLICE("id+")) ||
           slice_equal(quirk, SLICE("id-"));
}

/* Whether all words of `some` stand in `all`; where both versions are meant, but those that either version
 * alone has: all but old systems label their flows today, whatever a signature says of that. */
static bool quirks_in(struct slice some, struct slice all, bool both, bool six)
{
    struct slice one;
    while (slice_cut(&some, ',', &one)) {
        const bool other = both && (is_of_ipv6(one) || (six && is_of_ipv4(one)));
        if (!other && !has_quirk(all, one))
            return false;
    }
    return true;
}

static bool quirks_fit(const struct fields *pattern, const struct fields *raw)
{
    const bool both = is_any(pattern->at[VERSION]);
    const bool six = slice_equal(raw->at[VERSION], SLICE("6"));
    return quirks_in(pattern->at[QUIRKS], raw->at[QUIRKS], both, six) &&
           quirks_in(raw->at[QUIRKS], pattern->at[QUIRKS], both, six);
}

/* --- the whole ----------------------------------------------------------------------------------------- */

static bool field_fits(enum field field, const struct fields *pattern, const struct fields *raw)
{
    const struct slice wanted = pattern->at[field], is = raw->at[field];

    if (is_any(wanted))
        return true;
    switch (field) {
    case TTL: return ttl_fits(wanted, is);
    case WINDOW: return window_fits(wanted, is, raw->at[MSS]);
    case QUIRKS: return quirks_fit(pattern, raw);
    default: return slice_equal(wanted, is);
    }
}

bool syn_matches(struct slice pattern, struct slice signature)
{
    struct fields wanted, raw;

    if (!fields_split(pattern, &wanted) || !fields_split(signature, &raw))
        return false;
    for (unsigned i = 0; i < FIELDS; i++)
        if (!field_fits((enum field)i, &wanted, &raw))
            return false;
    return true;
}

static bool is_number_or_any(struct slice text)
{
    uint64_t unused;
    return is_any(text) || number(text, &unused);
}

static bool window_check(struct slice text)
{
    struct window window;
    struct slice octets, scale;
    if (is_any(text))
        return true;
    return split(text, ',', &octets, &scale) && window_read(octets, &window) && is_number_or_any(scale);
}

static bool ttl_check(struct slice text)
{
    uint64_t unused;
    bool most;
    return is_any(text) || ttl_read(text, &unused, &most);
}

/* Words of small letters, digits, "+", "-" and "?", with commas between them; or none at all. */
static bool words_check(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.at[i];
        if (!(c >= 'a' && c <= 'z') && !text_is_digit(c) && c != '+' && c != '-' && c != '?' && c != ',')
            return is_any(text);
    }
    return true;
}

bool syn_pattern_check(struct slice pattern)
{
    struct fields fields;

    if (pattern.len >= SYN_TEXT || !fields_split(pattern, &fields))
        return false;
    const struct slice version = fields.at[VERSION], payload = fields.at[PAYLOAD];
    return (is_any(version) || slice_equal(version, SLICE("4")) || slice_equal(version, SLICE("6"))) &&
           ttl_check(fields.at[TTL]) && is_number_or_any(fields.at[OPTIONS]) &&
           is_number_or_any(fields.at[MSS]) && window_check(fields.at[WINDOW]) &&
           words_check(fields.at[LAYOUT]) && words_check(fields.at[QUIRKS]) &&
           (is_any(payload) || slice_equal(payload, SLICE("0")) || slice_equal(payload, SLICE("+")));
}
