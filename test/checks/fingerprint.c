/* Proves when how a client's TCP began is told as a finding: where it weighs something or an override looks
 * at it, and where it is known. */
#include "rig.h"

static void it_is_wanted_where_it_matters(void **state)
{
    struct site *site = site_new();
    (void)state;
    assert_false(check_fingerprint.wanted(site));
    site->rules[FIND_FINGERPRINT].weight = -1;
    assert_true(check_fingerprint.wanted(site));
    site->rules[FIND_FINGERPRINT].weight = 0;
    site->rules[FIND_FINGERPRINT].action = ACTION_SLOW;
    assert_true(check_fingerprint.wanted(site));
    site->rules[FIND_FINGERPRINT].action = ACTION_NONE;
    site->by_fingerprint = true;
    assert_true(check_fingerprint.wanted(site));
    site_free(site);
}

static void what_is_known_is_told(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    rig.site->rules[FIND_FINGERPRINT].weight = 1;
    assert_int_equal(check_fingerprint.run(&rig.turn), CHECK_DONE);
    assert_int_equal(rig.turn.found_count, 0);
    rig.turn.facts.fingerprint = SLICE("4:64+0:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+:0");
    assert_int_equal(check_fingerprint.run(&rig.turn), CHECK_DONE);
    rig_found(&rig, FIND_FINGERPRINT);
    assert_slice_equal(rig.turn.found[0].evidence, "4:64+0:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+:0");
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_wanted_where_it_matters),
        cmocka_unit_test(what_is_known_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
