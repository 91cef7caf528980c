/* Copies of one text have one digest, whatever differs in digits, marks, blanks and case, and at any split.
 */
#include "unit.h"
#include "wire/body_text.h"

static uint64_t digest(const char *text)
{
    struct body_text body = {0};
    body_text_add(&body, slice_text(text));
    return body_text_digest(&body);
}

static void copies_are_equal(void **state)
{
    const uint64_t wanted = digest("Dear friend, buy our watches today! Offer 1234 ends soon.\r\n");
    (void)state;
    assert_true(wanted != 0);
    assert_int_equal(digest("dear  friend\r\nBUY our watches -- today. Offer 98 ends soon"), wanted);
    assert_int_not_equal(digest("Dear friend, buy our watches tomorrow! Offer 1234 ends soon.\r\n"), wanted);
    assert_int_not_equal(digest("Dear friend, buy our watches today! Offer 1234 ends soon.\r\nx"), wanted);
}

static void splits_do_not_matter(void **state)
{
    static const char text[] = "The quick brown fox \xc3\xbc jumps over the lazy dog, and over the fence.";
    const uint64_t wanted = digest(text);
    (void)state;
    for (size_t at = 0; at < sizeof text; at++) {
        struct body_text body = {0};
        body_text_add(&body, slice_of(text, at));
        body_text_add(&body,
                      slice_of(text + at, sizeof text - 1 - (at < sizeof text - 1 ? at : sizeof text - 1)));
        assert_int_equal(body_text_digest(&body), wanted);
    }
}

static void little_text_tells_nothing(void **state)
{
    (void)state;
    assert_int_equal(digest(""), 0);
    assert_int_equal(digest("hello there, 123456789 123456789"), 0);
    assert_int_equal(digest("abcdefghijklmnopqrstuvw"), 0);
    assert_int_not_equal(digest("abcdefghijklmnopqrstuvwx"), 0);
}

static void only_the_front_counts(void **state)
{
    static char one[2 * BODY_TEXT_MAX + 1], other[2 * BODY_TEXT_MAX + 1];
    (void)state;
    memset(one, 'a', sizeof one - 1);
    memset(other, 'a', sizeof other - 1);
    other[BODY_TEXT_MAX] = 'b';
    assert_int_equal(digest(one), digest(other));
    other[BODY_TEXT_MAX - 1] = 'b';
    assert_int_not_equal(digest(one), digest(other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_are_equal),
        cmocka_unit_test(splits_do_not_matter),
        cmocka_unit_test(little_text_tells_nothing),
        cmocka_unit_test(only_the_front_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
