#include "daemon/keeper_allow.h"

#include "base/calendar.h"
#include "base/memory.h"
#include "base/text.h"
#include "core/event.h"

#include <stdio.h>
#include <string.h>

#define RECORD_PREFIX  "allowance "
#define RECORD_KEY_MAX (sizeof RECORD_PREFIX + ADDRESS_PORT_TEXT_SIZE)
#define BY_SIZE        33 /* with NUL */
#define WHY_SIZE       (OWN_REASON_MAX + 1)
#define RECORD_SIZE    (2 * TEXT_UNIT_SIZE + EVENT_ID_SIZE + BY_SIZE + WHY_SIZE)
#define RECORD_KEPT_MS (INT64_C(30) * 86400000) /* beyond its end, so that its end is recorded */
#define WALK_STEP      1000u
#define EVENTS_MAX     (1u << 20) /* octets of events that wait for the store */
#define LINE_MAX       1024u

struct allowance {
    struct prefix prefix;
    uint64_t session; /* 0: none */
    int64_t made_ms;
    int64_t until_ms;
    char by[BY_SIZE]; /* login name */
    char why[WHY_SIZE];
};

/* What the store does not have yet, with the room for its texts. */
struct change {
    struct allowance allowance;
    bool gone;
    char record_key[RECORD_KEY_MAX], key[OWN_KEY_SIZE];
    char record[RECORD_SIZE], value[OWN_VALUE_SIZE];
};

struct keeper_allow {
    struct keeper_allow_settings set;
    int64_t began_us; /* what was recorded later was done at once */
    struct allowance *items;
    size_t count, room;
    struct change changes[KEEPER_ALLOW_CHANGES];
    size_t change_count;
    struct buf events;       /* for the journal once the store has the batch */
    struct allowance answer; /* to the request at hand */
};

static int64_t now_ms(const struct keeper_allow *allow)
{
    return loop_unix_us(allow->set.loop) / 1000;
}

/* Printable, without blanks where `word`. */
static void text_set(char *text, size_t size, struct slice from, bool word)
{
    size_t len = 0;
    for (size_t i = 0; i < from.len && len + 1 < size; i++) {
        const bool shown = from.at[i] > ' ' && from.at[i] <= '~';
        text[len++] = shown ? from.at[i] : from.at[i] == ' ' && !word ? ' ' : '?';
    }
    text[len] = '\0';
}

/* --- the list ------------------------------------------------------------------------------------------- */

static bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
    return a->bits == b->bits && address_equal_host(&a->network, &b->network);
}

static size_t place_of(const struct keeper_allow *allow, const struct prefix *prefix)
{
    size_t i = 0;
    while (i < allow->count && !prefix_equal(&allow->items[i].prefix, prefix))
        i++;
    return i;
}

static void lengths_of(void *data, struct own_lengths *lengths)
{
    const struct keeper_allow *allow = data;
    for (size_t i = 0; i < allow->count; i++)
        own_lengths_add(lengths, &allow->items[i].prefix);
}

/* In the place of one that was there. False: there are too many. */
static bool list_put(struct keeper_allow *allow, const struct allowance *allowance)
{
    const size_t place = place_of(allow, &allowance->prefix);
    if (place == KEEPER_ALLOW_MOST)
        return false;
    if (place == allow->room) {
        const size_t room = allow->room ? 2 * allow->room : 16;
        allow->items = memory_resize(allow->items, allow->room * sizeof *allow->items,
                                     room * sizeof *allow->items);
        allow->room = room;
    }
    allow->items[place] = *allowance;
    allow->count += place == allow->count;
    own_keys_changed(allow->set.own_keys);
    return true;
}

static void list_take(struct keeper_allow *allow, size_t place)
{
    allow->items[place] = allow->items[--allow->count];
    own_keys_changed(allow->set.own_keys);
}

static void change_add(struct keeper_allow *allow, const struct allowance *allowance, bool gone)
{
    struct change *change = &allow->changes[allow->change_count++];
    change->allowance = *allowance;
    change->gone = gone;
}

bool keeper_allow_is_full(const struct keeper_allow *allow)
{
    return allow->change_count == KEEPER_ALLOW_CHANGES;
}

/* --- the store ------------------------------------------------------------------------------------------ */

/* "MADE UNTIL SESSION BY WHY", of which the last may hold blanks; SESSION may be "-". */
static size_t record_print(const struct allowance *allowance, char text[RECORD_SIZE])
{
    char id[EVENT_ID_SIZE] = "-";
    if (allowance->session)
        event_id_print(allowance->session, id);
    return (size_t)snprintf(text, RECORD_SIZE, "%lld %lld %s %s %s", (long long)allowance->made_ms,
                            (long long)allowance->until_ms, id, allowance->by, allowance->why);
}

static bool record_read(struct slice text, struct allowance *ret_allowance)
{
    struct slice made, until, id, by;
    if (!slice_cut(&text, ' ', &made) || !slice_cut(&text, ' ', &until) || !slice_cut(&text, ' ', &id) ||
        !slice_cut(&text, ' ', &by) || !text_parse_i64(made, &ret_allowance->made_ms) ||
        !text_parse_i64(until, &ret_allowance->until_ms))
        return false;
    ret_allowance->session = 0;
    (void)event_id_parse(id, &ret_allowance->session);
    text_set(ret_allowance->by, sizeof ret_allowance->by, by, true);
    text_set(ret_allowance->why, sizeof ret_allowance->why, text, false);
    return true;
}

static void record_load(void *data, const struct store_item *item)
{
    struct keeper_allow *allow = data;
    struct allowance allowance;
    const struct slice prefix = slice_from(item->key, sizeof RECORD_PREFIX - 1);
    if (item->by == STORE_PUT && own_prefix_parse(prefix, &allowance.prefix) &&
        record_read(item->value, &allowance))
        (void)list_put(allow, &allowance);
}

static void records_load(struct keeper_allow *allow)
{
    struct store_walk walk = {.prefix = SLICE(RECORD_PREFIX), .most = WALK_STEP};
    struct error error;
    do {
        if (store_walk(allow->set.store, &walk, now_ms(allow), record_load, allow, &error) < 0)
            return;
    } while (walk.cursor_len);
}

static void change_write(struct change *change, struct store_write room[2])
{
    const struct allowance *allowance = &change->allowance;
    char id[EVENT_ID_SIZE] = "", prefix[ADDRESS_PORT_TEXT_SIZE];
    if (allowance->session)
        event_id_print(allowance->session, id);
    const struct own_value value = {slice_text(id), slice_text(allowance->why)};
    prefix_print(&allowance->prefix, prefix);
    const int key = snprintf(change->record_key, sizeof change->record_key, RECORD_PREFIX "%s", prefix);
    const enum store_verb verb = change->gone ? STORE_REMOVE : STORE_PUT;
    room[0] = (struct store_write){
        .verb = verb,
        .key = slice_of(change->record_key, (size_t)key),
        .value = slice_of(change->record, record_print(allowance, change->record)),
        .expires_unix_ms = allowance->until_ms + RECORD_KEPT_MS,
    };
    room[1] = (struct store_write){
        .verb = verb,
        .key = slice_of(change->key, own_key_print(OWN_ALLOW, &allowance->prefix, change->key)),
        .value = slice_of(change->value, own_value_print(OWN_ALLOW, &value, change->value)),
        .expires_unix_ms = allowance->until_ms,
    };
}

size_t keeper_allow_writes(struct keeper_allow *allow, struct store_write room[KEEPER_ALLOW_WRITES])
{
    for (size_t i = 0; i < allow->change_count; i++)
        change_write(&allow->changes[i], &room[2 * i]);
    return 2 * allow->change_count;
}

void keeper_allow_committed(struct keeper_allow *allow)
{
    if (allow->events.len)
        (void)journal_writer_add(allow->set.journal, buf_slice(&allow->events), NULL);
    buf_clear(&allow->events);
    allow->change_count = 0;
}

/* --- the clock ------------------------------------------------------------------------------------------ */

static void over(struct keeper_allow *allow, size_t place)
{
    const struct event_stamp stamp = {.unix_us = loop_unix_us(allow->set.loop)};
    const struct allowance allowance = allow->items[place];
    char prefix[ADDRESS_PORT_TEXT_SIZE];
    const size_t len = prefix_print(&allowance.prefix, prefix);
    list_take(allow, place);
    change_add(allow, &allowance, true);
    (void)event_add_allowance_over(&allow->events, &stamp,
                                   &(struct event_allowance_over){.prefix = slice_of(prefix, len)});
}

bool keeper_allow_tick(struct keeper_allow *allow)
{
    for (size_t i = allow->count; i-- > 0 && !keeper_allow_is_full(allow);)
        if (allow->items[i].until_ms <= now_ms(allow))
            over(allow, i);
    return allow->change_count > 0;
}

/* --- the journal ---------------------------------------------------------------------------------------- */

static bool allowed_again(struct keeper_allow *allow, const struct event_allowed *body, int64_t unix_us)
{
    struct allowance allowance = {
        .session = body->session, .made_ms = unix_us / 1000, .until_ms = (int64_t)body->until_ms};
    if (!own_prefix_parse(body->prefix, &allowance.prefix) || allowance.until_ms <= now_ms(allow))
        return false;
    text_set(allowance.by, sizeof allowance.by, body->by, true);
    text_set(allowance.why, sizeof allowance.why, body->why, false);
    if (!list_put(allow, &allowance))
        return false;
    change_add(allow, &allowance, false);
    return true;
}

static bool removed_again(struct keeper_allow *allow, const struct event_allowance_removed *body)
{
    struct allowance allowance = {.made_ms = 0};
    if (!own_prefix_parse(body->prefix, &allowance.prefix))
        return false;
    const size_t place = place_of(allow, &allowance.prefix);
    if (place == allow->count)
        return false;
    list_take(allow, place);
    change_add(allow, &allowance, true);
    return true;
}

bool keeper_allow_event(struct keeper_allow *allow, const struct event *event)
{
    if (event->stamp.unix_us >= allow->began_us)
        return false;
    if (event->kind == EVENT_KIND_allowed)
        return allowed_again(allow, &event->body.allowed, event->stamp.unix_us);
    return event->kind == EVENT_KIND_allowance_removed &&
           removed_again(allow, &event->body.allowance_removed);
}

/* Before anything is done. NULL: it was recorded. */
static const char *record_change(struct keeper_allow *allow, const struct allowance *allowance,
                                 struct slice removed_by)
{
    const struct event_stamp stamp = {.unix_us = loop_unix_us(allow->set.loop)};
    char text[ADDRESS_PORT_TEXT_SIZE];
    const struct slice prefix = slice_of(text, prefix_print(&allowance->prefix, text));
    struct buf events;
    buf_init(&events, EVENT_SIZE_MAX);
    if (removed_by.len)
        event_add_allowance_removed(&events, &stamp, &(struct event_allowance_removed){prefix, removed_by});
    else
        event_add_allowed(&events, &stamp,
                          &(struct event_allowed){.prefix = prefix,
                                                  .session = allowance->session,
                                                  .until_ms = (uint64_t)allowance->until_ms,
                                                  .by = slice_text(allowance->by),
                                                  .why = slice_text(allowance->why)});
    const size_t dropped = journal_writer_add(allow->set.journal, buf_slice(&events), NULL);
    buf_drop(&events);
    return dropped ? "the journal does not take it now" : NULL;
}

/* --- what it is asked ----------------------------------------------------------------------------------- */

static void put_time(struct json *json, const char *key, int64_t unix_ms)
{
    char text[CALENDAR_TEXT_SIZE];
    json_put_text(json, key, slice_of(text, calendar_print_iso(unix_ms, 0, text)));
}

static void line_say(const struct allowance *allowance, struct control *control, slab_handle request)
{
    char id[EVENT_ID_SIZE] = "", prefix[ADDRESS_PORT_TEXT_SIZE];
    struct json json;
    struct buf line;
    if (allowance->session)
        event_id_print(allowance->session, id);
    buf_init(&line, LINE_MAX);
    json_begin(&json, &line);
    json_object_open(&json);
    json_put_text(&json, "address", slice_of(prefix, prefix_print(&allowance->prefix, prefix)));
    json_put_text(&json, "session", slice_text(id));
    json_put_text(&json, "why", slice_text(allowance->why));
    json_put_text(&json, "by", slice_text(allowance->by));
    put_time(&json, "made", allowance->made_ms);
    put_time(&json, "expires", allowance->until_ms);
    json_object_close(&json);
    if (json_end(&json))
        control_line(control, request, buf_slice(&line));
    buf_drop(&line);
}

static const char *add(struct keeper_allow *allow, const struct control_request *request)
{
    struct allowance *allowance = &allow->answer;
    const struct slice session = control_text(request, "session"), by = control_text(request, "by");
    const uint64_t for_ms = control_number(request, "for_ms", 0);
    if (!own_prefix_parse(control_text(request, "prefix"), &allowance->prefix))
        return "this is no network that may be allowed: IPv4 /8 to /32, IPv6 /16 to /64";
    if (for_ms < 1000 || for_ms > KEEPER_ALLOW_FOR_MAX)
        return "an allowance lasts for a second at least, and for ten years at most";
    allowance->session = 0;
    if (session.len && !event_id_parse(session, &allowance->session))
        return "this is no session's id";
    if (place_of(allow, &allowance->prefix) == KEEPER_ALLOW_MOST)
        return "there are too many allowances: remove some";
    allowance->made_ms = now_ms(allow);
    allowance->until_ms = allowance->made_ms + (int64_t)for_ms;
    text_set(allowance->by, sizeof allowance->by, by.len ? by : SLICE("?"), true);
    text_set(allowance->why, sizeof allowance->why, control_text(request, "why"), false);
    const char *wrong = record_change(allow, allowance, SLICE_NONE);
    if (wrong)
        return wrong;
    (void)list_put(allow, allowance);
    change_add(allow, allowance, false);
    return NULL;
}

static const char *take_away(struct keeper_allow *allow, const struct control_request *request)
{
    struct slice by = control_text(request, "by");
    struct prefix prefix;
    if (!own_prefix_parse(control_text(request, "prefix"), &prefix))
        return "this is no network that may be allowed: IPv4 /8 to /32, IPv6 /16 to /64";
    const size_t place = place_of(allow, &prefix);
    if (place == allow->count)
        return "there is no allowance for it";
    allow->answer = allow->items[place];
    const char *wrong = record_change(allow, &allow->answer, by.len ? by : SLICE("?"));
    if (wrong)
        return wrong;
    list_take(allow, place);
    change_add(allow, &allow->answer, true);
    return NULL;
}

static void list(const struct keeper_allow *allow, struct control *control, slab_handle request)
{
    for (size_t i = 0; i < allow->count; i++)
        line_say(&allow->items[i], control, request);
    control_done(control, request);
}

bool keeper_allow_command(struct keeper_allow *allow, struct control *control,
                          const struct control_request *request)
{
    const struct slice what = control_text(request, "do");
    const char *wrong = "allow knows list, add and remove";
    if (slice_equal(what, SLICE("list"))) {
        list(allow, control, request->handle);
        return false;
    }
    if (keeper_allow_is_full(allow))
        wrong = "the store does not take it now";
    else if (slice_equal(what, SLICE("add")))
        wrong = add(allow, request);
    else if (slice_equal(what, SLICE("remove")))
        wrong = take_away(allow, request);
    if (wrong)
        control_error(control, request->handle, slice_text(wrong));
    return !wrong;
}

void keeper_allow_answer(const struct keeper_allow *allow, struct control *control, slab_handle request)
{
    if (allow->change_count) {
        control_error(control, request,
                      SLICE("it is recorded, but the store does not take it now; it is tried again"));
        return;
    }
    line_say(&allow->answer, control, request);
    control_done(control, request);
}

void keeper_allow_status(const struct keeper_allow *allow, struct json *json)
{
    json_put_u64(json, "allowances", allow->count);
}

/* --- beginning and end ---------------------------------------------------------------------------------- */

struct keeper_allow *keeper_allow_new(const struct keeper_allow_settings *settings)
{
    struct keeper_allow *allow = memory_take(sizeof *allow);
    allow->set = *settings;
    allow->began_us = loop_unix_us(settings->loop);
    buf_init(&allow->events, EVENTS_MAX);
    own_keys_add(settings->own_keys, &(struct own_keys_owner){lengths_of, allow});
    records_load(allow);
    return allow;
}

void keeper_allow_free(struct keeper_allow *allow)
{
    if (!allow)
        return;
    memory_give(allow->items, allow->room * sizeof *allow->items);
    buf_drop(&allow->events);
    memory_give(allow, sizeof *allow);
}
