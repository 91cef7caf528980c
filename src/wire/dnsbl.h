/* Lists of addresses that are asked by DNS (RFC 5782): names to ask for, return codes, reasons.
 *
 * A list's answer is one or more addresses within 127.0.0.0/8, its return codes. 127.255.255.0/24 is used by
 * lists to say that they do not answer us; anything outside 127.0.0.0/8 was not made by a list. */
#ifndef WIRE_DNSBL_H
#define WIRE_DNSBL_H

#include "base/address.h"

#define DNSBL_NAME_MAX   253 /* octets of a name that is asked for */
#define DNSBL_ZONE_MAX   180 /* octets of a zone: 32 nibbles with their dots, and some room */
#define DNSBL_REASON_MAX 200 /* octets of a reason as it is passed on */

/* Return codes: an octet, a range or any in each place: "127.0.0.2", "127.0.0.4-7", "127.0.*.3". */
struct dnsbl_pattern {
    uint8_t low[4];
    uint8_t high[4];
};

/* False: against the grammar, or the first place is not 127. */
bool dnsbl_pattern_parse(struct slice text, struct dnsbl_pattern *ret_pattern);
bool dnsbl_pattern_matches(const struct dnsbl_pattern *pattern, const struct address *code);

/* What is asked for: the octets or nibbles of the address the other way round, and the zone. The zone is at
 * most DNSBL_ZONE_MAX octets; the result is in `room`. */
struct slice dnsbl_name(const struct address *address, struct slice zone, char room[DNSBL_NAME_MAX]);

enum dnsbl_answer {
    DNSBL_LISTED,
    DNSBL_ERROR,  /* one code is in 127.255.255.0/24 */
    DNSBL_OUTSIDE /* one code is outside 127.0.0.0/8, or no address */
};

/* The addresses of an answer, parted by blanks. ret_odd: the code that is no listing, else untouched. */
enum dnsbl_answer dnsbl_answer_read(struct slice codes, struct address *ret_odd);
/* Words for the codes that lists agree on, else those for any of 127.255.255.0/24. */
const char *dnsbl_error_words(const struct address *code);

/* The first TXT record that is not empty, of netstrings as a name server's answer has them: printable ASCII,
 * anything else as a question mark, cut at DNSBL_REASON_MAX. In `room`, or empty. */
struct slice dnsbl_reason(struct slice records, char room[DNSBL_REASON_MAX]);

#endif
