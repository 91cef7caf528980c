/* Known hosts: what the store has of them.
 *
 *   known host HOST     "+DAY POOL" it is known, and as whose machine; "-DAY POOL" it has lost that
 *   known pool POOL     "DAY", that of its last good message
 *   known clean SUBJECT touches by good messages of strangers, told apart by day; SUBJECT is the pool, or the
 *                       host where that has lost it
 *   known bad POOL      touches by hosts that have lost it
 *
 * A host loses it by a session that sums to policy.reject, or by writing to a spam trap, which leaves its
 * pool alone. It gets it back by good messages of its own, not by the greylist.
 *
 * A day is a number: days since 1970. All live for known.lifetime. */
#ifndef CHECKS_KNOWN_H
#define CHECKS_KNOWN_H

#include "core/check.h"

/* The client has passed the greylist: it and its pool are known from here on, but for a host that has lost
 * it. CHECK_WAIT: that is not known yet. */
enum check_result known_by_greylist(struct turn *turn);

#endif
