#include "core/own_list.h"

#include "base/text.h"

#include <assert.h>

static const char *const words[] = {[OWN_ALLOW] = "allow", [OWN_BLOCK] = "block"};

const char *own_list_word(enum own_list list)
{
    return words[list];
}

/* --- prefixes ------------------------------------------------------------------------------------------ */

static bool length_is_sound(unsigned family, unsigned bits)
{
    if (family == ADDRESS_IPV4)
        return bits >= OWN_IPV4_SHORTEST && bits <= OWN_IPV4_LONGEST;
    return family == ADDRESS_IPV6 && bits >= OWN_IPV6_SHORTEST && bits <= OWN_IPV6_LONGEST;
}

bool own_prefix_is_sound(const struct prefix *prefix)
{
    if (!length_is_sound(prefix->network.family, prefix->bits))
        return false;
    const struct address network = address_network(&prefix->network, prefix->bits);
    return address_equal_host(&network, &prefix->network);
}

bool own_prefix_of(const struct address *address, unsigned bits, struct prefix *ret_prefix)
{
    if (address->family == ADDRESS_IPV6 && bits > OWN_IPV6_LONGEST && bits <= 128)
        bits = OWN_IPV6_LONGEST;
    if (!length_is_sound(address->family, bits))
        return false;
    *ret_prefix = (struct prefix){address_network(address, bits), (uint8_t)bits};
    return true;
}

struct prefix own_prefix_of_host(const struct address *host)
{
    struct prefix prefix;
    const bool sound = own_prefix_of(host, host->family == ADDRESS_IPV4 ? OWN_IPV4_LONGEST : OWN_IPV6_LONGEST,
                                     &prefix);
    assert(sound);
    return prefix;
}

bool own_prefix_fit(const struct prefix *prefix, struct prefix *ret_prefix)
{
    return own_prefix_of(&prefix->network, prefix->bits, ret_prefix);
}

bool own_prefix_parse(struct slice text, struct prefix *ret_prefix)
{
    char again[ADDRESS_PORT_TEXT_SIZE];
    struct prefix prefix;
    if (!prefix_parse(text, &prefix) || !own_prefix_is_sound(&prefix) ||
        !slice_equal(text, slice_of(again, prefix_print(&prefix, again))))
        return false;
    *ret_prefix = prefix;
    return true;
}

/* --- keys ---------------------------------------------------------------------------------------------- */

static_assert(sizeof "block " - 1 + ADDRESS_PORT_TEXT_SIZE <= OWN_KEY_SIZE, "the longest key has room");

struct slice own_key_start(enum own_list list)
{
    return list == OWN_ALLOW ? SLICE("allow ") : SLICE("block ");
}

size_t own_key_print(enum own_list list, const struct prefix *prefix, char text[OWN_KEY_SIZE])
{
    const struct slice start = own_key_start(list);
    assert(own_prefix_is_sound(prefix));
    memcpy(text, start.at, start.len);
    return start.len + prefix_print(prefix, text + start.len);
}

bool own_key_parse(struct slice key, enum own_list *ret_list, struct prefix *ret_prefix)
{
    for (unsigned list = OWN_ALLOW; list <= OWN_BLOCK; list++) {
        const struct slice start = own_key_start((enum own_list)list);
        if (!slice_starts(key, start) || !own_prefix_parse(slice_from(key, start.len), ret_prefix))
            continue;
        *ret_list = (enum own_list)list;
        return true;
    }
    return false;
}

/* --- values -------------------------------------------------------------------------------------------- */

/* As event_id_print has them: that is Crockford's base 32, small. */
static bool is_id(struct slice text)
{
    if (text.len != OWN_ID_LEN)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        const char octet = text.at[i];
        const bool letter = octet >= 'a' && octet <= 'z' && !memchr("ilou", octet, 4);
        if (!letter && !text_is_digit(octet))
            return false;
    }
    return true;
}

static bool is_reason(struct slice text)
{
    return text.len && text.len <= OWN_REASON_MAX && slice_is_printable(text) && text.at[0] != ' ' &&
           text.at[text.len - 1] != ' ';
}

static size_t reason_print(struct slice reason, char *text)
{
    size_t len = 0;
    for (size_t i = 0; i < reason.len && len < OWN_REASON_MAX; i++) {
        const char octet = reason.at[i];
        const char shown = octet == '\t' ? ' ' : octet < ' ' || octet > '~' ? '?' : octet;
        if (len || shown != ' ')
            text[len++] = shown;
    }
    while (len && text[len - 1] == ' ')
        len--;
    return len;
}

size_t own_value_print(enum own_list list, const struct own_value *value, char text[OWN_VALUE_SIZE])
{
    const struct slice id = is_id(value->id) ? value->id : SLICE("-");
    const struct slice usual = list == OWN_ALLOW ? SLICE("allowed") : SLICE("blocked");
    memcpy(text, id.at, id.len);
    text[id.len] = ' ';
    size_t len = id.len + 1;
    size_t reason = reason_print(value->reason, text + len);
    if (!reason)
        reason = reason_print(usual, text + len);
    len += reason;
    text[len] = '\0';
    return len;
}

bool own_value_parse(struct slice text, struct own_value *ret_value)
{
    struct slice reason = text, id;
    if (slice_find(text, ' ') == SLICE_NOT_FOUND || !slice_cut(&reason, ' ', &id) || !is_reason(reason))
        return false;
    const bool none = slice_equal(id, SLICE("-"));
    if (!none && !is_id(id))
        return false;
    *ret_value = (struct own_value){none ? SLICE_NONE : id, reason};
    return true;
}

/* --- lengths ------------------------------------------------------------------------------------------- */

static_assert(OWN_IPV6_LONGEST <= 64, "a set has a bit for each length");

void own_lengths_add(struct own_lengths *lengths, const struct prefix *prefix)
{
    assert(own_prefix_is_sound(prefix));
    const uint64_t bit = UINT64_C(1) << (prefix->bits - 1);
    if (prefix->network.family == ADDRESS_IPV4)
        lengths->ipv4 |= bit;
    else
        lengths->ipv6 |= bit;
}

uint64_t own_lengths_of(const struct own_lengths *lengths, enum address_family family)
{
    return family == ADDRESS_IPV4 ? lengths->ipv4 : family == ADDRESS_IPV6 ? lengths->ipv6 : 0;
}

unsigned own_lengths_take(uint64_t *set)
{
    if (!*set)
        return 0;
    const unsigned bit = 63u - (unsigned)__builtin_clzll(*set);
    *set &= ~(UINT64_C(1) << bit);
    return bit + 1;
}

static size_t set_print(char family, uint64_t set, char *text)
{
    size_t len = 0;
    for (unsigned bits; (bits = own_lengths_take(&set));) {
        if (len)
            text[len++] = ',';
        else {
            text[len++] = family;
            text[len++] = ':';
        }
        len += text_print_u64(bits, text + len);
    }
    return len;
}

/* Two digits and what parts them, for each length of both families. */
static_assert(3 * (OWN_IPV4_LONGEST + OWN_IPV6_LONGEST) - 3 * (OWN_IPV4_SHORTEST + OWN_IPV6_SHORTEST) + 6 +
                      sizeof "4: 6:" + TEXT_UNIT_SIZE <=
                  OWN_LENGTHS_SIZE,
              "all of them have room");

size_t own_lengths_print(const struct own_lengths *lengths, char text[OWN_LENGTHS_SIZE])
{
    size_t len = set_print('4', lengths->ipv4, text);
    if (len && lengths->ipv6)
        text[len++] = ' ';
    len += set_print('6', lengths->ipv6, text + len);
    text[len] = '\0';
    return len;
}

/* "32,24" */
static bool set_parse(enum address_family family, struct slice text, uint64_t *ret_set)
{
    struct slice word;
    uint64_t before = UINT64_MAX;
    if (!text.len || text.at[text.len - 1] == ',')
        return false;
    while (slice_cut(&text, ',', &word)) {
        uint64_t bits;
        if (!word.len || word.len > 2 || word.at[0] == '0' || !text_parse_u64(word, &bits) ||
            !length_is_sound(family, (unsigned)bits) || bits >= before)
            return false;
        *ret_set |= UINT64_C(1) << (bits - 1);
        before = bits;
    }
    return true;
}

bool own_lengths_parse(struct slice text, struct own_lengths *ret_lengths)
{
    struct own_lengths lengths = {0, 0};
    const size_t parting = slice_find(text, ' ');
    const struct slice front = slice_head(text, parting);
    const struct slice last = parting == SLICE_NOT_FOUND ? front : slice_from(text, parting + 1);
    const bool both = parting != SLICE_NOT_FOUND, six = slice_starts(last, SLICE("6:"));
    *ret_lengths = lengths;
    if (both && !six)
        return false;
    if ((both || !six) &&
        (!slice_starts(front, SLICE("4:")) || !set_parse(ADDRESS_IPV4, slice_from(front, 2), &lengths.ipv4)))
        return false;
    if (six && !set_parse(ADDRESS_IPV6, slice_from(last, 2), &lengths.ipv6))
        return false;
    *ret_lengths = lengths;
    return true;
}

/* --- entries ------------------------------------------------------------------------------------------- */

size_t own_entry_print(const struct own_entry *entry, char text[OWN_ENTRY_SIZE])
{
    size_t len = own_key_print(entry->list, &entry->prefix, text);
    text[len++] = ' ';
    return len + own_value_print(entry->list, &entry->value, text + len);
}

bool own_entry_parse(struct slice text, struct own_entry *ret_entry)
{
    const size_t word = slice_find(text, ' ');
    if (word == SLICE_NOT_FOUND)
        return false;
    const size_t network = slice_find(slice_from(text, word + 1), ' ');
    if (network == SLICE_NOT_FOUND)
        return false;
    const size_t key = word + 1 + network;
    return own_key_parse(slice_head(text, key), &ret_entry->list, &ret_entry->prefix) &&
           own_value_parse(slice_from(text, key + 1), &ret_entry->value);
}
