#include "wire/proxy.h"

#include "base/checksum.h"
#include "base/text.h"

#include <string.h>

/*
 * v1 = "PROXY UNKNOWN" [ SP *octet ] CRLF
 *    / "PROXY" SP ( "TCP4" / "TCP6" ) SP address SP address SP port SP port CRLF      ; 107 octets at most
 * v2 = signature %x20-21 family-and-transport length block                            ; %x20: LOCAL
 * block = addresses *tlv ; tlv = type length value; all numbers in network order
 */

static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";

#define SIGNATURE_SIZE 12
#define V2_HEAD_SIZE   16
#define V2_UNIX_SIZE   216
#define TLV_AUTHORITY  0x02
#define TLV_CRC32C     0x03
#define AUTHORITY_MAX  256
#define TRANSPORT_NONE 0
#define TRANSPORT_TCP  1
#define TRANSPORT_UDP  2
#define FAMILY_NONE    0
#define FAMILY_IPV4    1
#define FAMILY_IPV6    2
#define FAMILY_UNIX    3

static bool port_read(struct slice text, uint16_t *ret_port)
{
    uint64_t port;
    if (text.len > 5 || (text.len > 1 && text.at[0] == '0') || !text_parse_u64(text, &port) ||
        port > UINT16_MAX)
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

/* The form, not the family, is told: an IPv4-mapped address counts as IPv4 once it is read. */
static bool address_read(struct slice text, bool ipv6, struct address *ret_address)
{
    return (slice_find(text, ':') != SLICE_NOT_FOUND) == ipv6 && address_parse(text, ret_address);
}

static bool v1_addresses(struct slice text, struct proxy *proxy)
{
    struct slice part[5], rest = text;
    for (int i = 0; i < 5; i++)
        if (!slice_cut(&rest, ' ', &part[i]))
            return false;
    bool ipv6 = slice_equal(part[0], SLICE("TCP6"));
    if (rest.len > 0 || text.at[text.len - 1] == ' ' || (!ipv6 && !slice_equal(part[0], SLICE("TCP4"))))
        return false;
    if (!address_read(part[1], ipv6, &proxy->source) || !address_read(part[2], ipv6, &proxy->destination))
        return false;
    return port_read(part[3], &proxy->source.port) && port_read(part[4], &proxy->destination.port);
}

static enum proxy_status v1_parse(struct slice input, struct proxy *proxy)
{
    struct slice window = slice_head(input, PROXY_V1_MAX), head = SLICE("PROXY ");
    size_t end = slice_find(window, '\n');
    if (!slice_starts(window, slice_head(head, window.len)))
        return PROXY_BAD;
    if (end == SLICE_NOT_FOUND)
        return window.len < PROXY_V1_MAX ? PROXY_PARTIAL : PROXY_BAD;
    if (end < head.len || window.at[end - 1] != '\r')
        return PROXY_BAD;
    struct slice text = slice_from(slice_head(window, end - 1), head.len);
    proxy->version = 1;
    proxy->taken = end + 1;
    proxy->local = slice_equal(text, SLICE("UNKNOWN")) || slice_starts(text, SLICE("UNKNOWN "));
    return proxy->local || v1_addresses(text, proxy) ? PROXY_DONE : PROXY_BAD;
}

static unsigned number16(const char *at)
{
    return (unsigned)(unsigned char)at[0] << 8 | (unsigned char)at[1];
}

/* CRC-32C of the whole header with its own four octets taken as zero. */
static bool crc_is_right(struct slice whole, size_t at)
{
    const unsigned char *sent = (const unsigned char *)whole.at + at;
    uint32_t want = (uint32_t)sent[0] << 24 | (uint32_t)sent[1] << 16 | (uint32_t)sent[2] << 8 | sent[3];
    uint32_t sum = checksum_add(0, slice_head(whole, at));
    sum = checksum_add(sum, slice_of("\0\0\0\0", 4));
    return checksum_add(sum, slice_from(whole, at + 4)) == want;
}

static bool tlv_take(struct slice whole, size_t at, unsigned type, size_t len, struct proxy *proxy)
{
    if (type == TLV_AUTHORITY && len <= AUTHORITY_MAX)
        proxy->authority = slice_of(whole.at + at, len);
    if (type != TLV_CRC32C)
        return true;
    proxy->checked = true;
    return len == 4 && crc_is_right(whole, at);
}

static bool tlvs_parse(struct slice whole, size_t at, struct proxy *proxy)
{
    while (at < whole.len) {
        if (whole.len - at < 3)
            return false;
        unsigned type = (unsigned char)whole.at[at];
        size_t len = number16(whole.at + at + 1);
        at += 3;
        if (len > whole.len - at || !tlv_take(whole, at, type, len, proxy))
            return false;
        at += len;
    }
    return true;
}

static void v2_addresses(const char *block, enum address_family family, size_t size, struct proxy *proxy)
{
    const uint8_t *octets = (const uint8_t *)block;
    const char *ports = block + 2 * size;
    proxy->source = address_from_octets(family, octets, (uint16_t)number16(ports));
    proxy->destination = address_from_octets(family, octets + size, (uint16_t)number16(ports + 2));
}

static bool v2_block(struct slice whole, struct proxy *proxy)
{
    unsigned family = (unsigned char)whole.at[13] >> 4, transport = (unsigned char)whole.at[13] & 15;
    size_t len = whole.len - V2_HEAD_SIZE, size = 0;
    if (family > FAMILY_UNIX || transport > TRANSPORT_UDP ||
        (family != FAMILY_NONE && transport == TRANSPORT_UDP))
        return false;
    proxy->local = family == FAMILY_NONE || family == FAMILY_UNIX || transport == TRANSPORT_NONE;
    if (family == FAMILY_IPV4)
        size = 12;
    else if (family == FAMILY_IPV6)
        size = 36;
    else if (family == FAMILY_UNIX)
        size = V2_UNIX_SIZE;
    if (len < size)
        return false;
    if (!proxy->local)
        v2_addresses(whole.at + V2_HEAD_SIZE, family == FAMILY_IPV4 ? ADDRESS_IPV4 : ADDRESS_IPV6,
                     family == FAMILY_IPV4 ? 4 : 16, proxy);
    return tlvs_parse(whole, V2_HEAD_SIZE + size, proxy);
}

static enum proxy_status v2_parse(struct slice input, struct proxy *proxy)
{
    if (input.len < V2_HEAD_SIZE)
        return PROXY_PARTIAL;
    unsigned command = (unsigned char)input.at[12];
    size_t size = V2_HEAD_SIZE + number16(input.at + 14);
    if ((command != 0x20 && command != 0x21) || size > PROXY_SIZE_MAX)
        return PROXY_BAD;
    if (input.len < size)
        return PROXY_PARTIAL;
    proxy->version = 2;
    proxy->taken = size;
    proxy->local = true;
    /* LOCAL: whatever stands in the block is to be thrown away. */
    return command == 0x20 || v2_block(slice_head(input, size), proxy) ? PROXY_DONE : PROXY_BAD;
}

enum proxy_status proxy_parse(struct slice input, struct proxy *ret_proxy)
{
    *ret_proxy = (struct proxy){.version = 0};
    struct slice mark = slice_of(signature, SIGNATURE_SIZE);
    if (input.len == 0)
        return PROXY_PARTIAL;
    enum proxy_status status = slice_starts(input, slice_head(mark, input.len)) ? v2_parse(input, ret_proxy)
                                                                                : v1_parse(input, ret_proxy);
    if (status != PROXY_DONE)
        *ret_proxy = (struct proxy){.version = 0};
    return status;
}
