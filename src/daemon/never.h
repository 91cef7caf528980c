/* Who may never be blocked, whatever a rule finds and whoever asks for it: our own networks, this host's own
 * addresses, trusted forwarders and the backup MX, the proxies in front, our inner servers; whom an access
 * table, an override or an allowance allows; and, but for a person who insists, whoever is known.
 *
 * An override counts for the networks, names and AS numbers that it lists, whatever else it wants of a
 * session: where it may allow a message of theirs, they are not to be blocked. */
#ifndef DAEMON_NEVER_H
#define DAEMON_NEVER_H

#include "core/site.h"
#include "io/store.h"

struct never;

/* Both are lent for life. */
struct never *never_new(const struct site *site, struct store *store);
void never_free(struct never *never); /* NULL is taken */

struct never_subject {
    struct prefix prefix;
    struct slice name; /* its confirmed name in lower case, where one is known */
    uint32_t as_number;
};

enum never_answer { NEVER_MAY, NEVER_KNOWN, NEVER_FORBIDDEN };

#define NEVER_WHY_SIZE 200

/* Why not, as the rest of a sentence: "192.0.2.0/24 is one of our own networks". A network is forbidden where
 * any address in it is. */
enum never_answer never_ask(struct never *never, const struct never_subject *subject, int64_t now_unix_ms,
                            char why[NEVER_WHY_SIZE]);

/* The same without a look into the store, for an entry that stands already; what a person has blocked an
 * allowance of a part of it does not forbid: there the allowance comes first, and that is all. */
bool never_forbids(const struct never *never, const struct prefix *prefix, bool by_person,
                   char why[NEVER_WHY_SIZE]);
/* Looks which allowances there are. True: they are others than before. */
bool never_look(struct never *never, int64_t now_unix_ms);

#endif
