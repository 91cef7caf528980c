#include "records.h"

#include "base/calendar.h"
#include "unit.h"

#include <jansson.h>

static void set_field(union event_body *body, const struct event_field *field, const json_t *value)
{
    void *at = (char *)body + field->offset;
    const char *text = json_string_value(value);
    switch (field->type) {
    case EVENT_TYPE_NUMBER: *(uint64_t *)at = (uint64_t)json_integer_value(value); break;
    case EVENT_TYPE_TEXT: *(struct slice *)at = slice_of(text, json_string_length(value)); break;
    case EVENT_TYPE_ADDRESS:
        if (text && *text)
            assert_true(address_port_parse(slice_text(text), 0, at));
        break;
    }
}

static void add_event(const json_t *object, struct buf *records)
{
    union event_body body = {0};
    struct event_stamp stamp = {0};
    const struct event_type_info *info = event_info_by_word(
        slice_text(json_string_value(json_object_get(object, "event"))));
    const char *session = json_string_value(json_object_get(object, "session"));
    int64_t unix_ms;
    assert_non_null(info);
    assert_true(calendar_parse_iso(slice_text(json_string_value(json_object_get(object, "time"))), &unix_ms));
    assert_true(event_id_parse(slice_text(session), &stamp.session));
    stamp.unix_us = unix_ms * 1000;
    for (size_t i = 0; i < info->field_count; i++) {
        const json_t *value = json_object_get(object, info->fields[i].name);
        if (value)
            set_field(&body, &info->fields[i], value);
    }
    assert_true(event_add(records, &stamp, info->kind, &body));
}

void records_read(const char *path, struct buf *records)
{
    char line[65536];
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("%s cannot be opened", path);
    while (file && fgets(line, sizeof line, file)) {
        json_t *object = json_loads(line, 0, NULL);
        assert_non_null(object);
        add_event(object, records);
        json_decref(object);
    }
    if (file)
        (void)fclose(file);
}
