#include "watch/report.h"

#include "base/calendar.h"
#include "core/event.h"
#include "watch/report_part.h"
#include "wire/json.h"

#include <assert.h>
#include <string.h>

bool report_form_parse(struct slice word, enum report_form *ret_form)
{
    static const char *const words[] = {[REPORT_ARF] = "arf", [REPORT_TEXT] = "text", [REPORT_JSON] = "json"};

    for (unsigned i = 0; i < REPORT_FORM_COUNT; i++)
        if (slice_equal(word, slice_text(words[i]))) {
            *ret_form = (enum report_form)i;
            return true;
        }
    return false;
}

const char *report_form_suffix(enum report_form form)
{
    switch (form) {
    case REPORT_ARF: return "eml";
    case REPORT_TEXT: return "txt";
    case REPORT_JSON: return "json";
    case REPORT_FORM_COUNT: break;
    }
    return "";
}

struct slice report_owner_words(const struct report_owner *owner, struct arena *arena)
{
    char netblock[ADDRESS_PORT_TEXT_SIZE];
    struct slice words = SLICE_NONE;

    if (owner->as)
        words = arena_format(arena, "AS%u", owner->as);
    if (owner->name.len)
        words = arena_format(arena, "%.*s%s%.*s", SLICE_ARGS(words), words.len ? " " : "",
                             SLICE_ARGS(owner->name));
    if (owner->netblock.network.family) {
        (void)prefix_print(&owner->netblock, netblock);
        words = arena_format(arena, "%.*s%s%s", SLICE_ARGS(words), words.len ? ", " : "", netblock);
    }
    if (owner->country[0] && words.len)
        words = arena_format(arena, "%.*s, %s", SLICE_ARGS(words), owner->country);
    return words;
}

struct slice report_subject(const struct report *report, struct arena *arena)
{
    char host[ADDRESS_TEXT_SIZE];

    assert(report->host_count);
    (void)address_print(&report->hosts[0].address, host);
    if (report->host_total == 1)
        return arena_format(arena, "Abuse from %s: %llu attempt%s to send unwanted mail", host,
                            (unsigned long long)report->attempts, report->attempts == 1 ? "" : "s");
    return arena_format(arena, "Abuse from %s and %llu more: %llu attempts to send unwanted mail", host,
                        (unsigned long long)report->host_total - 1, (unsigned long long)report->attempts);
}

/* --- JSON ---------------------------------------------------------------------------------------------- */

static void put_time(struct json *json, const char *key, int64_t unix_ms)
{
    char text[CALENDAR_TEXT_SIZE];

    json_put_text(json, key, slice_of(text, calendar_print_iso(unix_ms, 0, text)));
}

static void put_session(struct json *json, uint64_t session)
{
    char id[EVENT_ID_SIZE];

    event_id_print(session, id);
    if (session)
        json_put_text(json, "session", slice_text(id));
}

static void put_address(struct json *json, const struct address *address)
{
    char text[ADDRESS_TEXT_SIZE];

    json_put_text(json, "address", slice_of(text, address_print(address, text)));
}

static void put_owner(struct json *json, const struct report_owner *owner)
{
    char netblock[ADDRESS_PORT_TEXT_SIZE] = "";

    if (owner->netblock.network.family)
        (void)prefix_print(&owner->netblock, netblock);
    json_key(json, "owner");
    json_object_open(json);
    json_put_u64(json, "as", owner->as);
    json_put_text(json, "netblock", slice_text(netblock));
    json_put_text(json, "country", slice_text(owner->country));
    json_put_text(json, "name", owner->name);
    json_object_close(json);
}

static void put_host(struct json *json, const struct report_host *host)
{
    json_object_open(json);
    put_address(json, &host->address);
    json_put_text(json, "ptr", host->ptr);
    json_put_u64(json, "attempts", host->attempts);
    put_time(json, "first", host->first_ms);
    put_time(json, "last", host->last_ms);
    json_object_close(json);
}

static const char *verdict_word(const struct report_attempt *attempt)
{
    static const char *const words[] = {"accepted", "deferred", "refused", "dropped", "left"};

    return attempt->fooled ? "discarded" : words[attempt->verdict];
}

static void put_recipients(struct json *json, const struct report_attempt *attempt)
{
    json_key(json, "to");
    json_array_open(json);
    for (uint32_t i = 0; i < attempt->recipient_count; i++)
        json_text(json, attempt->recipients[i]);
    json_array_close(json);
}

static void put_attempt(struct json *json, const struct report_attempt *attempt)
{
    json_object_open(json);
    put_session(json, attempt->session);
    put_time(json, "time", attempt->unix_ms);
    put_address(json, &attempt->peer);
    json_put_u64(json, "port", attempt->peer.port);
    if (attempt->has_helo)
        json_put_text(json, "helo", attempt->helo);
    if (attempt->has_sender)
        json_put_text(json, "from", attempt->sender);
    put_recipients(json, attempt);
    json_put_text(json, "verdict", slice_text(verdict_word(attempt)));
    json_put_text(json, "reply", attempt->reply);
    json_put_text(json, "noticed", attempt->said);
    if (attempt->message) {
        json_put_u64(json, "octets", attempt->octets);
        json_put_text(json, "message_id", attempt->message_id);
        json_put_text(json, "subject", attempt->subject);
    }
    if (attempt->queue_id.len)
        json_put_text(json, "queue_id", attempt->queue_id);
    json_object_close(json);
}

static void put_transcript(struct json *json, const struct report_transcript *transcript)
{
    json_object_open(json);
    put_session(json, transcript->session);
    json_put_text(json, "text", transcript->text);
    json_object_close(json);
}

static void put_lists(struct json *json, const struct report *report)
{
    json_key(json, "hosts");
    json_array_open(json);
    for (size_t i = 0; i < report->host_count; i++)
        put_host(json, &report->hosts[i]);
    json_array_close(json);
    json_key(json, "listed");
    json_array_open(json);
    for (size_t i = 0; i < report->listed_count; i++)
        put_attempt(json, &report->listed[i]);
    json_array_close(json);
    json_key(json, "transcripts");
    json_array_open(json);
    for (size_t i = 0; i < report->transcript_count; i++)
        put_transcript(json, &report->transcripts[i]);
    json_array_close(json);
}

static void put_head(struct json *json, const struct report *report)
{
    struct arena arena;

    arena_init(&arena, NULL, 0);
    json_put_text(json, "id", arena_format(&arena, "%016llx", (unsigned long long)report->id));
    json_key(json, "to");
    json_array_open(json);
    for (size_t i = 0; i < report->to.count; i++)
        json_text(json, report->to.address[i]);
    json_array_close(json);
    json_put_text(json, "to_source", report->to_source);
    json_put_text(json, "from", report->from);
    json_put_text(json, "subject", report_subject(report, &arena));
    put_owner(json, &report->owner);
    if (report->campaign.len) {
        json_put_text(json, "campaign", report->campaign);
        json_put_text(json, "kind", report->kind);
        json_put_text(json, "sentence", report->sentence);
    }
    json_put_u64(json, "attempts", report->attempts);
    json_put_u64(json, "host_total", report->host_total);
    put_time(json, "first", report->first_ms);
    put_time(json, "last", report->last_ms);
    arena_drop(&arena);
}

bool report_json(const struct report *report, struct buf *out)
{
    struct json json;

    json_begin(&json, out);
    json_object_open(&json);
    put_head(&json, report);
    put_lists(&json, report);
    json_object_close(&json);
    return json_end(&json);
}
