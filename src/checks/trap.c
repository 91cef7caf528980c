/* Spam traps: addresses that nobody uses. The host that wrote to one is found out, its pool is not touched.
 */
#include "checks/list.h"

static enum check_result run(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    if (site_is_trap(facts->site, facts->recipient_address))
        turn_find(turn, FIND_TRAP, "<%.*s> is a spam trap", SLICE_ARGS(facts->recipient_address));
    return CHECK_DONE;
}

static const uint8_t finds[] = {FIND_TRAP, 0};

const struct check check_trap = {
    .name = "trap",
    .doc = "whether a spam trap is written to",
    .starts = STAGE_RCPT,
    .joins = STAGE_RCPT,
    .audience = AUDIENCE_OUTSIDERS,
    .finds = finds,
    .run = run,
};
