/* Rules begin as the catalogue has them, and change field by field, by words that are right. */
#include "unit.h"

#include "core/rule.h"

static void test_presets(void **state)
{
    (void)state;
    struct rule rules[FIND_LIMIT];
    rules_preset(rules);
    for (unsigned i = 0; i < FIND_LIMIT; i++) {
        const struct finding_info *info = finding_info(i);
        assert_int_equal(rules[i].weight, info ? info->weight : 0);
        assert_int_equal(rules[i].mode, info ? MODE_ENFORCE : MODE_OFF);
        assert_int_equal(rules[i].action, info ? info->action : ACTION_NONE);
    }
}

static void test_changes(void **state)
{
    (void)state;
    struct rule rule = {5, MODE_ENFORCE, ACTION_NONE};
    struct rule_change change = {0};
    const char *expected;

    rule_change_apply(&change, &rule);
    assert_int_equal(rule.weight, 5);
    assert_true(rule_change_read(&change, SLICE("weight"), SLICE("-1000"), &expected));
    assert_int_equal(change.fields, RULE_WEIGHT);
    assert_true(rule_change_read(&change, SLICE("action"), SLICE("trap"), &expected));
    rule_change_apply(&change, &rule);
    assert_int_equal(rule.weight, -1000);
    assert_int_equal(rule.mode, MODE_ENFORCE);
    assert_int_equal(rule.action, ACTION_TRAP);
    assert_true(rule_change_read(&change, SLICE("mode"), SLICE("off"), &expected));
    rule_change_apply(&change, &rule);
    assert_int_equal(rule.mode, MODE_OFF);
}

static void test_what_is_no_rule(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"weight", "1001"}, {"weight", "-1001"}, {"weight", ""}, {"weight", "-"}, {"weight", "--1"},
        {"weight", "1.5"},  {"mode", "on"},      {"mode", ""},   {"mode", "OFF"}, {"action", "refuse"},
        {"action", ""},     {"wait", "1"},       {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rule_change change = {0};
        const char *expected = NULL;
        assert_false(rule_change_read(&change, slice_text(rows[i][0]), slice_text(rows[i][1]), &expected));
        assert_non_null(expected);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_presets),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_what_is_no_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
