#include "watch/campaign_json.h"

#include "base/calendar.h"
#include "core/event.h"

static void put_time(struct json *json, const char *key, int64_t unix_ms)
{
    char text[CALENDAR_TEXT_SIZE];
    const size_t len = calendar_print_iso(unix_ms, 0, text);
    json_put_text(json, key, slice_of(text, len));
}

static void put_id(struct json *json, const char *key, uint64_t id)
{
    char text[EVENT_ID_SIZE];
    event_id_print(id, text);
    json_put_text(json, key, slice_text(text));
}

/* IPv6 hosts are told apart by their /64. */
static void put_address(struct json *json, const struct campaign_host *host)
{
    char text[ADDRESS_PORT_TEXT_SIZE];
    struct prefix prefix = {host_key_address(host->key, (enum address_family)host->family), 64};
    const size_t len = host->family == ADDRESS_IPV6 ? prefix_print(&prefix, text)
                                                    : address_print(&prefix.network, text);
    json_put_text(json, "address", slice_of(text, len));
}

static void put_origin(struct json *json, const struct campaign_host *host)
{
    struct buf text;
    buf_init(&text, 128);
    if (host->as_number)
        buf_add_format(&text, "AS%u", host->as_number);
    if (host->owner[0])
        buf_add_format(&text, "%s%s", text.len ? " " : "", host->owner);
    json_put_text(json, "origin", buf_slice(&text));
    buf_drop(&text);
}

static void put_host(struct json *json, const struct campaign_host *host, bool suggested)
{
    json_object_open(json);
    put_address(json, host);
    json_put_text(json, "ptr", slice_text(host->ptr));
    put_origin(json, host);
    json_put_u64(json, "attempts", host->attempts);
    json_put_u64(json, "refused", host->refused);
    json_put_u64(json, "unknown", host->unknown);
    json_put_u64(json, "group", host->group);
    put_time(json, "first", host->first_ms);
    put_time(json, "last", host->last_ms);
    json_put_bool(json, "suggested", suggested);
    json_object_close(json);
}

static const char *verdict_word(unsigned verdict)
{
    static const char *const words[] = {"accepted", "deferred", "refused", "dropped", "left"};
    return verdict < sizeof words / sizeof words[0] ? words[verdict] : "";
}

static void put_moment(struct json *json, const struct campaign *campaign,
                       const struct campaign_moment *moment)
{
    json_object_open(json);
    if (moment->id) /* old logs have no sessions */
        put_id(json, "id", moment->id);
    put_time(json, "time", moment->start_ms);
    if (moment->host < campaign->host_count)
        put_address(json, &campaign->hosts[moment->host]);
    if (moment->flags & TRACE_TIMED) {
        json_key(json, "seconds");
        json_decimal(json, moment->duration_ms, 3);
    }
    json_put_text(json, "verdict", slice_text(verdict_word(moment->verdict)));
    json_object_close(json);
}

/* By their beginning; attempts come in by their end. */
static void put_timeline(struct json *json, const struct campaign *campaign)
{
    const struct campaign_moment *moments[CAMPAIGN_MOMENTS_MAX];
    for (uint32_t i = 0; i < campaign->moment_count; i++) {
        uint32_t at = i;
        const struct campaign_moment *moment = campaign_moment(campaign, i);
        for (; at && moments[at - 1]->start_ms > moment->start_ms; at--)
            moments[at] = moments[at - 1];
        moments[at] = moment;
    }
    json_key(json, "timeline");
    json_array_open(json);
    for (uint32_t i = 0; i < campaign->moment_count; i++)
        put_moment(json, campaign, moments[i]);
    json_array_close(json);
}

static void put_whole(struct json *json, const struct campaign *campaign, const bool *suggested)
{
    json_put_u64(json, "networks", campaign->groups);
    json_put_u64(json, "unknown", campaign->unknown);
    json_put_text(json, "reason", slice_text(campaign_reason(campaign->kind)));
    json_key(json, "host_table");
    json_array_open(json);
    for (uint32_t i = 0; i < campaign->host_count; i++)
        put_host(json, &campaign->hosts[i], suggested[i]);
    json_array_close(json);
    put_timeline(json, campaign);
}

static void put_campaign(struct json *json, const struct campaign *campaign, bool open, const bool *suggested)
{
    struct buf sentence;
    buf_init(&sentence, CAMPAIGN_SENTENCE_MAX);
    campaign_sentence(campaign, &sentence);
    json_object_open(json);
    put_id(json, "id", campaign->id);
    json_put_text(json, "kind", slice_text(campaign_kind_word(campaign->kind)));
    json_put_text(json, "sentence", buf_slice(&sentence));
    json_put_u64(json, "attempts", campaign->attempts);
    json_put_u64(json, "hosts", campaign->host_total);
    put_time(json, "first", campaign->first_ms);
    put_time(json, "last", campaign->last_ms);
    json_put_bool(json, "open", open);
    if (suggested)
        put_whole(json, campaign, suggested);
    json_object_close(json);
    buf_drop(&sentence);
}

void campaign_json(const struct campaign *campaign, bool open, const struct watch *watch, bool whole,
                   struct json *json)
{
    bool suggested[CAMPAIGN_HOSTS_MAX] = {false};
    for (uint32_t i = 0; whole && watch && i < campaign->host_count; i++)
        suggested[i] = watch_host_is_guilty(watch, campaign, &campaign->hosts[i]);
    put_campaign(json, campaign, open, whole ? suggested : NULL);
}

void campaign_json_judged(const struct campaign *campaign, const bool suggested[CAMPAIGN_HOSTS_MAX],
                          struct json *json)
{
    put_campaign(json, campaign, false, suggested);
}
