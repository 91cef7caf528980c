#include "queue/field.h"

#define NUMBER_OCTETS 10 /* of the largest LEB128 number of 64 bits */

void field_put_u32(char *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (char)(uint8_t)(value >> (8 * i));
}

void field_put_u64(char *at, uint64_t value)
{
    field_put_u32(at, (uint32_t)value);
    field_put_u32(at + 4, (uint32_t)(value >> 32));
}

uint32_t field_get_u32(const char *at)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < 4; i++)
        value |= (uint32_t)(uint8_t)at[i] << (8 * i);
    return value;
}

uint64_t field_get_u64(const char *at)
{
    return field_get_u32(at) | (uint64_t)field_get_u32(at + 4) << 32;
}

bool field_add_number(struct buf *buf, uint64_t value)
{
    char octets[NUMBER_OCTETS];
    size_t len = 0;

    do {
        octets[len++] = (char)(uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value);
    return buf_add(buf, slice_of(octets, len));
}

bool field_add_text(struct buf *buf, struct slice text)
{
    return field_add_number(buf, text.len) && buf_add(buf, text);
}

static size_t address_octets(unsigned family)
{
    return family == ADDRESS_IPV4 ? 4 : family == ADDRESS_IPV6 ? 16 : 0;
}

bool field_add_address(struct buf *buf, const struct address *address)
{
    const char port[2] = {(char)(uint8_t)address->port, (char)(uint8_t)(address->port >> 8)};

    return buf_add_octet(buf, (char)address->family) &&
           buf_add(buf, slice_of((const char *)address->octets, address_octets(address->family))) &&
           buf_add(buf, slice_of(port, sizeof(port)));
}

static struct slice take(struct fields *fields, size_t size)
{
    if (size > fields->rest.len) {
        fields->bad = true;
        fields->rest = SLICE_NONE;
        return SLICE_NONE;
    }
    const struct slice taken = slice_head(fields->rest, size);
    fields->rest = slice_from(fields->rest, size);
    return taken;
}

uint64_t field_number(struct fields *fields)
{
    uint64_t value = 0;

    if (!fields->rest.len)
        return 0;
    for (unsigned i = 0; i < NUMBER_OCTETS; i++) {
        const struct slice octet = take(fields, 1);
        if (!octet.len)
            return 0;
        const uint64_t bits = (uint8_t)octet.at[0] & 0x7f;
        if (i == NUMBER_OCTETS - 1 && bits > 1)
            break;
        value |= bits << (7 * i);
        if (!((uint8_t)octet.at[0] & 0x80))
            return value;
    }
    fields->bad = true;
    return 0;
}

struct slice field_text(struct fields *fields)
{
    const uint64_t len = field_number(fields);

    if (len > fields->rest.len) {
        fields->bad = true;
        return SLICE_NONE;
    }
    return take(fields, (size_t)len);
}

struct address field_address(struct fields *fields)
{
    if (!fields->rest.len)
        return (struct address){.family = ADDRESS_NONE};
    const unsigned family = (uint8_t)take(fields, 1).at[0];
    if (family != ADDRESS_NONE && family != ADDRESS_IPV4 && family != ADDRESS_IPV6)
        fields->bad = true;
    const struct slice octets = take(fields, address_octets(family));
    const struct slice port = take(fields, 2);
    if (fields->bad)
        return (struct address){.family = ADDRESS_NONE};
    if (family == ADDRESS_NONE)
        return (struct address){.family = ADDRESS_NONE};
    return address_from_octets((enum address_family)family, (const uint8_t *)octets.at,
                               (uint16_t)((uint8_t)port.at[0] | (unsigned)(uint8_t)port.at[1] << 8));
}
