/* Whether the client has proved itself in earlier sessions, and what this one adds to that or takes away. */
#include "checks/known.h"

#include "base/text.h"
#include "checks/list.h"
#include "checks/place.h"

enum {
    DAY_MS = 86400000,
    CLEAN_MESSAGES = 3, /* on two days at least */
    BAD_HOSTS = 3       /* as many end it for their pool */
};

struct host_entry {
    bool here; /* there is an entry */
    bool lost;
    uint64_t day;
    struct slice pool;
};

static uint64_t today(const struct turn *turn)
{
    return (uint64_t)turn_facts(turn)->unix_ms / DAY_MS;
}

static struct slice host_key(struct turn *turn)
{
    return turn_join(turn, SLICE("known host "), place_host(turn));
}

static struct slice pool_key(struct turn *turn, struct slice pool)
{
    return turn_join(turn, SLICE("known pool "), pool);
}

/* False: the answer is not here yet. One that failed is as good as none: then the client is a stranger. */
static bool host_read(struct turn *turn, struct host_entry *ret_entry)
{
    const struct ask *answer = turn_ask(turn, ASK_STORED, host_key(turn));
    struct slice rest, day;
    *ret_entry = (struct host_entry){.here = false};
    if (!answer)
        return false;
    if (answer->status != ANSWER_FOUND || answer->value.len < 4)
        return true;
    rest = slice_from(answer->value, 1);
    ret_entry->here = slice_cut(&rest, ' ', &day) && text_parse_u64(day, &ret_entry->day) && rest.len;
    ret_entry->lost = answer->value.at[0] == '-';
    ret_entry->pool = rest;
    return true;
}

static void host_tell(struct turn *turn, char sign)
{
    const struct facts *facts = turn_facts(turn);
    struct slice value = turn_format(turn, "%c%llu %.*s", sign, (unsigned long long)today(turn),
                                     SLICE_ARGS(facts->pool));
    turn_tell(turn, TELL_PUT, host_key(turn), value, facts->site->set.known_lifetime);
}

static void known_tell(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    struct slice day = turn_format(turn, "%llu", (unsigned long long)today(turn));
    turn_tell(turn, TELL_PUT, pool_key(turn, facts->pool), day, facts->site->set.known_lifetime);
    host_tell(turn, '+');
}

enum check_result known_by_greylist(struct turn *turn)
{
    struct host_entry host;
    if (!host_read(turn, &host))
        return CHECK_WAIT;
    if (host.lost)
        return CHECK_DONE;
    known_tell(turn);
    turn_learn(turn, LEARN_KNOWN, SLICE("greylist"));
    return CHECK_DONE;
}

/* --- by address, before the banner --------------------------------------------------------------------- */

static enum check_result by_address(struct turn *turn)
{
    struct host_entry host;
    if (!host_read(turn, &host))
        return CHECK_WAIT;
    if (!host.here || host.lost)
        return CHECK_DONE;
    const struct ask *pool = turn_ask(turn, ASK_STORED, pool_key(turn, host.pool));
    if (!pool)
        return CHECK_WAIT;
    if (pool->status != ANSWER_FOUND) /* fails to a stranger */
        return CHECK_DONE;
    turn_learn(turn, LEARN_POOL, host.pool);
    turn_learn(turn, LEARN_KNOWN, SLICE("address"));
    return CHECK_DONE;
}

const struct check check_known = {
    .name = "known",
    .doc = "whether the client's address has proved itself in earlier sessions",
    .starts = STAGE_CONNECT,
    .joins = STAGE_CONNECT,
    .once = true,
    .behind = true,
    .audience = AUDIENCE_OUTSIDERS,
    .run = by_address,
};

/* --- by pool, once that has been found out ------------------------------------------------------------- */

static enum check_result by_pool(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    struct host_entry host;
    if (!turn_ready(turn))
        return CHECK_WAIT;
    const struct ask *pool = turn_ask(turn, ASK_STORED, pool_key(turn, facts->pool));
    if (!pool)
        return CHECK_WAIT;
    if (pool->status != ANSWER_FOUND) /* fails to a stranger */
        return CHECK_DONE;
    if (!host_read(turn, &host))
        return CHECK_WAIT;
    if (host.lost)
        return CHECK_DONE;
    host_tell(turn, '+');
    turn_learn(turn, LEARN_KNOWN, SLICE("pool"));
    return CHECK_DONE;
}

const struct check check_known_pool = {
    .name = "known-pool",
    .doc = "whether the client's pool has proved itself in earlier sessions",
    .starts = STAGE_RCPT,
    .joins = STAGE_RCPT,
    .behind = true,
    .audience = AUDIENCE_STRANGERS,
    .run = by_pool,
};

/* --- what a session adds ------------------------------------------------------------------------------- */

/* CHECK_DONE: *ret_enough says whether this message makes the pool known. */
static enum check_result count_clean(struct turn *turn, struct slice subject, bool *ret_enough)
{
    const struct facts *facts = turn_facts(turn);
    struct slice key = turn_format(turn, "known clean %.*s", SLICE_ARGS(subject)), first, last, count;
    const struct ask *answer = turn_ask(turn, ASK_SEEN, key);
    uint64_t first_ms, before;
    *ret_enough = false;
    if (!answer)
        return CHECK_WAIT;
    struct slice day = turn_format(turn, "%llu", (unsigned long long)today(turn));
    turn_tell(turn, TELL_SEEN, key, day, facts->site->set.known_lifetime);
    struct slice rest = answer->value;
    if (answer->status == ANSWER_FOUND && slice_word(&rest, &first) && slice_word(&rest, &last) &&
        slice_word(&rest, &count) && text_parse_u64(first, &first_ms) && text_parse_u64(count, &before))
        *ret_enough = before + 1 >= CLEAN_MESSAGES && first_ms / DAY_MS != today(turn);
    return CHECK_DONE;
}

static enum check_result good_message(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    struct host_entry host;
    bool enough;
    if (!host_read(turn, &host))
        return CHECK_WAIT;
    if (facts->known) {
        if (!host.here || host.day != today(turn)) /* once a day is enough */
            known_tell(turn);
        return CHECK_DONE;
    }
    if (count_clean(turn, host.lost ? place_host(turn) : facts->pool, &enough) == CHECK_WAIT)
        return CHECK_WAIT;
    if (enough)
        known_tell(turn);
    return CHECK_DONE;
}

/* --- what it takes away -------------------------------------------------------------------------------- */

static void forget_pool(struct turn *turn)
{
    struct slice pool = turn_facts(turn)->pool;
    turn_tell(turn, TELL_REMOVE, pool_key(turn, pool), SLICE_NONE, 0);
    turn_tell(turn, TELL_REMOVE, turn_format(turn, "known clean %.*s", SLICE_ARGS(pool)), SLICE_NONE, 0);
    turn_tell(turn, TELL_REMOVE, turn_format(turn, "known bad %.*s", SLICE_ARGS(pool)), SLICE_NONE, 0);
}

/* For this host alone; its good messages count from the next one on. */
static void host_loses(struct turn *turn)
{
    host_tell(turn, '-');
    turn_tell(turn, TELL_REMOVE, turn_format(turn, "known clean %.*s", SLICE_ARGS(place_host(turn))),
              SLICE_NONE, 0);
    turn_learn(turn, LEARN_KNOWN, SLICE_NONE);
}

static enum check_result bad_session(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    struct slice key = turn_format(turn, "known bad %.*s", SLICE_ARGS(facts->pool)), word;
    const struct ask *answer = turn_ask(turn, ASK_SEEN, key);
    uint64_t hosts = 0;
    if (!answer)
        return CHECK_WAIT;
    struct slice rest = answer->value;
    for (unsigned i = 0; answer->status == ANSWER_FOUND && i < 4; i++)
        if (!slice_word(&rest, &word) || !text_parse_u64(word, &hosts))
            hosts = 0;
    host_loses(turn);
    if (hosts + 1 >= BAD_HOSTS)
        forget_pool(turn);
    else
        turn_tell(turn, TELL_SEEN, key, place_host(turn), facts->site->set.known_lifetime);
    return CHECK_DONE;
}

static bool is_bad(struct turn *turn)
{
    return turn_sum(turn) >= (int)turn_facts(turn)->site->set.policy_reject;
}

static enum check_result at_recipient(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    bool trap = site_is_trap(facts->site, facts->recipient_address);
    if (!facts->known && !trap)
        return CHECK_DONE;
    if (!turn_ready(turn))
        return CHECK_WAIT;
    if (!facts->pool.len || !is_bad(turn)) /* without a pool it is known by the postmaster's word */
        return CHECK_DONE;
    if (!trap)
        return bad_session(turn);
    host_loses(turn);
    return CHECK_DONE;
}

const struct check check_known_recipient = {
    .name = "known-recipient",
    .doc = "ends it for a known host whose session is bad before a message comes",
    .starts = STAGE_RCPT,
    .joins = STAGE_RCPT,
    .audience = AUDIENCE_OUTSIDERS,
    .run = at_recipient,
};

/* Nothing is held against it but that its address has no name: hosts without one can become known, too. What
 * is refused is no good message. */
static bool is_good(struct turn *turn)
{
    return turn_sum(turn) <= turn_share(turn, FIND_NO_PTR) && turn_action(turn) == ACTION_NONE;
}

static enum check_result at_message(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    if (!facts->pool.len)
        return CHECK_DONE;
    if (!turn_ready(turn))
        return CHECK_WAIT;
    if (is_bad(turn))
        return facts->known ? bad_session(turn) : CHECK_DONE;
    return is_good(turn) ? good_message(turn) : CHECK_DONE;
}

const struct check check_known_message = {
    .name = "known-message",
    .doc = "what a message does for its host and pool: good ones make them known, bad ones end it",
    .starts = STAGE_MESSAGE,
    .joins = STAGE_MESSAGE,
    .behind = true,
    .audience = AUDIENCE_OUTSIDERS,
    .run = at_message,
};
