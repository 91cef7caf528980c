/* A campaign as octets: version, sums, what others are compared with, hosts, moments. */
#include "watch/campaign.h"

#include "base/memory.h"
#include "watch/pack.h"

#include <assert.h>
#include <string.h>

enum { VERSION = 1 };

static void put_address(struct pack *pack, struct host_key key, uint8_t family)
{
    pack_number(pack, family);
    pack_number(pack, key.high);
    pack_number(pack, key.low);
}

static void put_trace(struct pack *pack, const struct trace *trace)
{
    pack_number(pack, trace->id);
    pack_number(pack, pack_signed(trace->start_ms));
    pack_number(pack, trace->duration_ms);
    pack_number(pack, trace->envelope);
    put_address(pack, trace->host, trace->family);
    for (unsigned chain = 0; chain < CHAINS; chain++)
        pack_number(pack, trace->chain[chain]);
    pack_number(pack, trace->sender);
    pack_number(pack, trace->shape);
    pack_number(pack, trace->octets);
    pack_number(pack, trace->helo);
    pack_number(pack, trace->print);
    pack_number(pack, trace->pool);
    pack_number(pack, trace->passes);
    pack_number(pack, trace->as_number);
    pack_number(pack, trace->tried);
    pack_number(pack, trace->unknown);
    pack_number(pack, trace->flags);
    pack_number(pack, trace->verdict);
}

static void put_sums(struct pack *pack, const struct campaign *campaign)
{
    pack_number(pack, campaign->id);
    pack_number(pack, campaign->kind);
    pack_number(pack, (campaign->senders_vary ? 1u : 0u) | (campaign->recipients_vary ? 2u : 0u) |
                          (campaign->crowd ? 4u : 0u));
    pack_number(pack, campaign->attempts);
    pack_number(pack, campaign->refused);
    pack_number(pack, campaign->unknown);
    pack_number(pack, campaign->host_total);
    pack_number(pack, campaign->groups);
    pack_number(pack, campaign->overlaps);
    pack_number(pack, campaign->untimed);
    pack_number(pack, campaign->octets_low);
    pack_number(pack, campaign->octets_high);
    pack_number(pack, pack_signed(campaign->first_ms));
    pack_number(pack, pack_signed(campaign->last_ms));
    pack_number(pack, campaign->net.bits);
    put_address(pack, host_key_of(&campaign->net.network), campaign->net.network.family);
    pack_text(pack, slice_text(campaign->sender));
    pack_text(pack, slice_text(campaign->recipient));
}

static void put_host(struct pack *pack, const struct campaign_host *host)
{
    put_address(pack, host->key, host->family);
    pack_number(pack, pack_signed(host->first_ms));
    pack_number(pack, pack_signed(host->last_ms));
    pack_number(pack, host->attempts);
    pack_number(pack, host->refused);
    pack_number(pack, host->unknown);
    pack_number(pack, host->group);
    pack_number(pack, host->pool);
    pack_number(pack, host->passes);
    pack_number(pack, host->as_number);
    pack_number(pack, host->flags);
    pack_text(pack, slice_text(host->ptr));
    pack_text(pack, slice_text(host->owner));
}

static void put_moment(struct pack *pack, const struct campaign_moment *moment)
{
    pack_number(pack, moment->id);
    pack_number(pack, pack_signed(moment->start_ms));
    pack_number(pack, moment->duration_ms);
    pack_number(pack, moment->envelope);
    pack_number(pack, moment->host);
    pack_number(pack, moment->verdict);
    pack_number(pack, moment->flags);
}

/* 256 hosts of at most 220 octets and 64 moments of at most 48 are below CAMPAIGN_PACKED_MAX with the rest.
 */
static_assert(CAMPAIGN_HOSTS_MAX * 220 + CAMPAIGN_MOMENTS_MAX * 48 + 1024 < CAMPAIGN_PACKED_MAX, "it fits");

bool campaign_pack(const struct campaign *campaign, struct buf *out)
{
    struct pack pack = {out, true};
    const uint32_t before = out->len;
    pack_number(&pack, VERSION);
    put_sums(&pack, campaign);
    put_trace(&pack, &campaign->like);
    pack_number(&pack, campaign->host_count);
    for (uint32_t i = 0; i < campaign->host_count; i++)
        put_host(&pack, &campaign->hosts[i]);
    pack_number(&pack, campaign->moment_count);
    for (uint32_t i = 0; i < campaign->moment_count; i++)
        put_moment(&pack, campaign_moment(campaign, i));
    if (!pack.fits)
        out->len = before;
    return pack.fits;
}

/* --- and back ------------------------------------------------------------------------------------------- */

static uint32_t take_u32(struct unpack *unpack)
{
    return (uint32_t)unpack_number(unpack, UINT32_MAX);
}

static int64_t take_time(struct unpack *unpack)
{
    return unpack_signed(unpack_number(unpack, UINT64_MAX));
}

static struct host_key take_address(struct unpack *unpack, uint8_t *ret_family)
{
    struct host_key key;
    *ret_family = (uint8_t)unpack_number(unpack, ADDRESS_IPV6);
    key.high = unpack_number(unpack, UINT64_MAX);
    key.low = unpack_number(unpack, UINT64_MAX);
    if (*ret_family != ADDRESS_NONE && *ret_family != ADDRESS_IPV4 && *ret_family != ADDRESS_IPV6)
        unpack->good = false;
    return key;
}

static void take_trace(struct unpack *unpack, struct trace *trace)
{
    trace->id = unpack_number(unpack, UINT64_MAX);
    trace->start_ms = take_time(unpack);
    trace->duration_ms = take_u32(unpack);
    trace->envelope = take_u32(unpack);
    trace->host = take_address(unpack, &trace->family);
    for (unsigned chain = 0; chain < CHAINS; chain++)
        trace->chain[chain] = unpack_number(unpack, UINT64_MAX);
    trace->sender = unpack_number(unpack, UINT64_MAX);
    trace->shape = take_u32(unpack);
    trace->octets = take_u32(unpack);
    trace->helo = take_u32(unpack);
    trace->print = take_u32(unpack);
    trace->pool = take_u32(unpack);
    trace->passes = take_u32(unpack);
    trace->as_number = take_u32(unpack);
    trace->tried = (uint16_t)unpack_number(unpack, UINT16_MAX);
    trace->unknown = (uint16_t)unpack_number(unpack, UINT16_MAX);
    trace->flags = (uint16_t)unpack_number(unpack, UINT16_MAX);
    trace->verdict = (uint8_t)unpack_number(unpack, ATTEMPT_LEFT);
}

static void take_text(struct unpack *unpack, char *text, size_t size)
{
    const struct slice from = unpack_text(unpack, size - 1);
    if (from.len)
        memcpy(text, from.at, from.len);
    text[from.len] = 0;
}

static void take_sums(struct unpack *unpack, struct campaign *campaign)
{
    uint8_t family;
    campaign->id = unpack_number(unpack, UINT64_MAX);
    campaign->kind = (enum campaign_kind)unpack_number(unpack, CAMPAIGN_KIND_LIMIT - 1);
    const uint64_t vary = unpack_number(unpack, 7);
    campaign->senders_vary = (vary & 1) != 0;
    campaign->recipients_vary = (vary & 2) != 0;
    campaign->crowd = (vary & 4) != 0;
    campaign->attempts = take_u32(unpack);
    campaign->refused = take_u32(unpack);
    campaign->unknown = take_u32(unpack);
    campaign->host_total = take_u32(unpack);
    campaign->groups = take_u32(unpack);
    campaign->overlaps = take_u32(unpack);
    campaign->untimed = take_u32(unpack);
    campaign->octets_low = take_u32(unpack);
    campaign->octets_high = take_u32(unpack);
    campaign->first_ms = take_time(unpack);
    campaign->last_ms = take_time(unpack);
    campaign->net.bits = (uint8_t)unpack_number(unpack, 128);
    const struct host_key net = take_address(unpack, &family);
    if (family != ADDRESS_NONE)
        campaign->net.network = host_key_address(net, (enum address_family)family);
    take_text(unpack, campaign->sender, sizeof campaign->sender);
    take_text(unpack, campaign->recipient, sizeof campaign->recipient);
}

static void take_host(struct unpack *unpack, struct campaign_host *host)
{
    host->key = take_address(unpack, &host->family);
    host->first_ms = take_time(unpack);
    host->last_ms = take_time(unpack);
    host->attempts = take_u32(unpack);
    host->refused = take_u32(unpack);
    host->unknown = take_u32(unpack);
    host->group = take_u32(unpack);
    host->pool = take_u32(unpack);
    host->passes = take_u32(unpack);
    host->as_number = take_u32(unpack);
    host->flags = (uint16_t)unpack_number(unpack, UINT16_MAX);
    take_text(unpack, host->ptr, sizeof host->ptr);
    take_text(unpack, host->owner, sizeof host->owner);
}

static void take_moment(struct unpack *unpack, struct campaign_moment *moment)
{
    moment->id = unpack_number(unpack, UINT64_MAX);
    moment->start_ms = take_time(unpack);
    moment->duration_ms = take_u32(unpack);
    moment->envelope = take_u32(unpack);
    moment->host = (uint32_t)unpack_number(unpack, CAMPAIGN_HOSTS_MAX);
    moment->verdict = (uint8_t)unpack_number(unpack, ATTEMPT_LEFT);
    moment->flags = (uint8_t)unpack_number(unpack, UINT8_MAX);
}

static bool is_sound(const struct campaign *campaign)
{
    if (!campaign->id || !campaign->kind || campaign->last_ms < campaign->first_ms ||
        campaign->last_ms > TRACE_TIME_MAX || campaign->first_ms < -TRACE_TIME_MAX || !campaign->like.family)
        return false;
    for (uint32_t i = 0; i < campaign->moment_count; i++)
        if (campaign->moments[i].host != CAMPAIGN_HOSTS_MAX &&
            campaign->moments[i].host >= campaign->host_count)
            return false;
    for (uint32_t i = 0; i < campaign->host_count; i++)
        if (!campaign->hosts[i].family)
            return false;
    return true;
}

bool campaign_unpack(struct slice packed, struct campaign *ret_campaign)
{
    struct unpack unpack = {packed, true};
    struct campaign campaign = {.id = 0};
    if (unpack_number(&unpack, VERSION) != VERSION)
        return false;
    take_sums(&unpack, &campaign);
    take_trace(&unpack, &campaign.like);
    campaign.host_count = campaign.host_room = (uint32_t)unpack_number(&unpack, CAMPAIGN_HOSTS_MAX);
    campaign.hosts = campaign.host_room ? memory_take(campaign.host_room * sizeof *campaign.hosts) : NULL;
    for (uint32_t i = 0; unpack.good && i < campaign.host_count; i++)
        take_host(&unpack, &campaign.hosts[i]);
    campaign.moment_count = campaign.moment_room = (uint32_t)unpack_number(&unpack, CAMPAIGN_MOMENTS_MAX);
    campaign.moments = campaign.moment_room ? memory_take(campaign.moment_room * sizeof *campaign.moments)
                                            : NULL;
    for (uint32_t i = 0; unpack.good && i < campaign.moment_count; i++)
        take_moment(&unpack, &campaign.moments[i]);
    if (unpack.good && unpack.rest.len == 0 && is_sound(&campaign)) {
        *ret_campaign = campaign;
        return true;
    }
    campaign_done(&campaign);
    return false;
}
