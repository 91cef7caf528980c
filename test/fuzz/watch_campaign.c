/* Whatever stands in the store, what is taken for a campaign packs to what unpacks the same, can be told in
 * words and for programs, and grows when it is taken back. */
#include "property.h"
#include "watch/campaign_json.h"
#include "watch/watch.h"

static void tell(const struct campaign *campaign)
{
    struct buf out;
    struct json json;
    buf_init(&out, 1u << 20);
    campaign_sentence(campaign, &out);
    buf_clear(&out);
    json_begin(&json, &out);
    campaign_json(campaign, true, NULL, true, &json);
    assert(json_end(&json));
    buf_drop(&out);
}

static void grow(struct campaign *campaign)
{
    struct watch *watch = watch_new(
        &(struct watch_settings){.hosts = 1024, .traces = 64, .campaigns = 2, .octets = 1u << 20, .seed = 1});
    struct attempt attempt = {
        .has = ATTEMPT_HAS_VERDICT | ATTEMPT_HAS_PTR,
        .unix_ms = campaign->last_ms / 2,
        .peer = host_key_address(campaign->like.host, (enum address_family)campaign->like.family),
        .verdict = ATTEMPT_REFUSED};
    assert(watch_restore(watch, campaign));
    watch_add(watch, &attempt);
    watch_time(watch, INT64_MAX / 4);
    watch_free(watch);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    struct campaign campaign, again;
    struct buf once, twice;
    if (!campaign_unpack(slice_of((const char *)octets, len), &campaign))
        return 0;
    buf_init(&once, CAMPAIGN_PACKED_MAX);
    buf_init(&twice, CAMPAIGN_PACKED_MAX);
    assert(campaign_pack(&campaign, &once));
    assert(campaign_unpack(buf_slice(&once), &again));
    assert(campaign_pack(&again, &twice));
    assert(slice_equal(buf_slice(&once), buf_slice(&twice)));
    tell(&campaign);
    campaign_done(&again);
    grow(&campaign);
    buf_drop(&once);
    buf_drop(&twice);
    return 0;
}
