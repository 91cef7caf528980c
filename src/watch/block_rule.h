/* By which rules the watcher's campaigns and what comes to spam traps make proposals for the block list.
 *
 * Whose mail is mostly taken, or whose pool's is, is never proposed, whatever it took part in. */
#ifndef WATCH_BLOCK_RULE_H
#define WATCH_BLOCK_RULE_H

#include "watch/block_list.h"
#include "watch/watch.h"

/* A host of the campaign: there must be enough against it alone. False: there is not. */
bool block_rule_host(const struct watch *watch, const struct campaign *campaign,
                     const struct campaign_host *host, struct block_proposal *ret_proposal);
/* The network that comes back, a /24 or a /48: where 64 of its hosts were at it and nothing was ever taken of
 * any; one that is wider, or that fewer came from, has others in it who are innocent. */
bool block_rule_network(const struct watch *watch, const struct campaign *campaign,
                        struct block_proposal *ret_proposal);
/* A host that wrote to a spam trap. A bounce that comes there answers a forged sender: its host is innocent.
 */
bool block_rule_trap(const struct watch *watch, const struct attempt *attempt,
                     struct block_proposal *ret_proposal);

#endif
