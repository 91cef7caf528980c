/* Where an address belongs in the net: its AS number, netblock, country, and the name that is registered for
 * it; how name servers tell it, and how it is written as one text.
 *
 * Zones of origins answer with TXT records whose fields are parted by bars:
 *
 *   7.2.0.192.ZONE   "64500 64501 | 192.0.2.0/24 | NZ | apnic | 2004-01-01"
 *   AS64500.ZONE     "64500 | NZ | apnic | 1996-01-01 | EXAMPLE-AS Example Telecom, NZ"
 *
 * All texts that come out are UTF-8 without control characters; what was anything else is a question mark. */
#ifndef WIRE_ORIGIN_H
#define WIRE_ORIGIN_H

#include "base/address.h"
#include "base/arena.h"

#define ORIGIN_AS_MAX   4   /* numbers of one netblock that are kept */
#define ORIGIN_NAME_MAX 120 /* octets of a name; longer ones are cut */
#define ORIGIN_TEXT_MAX 384 /* octets of the whole as one text */

struct origin {
    uint32_t as[ORIGIN_AS_MAX]; /* never 0 */
    size_t as_count;
    struct prefix netblock;    /* its family is ADDRESS_NONE where it is not known */
    char country[2];           /* ISO 3166, in capitals; NULs: not known */
    struct slice name;         /* as registered; empty: not known */
    struct slice country_name; /* likewise */
};

bool origin_is_empty(const struct origin *origin);

/* Enters a part where nothing stands in it yet; what is none is passed over. Names are made clean and cut,
 * in the arena. */
void origin_add_as(struct origin *origin, uint64_t number);
void origin_set_country(struct origin *origin, struct slice code);
void origin_set_name(struct origin *origin, struct slice name, struct arena *arena);
void origin_set_country_name(struct origin *origin, struct slice name, struct arena *arena);

/* What the zone says of the address: netstrings, one a record, as a name server's answer has them. Of several
 * records with a netblock that holds the address the longest prefix counts; others are passed over. What is
 * known already stays. False: no record is of use, and nothing is changed. */
bool origin_zone_read(struct origin *origin, struct slice records, const struct address *address);
/* The description of an AS, without the country at its end; empty: no record has one. In the arena. */
struct slice origin_description(struct slice records, struct arena *arena);

/* "AS64500 AS64501<TAB>192.0.2.0/24<TAB>NZ<TAB>Example Telecom<TAB>New Zealand", what is not known being
 * empty; terminated. Returns the length. */
size_t origin_print(const struct origin *origin, char text[ORIGIN_TEXT_MAX]);
/* The other way; names are in the arena. Parts that are none count as not known. False: nothing is known. */
bool origin_parse(struct slice text, struct arena *arena, struct origin *ret_origin);

/* For people: "AS64500 Example Telecom, 192.0.2.0/24, New Zealand"; in the arena. */
struct slice origin_words(const struct origin *origin, struct arena *arena);

#endif
