/* What the header alone says against a message: it goes round in circles, or passes every measure. */
#include "checks/list.h"

#include "wire/header.h"

static enum check_result run(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    const struct header *header = facts->header;
    unsigned received = header->counts[HEADER_RECEIVED];
    if (received > facts->site->set.limit_received)
        turn_find_saying(turn, FIND_HEADER_LOOP, turn_format(turn, "%u", received), "%u Received fields",
                         received);
    if (header->flags & (HEADER_TOO_MANY | HEADER_TOO_LARGE))
        turn_find(turn, FIND_HEADER_EXCESS, "%u header fields of %llu octets", header->count,
                  (unsigned long long)header->size);
    return CHECK_DONE;
}

const struct check check_header = {
    .name = "header",
    .doc = "whether a message loops, or its header passes the limits",
    .starts = STAGE_MESSAGE,
    .joins = STAGE_MESSAGE,
    .run = run,
};
