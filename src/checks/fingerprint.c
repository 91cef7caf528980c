/* How the client's TCP began: which system it runs, and often which program. What it was stands in the
 * journal for each session; here it counts, for who gives it a weight or an override of its own. */
#include "checks/list.h"

static enum check_result run(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    if (facts->fingerprint.len)
        turn_find(turn, FIND_FINGERPRINT, "%.*s", SLICE_ARGS(facts->fingerprint));
    return CHECK_DONE;
}

static bool is_wanted(const struct site *site)
{
    const struct rule *rule = &site->rules[FIND_FINGERPRINT];
    return site->by_fingerprint || rule->weight || rule->action != ACTION_NONE;
}

static const uint8_t finds[] = {FIND_FINGERPRINT, 0};

const struct check check_fingerprint = {
    .name = "fingerprint",
    .doc = "how the client's TCP began",
    .starts = STAGE_CONNECT,
    .joins = STAGE_CONNECT,
    .once = true,
    .about_address = true,
    .audience = AUDIENCE_OUTSIDERS,
    .finds = finds,
    .wanted = is_wanted,
    .run = run,
};
