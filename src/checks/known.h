/* Known hosts: what the store has of them.
 *
 *   known host HOST     "+DAY POOL" it is known, and as whose machine; "-DAY POOL" it has lost that
 *   known pool POOL     "DAY", that of its last good message
 *   known clean SUBJECT touches by good messages of strangers, told apart by day; SUBJECT is the pool, or the
 *                       host where that has lost it
 *   known bad POOL      touches by hosts that have lost it
 *
 * A day is a number: days since 1970. All live for known.lifetime. */
#ifndef CHECKS_KNOWN_H
#define CHECKS_KNOWN_H

#include "core/check.h"

/* The client and its pool are known from here on, by today's date. */
void known_tell(struct turn *turn);

#endif
