#include "watch/campaign.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

static const char *const kind_words[CAMPAIGN_KIND_LIMIT] = {
    "none", "relay-rotation", "botnet", "repeat-host", "repeat-netblock", "dictionary", "open-proxy"};

const char *campaign_kind_word(enum campaign_kind kind)
{
    assert(kind < CAMPAIGN_KIND_LIMIT);
    return kind_words[kind];
}

bool campaign_kind_parse(struct slice word, enum campaign_kind *ret_kind)
{
    for (unsigned kind = 1; kind < CAMPAIGN_KIND_LIMIT; kind++)
        if (slice_equal(word, slice_text(kind_words[kind]))) {
            *ret_kind = (enum campaign_kind)kind;
            return true;
        }
    return false;
}

static void text_set(char *text, size_t size, struct slice from)
{
    const size_t len = from.len < size - 1 ? from.len : size - 1;
    if (len)
        memcpy(text, from.at, len);
    text[len] = 0;
}

void campaign_begin(struct campaign *campaign, uint64_t id, enum campaign_kind kind, const struct trace *like,
                    const struct trace_texts *texts)
{
    *campaign = (struct campaign){
        .id = id, .kind = kind, .like = *like, .first_ms = like->start_ms, .last_ms = like->start_ms};
    text_set(campaign->sender, sizeof campaign->sender, texts->sender);
    text_set(campaign->recipient, sizeof campaign->recipient, texts->recipient);
}

void campaign_done(struct campaign *campaign)
{
    memory_give(campaign->hosts, campaign->host_room * sizeof *campaign->hosts);
    memory_give(campaign->moments, campaign->moment_room * sizeof *campaign->moments);
    *campaign = (struct campaign){.id = 0};
}

size_t campaign_octets(const struct campaign *campaign)
{
    return campaign->host_room * sizeof *campaign->hosts + campaign->moment_room * sizeof *campaign->moments;
}

/* --- hosts ---------------------------------------------------------------------------------------------- */

struct campaign_host *campaign_host(const struct campaign *campaign, struct host_key key)
{
    for (uint32_t i = 0; i < campaign->host_count; i++)
        if (host_key_equal(campaign->hosts[i].key, key))
            return &campaign->hosts[i];
    return NULL;
}

/* What relation is decided by, as a trace. */
static struct trace trace_of(const struct campaign_host *host)
{
    return (struct trace){.host = host->key,
                          .family = host->family,
                          .flags = host->flags,
                          .pool = host->pool,
                          .passes = host->passes,
                          .as_number = host->as_number};
}

static uint32_t group_of(struct campaign *campaign, const struct trace *trace)
{
    for (uint32_t i = 0; i < campaign->host_count; i++) {
        const struct trace other = trace_of(&campaign->hosts[i]);
        if (trace_related(&other, trace))
            return campaign->hosts[i].group;
    }
    return ++campaign->groups;
}

static struct campaign_host *host_new(struct campaign *campaign, const struct trace *trace)
{
    if (campaign->host_count == CAMPAIGN_HOSTS_MAX)
        return NULL;
    if (campaign->host_count == campaign->host_room) {
        const uint32_t room = campaign->host_room ? campaign->host_room * 2 : 4;
        campaign->hosts = memory_resize(campaign->hosts, campaign->host_room * sizeof *campaign->hosts,
                                        room * sizeof *campaign->hosts);
        campaign->host_room = room;
    }
    const uint32_t group = group_of(campaign, trace);
    struct campaign_host *host = &campaign->hosts[campaign->host_count++];
    *host = (struct campaign_host){.key = trace->host,
                                   .family = trace->family,
                                   .flags = trace->flags,
                                   .group = group,
                                   .pool = trace->pool,
                                   .passes = trace->passes,
                                   .as_number = trace->as_number,
                                   .first_ms = trace->start_ms,
                                   .last_ms = trace->start_ms};
    return host;
}

static void host_add(struct campaign_host *host, const struct trace *trace, const struct trace_texts *texts)
{
    host->attempts++;
    host->refused += trace_is_refused(trace);
    host->unknown += trace->unknown;
    if (trace->start_ms < host->first_ms)
        host->first_ms = trace->start_ms;
    if (trace->start_ms > host->last_ms)
        host->last_ms = trace->start_ms;
    if (!host->ptr[0])
        text_set(host->ptr, sizeof host->ptr, texts->ptr);
    if (!host->owner[0])
        text_set(host->owner, sizeof host->owner, texts->owner);
}

/* --- moments -------------------------------------------------------------------------------------------- */

const struct campaign_moment *campaign_moment(const struct campaign *campaign, uint32_t index)
{
    assert(index < campaign->moment_count);
    if (index < CAMPAIGN_MOMENTS_HEAD || campaign->moment_count < CAMPAIGN_MOMENTS_MAX)
        return &campaign->moments[index];
    const uint32_t tail = CAMPAIGN_MOMENTS_MAX - CAMPAIGN_MOMENTS_HEAD;
    return &campaign->moments[CAMPAIGN_MOMENTS_HEAD +
                              (index - CAMPAIGN_MOMENTS_HEAD + campaign->moment_next) % tail];
}

static struct campaign_moment *moment_new(struct campaign *campaign)
{
    const uint32_t tail = CAMPAIGN_MOMENTS_MAX - CAMPAIGN_MOMENTS_HEAD;
    if (campaign->moment_count == CAMPAIGN_MOMENTS_MAX) {
        struct campaign_moment *oldest = &campaign->moments[CAMPAIGN_MOMENTS_HEAD + campaign->moment_next];
        campaign->moment_next = (campaign->moment_next + 1) % tail;
        return oldest;
    }
    if (campaign->moment_count == campaign->moment_room) {
        const uint32_t room = campaign->moment_room ? campaign->moment_room * 2 : 8;
        campaign->moments = memory_resize(campaign->moments,
                                          campaign->moment_room * sizeof *campaign->moments,
                                          room * sizeof *campaign->moments);
        campaign->moment_room = room;
    }
    return &campaign->moments[campaign->moment_count++];
}

/* Whether another host was at it at the same time, as far as the latest moments tell. */
static bool overlaps(const struct campaign *campaign, const struct trace *trace, uint32_t host)
{
    enum { LOOK_BACK = 8 };
    const int64_t end_ms = trace_end_ms(trace);
    for (uint32_t i = 0; i < LOOK_BACK && i < campaign->moment_count; i++) {
        const struct campaign_moment *other = campaign_moment(campaign, campaign->moment_count - 1 - i);
        if ((other->flags & TRACE_TIMED) && (other->host != host || host == CAMPAIGN_HOSTS_MAX) &&
            other->start_ms < end_ms && other->start_ms + other->duration_ms > trace->start_ms)
            return true;
    }
    return false;
}

static void moment_add(struct campaign *campaign, const struct trace *trace, uint32_t host)
{
    if (!trace_is(trace, TRACE_TIMED))
        campaign->untimed++;
    else if (overlaps(campaign, trace, host))
        campaign->overlaps++;
    *moment_new(campaign) = (struct campaign_moment){.id = trace->id,
                                                     .start_ms = trace->start_ms,
                                                     .duration_ms = trace->duration_ms,
                                                     .envelope = trace->envelope,
                                                     .host = host,
                                                     .verdict = trace->verdict,
                                                     .flags = (uint8_t)trace->flags};
}

/* --- growing -------------------------------------------------------------------------------------------- */

static void sums_add(struct campaign *campaign, const struct trace *trace)
{
    campaign->attempts++;
    campaign->refused += trace_is_refused(trace);
    campaign->unknown += trace->unknown;
    if (trace->start_ms < campaign->first_ms)
        campaign->first_ms = trace->start_ms;
    if (trace->start_ms > campaign->last_ms)
        campaign->last_ms = trace->start_ms;
    if (trace->octets && (!campaign->octets_low || trace->octets < campaign->octets_low))
        campaign->octets_low = trace->octets;
    if (trace->octets > campaign->octets_high)
        campaign->octets_high = trace->octets;
    campaign->senders_vary = campaign->senders_vary || trace->sender != campaign->like.sender;
    campaign->recipients_vary = campaign->recipients_vary ||
                                trace->chain[CHAIN_MESSAGE] != campaign->like.chain[CHAIN_MESSAGE];
}

/* Side by side: a quarter of all at least. Where no durations are known, only their number tells. */
static bool is_crowd(const struct campaign *campaign)
{
    if (campaign->untimed * 2 > campaign->attempts)
        return campaign->host_total >= 20;
    return campaign->host_total >= 6 && campaign->overlaps * 4 >= campaign->attempts;
}

bool campaign_add(struct campaign *campaign, const struct trace *trace, const struct trace_texts *texts,
                  bool seen)
{
    struct campaign_host *host = campaign_host(campaign, trace->host);
    if (!host) {
        campaign->host_total += !seen;
        host = host_new(campaign, trace);
    }
    if (host)
        host_add(host, trace, texts);
    moment_add(campaign, trace, host ? (uint32_t)(host - campaign->hosts) : CAMPAIGN_HOSTS_MAX);
    sums_add(campaign, trace);
    if (campaign->kind != CAMPAIGN_ROTATION || !is_crowd(campaign))
        return false;
    campaign->kind = CAMPAIGN_BOTNET;
    return true;
}
