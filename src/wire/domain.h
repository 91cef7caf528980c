/* Domain names as SMTP writes them (RFC 5321 section 4.1.2, RFC 1035, RFC 6531), and what a HELO argument is.
 */
#ifndef WIRE_DOMAIN_H
#define WIRE_DOMAIN_H

#include "base/address.h"
#include "base/slice.h"

#define DOMAIN_SIZE_MAX  255 /* octets */
#define DOMAIN_LABEL_MAX 63  /* octets */

enum domain_status {
    DOMAIN_DONE,
    DOMAIN_EMPTY,
    DOMAIN_LONG,       /* over 255 octets */
    DOMAIN_LABEL_LONG, /* a label over 63 octets */
    DOMAIN_LABEL_NONE, /* two dots in a row, or a dot in front */
    DOMAIN_HYPHEN,     /* a label begins or ends with a hyphen */
    DOMAIN_OCTET,      /* an octet that is no letter, digit, hyphen, underscore or dot */
    DOMAIN_UTF8        /* malformed UTF-8, or any where it is not allowed */
};

/* Counts whatever the status, as far as the look went. */
struct domain_facts {
    bool dot;        /* more than one label */
    bool dot_last;   /* ends in a dot: tolerated */
    bool underscore; /* tolerated */
    bool utf8;       /* has U-labels: well-formed UTF-8, IDNA not checked */
    bool numeric;    /* the last label is digits alone: an address rather than a name */
};

/* Whether the whole slice is a domain. ret_facts may be NULL. */
enum domain_status domain_check(struct slice domain, bool allow_utf8, struct domain_facts *ret_facts);

/* The address within an address literal, brackets included: "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321
 * section 4.1.3). ret_tagged (may be NULL) says whether an IPv6 address had its tag; without the tag it is
 * read for tolerance. False: no literal, or a kind that we do not know. Port 0. */
bool domain_literal_parse(struct slice text, struct address *ret_address, bool *ret_tagged);

enum helo_kind {
    HELO_DOMAIN,  /* a domain of two labels or more */
    HELO_LITERAL, /* an address literal */
    HELO_BARE_IP, /* an address without brackets */
    HELO_NO_DOT,  /* one label: "Made-Up-Name-desk98", "localhost" */
    HELO_BAD,     /* none of these */
    HELO_EMPTY,
    HELO_KIND_COUNT
};

/* What the argument of HELO or EHLO is. The argument comes without blanks at its ends. ret_address (may be
 * NULL) is filled for HELO_LITERAL and HELO_BARE_IP, else ADDRESS_NONE. UTF-8 is HELO_BAD: RFC 6531 section
 * 3.7.1 wants A-labels here. */
enum helo_kind helo_classify(struct slice argument, struct address *ret_address);
struct slice
helo_kind_name(enum helo_kind kind); /* "domain", "literal", "bare-ip", "no-dot", "bad", "empty" */

#endif
