/* The PROXY protocol, versions 1 and 2 (facts of its public specification): a load balancer in front tells
 * whom it speaks for. Read from listed networks only, before anything else. */
#ifndef WIRE_PROXY_H
#define WIRE_PROXY_H

#include "base/address.h"
#include "base/slice.h"

#define PROXY_V1_MAX   107  /* octets, CRLF included */
#define PROXY_SIZE_MAX 2048 /* octets of a whole header that we take; TLVs beyond are refused */

enum proxy_status {
    PROXY_DONE,
    PROXY_PARTIAL, /* may become one: come again with more */
    PROXY_BAD      /* none, malformed, or past the limits */
};

struct proxy {
    size_t taken;          /* octets used up */
    uint8_t version;       /* 1 or 2 */
    bool local;            /* the front speaks for itself (LOCAL), or does not know (UNKNOWN, UNSPEC, unix):
                              use the connection's own addresses */
    bool checked;          /* a CRC-32C came and was right */
    struct address source; /* with port; ADDRESS_NONE when local */
    struct address destination; /* … */
    struct slice authority;     /* TLV: the SNI the front saw; points into the input; may hold any octet */
};

enum proxy_status proxy_parse(struct slice input, struct proxy *ret_proxy);

#endif
