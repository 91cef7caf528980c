#include "daemon/keeper_watch.h"

#include "base/memory.h"
#include "base/text.h"
#include "core/event.h"
#include "daemon/keeper_attempts.h"
#include "watch/campaign_json.h"
#include "watch/watch.h"

#include <stdio.h>
#include <sys/random.h>

#define KEY_PREFIX "campaign "
#define KEY_SEED   "watch seed"

enum {
    FULL_AT = 64,       /* campaigns to be written */
    LEARN_MOST = 20000, /* sessions that are read again at the start */
    LEARN_DAYS = 7,     /* how far back at most */
    CLOSED_KEPT_DAYS = 90,
    EVENTS_MAX = 4 << 20, /* octets of events that wait for the store */
    LINE_MAX = 60000,     /* of an answer */
    LIST_STEP = 1000
};

#define DAY_MS INT64_C(86400000)

/* A campaign that the store does not have as it is now. */
struct fresh {
    uint64_t id;
    char key[sizeof KEY_PREFIX + EVENT_ID_SIZE];
    struct buf value; /* what goes into the store; made when the batch is, or when it closed */
    bool closed;
    int64_t expires_ms;
};

struct keeper_watch {
    struct keeper_watch_settings set;
    struct watch *watch; /* NULL: nobody looks */
    struct keeper_attempts *attempts;
    struct prefix *trusted;
    size_t trusted_count;
    uint64_t seed;
    char seed_text[24];
    bool seed_is_new;
    struct fresh fresh[KEEPER_WATCH_WRITES];
    size_t fresh_count;
    struct buf events; /* for the journal once the store has the batch */
    uint64_t lost;     /* events for which there was no room */
};

static int64_t now_ms(const struct keeper_watch *keeper)
{
    return loop_unix_us(keeper->set.loop) / 1000;
}

/* --- what goes into the store and the journal -------------------------------------------------------------
 */

static struct fresh *fresh_of(struct keeper_watch *keeper, uint64_t id)
{
    char text[EVENT_ID_SIZE];
    for (size_t i = 0; i < keeper->fresh_count; i++)
        if (keeper->fresh[i].id == id)
            return &keeper->fresh[i];
    if (keeper->fresh_count == KEEPER_WATCH_WRITES - 1) /* the seed may be written, too */
        return NULL;
    struct fresh *fresh = &keeper->fresh[keeper->fresh_count++];
    event_id_print(id, text);
    fresh->id = id;
    fresh->closed = false;
    snprintf(fresh->key, sizeof fresh->key, KEY_PREFIX "%s", text);
    buf_clear(&fresh->value);
    return fresh;
}

static void fresh_pack(struct fresh *fresh, const struct campaign *campaign)
{
    buf_clear(&fresh->value);
    buf_add_octet(&fresh->value, fresh->closed ? 'c' : 'o');
    campaign_pack(campaign, &fresh->value);
    fresh->expires_ms = campaign->last_ms + CLOSED_KEPT_DAYS * DAY_MS;
}

static void event_note(struct keeper_watch *keeper, const struct watch_note *note,
                       const struct campaign *campaign)
{
    const struct event_stamp stamp = {.unix_us = loop_unix_us(keeper->set.loop)};
    const struct slice kind = slice_text(campaign_kind_word(note->campaign_kind));
    struct buf sentence;
    bool fits = true;
    buf_init(&sentence, CAMPAIGN_SENTENCE_MAX);
    if (note->kind != WATCH_JOINED)
        campaign_sentence(campaign, &sentence);
    const struct slice said = buf_slice(&sentence);
    switch (note->kind) {
    case WATCH_OPENED:
        fits = event_add_campaign_opened(&keeper->events, &stamp,
                                         &(struct event_campaign_opened){note->campaign, kind, said});
        break;
    case WATCH_JOINED:
        fits = event_add_campaign_joined(&keeper->events, &stamp,
                                         &(struct event_campaign_joined){note->campaign, note->session,
                                                                         note->envelope, note->host,
                                                                         (uint64_t)note->unix_ms});
        break;
    case WATCH_CHANGED:
        fits = event_add_campaign_changed(&keeper->events, &stamp,
                                          &(struct event_campaign_changed){note->campaign, kind, said});
        break;
    case WATCH_CLOSED:
        fits = event_add_campaign_closed(&keeper->events, &stamp,
                                         &(struct event_campaign_closed){note->campaign, kind, said,
                                                                         campaign->attempts,
                                                                         campaign->host_total});
        break;
    }
    keeper->lost += !fits;
    buf_drop(&sentence);
}

static void notes_take(struct keeper_watch *keeper)
{
    struct watch_note note;
    while (watch_note(keeper->watch, &note)) {
        const struct campaign *campaign = watch_campaign(keeper->watch, note.campaign);
        struct fresh *fresh = fresh_of(keeper, note.campaign);
        event_note(keeper, &note, campaign);
        if (note.kind == WATCH_JOINED)
            keeper_blocks_joined(keeper->set.blocks, keeper->watch, campaign, &note.host);
        if (!fresh || note.kind != WATCH_CLOSED)
            continue;
        fresh->closed = true;
        fresh_pack(fresh, campaign);
    }
}

bool keeper_watch_is_full(const struct keeper_watch *keeper)
{
    return keeper->fresh_count >= FULL_AT;
}

size_t keeper_watch_writes(struct keeper_watch *keeper, struct store_write room[KEEPER_WATCH_WRITES])
{
    size_t count = 0;
    for (size_t i = 0; i < keeper->fresh_count; i++) {
        struct fresh *fresh = &keeper->fresh[i];
        const struct campaign *campaign = fresh->closed ? NULL : watch_campaign(keeper->watch, fresh->id);
        if (campaign)
            fresh_pack(fresh, campaign);
        if (fresh->value.len)
            room[count++] = (struct store_write){.verb = STORE_PUT,
                                                 .key = slice_text(fresh->key),
                                                 .value = buf_slice(&fresh->value),
                                                 .expires_unix_ms = fresh->expires_ms,
                                                 .at_unix_ms = now_ms(keeper)};
    }
    if (keeper->seed_is_new)
        room[count++] = (struct store_write){.verb = STORE_PUT,
                                             .key = SLICE(KEY_SEED),
                                             .value = slice_text(keeper->seed_text),
                                             .at_unix_ms = now_ms(keeper)};
    return count;
}

void keeper_watch_committed(struct keeper_watch *keeper)
{
    struct slice rest = buf_slice(&keeper->events);
    struct event event;
    size_t size;
    while (event_read(rest, &event, &size) == EVENT_DONE) {
        journal_writer_add(keeper->set.journal, slice_head(rest, size), NULL);
        rest = slice_from(rest, size);
    }
    buf_clear(&keeper->events);
    for (size_t i = 0; i < keeper->fresh_count; i++)
        buf_drop(&keeper->fresh[i].value);
    keeper->fresh_count = 0;
    keeper->seed_is_new = false;
}

/* --- reading -------------------------------------------------------------------------------------------- */

static void attempt_show(void *data, const struct attempt *attempt)
{
    struct keeper_watch *keeper = data;
    watch_add(keeper->watch, attempt);
    notes_take(keeper);
    keeper_blocks_attempt(keeper->set.blocks, keeper->watch, attempt);
}

bool keeper_watch_event(struct keeper_watch *keeper, const struct journal_reader *reader,
                        const struct journal_item *item)
{
    const struct keeper_attempts_sink sink = {attempt_show, keeper};
    const uint32_t before = keeper->events.len;
    if (keeper->watch)
        keeper_attempts_event(keeper->attempts, reader, item, &sink);
    return keeper->events.len > before;
}

bool keeper_watch_tick(struct keeper_watch *keeper, bool caught_up)
{
    if (!keeper->watch)
        return false;
    if (caught_up && !keeper_watch_is_full(keeper)) {
        watch_time(keeper->watch, now_ms(keeper));
        notes_take(keeper);
    }
    return keeper->fresh_count > 0 || keeper->seed_is_new;
}

/* --- beginning --------------------------------------------------------------------------------------------
 */

static void seed_load(struct keeper_watch *keeper)
{
    struct slice text;
    struct error error;
    if (store_get(keeper->set.store, SLICE(KEY_SEED), now_ms(keeper), &text, &error) == STORE_FOUND &&
        text_parse_hex(text, &keeper->seed))
        return;
    if (getrandom(&keeper->seed, sizeof keeper->seed, 0) != sizeof keeper->seed)
        keeper->seed = (uint64_t)loop_unix_us(keeper->set.loop);
    snprintf(keeper->seed_text, sizeof keeper->seed_text, "%016llx", (unsigned long long)keeper->seed);
    keeper->seed_is_new = true;
}

/* Ours, and those that bring other people's mail. */
static void trusted_make(struct keeper_watch *keeper)
{
    const struct networks *lists[] = {&keeper->set.site->own, &keeper->set.site->trusted};
    size_t at = 0;
    keeper->trusted_count = lists[0]->count + lists[1]->count;
    keeper->trusted = memory_take((keeper->trusted_count + 1) * sizeof *keeper->trusted);
    for (size_t list = 0; list < 2; list++)
        for (size_t i = 0; i < lists[list]->count; i++)
            keeper->trusted[at++] = lists[list]->items[i];
}

static void watch_begin(struct keeper_watch *keeper)
{
    struct watch_settings settings = {
        .hosts = WATCH_HOSTS,
        .traces = WATCH_TRACES,
        .campaigns = WATCH_CAMPAIGNS,
        .seed = keeper->seed,
        .trusted = keeper->trusted,
        .trusted_count = keeper->trusted_count,
    };
    watch_settings_fit(&settings, keeper->set.site->set.watch_memory);
    keeper->watch = watch_new(&settings);
}

static void campaign_restore(void *data, const struct store_item *item)
{
    struct keeper_watch *keeper = data;
    struct campaign campaign;
    if (item->by == STORE_PUT && slice_starts(item->value, SLICE("o")) &&
        campaign_unpack(slice_from(item->value, 1), &campaign))
        watch_restore(keeper->watch, &campaign);
}

static void campaigns_walk(struct keeper_watch *keeper,
                           void (*visit)(void *data, const struct store_item *item), void *data)
{
    struct store_walk walk = {.prefix = SLICE(KEY_PREFIX), .most = LIST_STEP};
    struct error error;
    do {
        if (store_walk(keeper->set.store, &walk, now_ms(keeper), visit, data, &error) < 0)
            return;
    } while (walk.cursor_len);
}

static void attempt_learn(void *data, const struct attempt *attempt)
{
    const struct keeper_watch *keeper = data;
    watch_learn(keeper->watch, attempt);
}

struct keeper_watch *keeper_watch_new(const struct keeper_watch_settings *settings)
{
    struct keeper_watch *keeper = memory_take(sizeof *keeper);
    const struct keeper_attempts_sink sink = {attempt_learn, keeper};
    keeper->set = *settings;
    buf_init(&keeper->events, EVENTS_MAX);
    for (size_t i = 0; i < KEEPER_WATCH_WRITES; i++)
        buf_init(&keeper->fresh[i].value, CAMPAIGN_PACKED_MAX + 1);
    if (!settings->site->set.watch_memory)
        return keeper;
    seed_load(keeper);
    trusted_make(keeper);
    watch_begin(keeper);
    keeper->attempts = keeper_attempts_new(settings->folder);
    campaigns_walk(keeper, campaign_restore, keeper);
    keeper_attempts_past(keeper->attempts, now_ms(keeper) - LEARN_DAYS * DAY_MS, LEARN_MOST, &sink);
    return keeper;
}

void keeper_watch_free(struct keeper_watch *keeper)
{
    if (!keeper)
        return;
    keeper_attempts_free(keeper->attempts);
    watch_free(keeper->watch);
    memory_give(keeper->trusted, keeper->trusted ? (keeper->trusted_count + 1) * sizeof *keeper->trusted : 0);
    for (size_t i = 0; i < KEEPER_WATCH_WRITES; i++)
        buf_drop(&keeper->fresh[i].value);
    buf_drop(&keeper->events);
    memory_give(keeper, sizeof *keeper);
}

/* --- what it is asked -------------------------------------------------------------------------------------
 */

struct asked {
    struct keeper_watch *keeper;
    struct control *control;
    slab_handle request;
    uint64_t id;             /* 0: all */
    enum campaign_kind kind; /* 0: any */
    bool open_only;
    uint64_t count; /* that are wanted, counted on the way */
    uint64_t skip;  /* of them the first are left out; UINT64_MAX: all, only counted */
};

static void campaign_say(struct asked *asked, const struct campaign *campaign, bool open)
{
    struct json json;
    struct buf line;
    if ((asked->id && campaign->id != asked->id) || (asked->kind && campaign->kind != asked->kind) ||
        asked->count++ < asked->skip)
        return;
    buf_init(&line, LINE_MAX);
    json_begin(&json, &line);
    campaign_json(campaign, open, asked->keeper->watch, asked->id != 0, &json);
    if (json_end(&json))
        control_line(asked->control, asked->request, buf_slice(&line));
    buf_drop(&line);
}

/* What is open is newer in memory than in the store. */
static void stored_say(void *data, const struct store_item *item)
{
    struct asked *asked = data;
    struct campaign campaign;
    uint64_t id;
    if (item->by != STORE_PUT || !event_id_parse(slice_from(item->key, sizeof KEY_PREFIX - 1), &id) ||
        watch_campaign(asked->keeper->watch, id) || !campaign_unpack(slice_from(item->value, 1), &campaign))
        return;
    campaign_say(asked, &campaign, false);
    campaign_done(&campaign);
}

static void campaigns_say(struct asked *asked)
{
    const struct campaign *campaign;
    size_t at = 0;
    asked->count = 0;
    if (!asked->open_only)
        campaigns_walk(asked->keeper, stored_say, asked);
    while (watch_next(asked->keeper->watch, &at, &campaign))
        campaign_say(asked, campaign, true);
}

/* NULL: it can be answered. */
static const char *request_read(const struct control_request *request, struct asked *asked)
{
    const struct slice id = control_text(request, "id"), kind = control_text(request, "kind");
    if (!asked->keeper->watch)
        return "nobody looks for patterns: watch.memory is 0";
    if (id.len && (!event_id_parse(id, &asked->id) || !asked->id))
        return "this is no campaign's id";
    if (kind.len && !campaign_kind_parse(kind, &asked->kind))
        return "there is no such kind";
    asked->open_only = control_flag(request, "open");
    return NULL;
}

/* The newest come last: those before them are counted first, and then left out. */
void keeper_watch_command(struct keeper_watch *keeper, struct control *control,
                          const struct control_request *request)
{
    struct asked asked = {
        .keeper = keeper, .control = control, .request = request->handle, .skip = UINT64_MAX};
    const uint64_t most = control_number(request, "most", LIST_STEP);
    const char *wrong = request_read(request, &asked);
    if (!wrong) {
        campaigns_say(&asked);
        wrong = asked.id && !asked.count ? "there is no such campaign" : NULL;
    }
    if (wrong) {
        control_error(control, request->handle, slice_text(wrong));
        return;
    }
    const uint64_t shown = most < LIST_STEP ? most : LIST_STEP;
    asked.skip = asked.count > shown ? asked.count - shown : 0;
    campaigns_say(&asked);
    control_done(control, request->handle);
}

void keeper_watch_status(const struct keeper_watch *keeper, struct json *json)
{
    struct watch_counts counts = {0};
    if (keeper->watch)
        watch_counts(keeper->watch, &counts);
    json_key(json, "campaigns");
    json_object_open(json);
    json_put_u64(json, "open", counts.open);
    json_put_u64(json, "opened", counts.opened);
    json_put_u64(json, "attempts", counts.attempts);
    json_put_u64(json, "hosts", counts.hosts);
    json_put_u64(json, "crowded", counts.crowded);
    json_put_u64(json, "lost", keeper->lost);
    json_object_close(json);
}
