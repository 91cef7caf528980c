/* Lines that nobody knows, gathered by their shape: what differs in numbers alone is one. Bounded: a shape
 * beyond the limit is counted, no more. */
#ifndef WATCH_SCAN_UNKNOWN_H
#define WATCH_SCAN_UNKNOWN_H

#include "base/slice.h"

#define SCAN_SHAPES_MAX 1000
#define SCAN_SHAPE_TEXT 400 /* octets of the example that are kept */

struct scan_shape {
    uint64_t hash;
    uint64_t count;
    uint32_t len;
    char text[SCAN_SHAPE_TEXT]; /* the first line of the shape */
};

struct scan_unknown;

struct scan_unknown *scan_unknown_new(void);
void scan_unknown_add(struct scan_unknown *unknown, struct slice line);
/* The shapes, the most frequent first; *ret_more: lines of shapes that had no room. */
const struct scan_shape *const *scan_unknown_sorted(struct scan_unknown *unknown, size_t *ret_count,
                                                    uint64_t *ret_more);
void scan_unknown_free(struct scan_unknown *unknown); /* NULL is taken */

#endif
