/* The same message from unrelated hosts: relay-rotation and botnet. And whether an attempt belongs to a
 * campaign that is open. */
#include "watch/watch_part.h"

enum {
    GROUPS_LEAST = 3,      /* unrelated hosts */
    GROUPS_MORE = 2,       /* as many more where the message was taken from somebody: it may be wanted */
    APART_MS = 10 * 60000, /* two attempts of one message at most */
    ALIKE_MS = 45 * 60000  /* two messages of one campaign */
};

static bool is_of_message(const struct campaign *campaign)
{
    return campaign->kind == CAMPAIGN_ROTATION || campaign->kind == CAMPAIGN_BOTNET;
}

static bool sizes_differ(const struct trace *a, const struct trace *b)
{
    return a->octets && b->octets && !trace_same_size(a, b);
}

/* Its sender's domain says that this is its own host, and did not say so of those in the campaign. */
static bool is_genuine(const struct trace *trace, const struct campaign *campaign)
{
    return is_of_message(campaign) && trace->passes && trace->passes != campaign->like.passes;
}

/* --- an open campaign ----------------------------------------------------------------------------------- */

static void keys_note(struct watch *watch, const struct watch_slot *slot, const struct trace *trace)
{
    watch_key_set(watch, SALT_MESSAGE, trace->chain[CHAIN_MESSAGE], slot);
    if (trace->chain[CHAIN_BODY] == slot->campaign.like.chain[CHAIN_BODY])
        watch_key_set(watch, SALT_BODY, trace->chain[CHAIN_BODY], slot);
}

static bool host_belongs(const struct turn *turn, const struct campaign *campaign)
{
    const struct trace *trace = turn->trace;
    switch (campaign->kind) {
    case CAMPAIGN_ROTATION:
    case CAMPAIGN_BOTNET:
        return trace_same_sender(trace, &campaign->like) && !sizes_differ(trace, &campaign->like);
    case CAMPAIGN_REPEAT_HOST:
    case CAMPAIGN_REPEAT_NETBLOCK: return trace_is_refused(trace);
    case CAMPAIGN_DICTIONARY:
        return trace_is_refused(trace) && trace->chain[CHAIN_TARGET] == campaign->like.chain[CHAIN_TARGET];
    case CAMPAIGN_OPEN_PROXY:
    case CAMPAIGN_KIND_LIMIT: break;
    }
    return false;
}

static struct watch_slot *slot_of_message(const struct turn *turn)
{
    const struct trace *trace = turn->trace;
    struct watch_slot *slot = watch_key_get(turn->watch, SALT_BODY, trace->chain[CHAIN_BODY]);
    if (slot && is_of_message(&slot->campaign))
        return slot;
    slot = watch_key_get(turn->watch, SALT_MESSAGE, trace->chain[CHAIN_MESSAGE]);
    return slot && is_of_message(&slot->campaign) && trace_same_sender(trace, &slot->campaign.like) &&
                   !sizes_differ(trace, &slot->campaign.like)
               ? slot
               : NULL;
}

static struct watch_slot *slot_of_dictionary(const struct turn *turn)
{
    const struct trace *trace = turn->trace;
    if (!trace->unknown || !trace_is_refused(trace) || trace_is(trace, TRACE_NULL))
        return NULL;
    struct watch_slot *slot = watch_key_get(turn->watch, SALT_TARGET,
                                            trace->chain[CHAIN_TARGET] + trace->shape);
    if (!slot && !trace_is(trace, TRACE_NAMED))
        slot = watch_key_get(turn->watch, SALT_TARGET, trace->chain[CHAIN_TARGET]);
    return slot;
}

static struct watch_slot *slot_of_net(const struct turn *turn)
{
    const struct trace *trace = turn->trace;
    if (trace->unknown || !trace_is_refused(trace))
        return NULL;
    struct watch_slot *slot = watch_key_get(turn->watch, SALT_NET, standing_of_net(trace));
    return slot ? slot : watch_key_get(turn->watch, SALT_NET, trace->chain[CHAIN_NET]);
}

bool pattern_known(struct turn *turn)
{
    struct watch_slot *slot = watch_slot_of_host(turn->watch, turn->host);
    if (turn->good)
        return false;
    if (slot && !host_belongs(turn, &slot->campaign))
        slot = NULL;
    if (!slot)
        slot = slot_of_message(turn);
    if (!slot)
        slot = slot_of_dictionary(turn);
    if (!slot)
        slot = slot_of_net(turn);
    if (!slot || is_genuine(turn->trace, &slot->campaign))
        return false;
    watch_join(turn->watch, slot, turn->place);
    if (is_of_message(&slot->campaign))
        keys_note(turn->watch, slot, turn->trace);
    return true;
}

/* --- a new one ------------------------------------------------------------------------------------------ */

static bool wants_same(const struct trace *trace, const void *data)
{
    return trace_same_message(trace, data);
}

/* An open campaign of the same sender with something more in common: it has gone on to other recipients. */
static struct watch_slot *alike(const struct turn *turn)
{
    const struct trace *trace = turn->trace;
    struct watch_slot *slot = watch_key_get(turn->watch, SALT_SHAPE, trace->shape);
    return slot && trace->start_ms - slot->campaign.last_ms < ALIKE_MS &&
                   trace_same_more(trace, &slot->campaign.like)
               ? slot
               : NULL;
}

static struct watch_slot *slot_for(struct turn *turn)
{
    const struct trace *trace = turn->trace;
    struct watch_slot *slot = trace->shape ? alike(turn) : NULL;
    if (slot)
        return slot;
    slot = watch_open(turn->watch, CAMPAIGN_ROTATION, turn->place);
    if (slot && trace->shape && !trace_is(trace, TRACE_NULL))
        watch_key_set(turn->watch, SALT_SHAPE, trace->shape, slot);
    return slot;
}

/* Those of groups that count join, the oldest first. */
static bool open_with(struct turn *turn, const uint32_t *places, const struct trace_groups *groups,
                      size_t count)
{
    struct watch_slot *slot = slot_for(turn);
    if (!slot)
        return false;
    for (size_t i = count; i-- > 0;)
        if (groups->counts[groups->of[i]]) {
            watch_join(turn->watch, slot, places[i]);
            keys_note(turn->watch, slot, ledger_at(&turn->watch->ledger, places[i]));
        }
    return true;
}

static bool try_chain(struct turn *turn, enum trace_chain chain)
{
    const struct trace *trace = turn->trace;
    uint32_t places[GATHER_MOST];
    const struct trace *traces[GATHER_MOST];
    struct trace_groups groups;
    const struct ledger_query query = {.chain = chain,
                                       .key = trace->chain[chain],
                                       .since_ms = trace->start_ms - APART_MS,
                                       .until_ms = trace->start_ms + APART_MS,
                                       .wants = wants_same,
                                       .data = trace};
    const size_t count = ledger_gather(&turn->watch->ledger, &query, places, GATHER_MOST);
    const unsigned least = GROUPS_LEAST + (watch_was_taken(turn->watch, trace) ? GROUPS_MORE : 0);
    if (count < least)
        return false;
    for (size_t i = 0; i < count; i++)
        traces[i] = ledger_at(&turn->watch->ledger, places[i]);
    trace_group(traces, count, &groups);
    return groups.counted >= least && open_with(turn, places, &groups, count);
}

bool pattern_same_message(struct turn *turn)
{
    if (turn->good || !trace_is_evidence(turn->trace))
        return false;
    return try_chain(turn, CHAIN_MESSAGE) || try_chain(turn, CHAIN_BODY);
}
