#include "watch/scan_found.h"

#include "base/memory.h"
#include "base/table.h"

#define HOSTS_LEAST  (1u << 14)
#define TRACES_LEAST (1u << 12)
#define SEED         0x706f7374u /* logs of the past: nobody can choose what is in them any more */

struct kept {
    uint64_t id;
    int64_t first_ms;
    uint32_t attempts;
    uint32_t size;
    char *packed;
    uint64_t guilty[CAMPAIGN_HOSTS_MAX / 64]; /* a bit for each host */
};

struct scan_found {
    struct watch *watch;
    size_t octets_max;
    struct kept *campaigns;
    size_t count, room;
    size_t octets; /* of what is kept */
    uint64_t dropped;
    struct table by_host; /* blocks */
    struct scan_block **blocks;
    size_t block_count;
};

/* A power of two with room for them, between the least and the most. */
static uint32_t places(uint64_t wanted, uint32_t least, uint32_t most)
{
    uint32_t count = least;

    while (count < most && count < wanted)
        count *= 2;
    return wanted ? count : most;
}

struct scan_found *scan_found_new(const struct scan_found_settings *settings)
{
    struct scan_found *found = memory_take(sizeof *found);

    found->watch = watch_new(
        &(struct watch_settings){.hosts = places(settings->attempts_about, HOSTS_LEAST, WATCH_HOSTS),
                                 .traces = places(settings->attempts_about, TRACES_LEAST, WATCH_TRACES),
                                 .campaigns = WATCH_CAMPAIGNS,
                                 .octets = WATCH_OCTETS,
                                 .seed = SEED,
                                 .trusted = settings->trusted,
                                 .trusted_count = settings->trusted_count});
    found->octets_max = settings->octets ? settings->octets : SCAN_FOUND_OCTETS;
    found->blocks = memory_take(SCAN_FOUND_BLOCKS * sizeof *found->blocks);
    table_init(&found->by_host, SEED);
    return found;
}

/* --- blocks -------------------------------------------------------------------------------------------- */

static struct slice key_slice(const struct host_key *key)
{
    return slice_of((const char *)key, sizeof *key);
}

static struct scan_block *block_of(struct scan_found *found, const struct campaign *campaign,
                                   const struct campaign_host *host)
{
    struct scan_block *block = table_get(&found->by_host, key_slice(&host->key));

    if (block || found->block_count == SCAN_FOUND_BLOCKS)
        return block;
    block = memory_take(sizeof *block);
    *block = (struct scan_block){.key = host->key,
                                 .kind = campaign->kind,
                                 .campaign = campaign->id,
                                 .first_ms = host->first_ms,
                                 .last_ms = host->last_ms};
    block->address.network = host_key_address(host->key, (enum address_family)host->family);
    block->address.bits = host->family == ADDRESS_IPV6 ? 64 : 32;
    memcpy(block->ptr, host->ptr, sizeof block->ptr);
    (void)table_put(&found->by_host, key_slice(&block->key), block);
    found->blocks[found->block_count++] = block;
    return block;
}

static void host_judge(struct scan_found *found, const struct campaign *campaign, uint32_t index,
                       struct kept *kept)
{
    const struct campaign_host *host = &campaign->hosts[index];

    if (!watch_host_is_guilty(found->watch, campaign, host) || watch_host_is_good(found->watch, host))
        return;
    kept->guilty[index / 64] |= UINT64_C(1) << index % 64;
    struct scan_block *block = block_of(found, campaign, host);
    if (!block)
        return;
    block->campaigns++;
    block->attempts += host->attempts;
    if (host->first_ms < block->first_ms)
        block->first_ms = host->first_ms;
    if (host->last_ms > block->last_ms)
        block->last_ms = host->last_ms;
}

/* --- campaigns ----------------------------------------------------------------------------------------- */

static int larger_first(const void *a, const void *b)
{
    const struct kept *left = a, *right = b;

    return (left->attempts < right->attempts) - (left->attempts > right->attempts);
}

static int earlier_first(const void *a, const void *b)
{
    const struct kept *left = a, *right = b;

    if (left->first_ms != right->first_ms)
        return left->first_ms < right->first_ms ? -1 : 1;
    return (left->id > right->id) - (left->id < right->id);
}

static void kept_drop(struct scan_found *found, struct kept *kept)
{
    found->octets -= kept->size + sizeof *kept;
    memory_give(kept->packed, kept->size);
}

/* A quarter at once, so that it is seldom. */
static void smallest_drop(struct scan_found *found)
{
    const size_t stay = found->count - found->count / 4 - 1;

    memory_sort(found->campaigns, found->count, sizeof *found->campaigns, larger_first);
    while (found->count > stay) {
        kept_drop(found, &found->campaigns[--found->count]);
        found->dropped++;
    }
}

static struct kept *kept_add(struct scan_found *found)
{
    if (found->count == found->room) {
        const size_t room = found->room ? 2 * found->room : 64;
        found->campaigns = memory_resize(found->campaigns, found->room * sizeof *found->campaigns,
                                         room * sizeof *found->campaigns);
        found->room = room;
    }
    struct kept *kept = &found->campaigns[found->count++];
    *kept = (struct kept){0};
    return kept;
}

static void campaign_keep(struct scan_found *found, const struct campaign *campaign)
{
    struct buf packed;

    buf_init(&packed, CAMPAIGN_PACKED_MAX);
    if (!campaign_pack(campaign, &packed)) {
        buf_drop(&packed);
        return;
    }
    if (found->octets + packed.len + sizeof(struct kept) > found->octets_max && found->count)
        smallest_drop(found);
    struct kept *kept = kept_add(found);
    kept->id = campaign->id;
    kept->first_ms = campaign->first_ms;
    kept->attempts = campaign->attempts;
    kept->size = packed.len;
    kept->packed = memory_take(packed.len);
    memcpy(kept->packed, packed.at, packed.len);
    found->octets += kept->size + sizeof *kept;
    buf_drop(&packed);
    for (uint32_t i = 0; i < campaign->host_count && i < CAMPAIGN_HOSTS_MAX; i++)
        host_judge(found, campaign, i, kept);
}

void scan_found_attempt(struct scan_found *found, const struct attempt *attempt)
{
    struct watch_note note;

    watch_add(found->watch, attempt);
    while (watch_note(found->watch, &note)) {
        const struct campaign *campaign = note.kind == WATCH_CLOSED
                                              ? watch_campaign(found->watch, note.campaign)
                                              : NULL;
        if (campaign)
            campaign_keep(found, campaign);
    }
}

static int earlier_block(const void *a, const void *b)
{
    const struct scan_block *left = *(const struct scan_block *const *)a;
    const struct scan_block *right = *(const struct scan_block *const *)b;

    if (left->first_ms != right->first_ms)
        return left->first_ms < right->first_ms ? -1 : 1;
    return slice_compare(key_slice(&left->key), key_slice(&right->key));
}

void scan_found_end(struct scan_found *found)
{
    const struct campaign *campaign;
    size_t at = 0;

    while (watch_next(found->watch, &at, &campaign))
        campaign_keep(found, campaign);
    watch_free(found->watch);
    found->watch = NULL;
    memory_sort(found->campaigns, found->count, sizeof *found->campaigns, earlier_first);
    memory_sort(found->blocks, found->block_count, sizeof *found->blocks, earlier_block);
}

size_t scan_found_count(const struct scan_found *found)
{
    return found->count;
}

uint64_t scan_found_dropped(const struct scan_found *found)
{
    return found->dropped;
}

void scan_found_campaign(const struct scan_found *found, size_t index, struct campaign *ret_campaign,
                         bool ret_guilty[CAMPAIGN_HOSTS_MAX])
{
    const struct kept *kept = &found->campaigns[index];
    const bool whole = campaign_unpack(slice_of(kept->packed, kept->size), ret_campaign);

    assert(whole);
    for (uint32_t i = 0; i < CAMPAIGN_HOSTS_MAX; i++)
        ret_guilty[i] = (kept->guilty[i / 64] >> i % 64 & 1) != 0;
}

const struct scan_block *const *scan_found_blocks(const struct scan_found *found, size_t *ret_count)
{
    *ret_count = found->block_count;
    return (const struct scan_block *const *)found->blocks;
}

void scan_found_free(struct scan_found *found)
{
    if (!found)
        return;
    for (size_t i = 0; i < found->count; i++)
        kept_drop(found, &found->campaigns[i]);
    for (size_t i = 0; i < found->block_count; i++)
        memory_give(found->blocks[i], sizeof *found->blocks[i]);
    watch_free(found->watch);
    table_drop(&found->by_host);
    memory_give(found->campaigns, found->room * sizeof *found->campaigns);
    memory_give(found->blocks, SCAN_FOUND_BLOCKS * sizeof *found->blocks);
    memory_give(found, sizeof *found);
}
