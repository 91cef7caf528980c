#include "daemon/keeper_store.h"

#include "base/text.h"
#include "core/event.h"
#include "wire/json.h"

#include <stdio.h>

#define LIST_MOST 1000
#define LINE_MOST 65536
#define WELL_US   5000000

struct asked {
    const struct keeper_store *keeper;
    struct control *control;
    const struct control_request *request;
    struct buf line;
};

static void line_end(struct asked *asked, struct json *json)
{
    json_object_close(json);
    if (json_end(json))
        control_line(asked->control, asked->request->handle, buf_slice(&asked->line));
    buf_clear(&asked->line);
}

static void item_say(void *data, const struct store_item *item)
{
    struct asked *asked = data;
    struct json json;
    json_begin(&json, &asked->line);
    json_object_open(&json);
    json_put_text(&json, "key", item->key);
    if (item->by == STORE_PUT)
        json_put_text(&json, "value", item->value);
    if (item->by == STORE_ADD)
        json_put_u64(&json, "count", item->count);
    if (item->by == STORE_SEEN) {
        json_put_i64(&json, "first", item->touches.first_unix_ms);
        json_put_i64(&json, "last", item->touches.last_unix_ms);
        json_put_u64(&json, "count", item->touches.count);
        json_put_u64(&json, "distinct", item->touches.distinct);
    }
    if (item->expires_unix_ms)
        json_put_i64(&json, "expires", item->expires_unix_ms);
    line_end(asked, &json);
}

/* --- list ----------------------------------------------------------------------------------------------- */

/* A cursor is any octets; it goes out and comes back as hexadecimal digits. */
static void cursor_say(struct asked *asked, const struct store_walk *walk)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * STORE_CURSOR_SIZE];
    struct json json;
    for (size_t i = 0; i < walk->cursor_len; i++) {
        text[2 * i] = digits[(unsigned char)walk->cursor[i] >> 4];
        text[2 * i + 1] = digits[walk->cursor[i] & 15];
    }
    json_begin(&json, &asked->line);
    json_object_open(&json);
    json_put_text(&json, "cursor", slice_of(text, 2 * walk->cursor_len));
    line_end(asked, &json);
}

static bool cursor_read(struct slice text, struct store_walk *walk)
{
    if (text.len % 2 || text.len / 2 > sizeof walk->cursor)
        return false;
    for (size_t i = 0; i < text.len; i += 2) {
        int high = text_hex_digit(text.at[i]), low = text_hex_digit(text.at[i + 1]);
        if (high < 0 || low < 0)
            return false;
        walk->cursor[i / 2] = (char)(high << 4 | low);
    }
    walk->cursor_len = text.len / 2;
    return true;
}

/* NULL: done. */
static const char *list(struct asked *asked)
{
    const struct control_request *request = asked->request;
    uint64_t most = control_number(request, "most", LIST_MOST);
    struct store_walk walk = {.prefix = control_text(request, "prefix"),
                              .most = most && most < LIST_MOST ? (size_t)most : LIST_MOST};
    struct error error;
    if (!cursor_read(control_text(request, "cursor"), &walk))
        return "this is no cursor";
    if (store_walk(asked->keeper->store, &walk, asked->keeper->unix_us / 1000, item_say, asked, &error) < 0)
        return "the store cannot be read";
    if (walk.cursor_len)
        cursor_say(asked, &walk);
    return NULL;
}

/* --- get and remove ------------------------------------------------------------------------------------- */

static bool key_is_sane(struct slice key)
{
    return key.len && key.len <= STORE_KEY_MAX;
}

static const char *get(struct asked *asked)
{
    struct slice key = control_text(asked->request, "key");
    struct store_item item;
    struct error error;
    if (!key_is_sane(key))
        return "this is no key";
    enum store_status status = store_item(asked->keeper->store, key, asked->keeper->unix_us / 1000, &item,
                                          &error);
    if (status == STORE_FOUND)
        item_say(asked, &item);
    return status == STORE_FAILED ? "the store cannot be read" : NULL;
}

/* Like a session's tell: so it stands in order with theirs, and survives a crash. */
static const char *take_away(struct asked *asked)
{
    struct event_stamp stamp = {.unix_us = asked->keeper->unix_us};
    struct slice key = control_text(asked->request, "key");
    struct buf events;
    if (!key_is_sane(key))
        return "this is no key";
    buf_init(&events, EVENT_SIZE_MAX);
    event_add_told(&events, &stamp, &(struct event_told){.verb = STORE_REMOVE, .key = key});
    size_t dropped = journal_writer_add(asked->keeper->journal, buf_slice(&events), NULL);
    buf_drop(&events);
    return dropped ? "the journal does not take it now" : NULL;
}

void keeper_store_command(const struct keeper_store *keeper, struct control *control,
                          const struct control_request *request)
{
    struct asked asked = {.keeper = keeper, .control = control, .request = request};
    struct slice what = control_text(request, "do");
    const char *complaint = "store knows list, get and remove";
    buf_init(&asked.line, LINE_MOST);
    if (slice_equal(what, SLICE("list")))
        complaint = list(&asked);
    else if (slice_equal(what, SLICE("get")))
        complaint = get(&asked);
    else if (slice_equal(what, SLICE("remove")))
        complaint = take_away(&asked);
    buf_drop(&asked.line);
    if (complaint)
        control_error(control, request->handle, slice_text(complaint));
    else
        control_done(control, request->handle);
}

/* --- its troubles --------------------------------------------------------------------------------------- */

int64_t keeper_store_anew_us(const char *folder)
{
    char path[400], text[32];
    int64_t unix_us = 0;
    snprintf(path, sizeof path, "%s.anew", folder);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    struct slice rest = slice_of(text, len), number;
    slice_cut(&rest, '\n', &number);
    return text_parse_i64(number, &unix_us) ? unix_us : 0;
}

bool keeper_store_refused(struct keeper_store_health *health, int64_t unix_us)
{
    const bool news = !health->said;
    health->refused++;
    health->refused_unix_us = unix_us;
    health->said = true;
    return news;
}

void keeper_store_well(struct keeper_store_health *health, struct journal_writer *journal, int64_t unix_us)
{
    struct event_stamp stamp = {.unix_us = unix_us};
    struct buf events;
    if (!health->said || unix_us - health->refused_unix_us < WELL_US)
        return;
    health->said = false;
    buf_init(&events, EVENT_SIZE_MAX);
    event_add_service_changed(
        &events, &stamp,
        &(struct event_service_changed){.service = SLICE("store"),
                                        .state = SLICE("works"),
                                        .reason = SLICE("it takes what is to be remembered again")});
    journal_writer_add(journal, buf_slice(&events), NULL);
    buf_drop(&events);
}
