/* Whatever comes in whatever pieces: the same lines come out, and no more is held than one line. */
#include "property.h"
#include "wire/line.h"

static size_t line_max;

static void line_is_sound(struct slice input, enum line_status status, const struct line *line)
{
    assert(line->taken <= input.len && slice_is_within(line->text, input));
    assert((status == LINE_PARTIAL) == (line->taken == 0));
    assert(slice_find(line->text, '\n') == SLICE_NOT_FOUND);
    assert(line->taken <= line_max);
    if (status == LINE_DONE)
        assert(input.at[line->taken - 1] == '\n' && line->taken == line->text.len + (line->bare_lf ? 1 : 2));
    assert(line->nul == (slice_find(line->text, '\0') != SLICE_NOT_FOUND));
    assert(line->bare_cr == (slice_find(line->text, '\r') != SLICE_NOT_FOUND));
}

static void run(const struct slice *parts, size_t count, struct buf *ret_seen)
{
    struct buf held;
    bool skipping = false;
    buf_init(&held, UINT32_MAX);
    for (size_t i = 0; i < count; i++) {
        struct line line;
        enum line_status status;
        assert(buf_add(&held, parts[i]));
        while ((status = line_take(buf_slice(&held), line_max, &line)) != LINE_PARTIAL) {
            line_is_sound(buf_slice(&held), status, &line);
            if (!skipping)
                buf_add_format(ret_seen, "%d%.*s%d%d|", (int)status, SLICE_ARGS(line.text), line.bare_lf,
                               line.eight_bit);
            skipping = status == LINE_LONG;
            buf_take_front(&held, line.taken);
        }
        assert(held.len < line_max);
    }
    buf_add_format(ret_seen, "%u", held.len);
    buf_drop(&held);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    struct slice input = slice_of((const char *)octets, len);
    struct buf seen;
    line_max = 2 + choice_take(&input) % 64;
    const size_t cut = choice_take(&input);
    assert_split_changes_nothing(run, slice_head(input, 1024), cut, &seen);
    buf_drop(&seen);
    return 0;
}
