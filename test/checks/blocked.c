/* Proves when our own block list is asked, and what an answer does: a block is found with its reason, an
 * allowance learnt, and whatever is no entry for this very address does nothing. */
#include "rig.h"

static void begin(struct rig *rig, const char *peer)
{
    rig_begin(rig);
    rig_peer(rig, peer);
    rig->turn.facts.own_list = true;
    rig->turn.check = &check_blocked;
}

/* Asked and answered. */
static void run(struct rig *rig, enum answer_status status, const char *value)
{
    assert_int_equal(check_blocked.run(&rig->turn), CHECK_WAIT);
    rig_answer(rig, status, value);
    assert_int_equal(check_blocked.run(&rig->turn), CHECK_DONE);
}

static void nothing_is_asked_where_there_is_no_entry(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    rig_peer(&rig, "192.0.2.7");
    assert_int_equal(check_blocked.run(&rig.turn), CHECK_DONE);
    assert_null(rig.session->asks);
    rig_end(&rig);
}

static void a_block_is_found(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig, "192.0.2.7");
    run(&rig, ANSWER_FOUND, "block 192.0.2.0/24 0123456789abc Apparent open relay");
    rig_found(&rig, FIND_BLOCKED);
    assert_slice_equal(rig.turn.found[0].evidence,
                       "192.0.2.0/24: Apparent open relay, evidence 0123456789abc");
    assert_slice_equal(rig.turn.found[0].words, "[192.0.2.7] is blocked here: Apparent open relay");
    assert_int_equal(rig.turn.learn_count, 0);
    rig_end(&rig);
}

static void an_allowance_is_learnt(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig, "2001:db8:1:2::25");
    run(&rig, ANSWER_FOUND, "allow 2001:db8:1:2::/64 - wronged");
    assert_int_equal(rig.turn.found_count, 0);
    assert_int_equal(rig.turn.learn_count, 1);
    assert_int_equal(rig.turn.learns[0].what, LEARN_ALLOWANCE);
    assert_slice_equal(rig.turn.learns[0].value, "2001:db8:1:2::/64");
    rig_end(&rig);
}

static void all_else_does_nothing(void **state)
{
    static const struct {
        enum answer_status status;
        const char *value;
    } cases[] = {
        {ANSWER_NONE, ""},
        {ANSWER_FAILED, "block 192.0.2.7/32 - it failed"},
        {ANSWER_TIMEOUT, ""},
        {ANSWER_FOUND, ""},
        {ANSWER_FOUND, "block"},
        {ANSWER_FOUND, "block 192.0.2.7/32"},
        {ANSWER_FOUND, "block 192.0.2.7 - no length"},
        {ANSWER_FOUND, "block 0.0.0.0/0 - everybody"},
        {ANSWER_FOUND, "block 192.0.3.0/24 - another network"},
        {ANSWER_FOUND, "allow 192.0.3.0/24 - another network"},
        {ANSWER_FOUND, "block ::/16 - another family"},
        {ANSWER_FOUND, "block 192.0.2.7/32 - a reason\r\n250 of two lines"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rig rig;
        begin(&rig, "192.0.2.7");
        run(&rig, cases[i].status, cases[i].value);
        assert_int_equal(rig.turn.found_count, 0);
        assert_int_equal(rig.turn.learn_count, 0);
        rig_end(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_asked_where_there_is_no_entry),
        cmocka_unit_test(a_block_is_found),
        cmocka_unit_test(an_allowance_is_learnt),
        cmocka_unit_test(all_else_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
