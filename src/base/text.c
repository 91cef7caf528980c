#include "base/text.h"

#include <string.h>

int text_hex_digit(char octet)
{
    if (text_is_digit(octet))
        return octet - '0';
    octet = text_lower(octet);
    return octet >= 'a' && octet <= 'f' ? octet - 'a' + 10 : -1;
}

/* Takes the decimal digits off the front; false without any or past 64 bits. */
static bool take_digits(struct slice *text, uint64_t *ret_value)
{
    uint64_t value = 0;
    size_t n = 0;

    for (; n < text->len && text_is_digit(text->at[n]); n++)
        if (__builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text->at[n] - '0'), &value))
            return false;
    *text = slice_from(*text, n);
    *ret_value = value;
    return n > 0;
}

bool text_parse_u64(struct slice text, uint64_t *ret_value)
{
    uint64_t value;

    if (!take_digits(&text, &value) || text.len)
        return false;
    *ret_value = value;
    return true;
}

bool text_parse_i64(struct slice text, int64_t *ret_value)
{
    const bool negative = text.len && text.at[0] == '-';
    const uint64_t most = negative ? UINT64_C(1) << 63 : INT64_MAX;
    uint64_t value;

    if (!text_parse_u64(slice_from(text, negative ? 1 : 0), &value) || value > most)
        return false;
    *ret_value = (int64_t)(negative ? 0 - value : value);
    return true;
}

bool text_parse_hex(struct slice text, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        const int digit = text_hex_digit(text.at[i]);

        if (digit < 0 || value >> 60)
            return false;
        value = value << 4 | (uint64_t)digit;
    }
    *ret_value = value;
    return true;
}

struct unit {
    struct slice name;
    uint64_t factor;
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The largest first. */
static const struct unit duration_units[] = {
    {{"w", 1}, 604800000}, {{"d", 1}, 86400000}, {{"h", 1}, 3600000},
    {{"m", 1}, 60000},     {{"s", 1}, 1000},     {{"ms", 2}, 1},
};

/* Of forms of one length the first is printed. */
static const struct unit size_units[] = {
    {{"TiB", 3}, UINT64_C(1) << 40},
    {{"TB", 2}, UINT64_C(1000000000000)},
    {{"GiB", 3}, 1 << 30},
    {{"GB", 2}, 1000000000},
    {{"MiB", 3}, 1 << 20},
    {{"MB", 2}, 1000000},
    {{"KiB", 3}, 1 << 10},
    {{"kB", 2}, 1000},
    {{"B", 1}, 1},
    {{"", 0}, 1},
};

static const struct unit *unit_find(const struct unit *units, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(units[i].name, name))
            return &units[i];
    return NULL;
}

/* Takes one "30s" off the front. */
static bool take_duration_part(struct slice *text, const struct unit **ret_unit, uint64_t *ret_ms)
{
    uint64_t number;
    size_t n = 0;

    if (!take_digits(text, &number))
        return false;
    while (n < text->len && !text_is_digit(text->at[n]))
        n++;
    *ret_unit = unit_find(duration_units, COUNT(duration_units), slice_head(*text, n));
    *text = slice_from(*text, n);
    return *ret_unit && !__builtin_mul_overflow(number, (*ret_unit)->factor, ret_ms);
}

bool text_parse_duration(struct slice text, uint64_t *ret_ms)
{
    const struct unit *unit_before = NULL;
    const struct unit *unit;
    uint64_t sum = 0;
    uint64_t part;

    if (slice_equal(text, SLICE("0"))) {
        *ret_ms = 0;
        return true;
    }
    if (text.len == 0)
        return false;
    while (text.len) {
        if (!take_duration_part(&text, &unit, &part) || (unit_before && unit <= unit_before) ||
            __builtin_add_overflow(sum, part, &sum))
            return false;
        unit_before = unit;
    }
    *ret_ms = sum;
    return true;
}

bool text_parse_size(struct slice text, uint64_t *ret_octets)
{
    uint64_t number;
    uint64_t octets;

    if (!take_digits(&text, &number))
        return false;
    const struct unit *unit = unit_find(size_units, COUNT(size_units), text);

    if (!unit || __builtin_mul_overflow(number, unit->factor, &octets))
        return false;
    *ret_octets = octets;
    return true;
}

bool text_parse_bool(struct slice text, bool *ret_value)
{
    static const struct {
        struct slice word;
        bool value;
    } words[] = {
        {{"yes", 3}, true},  {{"no", 2}, false},  {{"on", 2}, true},
        {{"off", 3}, false}, {{"true", 4}, true}, {{"false", 5}, false},
    };

    for (size_t i = 0; i < COUNT(words); i++) {
        if (slice_equal_fold(text, words[i].word)) {
            *ret_value = words[i].value;
            return true;
        }
    }
    return false;
}

size_t text_print_u64(uint64_t value, char text[TEXT_UNIT_SIZE])
{
    char digits[20];
    size_t n = sizeof(digits);

    do {
        digits[--n] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    memcpy(text, digits + n, sizeof(digits) - n);
    text[sizeof(digits) - n] = '\0';
    return sizeof(digits) - n;
}

static size_t print_with_unit(uint64_t value, const struct unit *unit, char *text)
{
    const size_t len = text_print_u64(value / unit->factor, text);

    memcpy(text + len, unit->name.at, unit->name.len + 1);
    return len + unit->name.len;
}

size_t text_print_duration(uint64_t ms, char text[TEXT_UNIT_SIZE])
{
    char alone[TEXT_UNIT_SIZE];
    size_t alone_len = 0;
    size_t len = 0;

    if (ms == 0)
        return text_print_u64(0, text);
    for (size_t i = 0; i < COUNT(duration_units) && alone_len == 0; i++)
        if (ms % duration_units[i].factor == 0)
            alone_len = print_with_unit(ms, &duration_units[i], alone);
    for (size_t i = 0; i < COUNT(duration_units); i++) {
        if (ms >= duration_units[i].factor)
            len += print_with_unit(ms, &duration_units[i], text + len);
        ms %= duration_units[i].factor;
    }
    if (alone_len >= len)
        return len;
    memcpy(text, alone, alone_len + 1);
    return alone_len;
}

size_t text_print_size(uint64_t octets, char text[TEXT_UNIT_SIZE])
{
    char form[TEXT_UNIT_SIZE];
    size_t len = SIZE_MAX;

    for (size_t i = 0; i < COUNT(size_units); i++) {
        if (octets % size_units[i].factor)
            continue;
        const size_t form_len = print_with_unit(octets, &size_units[i], form);
        if (form_len < len) {
            memcpy(text, form, form_len + 1);
            len = form_len;
        }
    }
    return len;
}

#define DISTANCE_LEN_MAX 64U

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Row by row: `row[j]` is the distance between the octets of `a` so far and the first j of `b`. No later row
 * has less than the least of this one. */
unsigned text_distance(struct slice a, struct slice b, unsigned most)
{
    unsigned row[DISTANCE_LEN_MAX + 1];

    const size_t apart = a.len > b.len ? a.len - b.len : b.len - a.len;

    if (a.len > DISTANCE_LEN_MAX || b.len > DISTANCE_LEN_MAX || apart > most)
        return most + 1;
    for (unsigned j = 0; j <= b.len; j++)
        row[j] = j;
    for (unsigned i = 0; i < a.len; i++) {
        unsigned diagonal = row[0];
        unsigned best = i + 1;

        row[0] = i + 1;
        for (unsigned j = 0; j < b.len; j++) {
            const bool same = text_lower(a.at[i]) == text_lower(b.at[j]);
            const unsigned replaced = diagonal + !same;

            diagonal = row[j + 1];
            row[j + 1] = least(replaced, least(row[j], diagonal) + 1);
            best = least(best, row[j + 1]);
        }
        if (best > most)
            return most + 1;
    }
    return least(row[b.len], most + 1);
}

/* Whether a UTF-8 sequence of more than one octet may stand on a terminal as it is. The C1 controls
 * (U+0080 to U+009F) steer it, line and paragraph separators and the bidirectional controls (U+2028 to
 * U+202E, U+2066 to U+2069) show another text than the one that stands there. */
static bool is_harmless(struct slice sequence)
{
    const unsigned char *at = (const unsigned char *)sequence.at;

    if (at[0] == 0xc2)
        return at[1] >= 0xa0;
    if (at[0] != 0xe2)
        return true;
    if (at[1] == 0x80)
        return at[2] < 0xa8 || at[2] > 0xae;
    return at[1] != 0x81 || at[2] < 0xa6 || at[2] > 0xa9;
}

static bool escape_octet(struct buf *buf, char octet)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char number = (unsigned char)octet;
    const char hex[4] = {'\\', 'x', digits[number >> 4], digits[number & 15]};

    switch (octet) {
    case '\r': return buf_add(buf, SLICE("\\r"));
    case '\n': return buf_add(buf, SLICE("\\n"));
    case '\t': return buf_add(buf, SLICE("\\t"));
    case '\\': return buf_add(buf, SLICE("\\\\"));
    default: break;
    }
    if (number >= 0x20 && number <= 0x7e)
        return buf_add_octet(buf, octet);
    return buf_add(buf, slice_of(hex, sizeof(hex)));
}

bool text_escape(struct buf *buf, struct slice s, bool keep_utf8)
{
    const uint32_t len_before = buf->len;

    while (s.len) {
        const size_t size = keep_utf8 ? slice_utf8_size(s) : 1;
        const bool keep = size > 1 && is_harmless(slice_head(s, size));
        const size_t step = keep ? size : 1;

        if (!(keep ? buf_add(buf, slice_head(s, size)) : escape_octet(buf, s.at[0]))) {
            buf->len = len_before;
            return false;
        }
        s = slice_from(s, step);
    }
    return true;
}

bool text_match(struct slice pattern, struct slice text)
{
    size_t p = 0, t = 0, star = SLICE_NOT_FOUND, mark = 0;

    while (t < text.len) {
        if (p < pattern.len && pattern.at[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.len && pattern.at[p] == text.at[t]) {
            p++;
            t++;
        } else if (star != SLICE_NOT_FOUND) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.at[p] == '*')
        p++;
    return p == pattern.len;
}
