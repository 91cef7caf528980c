/* What scan-log found, for programs: one object. */
#include "cli/scan_log.h"

#include "base/calendar.h"
#include "core/event.h"
#include "watch/campaign_json.h"
#include "wire/json.h"

#define JSON_MAX (1024u * 1024u * 1024u)

static void time_put(struct json *json, const char *key, int64_t unix_ms)
{
    char text[CALENDAR_TEXT_SIZE];

    if (unix_ms)
        json_put_text(json, key, slice_of(text, calendar_print_iso(unix_ms, 0, text)));
}

static void id_put(struct json *json, const char *key, uint64_t id)
{
    char text[EVENT_ID_SIZE];

    event_id_print(id, text);
    json_put_text(json, key, slice_text(text));
}

static void counts_put(struct json *json, const struct scan_counts *counts)
{
    json_key(json, "counts");
    json_object_open(json);
    json_put_u64(json, "connections", counts->connections);
    json_put_u64(json, "refusals", counts->refusals);
    json_put_u64(json, "deferrals", counts->deferrals);
    json_put_u64(json, "messages", counts->queued);
    json_put_u64(json, "octets", counts->octets);
    json_put_u64(json, "sent", counts->sent);
    json_put_u64(json, "deferred", counts->deferred);
    json_put_u64(json, "bounced", counts->bounced);
    json_put_u64(json, "expired", counts->expired);
    json_put_u64(json, "own", counts->own);
    json_put_u64(json, "clientless", counts->clientless);
    json_put_u64(json, "ended_early", counts->cut);
    json_object_close(json);
}

static void verdicts_put(struct json *json, const struct scan_counts *counts)
{
    json_key(json, "verdicts");
    json_object_open(json);
    json_put_u64(json, "accepted", counts->accepted);
    json_put_u64(json, "deferred", counts->put_off);
    json_put_u64(json, "refused", counts->refused);
    json_put_u64(json, "left", counts->left);
    json_object_close(json);
}

static void campaigns_put(struct json *json, const struct scan_log *log)
{
    struct campaign campaign;
    bool guilty[CAMPAIGN_HOSTS_MAX];

    json_key(json, "campaigns");
    json_array_open(json);
    for (size_t i = 0; i < scan_found_count(log->found); i++) {
        scan_found_campaign(log->found, i, &campaign, guilty);
        campaign_json_judged(&campaign, guilty, json);
        campaign_done(&campaign);
    }
    json_array_close(json);
    json_put_u64(json, "campaigns_dropped", scan_found_dropped(log->found));
}

static void blocks_put(struct json *json, const struct scan_log *log)
{
    size_t count;
    const struct scan_block *const *blocks = scan_found_blocks(log->found, &count);
    char text[SCAN_LOG_WORD_SIZE];

    json_key(json, "blocks");
    json_array_open(json);
    for (size_t i = 0; i < count; i++) {
        json_object_open(json);
        json_put_text(json, "address",
                      scan_log_host(blocks[i]->key, blocks[i]->address.network.family, text));
        json_put_text(json, "reason", slice_text(campaign_reason(blocks[i]->kind)));
        id_put(json, "evidence", blocks[i]->campaign);
        json_key(json, "made"); /* it is suggested, no more */
        json_null(json);
        json_key(json, "expires");
        json_null(json);
        json_put_u64(json, "hits", 0);
        json_put_u64(json, "campaigns", blocks[i]->campaigns);
        json_put_u64(json, "attempts", blocks[i]->attempts);
        time_put(json, "first", blocks[i]->first_ms);
        time_put(json, "last", blocks[i]->last_ms);
        json_put_text(json, "access", scan_log_access(blocks[i], text));
        json_object_close(json);
    }
    json_array_close(json);
}

static void unknown_put(struct json *json, struct scan_unknown *unknown)
{
    size_t count;
    uint64_t more;
    const struct scan_shape *const *shapes = scan_unknown_sorted(unknown, &count, &more);

    json_key(json, "unknown_lines");
    json_array_open(json);
    for (size_t i = 0; i < count; i++) {
        json_object_open(json);
        json_put_u64(json, "count", shapes[i]->count);
        json_put_text(json, "line", slice_of(shapes[i]->text, shapes[i]->len));
        json_object_close(json);
    }
    json_array_close(json);
}

void scan_log_json(const struct scan_log *log)
{
    const struct scan_lines *lines = log->lines;
    struct buf out;
    struct json json;

    buf_init(&out, JSON_MAX);
    json_begin(&json, &out);
    json_object_open(&json);
    json_put_u64(&json, "lines", lines->lines);
    time_put(&json, "first", lines->first_ms);
    time_put(&json, "last", lines->last_ms);
    json_put_u64(&json, "unknown", lines->unknown);
    json_put_u64(&json, "other", lines->other);
    json_put_u64(&json, "passed", lines->passed);
    json_put_u64(&json, "cut", lines->cut);
    counts_put(&json, log->counts);
    json_put_u64(&json, "attempts", log->counts->attempts);
    verdicts_put(&json, log->counts);
    campaigns_put(&json, log);
    blocks_put(&json, log);
    if (log->unknown)
        unknown_put(&json, log->unknown);
    json_object_close(&json);
    (void)json_end(&json);
    cli_print_line(&out);
    buf_drop(&out);
}
