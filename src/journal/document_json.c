/* Documents as JSON. */
#include "journal/document.h"

#include "base/calendar.h"
#include "core/event.h"
#include "wire/json.h"

static void put_time(struct json *json, const char *key, int64_t unix_us)
{
    char time[CALENDAR_TEXT_SIZE];
    const size_t len = calendar_print_iso(unix_us / 1000, 0, time);
    json_put_text(json, key, slice_of(time, len));
}

/* As it is shown: what could steer a terminal stands as \xHH here, too. */
static void put_guarded(struct json *json, const char *key, struct slice text)
{
    struct buf buf;
    buf_init(&buf, 4 * text.len + 1);
    (void)document_guard(&buf, text);
    json_put_text(json, key, buf_slice(&buf));
    buf_drop(&buf);
}

static void put_line(struct json *json, const struct document_line *line)
{
    json_object_open(json);
    if (line->unix_us)
        put_time(json, "time", line->unix_us);
    json_put_text(json, "style", slice_text(document_style_word(line->style)));
    if (line->moment.len)
        put_guarded(json, "moment", line->moment);
    if (line->lead.len)
        put_guarded(json, "lead", line->lead);
    put_guarded(json, "text", line->text);
    json_object_close(json);
}

static void put_span(struct json *json, const struct document *document, const struct document_span *span)
{
    json_object_open(json);
    json_put_text(json, "lane", slice_text(document_lane_word(span->lane)));
    json_key(json, "from");
    json_decimal(json, (span->from_us - document->began_us) / 1000, 3);
    json_key(json, "to");
    json_decimal(json, (span->to_us - document->began_us) / 1000, 3);
    put_guarded(json, "label", span->label);
    json_object_close(json);
}

static void put_head(struct json *json, const struct document *document)
{
    char id[EVENT_ID_SIZE];
    event_id_print(document->session, id);
    json_put_text(json, "view", slice_text(document->view));
    json_put_text(json, "id", slice_text(id));
    put_time(json, "time", document->began_us);
    if (document->sentence.len)
        put_guarded(json, "sentence", document->sentence);
    json_key(json, "facts");
    json_object_open(json);
    for (size_t i = 0; i < document->fact_count; i++) {
        struct buf buf;
        buf_init(&buf, 4 * document->facts[i].value.len + 1);
        (void)document_guard(&buf, document->facts[i].value);
        json_key_slice(json, document->facts[i].name);
        json_text(json, buf_slice(&buf));
        buf_drop(&buf);
    }
    json_object_close(json);
}

bool document_json(const struct document *document, struct buf *out)
{
    struct json json;
    json_begin(&json, out);
    json_object_open(&json);
    put_head(&json, document);
    json_key(&json, "lines");
    json_array_open(&json);
    for (size_t i = 0; i < document->line_count; i++)
        put_line(&json, &document->lines[i]);
    json_array_close(&json);
    json_key(&json, "spans");
    json_array_open(&json);
    for (size_t i = 0; i < document->span_count; i++)
        put_span(&json, document, &document->spans[i]);
    json_array_close(&json);
    json_object_close(&json);
    return json_end(&json);
}
