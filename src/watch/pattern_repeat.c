/* Those who come back after they were refused, a host or a network; those who guess addresses; open web
 * proxies. */
#include "watch/watch_part.h"

enum {
    REPEAT_DAY = 6,        /* refused attempts of one host within a day */
    REPEAT_WEEK = 8,       /* or within seven */
    TAKEN_SHARE = 4,       /* one taken for so many refused, or fewer */
    GUESSED_ALONE = 20,    /* unknown recipients of one host within an hour */
    GUESSED_TOGETHER = 10, /* of hosts with one sender, within half an hour, at one domain of ours */
    GROUPS_TOGETHER = 4,
    GUESSED_CROWD = 40, /* of hosts that have nothing in common but their target */
    GROUPS_CROWD = 10
};

/* So many hosts with so many refused attempts make a network one that comes back. In a large access network a
 * few infected machines are always to be found, each with an attempt or two: the longer the time, the more it
 * takes. */
struct measure {
    size_t hosts;
    size_t attempts;
    int64_t span_ms;
    bool wide;     /* a /22 or /48; else a /24 or /64 */
    bool returned; /* only hosts with two attempts or more count */
};

static const struct measure measures[] = {
    {4, 8, 2 * DAY_MS, false, false},
    {5, 14, 7 * DAY_MS, false, false},
    {6, 16, 2 * DAY_MS, true, false},
    {8, 24, 7 * DAY_MS, true, false},
};

/* Where one of its hosts has come back often enough by itself, a few of the others will do. */
static const struct measure measure_beside_host = {3, 8, 7 * DAY_MS, true, true};

static bool join_all(struct turn *turn, struct watch_slot *slot, const uint32_t *places, size_t count)
{
    if (!slot)
        return false;
    for (size_t i = count; i-- > 0;)
        watch_join(turn->watch, slot, places[i]);
    return true;
}

static size_t gather(const struct turn *turn, enum trace_chain chain, int64_t span_ms,
                     bool (*wants)(const struct trace *trace, const void *data), uint32_t *ret_places)
{
    const struct trace *trace = turn->trace;
    const struct ledger_query query = {.chain = chain,
                                       .key = trace->chain[chain],
                                       .since_ms = trace->start_ms - span_ms,
                                       .until_ms = trace->start_ms + LATE_MS,
                                       .wants = wants,
                                       .data = trace};
    return ledger_gather(&turn->watch->ledger, &query, ret_places, GATHER_MOST);
}

/* Unknown recipients are a matter of dictionary alone: stale addresses are no malice. */
static bool wants_refused(const struct trace *trace, const void *data)
{
    (void)data;
    return trace_is_refused(trace) && !trace->unknown && !trace_is(trace, TRACE_GOOD);
}

/* --- a network --------------------------------------------------------------------------------------------
 */

/* The hosts of some attempts. */
struct crowd {
    size_t attempts;
    size_t hosts;
    size_t most;       /* attempts of the busiest */
    uint32_t accepted; /* messages that were ever taken of them */
    struct host_key keys[GATHER_MOST];
    size_t of[GATHER_MOST]; /* attempts of each */
};

static size_t crowd_find(const struct crowd *crowd, struct host_key key)
{
    size_t at = 0;
    while (at < crowd->hosts && !host_key_equal(crowd->keys[at], key))
        at++;
    return at;
}

static void crowd_look(const struct watch *watch, const uint32_t *places, size_t count, struct crowd *crowd)
{
    crowd->attempts = count;
    crowd->hosts = crowd->most = crowd->accepted = 0;
    for (size_t i = 0; i < count; i++) {
        const struct trace *trace = ledger_at(&watch->ledger, places[i]);
        const size_t at = crowd_find(crowd, trace->host);
        if (at == crowd->hosts) {
            const struct host_record *host = hosts_find(&watch->hosts, trace->host, trace->chain[CHAIN_HOST]);
            crowd->keys[crowd->hosts] = trace->host;
            crowd->of[crowd->hosts++] = 0;
            crowd->accepted += host ? host->accepted : 0u;
        }
        if (++crowd->of[at] > crowd->most)
            crowd->most = crowd->of[at];
    }
}

/* Of the places those of hosts that have more than one. */
static size_t returned_only(const struct turn *turn, uint32_t *places, size_t count)
{
    struct crowd crowd;
    size_t kept = 0;
    crowd_look(turn->watch, places, count, &crowd);
    for (size_t i = 0; i < count; i++)
        if (crowd.of[crowd_find(&crowd, ledger_at(&turn->watch->ledger, places[i])->host)] > 1)
            places[kept++] = places[i];
    return kept;
}

/* Of the places those within the time, and where it is not wide in the trace's own /24. */
static size_t choose(const struct turn *turn, const struct measure *measure, const uint32_t *places,
                     size_t count, uint32_t *ret_places)
{
    const uint32_t own = standing_of_net(turn->trace);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const struct trace *trace = ledger_at(&turn->watch->ledger, places[i]);
        if (trace->start_ms >= turn->trace->start_ms - measure->span_ms &&
            (measure->wide || standing_of_net(trace) == own))
            ret_places[kept++] = places[i];
    }
    return measure->returned ? returned_only(turn, ret_places, kept) : kept;
}

static bool is_crowd(const struct turn *turn, const struct measure *measure, const uint32_t *places,
                     size_t count)
{
    struct crowd crowd;
    if (count < measure->attempts)
        return false;
    crowd_look(turn->watch, places, count, &crowd);
    return crowd.hosts >= measure->hosts && crowd.most * 2 <= crowd.attempts &&
           crowd.accepted * TAKEN_SHARE <= crowd.attempts;
}

static bool open_net(struct turn *turn, const uint32_t *places, size_t count, bool wide)
{
    const struct trace *trace = turn->trace;
    const bool is4 = trace->family == ADDRESS_IPV4;
    struct watch_slot *slot = watch_open(turn->watch, CAMPAIGN_REPEAT_NETBLOCK, turn->place);
    if (!join_all(turn, slot, places, count))
        return false;
    const struct address address = host_key_address(trace->host, (enum address_family)trace->family);
    slot->campaign.net.bits = is4 ? (wide ? 22 : 24) : 48;
    slot->campaign.net.network = address_network(&address, slot->campaign.net.bits);
    watch_key_set(turn->watch, SALT_NET, wide ? trace->chain[CHAIN_NET] : standing_of_net(trace), slot);
    return true;
}

static bool try_measure(struct turn *turn, const struct measure *measure, const uint32_t *places,
                        size_t count)
{
    uint32_t chosen[GATHER_MOST] = {0};
    const size_t kept = choose(turn, measure, places, count, chosen);
    return is_crowd(turn, measure, chosen, kept) && open_net(turn, chosen, kept, measure->wide);
}

bool pattern_netblock(struct turn *turn)
{
    uint32_t places[GATHER_MOST];
    const struct standing *standing = hosts_standing(&turn->watch->hosts, standing_of_net(turn->trace));
    if (turn->good || !wants_refused(turn->trace, NULL) || standing->refused < 3)
        return false;
    const size_t count = gather(turn, CHAIN_NET, 7 * DAY_MS, wants_refused, places);
    for (size_t i = 0; i < sizeof measures / sizeof measures[0]; i++)
        if (try_measure(turn, &measures[i], places, count))
            return true;
    return false;
}

/* --- a host -----------------------------------------------------------------------------------------------
 */

static size_t within(const struct turn *turn, const uint32_t *places, size_t count, int64_t span_ms)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += ledger_at(&turn->watch->ledger, places[i])->start_ms >= turn->trace->start_ms - span_ms;
    return found;
}

bool pattern_host(struct turn *turn)
{
    const struct host_record *host = turn->host;
    uint32_t places[GATHER_MOST], neighbours[GATHER_MOST];
    if (turn->good || !wants_refused(turn->trace, NULL) || !host || host->refused < REPEAT_DAY ||
        host->accepted * TAKEN_SHARE > host->refused)
        return false;
    const size_t count = gather(turn, CHAIN_HOST, 7 * DAY_MS, wants_refused, places);
    if (count < REPEAT_WEEK && within(turn, places, count, DAY_MS) < REPEAT_DAY)
        return false;
    const size_t around = gather(turn, CHAIN_NET, 7 * DAY_MS, wants_refused, neighbours);
    return try_measure(turn, &measure_beside_host, neighbours, around) ||
           join_all(turn, watch_open(turn->watch, CAMPAIGN_REPEAT_HOST, turn->place), places, count);
}

/* --- guessing ---------------------------------------------------------------------------------------------
 */

static bool wants_unknown(const struct trace *trace, const void *data)
{
    (void)data;
    return trace->unknown && trace_is_refused(trace) && !trace_is(trace, TRACE_GOOD);
}

static bool wants_together(const struct trace *trace, const void *data)
{
    const struct trace *like = data;
    return wants_unknown(trace, NULL) && !trace_is(trace, TRACE_NULL) && trace->shape == like->shape;
}

static bool wants_crowd(const struct trace *trace, const void *data)
{
    return wants_unknown(trace, data) && !trace_is(trace, TRACE_NULL) && !trace_is(trace, TRACE_NAMED);
}

static void sum(const struct turn *turn, const uint32_t *places, size_t count, unsigned *ret_unknown,
                unsigned *ret_groups)
{
    const struct trace *traces[GATHER_MOST];
    struct trace_groups groups;
    unsigned unknown = 0;
    for (size_t i = 0; i < count; i++) {
        traces[i] = ledger_at(&turn->watch->ledger, places[i]);
        unknown += traces[i]->unknown;
    }
    trace_group(traces, count, &groups);
    *ret_unknown = unknown;
    *ret_groups = groups.counted;
}

static bool guesses_alone(struct turn *turn)
{
    uint32_t places[GATHER_MOST];
    unsigned unknown = 0, known = 0;
    const size_t count = gather(turn, CHAIN_HOST, HOUR_MS, wants_unknown, places);
    for (size_t i = 0; i < count; i++) {
        const struct trace *trace = ledger_at(&turn->watch->ledger, places[i]);
        unknown += trace->unknown;
        known += trace->tried > trace->unknown ? (unsigned)trace->tried - trace->unknown : 0u;
    }
    return unknown >= GUESSED_ALONE && known * 3 <= unknown &&
           join_all(turn, watch_open(turn->watch, CAMPAIGN_DICTIONARY, turn->place), places, count);
}

static bool guess_together(struct turn *turn, bool crowd)
{
    uint32_t places[GATHER_MOST];
    unsigned unknown, groups;
    const struct trace *trace = turn->trace;
    const size_t count = gather(turn, CHAIN_TARGET, 30 * MINUTE_MS, crowd ? wants_crowd : wants_together,
                                places);
    if (count < (crowd ? GROUPS_CROWD : GROUPS_TOGETHER))
        return false;
    sum(turn, places, count, &unknown, &groups);
    if (unknown < (crowd ? GUESSED_CROWD : GUESSED_TOGETHER) ||
        groups < (crowd ? GROUPS_CROWD : GROUPS_TOGETHER))
        return false;
    struct watch_slot *slot = watch_open(turn->watch, CAMPAIGN_DICTIONARY, turn->place);
    if (!join_all(turn, slot, places, count))
        return false;
    slot->campaign.crowd = crowd;
    watch_key_set(turn->watch, SALT_TARGET, trace->chain[CHAIN_TARGET] + (crowd ? 0 : trace->shape), slot);
    return true;
}

bool pattern_dictionary(struct turn *turn)
{
    const struct trace *trace = turn->trace;
    if (turn->good || !wants_unknown(trace, NULL))
        return false;
    if (!trace_is(trace, TRACE_NULL) && guess_together(turn, false))
        return true;
    return guesses_alone(turn) || (wants_crowd(trace, NULL) && guess_together(turn, true));
}

/* --- open web proxies -------------------------------------------------------------------------------------
 */

bool pattern_proxy(struct turn *turn)
{
    const struct trace *trace = turn->trace;
    struct watch *watch = turn->watch;
    if (!trace_is(trace, TRACE_TUNNEL))
        return false;
    struct watch_slot *slot = watch_slot_of_host(watch, turn->host);
    if (!slot || slot->campaign.kind != CAMPAIGN_OPEN_PROXY)
        slot = watch_key_get(watch, SALT_PROXY, trace->shape);
    if (!slot)
        slot = watch_open(watch, CAMPAIGN_OPEN_PROXY, turn->place);
    if (!slot)
        return false;
    watch_key_set(watch, SALT_PROXY, trace->shape, slot);
    watch_join(watch, slot, turn->place);
    return true;
}
