/* Messages of the domain name system (RFC 1035): a question is written, an answer is read into text.
 *
 * Names in texts are lower case without a final dot; the root is ".". A name whose labels hold a dot, a blank
 * or anything but printable ASCII cannot be written so: a record that has one is passed over. */
#ifndef WIRE_DNS_H
#define WIRE_DNS_H

#include "base/address.h"
#include "base/arena.h"
#include "base/buf.h"

enum dns_type {
    DNS_A = 1,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28
};

#define DNS_NAME_MAX     253  /* octets of a name in text */
#define DNS_QUERY_MAX    300  /* octets of a question */
#define DNS_UDP_SIZE     1232 /* what we offer to take in one datagram: no link cuts it in pieces */
#define DNS_VALUE_MAX    16384
#define DNS_TTL_MAX      86400 /* seconds; longer ones count as this */
#define DNS_NEGATIVE_MAX 3600  /* the same for what is not there (RFC 2308 section 5) */

const char *dns_type_word(enum dns_type type); /* "AAAA" */

/* Whether it can be asked for: labels of 1 to 63 printable octets without blank and backslash, 253 in all. */
bool dns_name_is_sound(struct slice name);

/* A recursive question with EDNS (RFC 6891). The name is sound. */
void dns_query_write(struct buf *buf, uint16_t id, struct slice name, enum dns_type type);

/* The names under which addresses are looked up: "7.2.0.192" or 32 nibbles parted by dots, then "." and the
 * zone ("in-addr.arpa" and "ip6.arpa" for DNS_PTR, RFC 1035 section 3.5 and RFC 3596 section 2.5). */
struct slice dns_reverse(struct arena *arena, const struct address *address, struct slice zone);
struct slice dns_pointer_name(struct arena *arena, const struct address *address);

/* Whether a packet has this one question; what stands behind it is not looked at. The name is in lower case.
 */
bool dns_question_is(struct slice packet, struct slice name, enum dns_type type);

enum dns_status {
    DNS_FOUND,
    DNS_NO_DATA, /* the name is there, records of the type are not */
    DNS_NO_NAME,
    DNS_REFUSED, /* the server says that it cannot: `code` says why */
    DNS_CUT,     /* truncated */
    DNS_BAD      /* no answer to this question, or against the grammar */
};

struct dns_answer {
    enum dns_status status;
    uint8_t code;       /* of the header: 2 server failure, 5 refused, … */
    bool has_ttl;       /* not for a negative answer without SOA (RFC 2308 section 3) */
    uint32_t ttl;       /* seconds that it may be kept */
    struct slice value; /* in the arena: addresses or names parted by blanks; "10 mx1.example 20 mx2.example"
                           by preference, the null MX as "0 ."; TXT as netstrings, one a record */
};

/* An alias (CNAME) is followed within the answer. A value over DNS_VALUE_MAX, or more
 * than 256 records, are DNS_BAD. */
struct dns_answer dns_answer_read(struct slice packet, struct slice name, enum dns_type type,
                                  struct arena *arena);
/* Words for what a server says with its code: "server failure", "refused". */
const char *dns_code_words(uint8_t code);

#endif
