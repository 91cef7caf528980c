/* Proves that an arena's memory is zeroed, aligned and apart, that a small life stays in the caller's chunk,
 * and that a drop gives everything back and leaves it ready. */
#include "base/arena.h"
#include "base/memory.h"
#include "base/random.h"
#include "unit.h"

#include <string.h>

static void stays_in_first_chunk(void **state)
{
    _Alignas(8) char first[64];
    struct arena arena;
    const size_t before = memory_in_use();

    (void)state;
    memset(first, 0xaa, sizeof(first));
    arena_init(&arena, first, sizeof(first));
    for (unsigned life = 0; life < 3; life++) {
        for (unsigned i = 0; i < 8; i++) {
            char *at = arena_take(&arena, 5);

            assert_ptr_equal(at, first + 8 * i);
            assert_memory_equal(at, "\0\0\0\0\0", 5);
            memset(at, 0xaa, 5);
        }
        assert_int_equal(memory_in_use(), before);
        char *more = arena_take(&arena, 1);
        assert_false(more >= first && more < first + sizeof(first));
        assert_true(memory_in_use() > before);
        arena_drop(&arena);
        assert_int_equal(memory_in_use(), before);
        assert_int_equal(arena.taken, 0);
    }
}

static void takes_odd_first_chunks(void **state)
{
    _Alignas(8) char first[32];
    struct arena arena;

    (void)state;
    for (size_t skip = 0; skip < 9; skip++) {
        for (size_t size = 0; size + skip <= sizeof(first); size++) {
            arena_init(&arena, first + skip, size);
            for (unsigned i = 0; i < 6; i++) {
                char *at = arena_take(&arena, 8);

                assert_int_equal((uintptr_t)at % 8, 0);
                if (at >= first && at < first + sizeof(first))
                    assert_true(at >= first + skip && at + 8 <= first + skip + size);
                memset(at, 1, 8);
            }
            arena_drop(&arena);
        }
    }
}

struct piece {
    unsigned char *at;
    size_t size;
    unsigned char mark;
};

/* Pieces of all sizes keep what was written to each while others are taken. */
static void keeps_pieces_apart(void **state)
{
    struct random random = {11};
    struct arena arena;
    struct piece pieces[2000];
    const size_t before = memory_in_use();

    (void)state;
    arena_init(&arena, NULL, 0);
    for (size_t i = 0; i < COUNT(pieces); i++) {
        const size_t size = (size_t)random_below(&random, random_below(&random, 50) ? 100 : 100000);
        unsigned char *at = arena_take(&arena, size);

        assert_int_equal((uintptr_t)at % 8, 0);
        for (size_t n = 0; n < size; n++)
            if (at[n])
                fail_msg("octet %zu of %zu is not zero", n, size);
        pieces[i] = (struct piece){at, size, (unsigned char)(i * 7 + 1)};
        memset(at, pieces[i].mark, size);
    }
    for (size_t i = 0; i < COUNT(pieces); i++)
        for (size_t n = 0; n < pieces[i].size; n++)
            if (pieces[i].at[n] != pieces[i].mark)
                fail_msg("piece %zu was written over", i);
    assert_int_equal(memory_in_use() - before, arena.taken);
    arena_drop(&arena);
    assert_int_equal(memory_in_use(), before);
}

static unsigned chunks_for(size_t size, unsigned count)
{
    struct arena arena;
    unsigned chunks = 0;
    uint32_t taken = 0;

    arena_init(&arena, NULL, 0);
    for (unsigned i = 0; i < count; i++) {
        arena_take(&arena, size);
        chunks += arena.taken != taken;
        taken = arena.taken;
    }
    arena_drop(&arena);
    return chunks;
}

static void doubles_its_chunks(void **state)
{
    (void)state;
    /* 512, 1024, … 65536 hold about 128 KiB; then 64 KiB at a time. */
    assert_in_range(chunks_for(16, 8000), 8, 9);
    assert_in_range(chunks_for(16, 40000), 16, 18);
}

static void copies_text(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, NULL, 0);
    const struct slice copy = arena_copy(&arena, SLICE("a\0b"));
    assert_slice_equal(copy, "a\0b");
    assert_int_equal(copy.at[3], '\0');
    assert_slice_equal(arena_copy(&arena, SLICE_NONE), "");
    assert_slice_equal(arena_join(&arena, SLICE("left"), SLICE("right")), "leftright");
    assert_slice_equal(arena_join(&arena, SLICE_NONE, SLICE("right")), "right");
    arena_drop(&arena);
}

static void formats_text(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, NULL, 0);
    assert_slice_equal(arena_format(&arena, "%s", ""), "");
    assert_slice_equal(arena_format(&arena, "%d %.*s", 554, SLICE_ARGS(SLICE("no"))), "554 no");
    for (int width = 500; width < 530; width++) {
        const struct slice text = arena_format(&arena, "%*d", width, 7);

        assert_int_equal(text.len, width);
        assert_int_equal(text.at[width - 1], '7');
        assert_int_equal(text.at[width], '\0');
    }
    arena_drop(&arena);
    arena_drop(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(stays_in_first_chunk), cmocka_unit_test(takes_odd_first_chunks),
        cmocka_unit_test(keeps_pieces_apart),   cmocka_unit_test(doubles_its_chunks),
        cmocka_unit_test(copies_text),          cmocka_unit_test(formats_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
