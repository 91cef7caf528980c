/* Proves that a list of netstrings comes apart as it was put together, and that anything else is refused. */
#include "unit.h"
#include "wire/netstring.h"

static void texts_come_in_order(void **state)
{
    struct slice list = SLICE("5:hello,0:,3:a,b,"), text;
    (void)state;
    assert_true(netstring_cut(&list, &text));
    assert_slice_equal(text, "hello");
    assert_true(netstring_cut(&list, &text));
    assert_slice_equal(text, "");
    assert_true(netstring_cut(&list, &text));
    assert_slice_equal(text, "a,b");
    assert_int_equal(list.len, 0);
    assert_false(netstring_cut(&list, &text));
}

static void anything_else_is_refused(void **state)
{
    static const char *const lists[] = {"",
                                        ":",
                                        ":,",
                                        "1",
                                        "1:",
                                        "1:a",
                                        "2:a,",
                                        "1:ab,",
                                        "-1:a,",
                                        " 1:a,",
                                        "hello",
                                        "99999999999999999999:a,",
                                        "18446744073709551615:a,"};
    (void)state;
    for (size_t i = 0; i < COUNT(lists); i++) {
        struct slice list = slice_text(lists[i]), text;
        assert_false(netstring_cut(&list, &text));
        assert_string_equal(list.at, lists[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_come_in_order),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
