/* What a configuration says of findings, and of clients, senders and recipients for whom something else
 * holds, becomes the site's rules and overrides. */
#include "loaded.h"

#include "core/override.h"

static const char policy[] =
    "networks { trusted 192.0.2.0/28 }\n"
    "check early-talk { weight 6\n action reject }\n"
    "check nul { mode observe }\n"
    "override { network 192.0.2.7 198.51.100.0/24\n ptr .example.org\n check nul { mode enforce\n weight -3 "
    "} }\n"
    "override { sender \"<>\" joe@example.net\n recipient .example.com\n authenticated example.net\n"
    "  block \"go away\" }\n"
    "override { helo ylmf-pc\n known\n observe\n allow }\n"
    "override { as 64500 64501\n country nl\n allow }\n";

static void test_policy(void **state)
{
    (void)state;
    struct loaded loaded = load(slice_text(policy), CONF_CARE_TEXT);
    const struct site *site = loaded.site;
    assert_non_null(site);
    assert_int_equal(site->trusted.count, 1);
    assert_int_equal(site->rules[FIND_EARLY_TALK].weight, 6);
    assert_int_equal(site->rules[FIND_EARLY_TALK].action, ACTION_REJECT);
    assert_int_equal(site->rules[FIND_EARLY_TALK].mode, MODE_ENFORCE);
    assert_int_equal(site->rules[FIND_NUL].mode, MODE_OBSERVE);
    assert_int_equal(site->rules[FIND_NUL].weight, finding_info(FIND_NUL)->weight);

    assert_int_equal(site->override_count, 4);
    assert_slice_equal(site->overrides[3].by[OVERRIDE_AS].items[1], "64501");
    assert_slice_equal(site->overrides[3].by[OVERRIDE_COUNTRY].items[0], "nl");
    const struct override *first = &site->overrides[0], *second = &site->overrides[1];
    assert_slice_equal(first->name, "t.conf:5");
    assert_int_equal(first->networks.count, 2);
    assert_slice_equal(first->by[OVERRIDE_PTR].items[0], ".example.org");
    assert_int_equal(first->change_count, 1);
    assert_int_equal(first->changes[0].finding, FIND_NUL);
    assert_int_equal(first->changes[0].fields, RULE_MODE | RULE_WEIGHT);
    assert_int_equal(first->changes[0].rule.weight, -3);
    assert_int_equal(second->by[OVERRIDE_SENDER].count, 2);
    assert_slice_equal(second->by[OVERRIDE_SENDER].items[1], "joe@example.net");
    assert_slice_equal(second->by[OVERRIDE_RECIPIENT].items[0], ".example.com");
    assert_slice_equal(second->by[OVERRIDE_AUTHENTICATED].items[0], "example.net");
    assert_true(second->block && !second->allow);
    assert_slice_equal(second->words, "go away");
    assert_true(site->by_recipient);
    assert_true(site->overrides[2].known && site->overrides[2].observe && site->overrides[2].allow);
    drop(&loaded);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
