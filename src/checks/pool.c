/* Whom a client counts as beyond this session: the pool of machines that it belongs to. */
#include "checks/generic_name.h"
#include "checks/list.h"
#include "checks/place.h"

/* The registered domain of a name: CHECK_WAIT, or in *ret_domain; empty: there is none, or it cannot be
 * found out now, which fails to the narrower pool, the network. */
static enum check_result registered(struct turn *turn, struct slice name, struct slice *ret_domain)
{
    const struct ask *answer = turn_ask(turn, ASK_REGISTERED, place_lower(turn, name));
    if (!answer)
        return CHECK_WAIT;
    *ret_domain = answer->status == ANSWER_FOUND ? answer->value : SLICE_NONE;
    return CHECK_DONE;
}

/* A name that a provider made of the address says whose network it is, not who sends: its neighbours are as
 * strange as it. */
static struct slice telling_name(const struct facts *facts)
{
    if (facts->peer_name.len && generic_name(facts->peer_name, facts->peer, NULL) == GENERIC_NO)
        return facts->peer_name;
    return SLICE_NONE;
}

static enum check_result run(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    const struct slice names[] = {telling_name(facts), facts->auth_domain};
    struct slice pool = SLICE_NONE;
    if (!turn_ready(turn)) /* the name and the SPF domain may be learnt yet */
        return CHECK_WAIT;
    for (size_t i = 0; i < sizeof names / sizeof *names && !pool.len; i++)
        if (names[i].len && registered(turn, names[i], &pool) == CHECK_WAIT)
            return CHECK_WAIT;
    if (!pool.len)
        pool = place_network(turn);
    if (!slice_equal(pool, facts->pool))
        turn_learn(turn, LEARN_POOL, pool);
    return CHECK_DONE;
}

const struct check check_pool = {
    .name = "pool",
    .doc = "whom a stranger counts as beyond this session: its domain, or its network",
    .starts = STAGE_RCPT,
    .joins = STAGE_RCPT,
    .behind = true,
    .audience = AUDIENCE_STRANGERS,
    .run = run,
};
