/* Each kind of question has one word and is found by it; numbers that nobody gave out have none. */
#include "unit.h"

#include "core/ask.h"

static void test_words_lead_back(void **state)
{
    unsigned found = 0;

    (void)state;
    for (unsigned i = 0; i < ASK_KIND_LIMIT; i++) {
        enum ask_kind kind = ASK_NOTHING;
        const char *word = ask_word((enum ask_kind)i);
        if (!word)
            continue;
        found++;
        assert_true(ask_kind_parse(slice_text(word), &kind));
        assert_int_equal(kind, i);
    }
    assert_true(found >= 9);
}

static void test_unknown(void **state)
{
    enum ask_kind kind = ASK_POINTER;

    (void)state;
    assert_null(ask_word(ASK_NOTHING));
    assert_null(ask_word((enum ask_kind)ASK_KIND_LIMIT));
    assert_false(ask_kind_parse(SLICE("recipien"), &kind));
    assert_false(ask_kind_parse(SLICE(""), &kind));
    assert_int_equal(kind, ASK_POINTER);
}

static void test_statuses(void **state)
{
    (void)state;
    assert_string_equal(answer_word(ANSWER_PENDING), "pending");
    assert_string_equal(answer_word(ANSWER_FOUND), "found");
    assert_string_equal(answer_word(ANSWER_NONE), "none");
    assert_string_equal(answer_word(ANSWER_FAILED), "failed");
    assert_string_equal(answer_word(ANSWER_TIMEOUT), "timeout");
    assert_null(answer_word((enum answer_status)(ANSWER_TIMEOUT + 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_lead_back),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
