/* Each finding has one word of its own, is found by it, and carries the weight and action of the table. */
#include "unit.h"

#include "core/finding.h"

static void test_words_lead_back(void **state)
{
    unsigned found = 0;

    (void)state;
    for (unsigned i = 0; i < FIND_LIMIT; i++) {
        enum finding finding = FIND_NOTHING;
        const struct finding_info *info = finding_info(i);
        if (!info)
            continue;
        found++;
        assert_true(finding_parse(slice_text(info->word), &finding));
        assert_int_equal(finding, i);
        assert_true(info->doc[0] != '\0');
    }
    assert_true(found >= 13);
}

static void test_values(void **state)
{
    (void)state;
    assert_int_equal(finding_info(FIND_NUL)->weight, 5);
    assert_int_equal(finding_info(FIND_NUL)->action, ACTION_NONE);
    assert_int_equal(finding_info(FIND_JUNK)->action, ACTION_DROP);
    assert_int_equal(finding_info(FIND_RELAY_DENIED)->action, ACTION_REJECT);
    assert_int_equal(finding_info(FIND_RECIPIENT_UNSURE)->action, ACTION_DEFER);
}

static void test_unknown(void **state)
{
    enum finding finding = FIND_NUL;

    (void)state;
    assert_null(finding_info(FIND_NOTHING));
    assert_null(finding_info(FIND_LIMIT));
    assert_false(finding_parse(SLICE("null"), &finding));
    assert_false(finding_parse(SLICE(""), &finding));
    assert_int_equal(finding, FIND_NUL);
}

static void test_other_words(void **state)
{
    (void)state;
    assert_string_equal(mode_word(MODE_OFF), "off");
    assert_string_equal(mode_word(MODE_OBSERVE), "observe");
    assert_string_equal(mode_word(MODE_ENFORCE), "enforce");
    assert_null(mode_word(3));
    assert_string_equal(action_word(ACTION_NONE), "none");
    assert_string_equal(action_word(ACTION_DEFER), "defer");
    assert_string_equal(action_word(ACTION_REJECT), "reject");
    assert_string_equal(action_word(ACTION_DROP), "drop");
    assert_string_equal(action_word(ACTION_SLOW), "slow");
    assert_string_equal(action_word(ACTION_DISCARD), "discard");
    assert_string_equal(action_word(ACTION_TRAP), "trap");
    assert_null(action_word(ACTION_TRAP + 1));
}

static void test_the_stronger_action_is_done(void **state)
{
    (void)state;
    static const enum action order[] = {ACTION_NONE,   ACTION_SLOW, ACTION_DEFER, ACTION_DISCARD,
                                        ACTION_REJECT, ACTION_TRAP, ACTION_DROP};
    for (unsigned i = 1; i < COUNT(order); i++)
        assert_true(action_strength(order[i - 1]) < action_strength(order[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_lead_back),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_other_words),
        cmocka_unit_test(test_the_stronger_action_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
