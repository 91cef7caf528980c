/* Whatever content comes in whatever pieces: the same is found in its header section, and what is kept is
 * bounded and free of control octets. */
#include "property.h"
#include "wire/header.h"
#include "wire/message_id.h"

#define VALUE_MAX 40

static void values_are_sound(const struct header *header)
{
    for (unsigned kind = 0; kind < HEADER_KEEP_COUNT; kind++) {
        const struct slice value = header->value[kind];
        assert(value.len <= VALUE_MAX && (value.len == 0 || header->counts[kind] > 0));
        assert(slice_trim(value).len == value.len);
        for (size_t i = 0; i < value.len; i++)
            assert((unsigned char)value.at[i] >= 0x20 || value.at[i] == '\t');
        assert((header->flags & HEADER_BAD_UTF8) || header->value_cut[kind] || slice_is_utf8(value));
    }
    const struct slice id = header->value[HEADER_MESSAGE_ID];
    assert(!message_id_check(id, MESSAGE_ID_SEED) || message_id_check(id, MESSAGE_ID_STRICT));
    assert(!message_id_check(id, MESSAGE_ID_SEED) || message_id_check(id, MESSAGE_ID_DEFAULT));
}

static void received_is_sound(const struct header *header)
{
    assert(header->received_count <= 3 && header->received_count <= header->counts[HEADER_RECEIVED]);
    for (uint32_t i = 0; i < header->received_count; i++) {
        const struct slice value = header->received[i];
        assert(value.len <= HEADER_RECEIVED_VALUE_MAX && slice_trim(value).len == value.len);
        for (size_t j = 0; j < value.len; j++)
            assert((unsigned char)value.at[j] >= 0x20 || value.at[j] == '\t');
    }
}

static void run(const struct slice *parts, size_t count, struct buf *ret_seen)
{
    struct header_limits limits = {
        .count_max = 20, .size_max = 500, .value_max = VALUE_MAX, .received_max = 3};
    struct header header;
    struct arena arena;
    size_t taken = 0;
    arena_init(&arena, NULL, 0);
    header_init(&header, limits, &arena);
    for (size_t i = 0; i < count; i++) {
        const size_t now = header_feed(&header, parts[i]);
        assert(now <= parts[i].len && (now == parts[i].len || header.done));
        taken += now;
    }
    header_end(&header);
    assert(header.size == taken);
    values_are_sound(&header);
    received_is_sound(&header);
    buf_add_format(ret_seen, "%zu %u %u %x", taken, header.count, header.junk_lines, header.flags);
    for (unsigned kind = 0; kind < HEADER_KIND_COUNT; kind++)
        buf_add_format(ret_seen, " %u", header.counts[kind]);
    for (unsigned kind = 0; kind < HEADER_KEEP_COUNT; kind++)
        buf_add_format(ret_seen, " %d%.*s", header.value_cut[kind], SLICE_ARGS(header.value[kind]));
    for (uint32_t i = 0; i < header.received_count; i++)
        buf_add_format(ret_seen, " %.*s", SLICE_ARGS(header.received[i]));
    header_drop(&header);
    arena_drop(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    struct slice input = slice_of((const char *)octets, len);
    struct buf seen;
    const size_t cut = choice_take(&input);
    assert_split_changes_nothing(run, slice_head(input, 2048), cut, &seen);
    buf_drop(&seen);
    return 0;
}
