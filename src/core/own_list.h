/* The own block list and the allowances, as the keeper puts them into the store for the gates to look up.
 *
 *   key "block PREFIX" or "allow PREFIX"    value "ID REASON"
 *   key "own lengths"                       value "4:32,24 6:64"
 *
 * PREFIX is in canonical form with its length always there: "192.0.2.7/32", "2001:db8:1:2::/64". ID is the
 * 13-character id of the campaign or session that is the evidence, or "-". REASON is 1 to 100 octets of
 * printable ASCII, and neither begins nor ends with a blank. An entry ends with its time to live.
 *
 * "own lengths" says which lengths of prefixes are in use by either list, the longest first; a family without
 * any is left out, and without any at all the key is absent. It may name a length that is not in use any
 * more, and never lacks one that is. So a look-up costs one question to the store for each length in use.
 *
 * What is read here is strict: whatever is not exactly as it would be printed is none. */
#ifndef CORE_OWN_LIST_H
#define CORE_OWN_LIST_H

#include "base/address.h"

/* A whole number of networks of these lengths is not to be blocked by mistake. */
#define OWN_IPV4_SHORTEST 8u
#define OWN_IPV4_LONGEST  32u
#define OWN_IPV6_SHORTEST 16u
#define OWN_IPV6_LONGEST  64u

#define OWN_ID_LEN        13u
#define OWN_REASON_MAX    100u
#define OWN_KEY_SIZE      64 /* with NUL */
#define OWN_VALUE_SIZE    (OWN_ID_LEN + 1 + OWN_REASON_MAX + 1)
#define OWN_LENGTHS_SIZE  288
#define OWN_LENGTHS_KEY   SLICE("own lengths")

enum own_list { OWN_ALLOW, OWN_BLOCK }; /* the first that has an address beats the second */

const char *own_list_word(enum own_list list); /* "allow", "block" */

/* Whether an entry may have it: the lengths above, and no bits behind them. */
bool own_prefix_is_sound(const struct prefix *prefix);
/* The network of that length that the address is in; of IPv6 at most 64 bits count. False: an entry may not
 * have that length. */
bool own_prefix_of(const struct address *address, unsigned bits, struct prefix *ret_prefix);
/* The entry for one host: its IPv4 /32, its IPv6 /64. The address is one of both. */
struct prefix own_prefix_of_host(const struct address *host);
/* The same for a prefix that a person named: of IPv6 one longer than /64 becomes its /64. False: no entry may
 * have it. */
bool own_prefix_fit(const struct prefix *prefix, struct prefix *ret_prefix);
/* Only in the form in which it is printed. */
bool own_prefix_parse(struct slice text, struct prefix *ret_prefix);

/* All that begins "block " or "allow " in the store, for walks. */
struct slice own_key_start(enum own_list list);
/* The prefix is sound. Returns the length. */
size_t own_key_print(enum own_list list, const struct prefix *prefix, char text[OWN_KEY_SIZE]);
bool own_key_parse(struct slice key, enum own_list *ret_list, struct prefix *ret_prefix);

struct own_value {
    struct slice id;     /* 13 characters, or empty: there is no evidence */
    struct slice reason; /* 1 to 100 printable octets */
};

/* A reason that is no such text is made one: what cannot be printed becomes '?', blanks at both ends go, what
 * is too long is cut, and an empty one is "blocked" or "allowed". An id that is none becomes "-". Returns the
 * length. */
size_t own_value_print(enum own_list list, const struct own_value *value, char text[OWN_VALUE_SIZE]);
/* The slices point into the text. */
bool own_value_parse(struct slice text, struct own_value *ret_value);

/* Which lengths are in use, of either family: bit N - 1 stands for /N. */
struct own_lengths {
    uint64_t ipv4;
    uint64_t ipv6;
};

void own_lengths_add(struct own_lengths *lengths, const struct prefix *prefix);
/* Those that entries of the family have. */
uint64_t own_lengths_of(const struct own_lengths *lengths, enum address_family family);
/* Takes the longest out of the set; 0: it is empty. */
unsigned own_lengths_take(uint64_t *set);
/* 0: there are none, and the key is to be removed. Returns the length. */
size_t own_lengths_print(const struct own_lengths *lengths, char text[OWN_LENGTHS_SIZE]);
/* False: it is no such text; then there are none. */
bool own_lengths_parse(struct slice text, struct own_lengths *ret_lengths);

/* What a look-up found, as the answer to ASK_OWN has it: "block 192.0.2.0/24 ID REASON". */
struct own_entry {
    enum own_list list;
    struct prefix prefix;
    struct own_value value;
};

#define OWN_ENTRY_SIZE (OWN_KEY_SIZE + OWN_VALUE_SIZE)
size_t own_entry_print(const struct own_entry *entry, char text[OWN_ENTRY_SIZE]);
/* The slices point into the text. */
bool own_entry_parse(struct slice text, struct own_entry *ret_entry);

#endif
