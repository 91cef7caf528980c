/* Network addresses and prefixes. IPv4 and IPv6 are equals: an IPv4-mapped IPv6 address becomes IPv4 when it
 * is made. */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include "base/slice.h"

enum address_family { ADDRESS_NONE = 0, ADDRESS_IPV4 = 4, ADDRESS_IPV6 = 6 };

struct address {
    uint8_t family;     /* enum address_family */
    uint8_t octets[16]; /* network order; IPv4 uses the first four */
    uint16_t port;      /* host order; 0 where there is none */
};

#define ADDRESS_TEXT_SIZE      46 /* the longest text of an address and its NUL */
#define ADDRESS_PORT_TEXT_SIZE 56 /* "[…]:65535" and its NUL */

/* Textual forms: dotted quad (no leading zeros), RFC 4291 section 2.2; no port, no zone. */
bool address_parse(struct slice text, struct address *ret_address);
/* "192.0.2.1:25", "[2001:db8::1]:25", or without port where port_default stands. */
bool address_port_parse(struct slice text, uint16_t port_default, struct address *ret_address);
/* RFC 5952; "none" for ADDRESS_NONE. Returns the length written; text is terminated. */
size_t address_print(const struct address *address, char text[ADDRESS_TEXT_SIZE]);
/* "192.0.2.1:25" or "[2001:db8::1]:25". */
size_t address_port_print(const struct address *address, char text[ADDRESS_PORT_TEXT_SIZE]);
/* From and to the socket form: 4 or 16 octets of network order. */
struct address address_from_octets(enum address_family family, const uint8_t *octets, uint16_t port);

bool address_equal(const struct address *a, const struct address *b);      /* port counts */
bool address_equal_host(const struct address *a, const struct address *b); /* port does not count */
bool address_is_loopback(const struct address *address);
bool address_is_unspecified(const struct address *address);
/* Whether nobody in the Internet has it: loopback, private, shared, link-local, documentation, multicast and
 * what is reserved (RFC 6890, 5737, 3849). What it stands for is known at home only. */
bool address_is_special(const struct address *address);
/* Of these, those that a house gives its own machines: private, shared and link-local (RFC 1918, 6598, 3927,
 * 4193, 4291). */
bool address_is_private(const struct address *address);
/* The address with all but its first `bits` bits cleared, port 0: the key of anything kept per network. */
struct address address_network(const struct address *address, unsigned bits);
/* 16 octets in which IPv4 is mapped: a key for tables and stores. */
void address_key(const struct address *address, uint8_t ret_key[16]);

struct prefix {
    struct address network;
    uint8_t bits;
};

/* "192.0.2.0/24", "2001:db8::/32", or a lone address. Bits behind the prefix must be zero. */
bool prefix_parse(struct slice text, struct prefix *ret_prefix);
bool prefix_contains(const struct prefix *prefix, const struct address *address);
size_t prefix_print(const struct prefix *prefix, char text[ADDRESS_PORT_TEXT_SIZE]);

#endif
