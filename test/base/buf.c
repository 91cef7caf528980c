/* Proves that a buf holds what was added, owns nothing before, and never passes its maximum. */
#include "base/buf.h"
#include "base/memory.h"
#include "unit.h"

#include <string.h>

static void stops_at_its_maximum(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 5);
    assert_null(buf.at);
    assert_true(buf_add(&buf, SLICE("abc")));
    assert_false(buf_add(&buf, SLICE("def")));
    assert_slice_equal(buf_slice(&buf), "abc");
    assert_true(buf_add(&buf, SLICE("de")));
    assert_false(buf_add_octet(&buf, 'f'));
    assert_false(buf_add_format(&buf, "%d", 1));
    assert_true(buf_add(&buf, SLICE_NONE));
    assert_true(buf_add_format(&buf, "%s", ""));
    assert_null(buf_room(&buf, 1));
    assert_slice_equal(buf_slice(&buf), "abcde");
    assert_true(buf.size <= 5);
    buf_drop(&buf);
    buf_init(&buf, 0);
    assert_false(buf_add_octet(&buf, 'a'));
    assert_true(buf_add(&buf, SLICE_NONE));
    buf_drop(&buf);
    buf_drop(NULL);
}

static void grows_octet_by_octet(void **state)
{
    struct buf buf;
    const size_t before = memory_in_use();

    (void)state;
    buf_init(&buf, 100000);
    for (unsigned i = 0; i < 100000; i++)
        assert_true(buf_add_octet(&buf, (char)i));
    assert_false(buf_add_octet(&buf, 'x'));
    for (unsigned i = 0; i < 100000; i++)
        if (buf.at[i] != (char)i)
            fail_msg("octet %u is another", i);
    assert_int_equal(memory_in_use() - before, buf.size);
    buf_clear(&buf);
    assert_int_equal(buf.len, 0);
    assert_true(buf.size > 0);
    buf_drop(&buf);
    assert_int_equal(memory_in_use(), before);
    assert_true(buf_add(&buf, SLICE("again")));
    assert_slice_equal(buf_slice(&buf), "again");
    buf_drop(&buf);
}

static void formats_to_the_maximum(void **state)
{
    struct buf buf;

    (void)state;
    for (int width = 1; width < 1100; width++) {
        buf_init(&buf, (size_t)width + 2);
        assert_true(buf_add(&buf, SLICE("ab")));
        assert_true(buf_add_format(&buf, "%*d", width, 7));
        assert_int_equal(buf.len, width + 2);
        assert_int_equal(buf.at[width + 1], '7');
        buf_take_front(&buf, 1);
        assert_false(buf_add_format(&buf, "%*d", width + 2, 7));
        assert_int_equal(buf.len, width + 1);
        buf_drop(&buf);
    }
}

static void gives_room(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 1000);
    memcpy(buf_room(&buf, 600), "hello", 5);
    buf_grow(&buf, 5);
    assert_slice_equal(buf_slice(&buf), "hello");
    assert_null(buf_room(&buf, 996));
    assert_non_null(buf_room(&buf, 995));
    assert_null(buf_room(&buf, SIZE_MAX));
    assert_slice_equal(buf_slice(&buf), "hello");
    buf_drop(&buf);
}

static void takes_from_the_front(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 10);
    buf_take_front(&buf, 0);
    buf_add(&buf, SLICE("0123456789"));
    buf_take_front(&buf, 4);
    assert_slice_equal(buf_slice(&buf), "456789");
    assert_true(buf_add(&buf, SLICE("abcd")));
    buf_take_front(&buf, 0);
    buf_take_front(&buf, 10);
    assert_slice_equal(buf_slice(&buf), "");
    buf_drop(&buf);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(stops_at_its_maximum),   cmocka_unit_test(grows_octet_by_octet),
        cmocka_unit_test(formats_to_the_maximum), cmocka_unit_test(gives_room),
        cmocka_unit_test(takes_from_the_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
