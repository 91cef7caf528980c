/* Limits and privileges: what keeps a process inside its means, and its means small. */
#ifndef DAEMON_GUARD_H
#define DAEMON_GUARD_H

#include "base/error.h"
#include "base/slice.h"
#include <stdint.h>
#include <sys/types.h>

/* What a gate may use. Near the end new sessions are refused with 421; at the end nothing is accepted. */
struct guard {
    uint64_t memory_max;      /* octets (limits.memory) */
    uint32_t descriptors_max; /* connections that fit beside DESCRIPTORS_RESERVED */
    uint32_t tls;             /* connections under TLS now: OpenSSL's memory is not counted otherwise */
};

#define GUARD_DESCRIPTORS_RESERVED 256u   /* for files, inner servers, control */
#define GUARD_TLS_OCTETS           20480u /* of OpenSSL for one connection: 15 KB were measured while idle */
#define GUARD_POLITE               64u    /* connections before descriptors_max that still get a 421 */

/* Raises the soft limit of descriptors to the hard one and reads it. */
void guard_init(struct guard *guard, uint64_t memory_max);
/* Has the kernel's table of descriptors made as large as that many connections need, as far as they may be
 * had. Where it grows in a process of several threads, accept waits for the whole machine: 10 to 25 ms each
 * time. */
void guard_room(const struct guard *guard, uint64_t connections);
/* 421 for the next session: memory or descriptors are nearly used up. */
bool guard_is_short(const struct guard *guard, uint32_t connections);
/* No connection fits any more. */
bool guard_is_full(const struct guard *guard, uint32_t connections);

struct guard_user {
    uid_t uid;
    gid_t gid;
};

/* The system's numbers for user and group; an empty group is the user's own. -1: there is no such. */
int guard_user_find(struct slice user, struct slice group, struct guard_user *ret_user, struct error *error);
/* For good: groups, user, no new privileges. Only root may; whoever is not root gets only the last. */
int guard_drop(const struct guard_user *user, struct error *error);

#endif
