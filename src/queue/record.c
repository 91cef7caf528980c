#include "queue/record.h"

#include "base/checksum.h"
#include "queue/field.h"

#include <assert.h>
#include <string.h>

#define HEAD_CHECKED   24u /* octets of the head that its checksum covers */
#define VERSION_TEXT   "postern spool"
#define VERSION_NOW    1u
#define VERSION_OCTETS (RECORD_VERSION_SIZE - RECORD_HEAD)

void record_put_head(char at[RECORD_HEAD], uint64_t mark, const struct record *record)
{
    field_put_u64(at, mark);
    field_put_u64(at + 8, record->length);
    field_put_u32(at + 16, (uint32_t)record->kind);
    field_put_u32(at + 20, record->checksum);
    field_put_u32(at + 24, checksum_add(0, slice_of(at, HEAD_CHECKED)));
    field_put_u32(at + 28, 0);
}

bool record_add(struct buf *buf, uint64_t mark, enum record_kind kind, struct slice payload)
{
    const struct record record = {.kind = kind, .length = payload.len, .checksum = checksum_add(0, payload)};
    char *room = buf_room(buf, RECORD_HEAD + payload.len);

    if (!room)
        return false;
    record_put_head(room, mark, &record);
    if (payload.len)
        memcpy(room + RECORD_HEAD, payload.at, payload.len);
    buf_grow(buf, RECORD_HEAD + payload.len);
    return true;
}

void record_put_version(char at[RECORD_VERSION_SIZE], uint64_t mark, enum record_form form)
{
    char *payload = at + RECORD_HEAD;
    struct record record = {.kind = RECORD_VERSION, .length = VERSION_OCTETS};

    memset(payload, 0, VERSION_OCTETS);
    memcpy(payload, VERSION_TEXT, sizeof(VERSION_TEXT) - 1);
    field_put_u32(payload + VERSION_OCTETS - 8, VERSION_NOW);
    field_put_u32(payload + VERSION_OCTETS - 4, (uint32_t)form);
    record.checksum = checksum_add(0, slice_of(payload, VERSION_OCTETS));
    record_put_head(at, mark, &record);
}

enum record_status record_read_head(struct slice octets, uint64_t mark, struct record *ret_record)
{
    if (octets.len < RECORD_HEAD)
        return RECORD_PARTIAL;
    if (field_get_u64(octets.at) != mark ||
        field_get_u32(octets.at + 24) != checksum_add(0, slice_head(octets, HEAD_CHECKED)))
        return RECORD_BAD;
    const uint32_t kind = field_get_u32(octets.at + 16);
    if (kind < RECORD_VERSION || kind > RECORD_DONE)
        return RECORD_BAD;
    ret_record->kind = (enum record_kind)kind;
    ret_record->length = field_get_u64(octets.at + 8);
    ret_record->checksum = field_get_u32(octets.at + 20);
    ret_record->payload = SLICE_NONE;
    return RECORD_OK;
}

enum record_status record_read(struct slice octets, uint64_t mark, struct record *ret_record)
{
    struct record record;
    const enum record_status status = record_read_head(octets, mark, &record);

    if (status != RECORD_OK)
        return status;
    if (record.length > octets.len - RECORD_HEAD)
        return RECORD_PARTIAL;
    record.payload = slice_head(slice_from(octets, RECORD_HEAD), (size_t)record.length);
    if (checksum_add(0, record.payload) != record.checksum)
        return RECORD_BAD;
    *ret_record = record;
    return RECORD_OK;
}

enum record_status record_read_version(struct slice octets, enum record_form form, uint64_t *ret_mark)
{
    struct record record;

    if (octets.len < RECORD_VERSION_SIZE)
        return RECORD_PARTIAL;
    const uint64_t mark = field_get_u64(octets.at);
    if (record_read(slice_head(octets, RECORD_VERSION_SIZE), mark, &record) != RECORD_OK ||
        record.kind != RECORD_VERSION || record.length != VERSION_OCTETS)
        return RECORD_BAD;
    if (!slice_starts(record.payload, SLICE(VERSION_TEXT)) ||
        field_get_u32(record.payload.at + VERSION_OCTETS - 8) != VERSION_NOW ||
        field_get_u32(record.payload.at + VERSION_OCTETS - 4) != (uint32_t)form)
        return RECORD_BAD;
    *ret_mark = mark;
    return RECORD_OK;
}

void record_remark(char *at, size_t len, uint64_t mark)
{
    struct record record;

    while (len) {
        const enum record_status status = record_read_head(slice_of(at, len), field_get_u64(at), &record);
        assert(status == RECORD_OK && record.length <= len - RECORD_HEAD);
        record_put_head(at, mark, &record);
        at += RECORD_HEAD + record.length;
        len -= RECORD_HEAD + (size_t)record.length;
    }
}

size_t record_find(struct slice octets, uint64_t mark, enum record_kind kind)
{
    char wanted[8];
    struct record record;
    size_t at = 0;

    field_put_u64(wanted, mark);
    for (;;) {
        const size_t found = slice_find_slice(slice_from(octets, at), slice_of(wanted, sizeof(wanted)));
        if (found == SLICE_NOT_FOUND)
            return SLICE_NOT_FOUND;
        at += found;
        if (record_read_head(slice_from(octets, at), mark, &record) == RECORD_OK && record.kind == kind)
            return at;
        at++;
    }
}
