#include "base/address.h"

#include "base/text.h"

#include <string.h>

#define GROUPS 8U

static const uint8_t mapped_start[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static size_t octet_count(const struct address *address)
{
    switch ((enum address_family)address->family) {
    case ADDRESS_IPV4: return 4;
    case ADDRESS_IPV6: return 16;
    case ADDRESS_NONE: break;
    }
    return 0;
}

struct address address_from_octets(enum address_family family, const uint8_t *octets, uint16_t port)
{
    struct address address = {.family = (uint8_t)family, .port = port};

    if (family == ADDRESS_IPV6 && memcmp(octets, mapped_start, sizeof(mapped_start)) == 0) {
        address.family = ADDRESS_IPV4;
        octets += sizeof(mapped_start);
    }
    if (address.family != ADDRESS_NONE)
        memcpy(address.octets, octets, octet_count(&address));
    return address;
}

/* dec-octet of RFC 3986 section 3.2.2: no leading zero. Takes it off *text. */
static bool take_dec_octet(struct slice *text, uint8_t *ret_octet)
{
    unsigned value = 0;
    size_t count = 0;

    while (count < text->len && count < 4 && text->at[count] >= '0' && text->at[count] <= '9')
        value = value * 10 + (unsigned)(text->at[count++] - '0');
    if (count == 0 || (count > 1 && text->at[0] == '0') || value > 255)
        return false;
    *ret_octet = (uint8_t)value;
    *text = slice_from(*text, count);
    return true;
}

static bool parse_ipv4(struct slice text, uint8_t ret_octets[4])
{
    for (unsigned i = 0; i < 4; i++) {
        if (i && (text.len == 0 || text.at[0] != '.'))
            return false;
        if (i)
            text = slice_from(text, 1);
        if (!take_dec_octet(&text, &ret_octets[i]))
            return false;
    }
    return text.len == 0;
}

/* Colon-separated groups of one to four hexadecimal digits; a dotted quad may stand for the last two.
 * Returns the octets written (an empty text gives 0), or -1. */
static int parse_groups(struct slice text, uint8_t ret_octets[16])
{
    int count = 0;

    if (text.len == 0)
        return 0;
    for (;;) {
        const size_t colon = slice_find(text, ':');
        const struct slice group = slice_head(text, colon);
        uint64_t value;

        if (colon == SLICE_NOT_FOUND && slice_find(group, '.') != SLICE_NOT_FOUND)
            return count <= 12 && parse_ipv4(group, ret_octets + count) ? count + 4 : -1;
        if (count > 14 || group.len > 4 || !text_parse_hex(group, &value))
            return -1;
        ret_octets[count++] = (uint8_t)(value >> 8);
        ret_octets[count++] = (uint8_t)value;
        if (colon == SLICE_NOT_FOUND)
            return count;
        text = slice_from(text, colon + 1);
    }
}

static bool parse_ipv6(struct slice text, uint8_t ret_octets[16])
{
    const size_t gap = slice_find_slice(text, SLICE("::"));
    uint8_t behind[16];

    if (gap == SLICE_NOT_FOUND)
        return parse_groups(text, ret_octets) == 16;

    const struct slice text_before = slice_head(text, gap);
    const int count_before = parse_groups(text_before, ret_octets);
    const int count_behind = parse_groups(slice_from(text, gap + 2), behind);

    /* The gap stands for at least one group; a dotted quad may only stand at the very end. */
    if (count_before < 0 || count_behind < 0 || count_before + count_behind > 14 ||
        slice_find(text_before, '.') != SLICE_NOT_FOUND)
        return false;
    memset(ret_octets + count_before, 0, (size_t)(16 - count_before));
    memcpy(ret_octets + 16 - count_behind, behind, (size_t)count_behind);
    return true;
}

bool address_parse(struct slice text, struct address *ret_address)
{
    uint8_t octets[16];

    if (slice_find(text, ':') == SLICE_NOT_FOUND) {
        if (!parse_ipv4(text, octets))
            return false;
        *ret_address = address_from_octets(ADDRESS_IPV4, octets, 0);
        return true;
    }
    if (!parse_ipv6(text, octets))
        return false;
    *ret_address = address_from_octets(ADDRESS_IPV6, octets, 0);
    return true;
}

/* Splits "[ADDRESS]:PORT", "[ADDRESS]", "IPV4:PORT" or "ADDRESS". Without a port ret_port is SLICE_NONE. */
static bool split_port(struct slice text, struct slice *ret_host, struct slice *ret_port)
{
    const size_t colon = slice_find(text, ':');

    *ret_port = SLICE_NONE;
    if (text.len && text.at[0] == '[') {
        const size_t close = slice_find(text, ']');

        if (close == SLICE_NOT_FOUND)
            return false;
        *ret_host = slice_of(text.at + 1, close - 1);
        text = slice_from(text, close + 1);
        if (text.len == 0)
            return slice_find(*ret_host, ':') != SLICE_NOT_FOUND;
        *ret_port = slice_from(text, 1);
        return text.at[0] == ':' && text.len > 1 && slice_find(*ret_host, ':') != SLICE_NOT_FOUND;
    }
    *ret_host = text;
    if (colon == SLICE_NOT_FOUND || slice_find_last(text, ':') != colon)
        return true;
    *ret_host = slice_head(text, colon);
    *ret_port = slice_from(text, colon + 1);
    return ret_port->len > 0;
}

bool address_port_parse(struct slice text, uint16_t port_default, struct address *ret_address)
{
    struct slice host;
    struct slice port_text;
    struct address address;
    uint64_t port = port_default;

    if (!split_port(text, &host, &port_text) || !address_parse(host, &address))
        return false;
    if (port_text.len && (port_text.len > 5 || !text_parse_u64(port_text, &port) || port > UINT16_MAX))
        return false;
    *ret_address = address;
    ret_address->port = (uint16_t)port;
    return true;
}

static char *octet_print(uint8_t octet, char *at)
{
    if (octet >= 100)
        *at++ = (char)('0' + octet / 100);
    if (octet >= 10)
        *at++ = (char)('0' + octet / 10 % 10);
    *at++ = (char)('0' + octet % 10);
    return at;
}

/* Each session has its client's address printed many times. */
static size_t print_ipv4(const uint8_t octets[4], char *text)
{
    char *at = octet_print(octets[0], text);

    for (unsigned i = 1; i < 4; i++) {
        *at++ = '.';
        at = octet_print(octets[i], at);
    }
    *at = '\0';
    return (size_t)(at - text);
}

static unsigned group_at(const uint8_t octets[16], unsigned group)
{
    return (unsigned)octets[2 * group] << 8 | octets[2 * group + 1];
}

/* RFC 5952 section 4.2: the longest run of at least two zero groups, of equals the first. Without one
 * ret_first is GROUPS. */
static void longest_zeros(const uint8_t octets[16], unsigned *ret_first, unsigned *ret_count)
{
    unsigned count = 0;

    *ret_first = GROUPS;
    *ret_count = 1;
    for (unsigned i = 0; i < GROUPS; i++) {
        count = group_at(octets, i) ? 0 : count + 1;
        if (count > *ret_count) {
            *ret_count = count;
            *ret_first = i + 1 - count;
        }
    }
}

static size_t print_group(unsigned group, char *text)
{
    static const char digits[] = "0123456789abcdef";
    size_t len = 0;

    for (unsigned shift = 16; shift > 0;) {
        shift -= 4;
        if (len || group >> shift || shift == 0)
            text[len++] = digits[group >> shift & 15];
    }
    return len;
}

static size_t print_ipv6(const uint8_t octets[16], char *text)
{
    unsigned gap;
    unsigned gap_count;
    size_t len = 0;

    longest_zeros(octets, &gap, &gap_count);
    for (unsigned i = 0; i < GROUPS; i++) {
        if (i == gap) {
            text[len++] = ':';
            text[len++] = ':';
            i += gap_count - 1;
            continue;
        }
        if (i && text[len - 1] != ':')
            text[len++] = ':';
        len += print_group(group_at(octets, i), text + len);
    }
    text[len] = '\0';
    return len;
}

size_t address_print(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    switch ((enum address_family)address->family) {
    case ADDRESS_IPV4: return print_ipv4(address->octets, text);
    case ADDRESS_IPV6: return print_ipv6(address->octets, text);
    case ADDRESS_NONE: break;
    }
    memcpy(text, "none", 5);
    return 4;
}

size_t address_port_print(const struct address *address, char text[ADDRESS_PORT_TEXT_SIZE])
{
    const bool brackets = address->family == ADDRESS_IPV6;
    size_t len = 0;

    if (brackets)
        text[len++] = '[';
    len += address_print(address, text + len);
    if (brackets)
        text[len++] = ']';
    text[len++] = ':';

    char port[TEXT_UNIT_SIZE];
    const size_t port_len = text_print_u64(address->port, port);
    memcpy(text + len, port, port_len + 1);
    return len + port_len;
}

bool address_equal_host(const struct address *a, const struct address *b)
{
    return a->family == b->family && memcmp(a->octets, b->octets, octet_count(a)) == 0;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->port == b->port && address_equal_host(a, b);
}

bool address_is_loopback(const struct address *address)
{
    static const uint8_t one[16] = {[15] = 1};

    if (address->family == ADDRESS_IPV4)
        return address->octets[0] == 127;
    return address->family == ADDRESS_IPV6 && memcmp(address->octets, one, sizeof(one)) == 0;
}

bool address_is_unspecified(const struct address *address)
{
    static const uint8_t zeros[16];

    return address->family != ADDRESS_NONE && memcmp(address->octets, zeros, octet_count(address)) == 0;
}

struct address address_network(const struct address *address, unsigned bits)
{
    struct address network = {.family = address->family};
    const size_t count = octet_count(address);

    for (size_t i = 0; i < count && bits; i++) {
        const unsigned kept = bits < 8 ? bits : 8;

        network.octets[i] = (uint8_t)(address->octets[i] & 0xff00U >> kept);
        bits -= kept;
    }
    return network;
}

void address_key(const struct address *address, uint8_t ret_key[16])
{
    memset(ret_key, 0, 16);
    if (address->family == ADDRESS_IPV4) {
        memcpy(ret_key, mapped_start, sizeof(mapped_start));
        memcpy(ret_key + sizeof(mapped_start), address->octets, 4);
    } else {
        memcpy(ret_key, address->octets, octet_count(address));
    }
}

bool prefix_parse(struct slice text, struct prefix *ret_prefix)
{
    const size_t slash = slice_find(text, '/');
    const struct slice host = slice_head(text, slash);
    const struct slice bits_text = slash == SLICE_NOT_FOUND ? SLICE_NONE : slice_from(text, slash + 1);
    struct address address;
    uint64_t bits;

    if (!address_parse(host, &address))
        return false;
    const uint64_t bits_all = octet_count(&address) * 8;

    bits = bits_all;
    if (slash != SLICE_NOT_FOUND) {
        /* A mapped IPv4 address has its bits counted from the front of the IPv6 form. */
        const bool mapped = bits_all == 32 && slice_find(host, ':') != SLICE_NOT_FOUND;
        const uint64_t bits_before = mapped ? 96 : 0;

        if (bits_text.len > 3 || (bits_text.len > 1 && bits_text.at[0] == '0') ||
            !text_parse_u64(bits_text, &bits) || bits < bits_before || bits - bits_before > bits_all)
            return false;
        bits -= bits_before;
    }
    const struct address network = address_network(&address, (unsigned)bits);
    if (!address_equal_host(&network, &address))
        return false;
    *ret_prefix = (struct prefix){network, (uint8_t)bits};
    return true;
}

bool prefix_contains(const struct prefix *prefix, const struct address *address)
{
    const size_t whole = prefix->bits / 8;
    const unsigned rest = prefix->bits % 8;

    if (prefix->network.family != address->family || address->family == ADDRESS_NONE)
        return false;
    if (memcmp(prefix->network.octets, address->octets, whole) != 0)
        return false;
    return rest == 0 ||
           ((prefix->network.octets[whole] ^ address->octets[whole]) & 0xff00U >> rest & 0xff) == 0;
}

size_t prefix_print(const struct prefix *prefix, char text[ADDRESS_PORT_TEXT_SIZE])
{
    char bits[TEXT_UNIT_SIZE];
    const size_t bits_len = text_print_u64(prefix->bits, bits);
    size_t len = address_print(&prefix->network, text);

    text[len++] = '/';
    memcpy(text + len, bits, bits_len + 1);
    return len + bits_len;
}

static bool is_in(const char *const networks[], size_t count, const struct address *address)
{
    for (size_t i = 0; i < count; i++) {
        struct prefix prefix;
        if (prefix_parse(slice_text(networks[i]), &prefix) && prefix_contains(&prefix, address))
            return true;
    }
    return false;
}

bool address_is_special(const struct address *address)
{
    static const char *const networks[] = {
        "0.0.0.0/8",       "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",    "169.254.0.0/16",
        "172.16.0.0/12",   "192.0.0.0/24",   "192.0.2.0/24",  "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",   "::/127",         "100::/64",
        "2001:db8::/32",   "fc00::/7",       "fe80::/10",     "ff00::/8"};

    return is_in(networks, sizeof networks / sizeof *networks, address);
}

bool address_is_private(const struct address *address)
{
    static const char *const networks[] = {"10.0.0.0/8",    "100.64.0.0/10",  "169.254.0.0/16",
                                           "172.16.0.0/12", "192.168.0.0/16", "fc00::/7",
                                           "fe80::/10"};

    return is_in(networks, sizeof networks / sizeof *networks, address);
}
