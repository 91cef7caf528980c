/* What the two halves of the keeper's block list share. */
#ifndef DAEMON_KEEPER_BLOCKS_PART_H
#define DAEMON_KEEPER_BLOCKS_PART_H

#include "base/arena.h"
#include "daemon/keeper_blocks.h"
#include "daemon/never.h"

#define SAID_MAX 64u /* campaigns of which a person was told */

struct keeper_blocks {
    struct keeper_blocks_settings set;
    struct block_list *list;
    struct never *never;
    struct arena batch;  /* keys and values of the batch at hand */
    struct buf events;   /* for the journal once the store has the batch */
    uint64_t lost;       /* events for which there was no room */
    uint64_t refused;    /* proposals of those who may never be blocked */
    uint64_t generation; /* of the list, as the lengths are known of */
    size_t sweep_at;     /* where entries are looked at that may have become forbidden; SIZE_MAX: all were */
    uint64_t said[SAID_MAX];
    unsigned said_next;
    char evidence[BLOCK_EVIDENCE_SIZE]; /* of the entry walked to last */
};

int64_t keeper_blocks_now(const struct keeper_blocks *blocks); /* milliseconds since 1970 */
/* Records what the last call of the list has changed. */
void keeper_blocks_notes(struct keeper_blocks *blocks);

#endif
