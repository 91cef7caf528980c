/* How a stranger took it that EHLO was refused, on its last visit: who said QUIT then insists on what EHLO
 * offers, and gets it now; who went away without a word is held to account, once. */
#include "checks/list.h"
#include "checks/place.h"

static struct slice host_key(struct turn *turn)
{
    return turn_format(turn, "ehlo host %.*s", SLICE_ARGS(place_host(turn)));
}

/* Of machines without a name of their own the network counts. */
static struct slice network_key(struct turn *turn)
{
    return turn_format(turn, "ehlo net %.*s", SLICE_ARGS(place_network(turn)));
}

static enum check_result account(struct turn *turn, struct slice key, const char *who)
{
    turn_find(turn, FIND_EHLO_NO_HELO, "on %s last visit EHLO was refused, and HELO did not follow", who);
    turn_tell(turn, TELL_REMOVE, key, SLICE_NONE, 0);
    return CHECK_DONE;
}

static enum check_result run(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    if (facts->site->set.ehlo_refuse == EHLO_REFUSE_OFF)
        return CHECK_DONE;
    struct slice key = host_key(turn);
    const struct ask *host = turn_ask(turn, ASK_STORED, key);
    if (!host)
        return CHECK_WAIT;
    if (host->status == ANSWER_FOUND && slice_equal(host->value, SLICE("polite"))) {
        turn_learn(turn, LEARN_POLITE, host->value);
        return CHECK_DONE;
    }
    if (host->status == ANSWER_FOUND)
        return account(turn, key, "its");
    if (facts->peer_name.len)
        return CHECK_DONE;
    key = network_key(turn);
    const struct ask *network = turn_ask(turn, ASK_STORED, key);
    if (!network)
        return CHECK_WAIT;
    if (network->status == ANSWER_FOUND) /* what cannot be said fails open */
        return account(turn, key, "its network's");
    return CHECK_DONE;
}

const struct check check_visit = {
    .name = "visit",
    .doc = "how the client took it that EHLO was refused, on its last visit",
    .starts = STAGE_CONNECT,
    .joins = STAGE_HELO,
    .once = true,
    .about_address = true,
    .audience = AUDIENCE_STRANGERS,
    .run = run,
};
