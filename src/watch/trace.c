#include "watch/trace.h"

#include "base/text.h"
#include "core/finding.h"
#include "watch/shape.h"

#include <string.h>

/* --- making --------------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash)
{
    hash = (hash ^ (hash >> 32)) * 0x9e3779b97f4a7c15U;
    return hash ^ (hash >> 29);
}

static uint64_t key_of(uint64_t hash)
{
    hash = mix(hash);
    return hash ? hash : 1;
}

static uint32_t short_of(struct slice text, uint64_t seed)
{
    const uint32_t hash = (uint32_t)(mix(slice_hash_fold(text, seed)) >> 32);
    return hash ? hash : 1;
}

struct host_key host_key_of(const struct address *address)
{
    struct host_key key = {0, 0};
    uint8_t octets[16];
    address_key(address, octets);
    for (unsigned i = 0; i < 8; i++) {
        key.high = key.high << 8 | octets[i];
        key.low = key.low << 8 | octets[i + 8];
    }
    if (address->family == ADDRESS_IPV6)
        key.low = 1; /* any host of the /64; never 0 in both */
    return key;
}

struct address host_key_address(struct host_key key, enum address_family family)
{
    uint8_t octets[16];
    if (family == ADDRESS_IPV6)
        key.low = 0;
    for (unsigned i = 0; i < 8; i++) {
        octets[i] = (uint8_t)(key.high >> (56 - 8 * i));
        octets[i + 8] = (uint8_t)(key.low >> (56 - 8 * i));
    }
    return address_from_octets(family, family == ADDRESS_IPV4 ? octets + 12 : octets, 0);
}

uint64_t host_key_hash(struct host_key key, uint64_t seed)
{
    return key_of(mix(key.high ^ seed) + key.low);
}

/* The network of a host, so many bits of the address wide. */
static uint64_t network_key(const struct trace *trace, unsigned bits4, unsigned bits6)
{
    const uint64_t net = trace->family == ADDRESS_IPV4 ? (trace->host.low & 0xffffffff) >> (32 - bits4)
                                                       : trace->host.high >> (64 - bits6);
    return net << 8 | trace->family;
}

static struct slice domain_of(struct slice mailbox)
{
    const size_t at = slice_find_last(mailbox, '@');
    return at == SLICE_NOT_FOUND ? SLICE_NONE : slice_from(mailbox, at + 1);
}

static uint64_t recipients_hash(const struct attempt *attempt, uint64_t seed)
{
    uint64_t sum = attempt->recipients_tried; /* in any order */
    for (uint32_t i = 0; i < attempt->recipient_count; i++)
        sum += mix(slice_hash_fold(attempt->recipients[i], seed));
    return sum;
}

static void make_sender(const struct attempt *attempt, uint64_t seed, struct trace *trace)
{
    char shape[SHAPE_SIZE];
    const struct slice domain = domain_of(attempt->sender);
    const struct slice local = slice_head(attempt->sender, attempt->sender.len - domain.len);
    const size_t len = shape_local(local, shape);
    trace->sender = key_of(slice_hash_fold(attempt->sender, seed));
    trace->shape = short_of(slice_of(shape, len), slice_hash_fold(domain, seed));
}

static void make_envelope(const struct attempt *attempt, uint64_t seed, struct trace *trace)
{
    if (attempt_has(attempt, ATTEMPT_HAS_SENDER) && attempt->sender.len == 0)
        trace->flags |= TRACE_NULL;
    trace->tried = (uint16_t)(attempt->recipients_tried < 65535 ? attempt->recipients_tried : 65535);
    trace->unknown = (uint16_t)(attempt->recipients_unknown < 65535 ? attempt->recipients_unknown : 65535);
    if (!attempt_has(attempt, ATTEMPT_HAS_SENDER | ATTEMPT_HAS_RECIPIENTS) || !attempt->recipient_count)
        return;
    trace->flags |= TRACE_ENVELOPE;
    if (!trace_is(trace, TRACE_NULL)) /* bounces of one forged message come from all over the world */
        trace->chain[CHAIN_MESSAGE] = key_of(slice_hash_fold(domain_of(attempt->sender), seed) +
                                             recipients_hash(attempt, seed));
}

/* What only attempts have that are looked back at. */
static void make_rest(const struct attempt *attempt, uint64_t seed, struct trace *trace)
{
    if (attempt_has(attempt, ATTEMPT_HAS_SENDER))
        make_sender(attempt, seed, trace);
    if (attempt->recipient_count)
        trace->chain[CHAIN_TARGET] = key_of(slice_hash_fold(domain_of(attempt->recipients[0]), seed + 1));
    trace->chain[CHAIN_NET] = key_of(network_key(trace, 22, 48) ^ seed);
    const uint64_t octets = attempt->octets ? attempt->octets : attempt->size;
    trace->octets = (uint32_t)(octets < UINT32_MAX ? octets : UINT32_MAX);
    if (attempt_has(attempt, ATTEMPT_HAS_BODY))
        trace->chain[CHAIN_BODY] = key_of(attempt->body_digest ^ seed);
}

static void make_client(const struct attempt *attempt, uint64_t seed, struct trace *trace)
{
    trace->host = host_key_of(&attempt->peer);
    trace->family = attempt->peer.family;
    if (attempt_has(attempt, ATTEMPT_HAS_PTR))
        trace->flags |= TRACE_HAS_PTR;
    if (attempt->ptr_confirmed && !attempt->ptr_generic)
        trace->flags |= TRACE_NAMED;
    if (trace_is(trace, TRACE_NAMED) && attempt->pool.len)
        trace->pool = short_of(attempt->pool, seed);
    if (attempt_has(attempt, ATTEMPT_HAS_SPF))
        trace->flags |= TRACE_HAS_SPF;
    if (attempt->spf_pass.len)
        trace->passes = short_of(attempt->spf_pass, seed + 2);
    trace->as_number = attempt->as_number;
}

/* What the client shows of its program. */
static void make_program(const struct attempt *attempt, uint64_t seed, struct trace *trace)
{
    char shape[SHAPE_SIZE];
    if (attempt->fingerprint.len)
        trace->print = short_of(attempt->fingerprint, seed);
    if (!attempt_has(attempt, ATTEMPT_HAS_HELO) || !attempt->helo.len)
        return;
    const struct slice helo = slice_of(shape, shape_helo(slice_head(attempt->helo, ATTEMPT_TEXT_MAX), shape));
    trace->helo = short_of(helo, seed);
    if (shape_tells(helo))
        trace->flags |= TRACE_HELO_TELLS;
}

static int64_t time_cut(int64_t unix_ms)
{
    if (unix_ms > TRACE_TIME_MAX)
        return TRACE_TIME_MAX;
    return unix_ms < -TRACE_TIME_MAX ? -TRACE_TIME_MAX : unix_ms;
}

void trace_make(const struct attempt *attempt, uint64_t seed, struct trace *ret_trace)
{
    struct trace trace = {.id = attempt->id,
                          .start_ms = time_cut(attempt->unix_ms),
                          .duration_ms = attempt->duration_ms,
                          .envelope = attempt->envelope,
                          .verdict = (uint8_t)attempt->verdict};
    make_client(attempt, seed, &trace);
    make_envelope(attempt, seed, &trace);
    trace.chain[CHAIN_HOST] = host_key_hash(trace.host, seed);
    if (attempt_finding(attempt, FIND_HTTP_TUNNEL))
        trace.flags |= TRACE_TUNNEL;
    if (attempt_finding(attempt, FIND_TRAP)) /* it only seems to be taken */
        trace.verdict = ATTEMPT_REFUSED;
    if (trace.verdict != ATTEMPT_ACCEPTED || trace_is(&trace, TRACE_TUNNEL)) {
        make_program(attempt, seed, &trace);
        make_rest(attempt, seed, &trace);
    }
    if (attempt_has(attempt, ATTEMPT_HAS_DURATION))
        trace.flags |= TRACE_TIMED;
    if (attempt->gave_up || !attempt_has(attempt, ATTEMPT_HAS_END))
        trace.flags |= TRACE_GAVE_UP;
    *ret_trace = trace;
}

/* --- comparing ------------------------------------------------------------------------------------------ */

bool trace_is_refused(const struct trace *trace)
{
    return trace->verdict == ATTEMPT_REFUSED || trace->verdict == ATTEMPT_DROPPED;
}

bool trace_is_evidence(const struct trace *trace)
{
    return trace_is_refused(trace) || (trace->verdict == ATTEMPT_DEFERRED && trace_is(trace, TRACE_GAVE_UP) &&
                                       !trace_is(trace, TRACE_NAMED));
}

bool trace_same_size(const struct trace *a, const struct trace *b)
{
    const uint64_t low = a->octets < b->octets ? a->octets : b->octets;
    const uint64_t high = a->octets < b->octets ? b->octets : a->octets;
    return low && high * 20 <= low * 21;
}

bool trace_same_sender(const struct trace *a, const struct trace *b)
{
    return a->sender && (a->sender == b->sender || a->shape == b->shape);
}

bool trace_same_more(const struct trace *a, const struct trace *b)
{
    if (a->octets && b->octets)
        return trace_same_size(a, b);
    return (a->helo && a->helo == b->helo && trace_is(a, TRACE_HELO_TELLS)) ||
           (a->print && a->print == b->print && a->sender == b->sender);
}

bool trace_same_message(const struct trace *a, const struct trace *b)
{
    if (a->chain[CHAIN_BODY] && a->chain[CHAIN_BODY] == b->chain[CHAIN_BODY])
        return true;
    return a->chain[CHAIN_MESSAGE] && a->chain[CHAIN_MESSAGE] == b->chain[CHAIN_MESSAGE] &&
           trace_same_sender(a, b) && trace_same_more(a, b);
}

static bool same_network(const struct trace *a, const struct trace *b, unsigned bits4, unsigned bits6)
{
    return network_key(a, bits4, bits6) == network_key(b, bits4, bits6);
}

static bool same_system(const struct trace *a, const struct trace *b)
{
    if (!trace_is(a, TRACE_NAMED) || !trace_is(b, TRACE_NAMED))
        return false;
    return a->as_number && b->as_number ? a->as_number == b->as_number : same_network(a, b, 16, 32);
}

bool trace_related(const struct trace *a, const struct trace *b)
{
    return same_network(a, b, 24, 48) || (a->pool && a->pool == b->pool) ||
           (a->passes && a->passes == b->passes) || same_system(a, b);
}

/* --- groups --------------------------------------------------------------------------------------------- */

/* What is known of some of the traces, and ought to be known of each. */
struct known {
    bool pools, passes;
};

static void join(struct trace_groups *groups, size_t count, uint8_t one, uint8_t other)
{
    for (size_t i = 0; i < count; i++)
        if (groups->of[i] == other)
            groups->of[i] = one;
}

static bool is_sure(const struct known *known, const struct trace *trace)
{
    return (trace_is(trace, TRACE_HAS_PTR) || !known->pools) &&
           (trace_is(trace, TRACE_HAS_SPF) || !known->passes);
}

static void groups_make(const struct trace *const *traces, size_t count, struct trace_groups *groups)
{
    for (size_t i = 0; i < count; i++) {
        groups->of[i] = (uint8_t)i;
        for (size_t j = 0; j < i; j++)
            if (groups->of[j] != groups->of[i] && trace_related(traces[i], traces[j]))
                join(groups, i + 1, groups->of[j], groups->of[i]);
    }
}

void trace_group(const struct trace *const *traces, size_t count, struct trace_groups *ret_groups)
{
    struct known known = {false, false};
    bool evidence[TRACE_GROUP_MAX] = {false}, good[TRACE_GROUP_MAX] = {false},
         sure[TRACE_GROUP_MAX] = {false};
    count = count < TRACE_GROUP_MAX ? count : TRACE_GROUP_MAX;
    groups_make(traces, count, ret_groups);
    for (size_t i = 0; i < count; i++) {
        known.pools = known.pools || traces[i]->pool;
        known.passes = known.passes || traces[i]->passes;
    }
    for (size_t i = 0; i < count; i++) {
        const uint8_t group = ret_groups->of[i];
        evidence[group] = evidence[group] || trace_is_evidence(traces[i]);
        good[group] = good[group] || trace_is(traces[i], TRACE_GOOD);
        sure[group] = sure[group] || is_sure(&known, traces[i]);
    }
    ret_groups->counted = 0;
    for (size_t i = 0; i < TRACE_GROUP_MAX; i++) {
        ret_groups->counts[i] = evidence[i] && sure[i] && !good[i];
        ret_groups->counted += ret_groups->counts[i];
    }
}
