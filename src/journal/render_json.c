#include "journal/render_json.h"

#include "base/calendar.h"
#include "journal/words.h"
#include "wire/json.h"

#include <stdio.h>

static void put_number(struct json *json, const struct event *event, const struct event_field *field,
                       uint64_t number)
{
    char key[64];
    json_put_u64(json, field->name, number);
    const char *word = journal_field_word(event->kind, field->name, number);
    if (!word)
        return;
    snprintf(key, sizeof key, "%s_word", field->name);
    json_put_text(json, key, slice_text(word));
}

static void put_address(struct json *json, const struct event_field *field, const struct address *address)
{
    char text[ADDRESS_PORT_TEXT_SIZE] = "";
    size_t len = address->family ? address_port_print(address, text) : 0;
    json_put_text(json, field->name, slice_of(text, len));
}

static void put_field(struct json *json, const struct event *event, const struct event_field *field)
{
    const void *value = (const char *)&event->body + field->offset;
    switch (field->type) {
    case EVENT_TYPE_NUMBER: put_number(json, event, field, *(const uint64_t *)value); break;
    case EVENT_TYPE_TEXT: json_put_text(json, field->name, *(const struct slice *)value); break;
    case EVENT_TYPE_ADDRESS: put_address(json, field, value); break;
    }
}

bool render_json(const struct event *event, struct buf *out)
{
    struct json json;
    char time[CALENDAR_TEXT_SIZE], id[EVENT_ID_SIZE];
    size_t start = out->len;
    json_begin(&json, out);
    json_object_open(&json);
    size_t len = calendar_print_iso(event->stamp.unix_us / 1000, 0, time);
    json_put_text(&json, "time", slice_of(time, len));
    json_put_text(&json, "event", slice_text(event->info ? event->info->word : "unknown"));
    if (event->stamp.session) {
        event_id_print(event->stamp.session, id);
        json_put_text(&json, "session", slice_text(id));
    }
    if (!event->info)
        json_put_u64(&json, "number", event->kind);
    for (size_t i = 0; event->info && i < event->info->field_count; i++)
        put_field(&json, event, &event->info->fields[i]);
    json_object_close(&json);
    if (json_end(&json) && buf_add_octet(out, '\n'))
        return true;
    out->len = (uint32_t)start;
    return false;
}
