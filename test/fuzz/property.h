/* What the fuzz targets of the grammars share: a property that does not hold ends the program. */
#ifndef PROPERTY_H
#define PROPERTY_H

#include "base/buf.h"
#include "base/memory.h"
#include "base/slice.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len);

/* The first octet of the input as a number, taken off it; 0 when there is none. */
static inline unsigned choice_take(struct slice *input)
{
    if (input->len == 0)
        return 0;
    const unsigned choice = (unsigned char)input->at[0];
    *input = slice_from(*input, 1);
    return choice;
}

static inline bool slice_is_within(struct slice part, struct slice whole)
{
    return part.len == 0 || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

/* Feeds the parts in order to a fresh parser and writes all that can be seen of the result into ret_seen. */
typedef void parts_run(const struct slice *parts, size_t count, struct buf *ret_seen);

static inline struct slice own_copy(struct slice s)
{
    char *at = memory_take(s.len ? s.len : 1);
    if (s.len)
        memcpy(at, s.at, s.len);
    return slice_of(at, s.len);
}

static inline void own_give(struct slice s)
{
    memory_give((void *)(uintptr_t)s.at, s.len ? s.len : 1);
}

/* Each part in memory of just its size: a sanitizer sees a step past it, and a slice kept too long. */
static inline void run_two_parts(parts_run *run, struct slice input, size_t cut, struct buf *ret_seen)
{
    struct slice parts[2] = {own_copy(slice_head(input, cut)), own_copy(slice_from(input, cut))};
    run(parts, 2, ret_seen);
    own_give(parts[0]);
    own_give(parts[1]);
}

static inline void run_octets(parts_run *run, struct slice input, struct buf *ret_seen)
{
    struct slice *parts = memory_take((input.len + 1) * sizeof *parts);
    for (size_t i = 0; i < input.len; i++)
        parts[i] = slice_of(input.at + i, 1);
    run(parts, input.len, ret_seen);
    memory_give(parts, (input.len + 1) * sizeof *parts);
}

/* The input whole, in two parts and octet by octet gives the same. The caller drops ret_seen. */
static inline void assert_split_changes_nothing(parts_run *run, struct slice input, size_t cut,
                                                struct buf *ret_seen)
{
    struct buf seen;
    const size_t max = 4096 + 16 * input.len;
    buf_init(ret_seen, max);
    run(&input, 1, ret_seen);
    buf_init(&seen, max);
    run_two_parts(run, input, input.len ? cut % (input.len + 1) : 0, &seen);
    assert(slice_equal(buf_slice(&seen), buf_slice(ret_seen)));
    buf_clear(&seen);
    run_octets(run, input, &seen);
    assert(slice_equal(buf_slice(&seen), buf_slice(ret_seen)));
    buf_drop(&seen);
}

#endif
