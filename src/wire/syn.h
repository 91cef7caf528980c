/* The first packet of a TCP client, as Linux keeps it (TCP_SAVED_SYN): IP header and TCP header. How a system
 * fills these in tells which system it is; the text is a raw signature as p0f v3 writes it, so that its
 * database can be asked:
 *
 *     version:ttl+distance:options-length:mss:window,scale:layout:quirks:payload
 *     4:64+0:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+:0
 *
 * Grammar: RFC 791 section 3.1, RFC 8200 section 3, RFC 9293 section 3.1, RFC 7323 section 2 and 3, RFC 2018
 * section 2; the text as in the documentation of p0f v3. */
#ifndef WIRE_SYN_H
#define WIRE_SYN_H

#include "base/buf.h"

#define SYN_OPTIONS 24
#define SYN_MAX     512 /* octets that TCP_SAVED_SYN may give */
#define SYN_TEXT    192 /* octets that the text of a signature may have, its NUL included */

enum syn_quirk {
    SYN_DF = 1 << 0,              /* "don't fragment" */
    SYN_ID = 1 << 1,              /* DF, and yet an IP id */
    SYN_NO_ID = 1 << 2,           /* no DF, and no IP id */
    SYN_ECN = 1 << 3,             /* explicit congestion notification */
    SYN_ZERO = 1 << 4,            /* a reserved bit that must be zero is not */
    SYN_FLOW = 1 << 5,            /* an IPv6 flow label */
    SYN_NO_SEQUENCE = 1 << 6,     /* the sequence number is zero */
    SYN_ACK_SET = 1 << 7,         /* an acknowledgment number without the ACK flag */
    SYN_NO_ACK = 1 << 8,          /* the ACK flag without a number */
    SYN_URGENT = 1 << 9,          /* an urgent pointer without the URG flag */
    SYN_URG = 1 << 10,            /* the URG flag */
    SYN_PUSH = 1 << 11,           /* the PSH flag */
    SYN_NO_TIMESTAMP = 1 << 12,   /* its own timestamp is zero */
    SYN_PEER_TIMESTAMP = 1 << 13, /* a timestamp of ours, though we have sent none */
    SYN_PADDING = 1 << 14,        /* octets other than zero behind the end of the options */
    SYN_SCALE = 1 << 15,          /* a window scale above 14 */
    SYN_BAD = 1 << 16             /* malformed options */
};

struct syn {
    uint32_t quirks;      /* SYN_ bits */
    uint32_t header_size; /* of both headers together */
    uint32_t payload;
    uint16_t mss; /* 0: none */
    uint16_t window;
    uint8_t version; /* 4 or 6 */
    uint8_t ttl;     /* as it arrived */
    uint8_t ip_options;
    uint8_t scale;
    uint8_t option_count;
    uint8_t padding;              /* octets behind the end of the options */
    uint8_t options[SYN_OPTIONS]; /* their kinds, in order */
    bool timestamp;               /* its own was given and is not zero */
};

/* False: that is no IP packet with a whole TCP header in it. */
bool syn_parse(struct slice packet, struct syn *ret_syn);
/* Returns the length written; text is terminated. */
size_t syn_print(const struct syn *syn, char text[SYN_TEXT]);

#endif
