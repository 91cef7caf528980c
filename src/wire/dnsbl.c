#include "wire/dnsbl.h"

#include "base/text.h"
#include "wire/netstring.h"

#include <assert.h>

/*
 * pattern = "127" 3( "." place )
 * place   = octet / octet "-" octet / "*"
 * octet   = decimal digits, 0 to 255
 */

/* --- patterns ------------------------------------------------------------------------------------------ */

static bool octet_parse(struct slice text, uint8_t *ret_octet)
{
    uint64_t number;
    if (text.len > 3 || !text_parse_u64(text, &number) || number > 255)
        return false;
    *ret_octet = (uint8_t)number;
    return true;
}

static bool place_parse(struct slice text, uint8_t *ret_low, uint8_t *ret_high)
{
    const size_t dash = slice_find(text, '-');
    if (slice_equal(text, SLICE("*"))) {
        *ret_low = 0;
        *ret_high = 255;
        return true;
    }
    if (dash == SLICE_NOT_FOUND) {
        if (!octet_parse(text, ret_low))
            return false;
        *ret_high = *ret_low;
        return true;
    }
    return octet_parse(slice_head(text, dash), ret_low) &&
           octet_parse(slice_from(text, dash + 1), ret_high) && *ret_low <= *ret_high;
}

bool dnsbl_pattern_parse(struct slice text, struct dnsbl_pattern *ret_pattern)
{
    struct dnsbl_pattern pattern;
    struct slice place;
    size_t count = 0;
    if (text.len && text.at[text.len - 1] == '.')
        return false;
    while (slice_cut(&text, '.', &place)) {
        if (count == 4 || !place_parse(place, &pattern.low[count], &pattern.high[count]))
            return false;
        count++;
    }
    if (count != 4 || pattern.low[0] != 127 || pattern.high[0] != 127)
        return false;
    *ret_pattern = pattern;
    return true;
}

bool dnsbl_pattern_matches(const struct dnsbl_pattern *pattern, const struct address *code)
{
    if (code->family != ADDRESS_IPV4)
        return false;
    for (size_t i = 0; i < 4; i++)
        if (code->octets[i] < pattern->low[i] || code->octets[i] > pattern->high[i])
            return false;
    return true;
}

/* --- names --------------------------------------------------------------------------------------------- */

static char *octet_put(char *at, uint8_t octet)
{
    if (octet >= 100)
        *at++ = (char)('0' + octet / 100);
    if (octet >= 10)
        *at++ = (char)('0' + octet / 10 % 10);
    *at++ = (char)('0' + octet % 10);
    *at++ = '.';
    return at;
}

static char *nibble_put(char *at, unsigned nibble)
{
    *at++ = "0123456789abcdef"[nibble & 15];
    *at++ = '.';
    return at;
}

struct slice dnsbl_name(const struct address *address, struct slice zone, char room[DNSBL_NAME_MAX])
{
    char *at = room;
    assert(zone.len <= DNSBL_ZONE_MAX);
    if (address->family == ADDRESS_IPV4) {
        for (size_t i = 4; i-- > 0;)
            at = octet_put(at, address->octets[i]);
    } else {
        for (size_t i = 16; i-- > 0;)
            at = nibble_put(nibble_put(at, address->octets[i]), address->octets[i] >> 4);
    }
    memcpy(at, zone.at, zone.len);
    return slice_of(room, (size_t)(at - room) + zone.len);
}

/* --- answers ------------------------------------------------------------------------------------------- */

static enum dnsbl_answer code_judge(const struct address *code)
{
    const uint8_t *octets = code->octets;
    if (code->family != ADDRESS_IPV4 || octets[0] != 127)
        return DNSBL_OUTSIDE;
    return octets[1] == 255 && octets[2] == 255 ? DNSBL_ERROR : DNSBL_LISTED;
}

enum dnsbl_answer dnsbl_answer_read(struct slice codes, struct address *ret_odd)
{
    struct slice word;
    bool any = false;
    while (slice_word(&codes, &word)) {
        struct address code;
        if (!address_parse(word, &code))
            code = (struct address){.family = ADDRESS_NONE};
        const enum dnsbl_answer answer = code_judge(&code);
        if (answer != DNSBL_LISTED) {
            *ret_odd = code;
            return answer;
        }
        any = true;
    }
    if (any)
        return DNSBL_LISTED;
    *ret_odd = (struct address){.family = ADDRESS_NONE};
    return DNSBL_OUTSIDE;
}

const char *dnsbl_error_words(const struct address *code)
{
    switch (code->octets[3]) {
    case 252: return "the zone's name is mistyped";
    case 254: return "it refuses name servers of the public: ask by a resolver of one's own";
    case 255: return "it was asked too often";
    default: return "an error of the list";
    }
}

/* --- reasons ------------------------------------------------------------------------------------------- */

static struct slice text_clean(struct slice text, char room[DNSBL_REASON_MAX])
{
    size_t len = 0;
    for (; len < text.len && len < DNSBL_REASON_MAX; len++) {
        const unsigned char octet = (unsigned char)text.at[len];
        room[len] = octet == '\t' ? ' ' : octet >= ' ' && octet < 0x7f ? (char)octet : '?';
    }
    return slice_trim(slice_of(room, len));
}

struct slice dnsbl_reason(struct slice records, char room[DNSBL_REASON_MAX])
{
    struct slice text;
    while (netstring_cut(&records, &text)) {
        const struct slice reason = text_clean(slice_trim(text), room);
        if (reason.len)
            return reason;
    }
    return SLICE_NONE;
}
