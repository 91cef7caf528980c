#include "core/event.h"

#include "base/checksum.h"
#include "base/leb.h"
#include "base/memory.h"
#include "base/text.h"

#include <assert.h>
#include <string.h>

#define EVENT(name, number, level, word, doc) static const struct event_field fields_##name[] = {
#define FIELD(event, type, name, doc)         {#name, doc, EVENT_TYPE_##type, offsetof(struct event_##event, name)},
#define EVENT_END(name)                                                                                      \
    }                                                                                                        \
    ;
#include "core/event.def"
#undef EVENT
#undef FIELD
#undef EVENT_END

static const struct event_type_info infos[EVENT_KIND_LIMIT] = {
#define EVENT(name, number, level, word, doc)                                                                \
    [number] = {EVENT_KIND_##name,                                                                           \
                #name,                                                                                       \
                word,                                                                                        \
                doc,                                                                                         \
                level,                                                                                       \
                fields_##name,                                                                               \
                sizeof fields_##name / sizeof *fields_##name,                                                \
                sizeof(struct event_##name)},
#define FIELD(event, type, name, doc)
#define EVENT_END(name)
#include "core/event.def"
#undef EVENT
#undef FIELD
#undef EVENT_END
};

const struct event_type_info *event_info(unsigned kind)
{
    return kind < EVENT_KIND_LIMIT && infos[kind].name ? &infos[kind] : NULL;
}

const struct event_type_info *event_info_by_word(struct slice word)
{
    for (size_t i = 0; i < EVENT_KIND_LIMIT; i++)
        if (infos[i].name && slice_equal(word, slice_text(infos[i].word)))
            return &infos[i];
    return NULL;
}

/* --- writing ------------------------------------------------------------------------------------------- */

/* The most octets that a field may take: room is looked for once, before anything of the record is written.
 */
#define MOST_NUMBER(value)  (LEB_MAX)
#define MOST_TEXT(value)    (LEB_MAX + (value).len)
#define MOST_ADDRESS(value) (1 + sizeof(value).octets + 2)

static char *put_u32(char *at, uint32_t value)
{
    memcpy(at, &value, 4);
    return at + 4;
}

static char *put_u64(char *at, uint64_t value)
{
    memcpy(at, &value, 8);
    return at + 8;
}

static inline char *put_NUMBER(char *at, uint64_t value)
{
    return leb_put(at, value);
}

static inline char *put_TEXT(char *at, struct slice text)
{
    at = leb_put(at, text.len);
    if (text.len)
        memcpy(at, text.at, text.len);
    return at + text.len;
}

static char *put_ADDRESS(char *at, struct address address)
{
    size_t n = address.family == ADDRESS_IPV4 ? 4 : address.family == ADDRESS_IPV6 ? 16 : 0;
    *at++ = (char)(n ? address.family : 0);
    memcpy(at, address.octets, n);
    memcpy(at + n, &address.port, 2);
    return at + n + 2;
}

static inline char *put_head(char *at, const struct event_stamp *stamp, uint32_t kind)
{
    at = put_u32(at + 8, kind); /* and flags 0 */
    at = put_u64(at, stamp->session);
    at = put_u32(at, stamp->previous);
    return put_u64(at, (uint64_t)stamp->unix_us);
}

/* A record of which the most that it may take does not fit into the buf was made apart. */
static __attribute__((noinline)) bool record_move(struct buf *buf, char *start, size_t size, size_t most)
{
    bool added = buf_add(buf, slice_of(start, size));
    memory_give(start, most);
    return added;
}

static inline void record_seal(char *start, size_t size, bool unsealed)
{
    assert(size <= EVENT_SIZE_MAX);
    put_u32(start, (uint32_t)size);
    put_u32(start + 4, unsealed ? 0 : checksum_add(0, slice_of(start + 8, size - 8)));
}

#define EVENT(name, number, level, word, doc)                                                                \
    static inline size_t most_##name(const struct event_##name *body)                                        \
    {                                                                                                        \
        (void)body;                                                                                          \
        return EVENT_HEAD_SIZE
#define FIELD(event, type, name, doc) +MOST_##type(body->name)
#define EVENT_END(name)                                                                                      \
    ;                                                                                                        \
    }
#include "core/event.def"
#undef EVENT
#undef FIELD
#undef EVENT_END

#define EVENT(name, number, level, word, doc)                                                                \
    bool event_add_##name(struct buf *buf, const struct event_stamp *stamp, const struct event_##name *body) \
    {                                                                                                        \
        size_t most = most_##name(body);                                                                     \
        char *room = buf_room(buf, most);                                                                    \
        char *start = room ? room : memory_take(most);                                                       \
        char *at = put_head(start, stamp, number);
#define FIELD(event, type, name, doc) at = put_##type(at, body->name);
#define EVENT_END(name)                                                                                      \
    size_t size = (size_t)(at - start);                                                                      \
    record_seal(start, size, stamp->unsealed);                                                               \
    if (!room)                                                                                               \
        return record_move(buf, start, size, most);                                                          \
    buf_grow(buf, size);                                                                                     \
    return true;                                                                                             \
    }
#include "core/event.def"
#undef EVENT
#undef FIELD
#undef EVENT_END

bool event_add(struct buf *buf, const struct event_stamp *stamp, enum event_kind kind, const void *body)
{
    switch (kind) {
#define EVENT(name, number, level, word, doc)                                                                \
    case EVENT_KIND_##name:                                                                                  \
        return event_add_##name(buf, stamp, body);
#define FIELD(event, type, name, doc)
#define EVENT_END(name)
#include "core/event.def"
#undef EVENT
#undef FIELD
#undef EVENT_END
    case EVENT_NONE:
    case EVENT_KIND_LIMIT: break;
    }
    assert(!"an event of the table");
    return false;
}

/* --- reading ------------------------------------------------------------------------------------------- */

static uint16_t get_u16(const char *at)
{
    return (uint16_t)((unsigned char)at[0] | (unsigned char)at[1] << 8);
}

static uint32_t get_u32(const char *at)
{
    uint32_t value;
    memcpy(&value, at, 4);
    return value;
}

static uint64_t get_u64(const char *at)
{
    uint64_t value;
    memcpy(&value, at, 8);
    return value;
}

static bool get_text(struct slice *rest, struct slice *ret_text)
{
    uint64_t len;
    if (!leb_get(rest, &len) || len > rest->len)
        return false;
    *ret_text = slice_head(*rest, (size_t)len);
    *rest = slice_from(*rest, (size_t)len);
    return true;
}

static bool get_address(struct slice *rest, struct address *ret_address)
{
    if (!rest->len)
        return false;
    uint8_t family = (uint8_t)*rest->at;
    size_t n = family == ADDRESS_IPV4 ? 4 : family == ADDRESS_IPV6 ? 16 : 0;
    if ((family && !n) || rest->len < n + 3)
        return false;
    *ret_address = (struct address){.family = family, .port = get_u16(rest->at + 1 + n)};
    memcpy(ret_address->octets, rest->at + 1, n);
    *rest = slice_from(*rest, n + 3);
    return true;
}

static bool get_field(struct slice *rest, const struct event_field *field, char *body)
{
    void *value = body + field->offset;
    switch (field->type) {
    case EVENT_TYPE_NUMBER: return leb_get(rest, value);
    case EVENT_TYPE_TEXT: return get_text(rest, value);
    case EVENT_TYPE_ADDRESS: return get_address(rest, value);
    }
    return false;
}

enum event_status event_read(struct slice octets, struct event *ret_event, size_t *ret_size)
{
    if (octets.len < EVENT_HEAD_SIZE)
        return EVENT_PARTIAL;
    uint32_t size = get_u32(octets.at);
    if (size < EVENT_HEAD_SIZE || size > EVENT_SIZE_MAX)
        return EVENT_BAD;
    if (size > octets.len)
        return EVENT_PARTIAL;
    if (get_u32(octets.at + 4) != checksum_add(0, slice_of(octets.at + 8, size - 8)))
        return EVENT_BAD;
    struct event *event = ret_event;
    event->kind = get_u16(octets.at + 8);
    event->info = event_info(event->kind);
    event->stamp.session = get_u64(octets.at + 12);
    event->stamp.previous = get_u32(octets.at + 20);
    event->stamp.unix_us = (int64_t)get_u64(octets.at + 24);
    event->stamp.unsealed = false;
    memset(&event->body, 0, event->info ? event->info->size : sizeof event->body);
    struct slice rest = slice_of(octets.at + EVENT_HEAD_SIZE, size - EVENT_HEAD_SIZE);
    for (size_t i = 0; event->info && i < event->info->field_count && rest.len; i++)
        if (!get_field(&rest, &event->info->fields[i], (char *)&event->body))
            return EVENT_BAD;
    *ret_size = size;
    return EVENT_DONE;
}

enum event_kind event_first(struct slice records, size_t *ret_size)
{
    assert(records.len >= EVENT_HEAD_SIZE);
    *ret_size = get_u32(records.at);
    assert(*ret_size >= EVENT_HEAD_SIZE && *ret_size <= records.len);
    return get_u16(records.at + 8);
}

/* --- session ids --------------------------------------------------------------------------------------- */

static const char id_digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
#define ID_EPOCH_MS 1577836800000 /* 2020-01-01 */

void event_id_print(uint64_t id, char text[EVENT_ID_SIZE])
{
    for (int i = 12; i >= 0; i--, id >>= 5)
        text[i] = id_digits[id & 31];
    text[13] = '\0';
}

bool event_id_parse(struct slice text, uint64_t *ret_id)
{
    uint64_t id = 0;
    if (text.len != 13)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        const char *digit = text.at[i] ? strchr(id_digits, text_lower(text.at[i])) : NULL;
        if (!digit || (i == 0 && digit - id_digits > 15))
            return false;
        id = id << 5 | (uint64_t)(digit - id_digits);
    }
    *ret_id = id;
    return true;
}

uint64_t event_id_make(int64_t unix_ms, unsigned gate, unsigned counter)
{
    uint64_t ms = (uint64_t)(unix_ms - ID_EPOCH_MS) & ((UINT64_C(1) << 42) - 1);
    return ms << 22 | (uint64_t)(gate & 63) << 16 | (counter & 0xffff);
}

int64_t event_id_unix_ms(uint64_t id)
{
    return (int64_t)(id >> 22) + ID_EPOCH_MS;
}
