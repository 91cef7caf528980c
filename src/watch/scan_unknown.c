#include "watch/scan_unknown.h"

#include "base/memory.h"
#include "base/table.h"
#include "base/text.h"

struct scan_unknown {
    struct table table; /* by hash */
    struct scan_shape *shapes[SCAN_SHAPES_MAX];
    size_t count;
    uint64_t more;
};

/* FNV-1a over the words, of which those with a digit in them count as one and the same. */
static uint64_t shape_hash(struct slice line)
{
    uint64_t hash = 0xcbf29ce484222325U;
    struct slice word;

    while (slice_word(&line, &word)) {
        bool number = false;
        for (size_t i = 0; i < word.len && !number; i++)
            number = text_is_digit(word.at[i]);
        hash = slice_hash(number ? SLICE("0") : word, hash);
    }
    return hash;
}

struct scan_unknown *scan_unknown_new(void)
{
    struct scan_unknown *unknown = memory_take(sizeof *unknown);

    table_init(&unknown->table, 0);
    return unknown;
}

void scan_unknown_add(struct scan_unknown *unknown, struct slice line)
{
    const uint64_t hash = shape_hash(slice_head(line, SCAN_SHAPE_TEXT));
    struct scan_shape *shape = table_get(&unknown->table, slice_of((const char *)&hash, sizeof hash));

    if (!shape && unknown->count == SCAN_SHAPES_MAX) {
        unknown->more++;
        return;
    }
    if (!shape) {
        shape = memory_take(sizeof *shape);
        shape->hash = hash;
        shape->len = (uint32_t)slice_head(line, SCAN_SHAPE_TEXT).len;
        memcpy(shape->text, line.at, shape->len);
        (void)table_put(&unknown->table, slice_of((const char *)&shape->hash, sizeof shape->hash), shape);
        unknown->shapes[unknown->count++] = shape;
    }
    shape->count++;
}

static int more_frequent(const void *a, const void *b)
{
    const struct scan_shape *left = *(const struct scan_shape *const *)a;
    const struct scan_shape *right = *(const struct scan_shape *const *)b;

    if (left->count != right->count)
        return left->count > right->count ? -1 : 1;
    return slice_compare(slice_of(left->text, left->len), slice_of(right->text, right->len));
}

const struct scan_shape *const *scan_unknown_sorted(struct scan_unknown *unknown, size_t *ret_count,
                                                    uint64_t *ret_more)
{
    memory_sort(unknown->shapes, unknown->count, sizeof *unknown->shapes, more_frequent);
    *ret_count = unknown->count;
    *ret_more = unknown->more;
    return (const struct scan_shape *const *)unknown->shapes;
}

void scan_unknown_free(struct scan_unknown *unknown)
{
    if (!unknown)
        return;
    for (size_t i = 0; i < unknown->count; i++)
        memory_give(unknown->shapes[i], sizeof *unknown->shapes[i]);
    table_drop(&unknown->table);
    memory_give(unknown, sizeof *unknown);
}
