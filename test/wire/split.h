/* Proves of a streaming parser that the same octets give the same result however they are split. */
#ifndef SPLIT_H
#define SPLIT_H

#include "base/buf.h"
#include "base/memory.h"
#include "unit.h"

#define SPLIT_PARTS_MAX 4096

/* Feeds the parts in order to a fresh parser and writes all that can be seen of the result into ret_seen. */
typedef void split_run(const struct slice *parts, size_t count, struct buf *ret_seen);

/* Each part stands in memory of its own of just its size, so that a sanitizer sees a step too far. */
static inline struct slice split_own(struct slice part)
{
    char *at = memory_take(part.len ? part.len : 1);
    if (part.len)
        memcpy(at, part.at, part.len);
    return slice_of(at, part.len);
}

static inline void split_give(struct slice part)
{
    memory_give((void *)(uintptr_t)part.at, part.len ? part.len : 1);
}

static inline void split_once(split_run *run, const struct slice *parts, size_t count, struct buf *ret_seen)
{
    static struct slice own[SPLIT_PARTS_MAX];
    assert_true(count <= SPLIT_PARTS_MAX);
    for (size_t i = 0; i < count; i++)
        own[i] = split_own(parts[i]);
    buf_init(ret_seen, 1 << 20);
    run(own, count, ret_seen);
    for (size_t i = 0; i < count; i++)
        split_give(own[i]);
}

static inline void split_compare(split_run *run, const struct slice *parts, size_t count,
                                 const struct buf *wanted)
{
    struct buf seen;
    split_once(run, parts, count, &seen);
    if (!slice_equal(buf_slice(&seen), buf_slice(wanted)))
        fail_msg("split at %zu of %zu parts: \"%.*s\" is not \"%.*s\"", parts[0].len, count,
                 SLICE_ARGS(buf_slice(&seen)), SLICE_ARGS(buf_slice(wanted)));
    buf_drop(&seen);
}

/* The input whole, octet by octet, and in every two parts. The caller drops ret_seen. */
static inline void split_check(split_run *run, struct slice input, struct buf *ret_seen)
{
    static struct slice parts[SPLIT_PARTS_MAX];
    split_once(run, &input, 1, ret_seen);
    assert_true(input.len <= SPLIT_PARTS_MAX);
    for (size_t i = 0; i < input.len; i++)
        parts[i] = slice_of(input.at + i, 1);
    if (input.len > 0)
        split_compare(run, parts, input.len, ret_seen);
    for (size_t cut = 0; cut <= input.len; cut++) {
        struct slice two[2] = {slice_head(input, cut), slice_from(input, cut)};
        split_compare(run, two, 2, ret_seen);
    }
}

#endif
