/* Proves that xtext is read and written octet by octet the same, and that what is none is refused. */
#include "unit.h"
#include "wire/param.h"

static void xtext_goes_both_ways(void **state)
{
    static const struct {
        struct slice text, plain;
    } rows[] = {{{"", 0}, {"", 0}},
                {{"abc", 3}, {"abc", 3}},
                {{"a+2Bb+3D", 8}, {"a+b=", 4}},
                {{"+00+0D+0A+20+7F+FF", 18}, {"\0\r\n \x7f\xff", 6}}};
    static const char *const bad[] = {"+", "a+2", "+2", "+zz", "+2g", "a b", "a=b", "\x7f", "\xff", "a\n"};
    struct arena arena;
    struct slice plain;
    (void)state;
    arena_init(&arena, NULL, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf buf;
        buf_init(&buf, rows[i].text.len);
        assert_true(xtext_decode(rows[i].text, &arena, &plain));
        assert_true(slice_equal(plain, rows[i].plain));
        assert_true(xtext_encode(&buf, plain));
        assert_true(slice_equal(buf_slice(&buf), rows[i].text));
        buf_drop(&buf);
    }
    assert_true(xtext_decode(SLICE("+c3+bc"), &arena, &plain));
    assert_slice_equal(plain, "\xc3\xbc");
    for (size_t i = 0; i < COUNT(bad); i++)
        if (xtext_decode(slice_text(bad[i]), &arena, &plain))
            fail_msg("\"%s\" is taken for xtext", bad[i]);
    arena_drop(&arena);
}

static void xtext_adds_all_or_nothing(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, 5);
    assert_true(buf_add(&buf, SLICE("ab")));
    assert_false(xtext_encode(&buf, SLICE("c+")));
    assert_slice_equal(buf_slice(&buf), "ab");
    assert_true(xtext_encode(&buf, SLICE("+")));
    assert_slice_equal(buf_slice(&buf), "ab+2B");
    buf_drop(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xtext_goes_both_ways),
        cmocka_unit_test(xtext_adds_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
