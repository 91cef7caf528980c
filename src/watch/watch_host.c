/* What the watcher remembers of hosts, and what that says of an attempt. */
#include "watch/watch_part.h"

enum { TAKEN_S = 600 };

/* Three kinds of standing in one table: their keys must not meet. */
static uint32_t standing_key(uint32_t key, uint32_t salt)
{
    return key ? (key ^ salt) | 1 : 0;
}

uint32_t standing_of_pool(const struct trace *trace)
{
    return standing_key(trace->pool, 0x5bd1e995u);
}

uint32_t standing_of_spf(const struct trace *trace)
{
    return standing_key(trace->passes, 0x27d4eb2fu);
}

uint32_t standing_of_net(const struct trace *trace)
{
    const uint64_t net = trace->family == ADDRESS_IPV4 ? (trace->host.low & 0xffffffff) >> 8
                                                       : trace->host.high >> 16;
    return standing_key((uint32_t)(net * 0x9e3779b97f4a7c15U >> 32) | 1, 0x165667b1u);
}

bool watch_is_good(const struct watch *watch, const struct trace *trace)
{
    const struct host_record *host = hosts_find(&watch->hosts, trace->host, trace->chain[CHAIN_HOST]);
    return (host && standing_is_good(host->accepted, host->refused)) ||
           hosts_are_good(&watch->hosts, standing_of_pool(trace)) ||
           hosts_are_good(&watch->hosts, standing_of_spf(trace));
}

/* A name that could not be looked up this time was there before. */
static void remember(struct host_record *host, struct trace *trace)
{
    if (!trace_is(trace, TRACE_HAS_PTR) && (host->flags & TRACE_HAS_PTR)) {
        trace->flags |= host->flags & (TRACE_HAS_PTR | TRACE_NAMED);
        trace->pool = host->pool;
    } else if (trace_is(trace, TRACE_HAS_PTR)) {
        host->flags = (uint8_t)(trace->flags & (TRACE_HAS_PTR | TRACE_NAMED));
        host->pool = trace->pool;
    }
    if (trace->passes)
        host->passes = trace->passes;
    if (trace->as_number)
        host->as_number = trace->as_number;
    else
        trace->as_number = host->as_number;
    host->family = trace->family;
}

static void host_count(struct host_record *host, bool accepted, uint32_t now_s)
{
    uint16_t *count = accepted ? &host->accepted : &host->refused;
    if (now_s > host->last_s)
        host->last_s = now_s;
    if (++*count < UINT16_MAX)
        return;
    host->accepted /= 2;
    host->refused /= 2;
}

void watch_host_note(struct turn *turn)
{
    struct hosts *hosts = &turn->watch->hosts;
    struct trace *trace = turn->trace;
    const bool accepted = trace->verdict == ATTEMPT_ACCEPTED;
    const uint32_t now_s = (uint32_t)(trace->start_ms / SECOND_MS);
    turn->host = hosts_take(hosts, trace->host, trace->chain[CHAIN_HOST], now_s);
    if (turn->host)
        remember(turn->host, trace);
    turn->good = watch_is_good(turn->watch, trace);
    if (!accepted && !trace_is_refused(trace))
        return; /* deferred, or gone: says nothing of it */
    if (turn->host)
        host_count(turn->host, accepted, now_s);
    hosts_count(hosts, standing_of_pool(trace), accepted);
    hosts_count(hosts, standing_of_spf(trace), accepted);
    hosts_count(hosts, standing_of_net(trace), accepted);
}

static struct watch_key *taken_place(const struct watch *watch, const struct trace *trace)
{
    return &watch->taken[(trace->chain[CHAIN_MESSAGE] >> 16) & (watch->taken_size - 1)];
}

void watch_taken_note(struct watch *watch, const struct trace *trace)
{
    struct watch_key *taken = taken_place(watch, trace);
    if (!trace->chain[CHAIN_MESSAGE])
        return;
    taken->key = trace->chain[CHAIN_MESSAGE];
    taken->slot = (uint32_t)(trace->start_ms / SECOND_MS);
}

bool watch_was_taken(const struct watch *watch, const struct trace *trace)
{
    const struct watch_key *taken = taken_place(watch, trace);
    const int64_t apart_s = trace->start_ms / SECOND_MS - (int64_t)taken->slot;
    return taken->key && taken->key == trace->chain[CHAIN_MESSAGE] && apart_s <= TAKEN_S &&
           apart_s >= -TAKEN_S;
}

bool watch_host_is_good(const struct watch *watch, const struct campaign_host *host)
{
    const struct trace trace = {.host = host->key,
                                .chain[CHAIN_HOST] = host_key_hash(host->key, watch->settings.seed),
                                .pool = host->pool,
                                .passes = host->passes};
    return watch_is_good(watch, &trace);
}

bool watch_attempt_is_good(const struct watch *watch, const struct attempt *attempt)
{
    struct trace trace;
    trace_make(attempt, watch->settings.seed, &trace);
    return watch_is_good(watch, &trace);
}

/* The sums of a network may have made room for others': its hosts are asked, too, where they are few. */
static bool any_host_taken(const struct watch *watch, const struct prefix *net)
{
    struct address address = net->network;
    for (unsigned i = 0; i < 256; i++) {
        address.octets[3] = (uint8_t)i;
        const struct host_key key = host_key_of(&address);
        const struct host_record *host = hosts_find(&watch->hosts, key,
                                                    host_key_hash(key, watch->settings.seed));
        if (host && host->accepted)
            return true;
    }
    return false;
}

bool watch_net_is_bad(const struct watch *watch, const struct prefix *net)
{
    const bool is4 = net->network.family == ADDRESS_IPV4;
    const struct trace trace = {.host = host_key_of(&net->network), .family = net->network.family};
    if (net->bits != (is4 ? 24 : 48))
        return false;
    return !hosts_were_taken(&watch->hosts, standing_of_net(&trace)) && !(is4 && any_host_taken(watch, net));
}

bool watch_host_is_guilty(const struct watch *watch, const struct campaign *campaign,
                          const struct campaign_host *host)
{
    if (!host->refused || watch_host_is_good(watch, host))
        return false;
    if (campaign->kind == CAMPAIGN_DICTIONARY && campaign->host_total > 1)
        return host->attempts >= 2 || host->unknown >= 3; /* anybody may get one address wrong */
    if (campaign->kind == CAMPAIGN_REPEAT_NETBLOCK)
        return host->attempts >= 2; /* not for its neighbours alone */
    return true;
}
