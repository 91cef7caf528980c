/* Where a client stands in the net, as text for keys of the store and for evidence. */
#ifndef CHECKS_PLACE_H
#define CHECKS_PLACE_H

#include "core/check.h"

/* What counts as one host: an IPv4 address "192.0.2.7", an IPv6 /64 "2001:db8::/64". Lives as long as the
 * turn. */
struct slice place_host(struct turn *turn);
/* Its network: IPv4 /24, IPv6 /64. On loopback each address is a network of its own: whoever tries a gate at
 * home has 127.0.0.0/8 for clients that have nothing in common. */
struct slice place_network(struct turn *turn);
/* ASCII letters as lower case; what is longer than 400 octets is cut. Lives as long as the turn. */
struct slice place_lower(struct turn *turn, struct slice text);

#endif
