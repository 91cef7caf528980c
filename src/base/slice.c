#include "base/slice.h"

#include "base/text.h"

#include <string.h>

#define FNV_BASIS 0xcbf29ce484222325U
#define FNV_PRIME 0x100000001b3U

bool slice_equal_fold(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (text_lower(a.at[i]) != text_lower(b.at[i]))
            return false;
    return true;
}

int slice_compare(struct slice a, struct slice b)
{
    const size_t len = a.len < b.len ? a.len : b.len;
    const int order = len ? memcmp(a.at, b.at, len) : 0;

    if (order)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool slice_starts_fold(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && slice_equal_fold(slice_head(s, prefix.len), prefix);
}

bool slice_ends_fold(struct slice s, struct slice suffix)
{
    return s.len >= suffix.len && slice_equal_fold(slice_from(s, s.len - suffix.len), suffix);
}

static size_t index_in(struct slice s, const char *found)
{
    return found ? (size_t)(found - s.at) : SLICE_NOT_FOUND;
}

size_t slice_find_last(struct slice s, char octet)
{
    return s.len ? index_in(s, memrchr(s.at, octet, s.len)) : SLICE_NOT_FOUND;
}

size_t slice_find_slice(struct slice s, struct slice part)
{
    if (part.len == 0)
        return 0;
    return s.len ? index_in(s, memmem(s.at, s.len, part.at, part.len)) : SLICE_NOT_FOUND;
}

static bool is_blank(char octet)
{
    return octet == ' ' || octet == '\t';
}

static struct slice without_blanks_before(struct slice s)
{
    size_t n = 0;

    while (n < s.len && is_blank(s.at[n]))
        n++;
    return slice_from(s, n);
}

struct slice slice_trim(struct slice s)
{
    s = without_blanks_before(s);
    while (s.len && is_blank(s.at[s.len - 1]))
        s.len--;
    return s;
}

bool slice_cut(struct slice *s, char octet, struct slice *ret_part)
{
    if (s->len == 0)
        return false;
    const size_t n = slice_find(*s, octet);

    *ret_part = slice_head(*s, n);
    *s = slice_from(*s, n == SLICE_NOT_FOUND ? n : n + 1);
    return true;
}

bool slice_word(struct slice *s, struct slice *ret_word)
{
    size_t n = 0;

    *s = without_blanks_before(*s);
    while (n < s->len && !is_blank(s->at[n]))
        n++;
    if (n == 0)
        return false;
    *ret_word = slice_head(*s, n);
    *s = slice_from(*s, n);
    return true;
}

bool slice_is_printable(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] < 0x20 || s.at[i] > 0x7e)
            return false;
    return true;
}

/* UTF8-2, UTF8-3 and UTF8-4 of RFC 3629 section 4: the first octet says how many follow, and narrows the
 * second so that no overlong form, surrogate or number past U+10FFFF is left. */
size_t slice_utf8_size(struct slice s)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high, size;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    const unsigned char *at = (const unsigned char *)s.at;

    if (s.len == 0)
        return 0;
    if (at[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (at[0] < forms[i].first_low || at[0] > forms[i].first_high)
            continue;
        if (s.len < forms[i].size || at[1] < forms[i].second_low || at[1] > forms[i].second_high)
            return 0;
        for (size_t n = 2; n < forms[i].size; n++)
            if ((at[n] & 0xc0) != 0x80)
                return 0;
        return forms[i].size;
    }
    return 0;
}

bool slice_is_utf8(struct slice s)
{
    while (s.len) {
        const unsigned char octet = (unsigned char)s.at[0];

        if (octet && octet < 0x80) { /* as nearly all is */
            s = slice_from(s, 1);
            continue;
        }
        const size_t size = slice_utf8_size(s);

        if (size == 0 || s.at[0] == '\0')
            return false;
        s = slice_from(s, size);
    }
    return true;
}

uint64_t slice_hash(struct slice s, uint64_t seed)
{
    uint64_t hash = FNV_BASIS ^ seed;

    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)s.at[i]) * FNV_PRIME;
    return hash;
}

uint64_t slice_hash_fold(struct slice s, uint64_t seed)
{
    uint64_t hash = FNV_BASIS ^ seed;

    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)text_lower(s.at[i])) * FNV_PRIME;
    return hash;
}
