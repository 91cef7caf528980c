/* What the keeper's exports tell (keeper_exports.h): the entries of its block list that are in force, and
 * whom `postern allow` lets in, from the store. */
#ifndef DAEMON_KEEPER_EXPORTS_LIST_H
#define DAEMON_KEEPER_EXPORTS_LIST_H

#include "daemon/keeper_blocks.h"
#include "daemon/keeper_exports.h"

/* Exports of these blocks, which live longer. Negative: as keeper_exports_open. */
int keeper_exports_of_blocks(const struct keeper_blocks_settings *settings, struct keeper_blocks *blocks,
                             struct keeper_exports **ret_exports, struct error *error);

#endif
