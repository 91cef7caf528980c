/* Proves that the recipient check asks where it must, waits, and finds the right thing for each answer. */
#include "rig.h"

static void a_domain_that_is_not_ours_is_found_without_a_question(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig);
    rig_recipient(&rig, "TO:<a@far.example>", false);
    assert_int_equal(check_recipient.run(&rig.turn), CHECK_DONE);
    rig_found(&rig, FIND_RELAY_DENIED);
    assert_int_equal(rig.outbox.count, 0);
    rig_end(&rig);
}

static void a_detour_in_the_local_part_is_relaying(void **state)
{
    (void)state;
    static const char *const tricks[] = {"TO:<a%far.example@example.org>", "TO:<far.example!a@example.org>",
                                         "TO:<\"a@far.example\"@example.org>"};
    for (size_t i = 0; i < COUNT(tricks); i++) {
        struct rig rig;
        rig_begin(&rig);
        rig_recipient(&rig, tricks[i], true);
        assert_int_equal(check_recipient.run(&rig.turn), CHECK_DONE);
        rig_found(&rig, FIND_RELAY_DENIED);
        assert_true(rig.turn.found[0].words.len > 0);
        rig_end(&rig);
    }
}

static void postmaster_is_taken_unasked_behind_the_queue(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig);
    rig.route.kind = ROUTE_LMTP;
    rig_recipient(&rig, "TO:<postmaster@example.org>", true);
    rig.turn.facts.postmaster = true;
    assert_int_equal(check_recipient.run(&rig.turn), CHECK_DONE);
    assert_int_equal(rig.turn.found_count, 0);
    assert_int_equal(rig.outbox.count, 0);
    rig_end(&rig);
}

static void postmaster_is_refused_by_his_own_server_alone(void **state)
{
    (void)state;
    static const struct {
        enum answer_status status;
        enum finding finding;
    } cases[] = {
        {ANSWER_FOUND, FIND_NOTHING},
        {ANSWER_NONE, FIND_UNKNOWN_RECIPIENT},
        {ANSWER_FAILED, FIND_NOTHING},
        {ANSWER_TIMEOUT, FIND_NOTHING},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rig rig;
        rig_begin(&rig);
        rig.route.kind = ROUTE_RELAY;
        rig_recipient(&rig, "TO:<Postmaster@example.org>", true);
        rig.turn.facts.postmaster = true;
        assert_int_equal(check_recipient.run(&rig.turn), CHECK_WAIT);
        assert_slice_equal(rig.outbox.actions[0].key, "3 Postmaster@example.org");
        rig_answer(&rig, cases[i].status, "5.1.1 nobody here");
        assert_int_equal(check_recipient.run(&rig.turn), CHECK_DONE);
        if (cases[i].finding)
            rig_found(&rig, cases[i].finding);
        else
            assert_int_equal(rig.turn.found_count, 0);
        rig_end(&rig);
    }
}

static void each_answer_has_its_finding(void **state)
{
    (void)state;
    static const struct {
        enum answer_status status;
        const char *value;
        bool utf8;
        enum finding finding;
    } cases[] = {
        {ANSWER_FOUND, "", false, FIND_NOTHING},
        {ANSWER_FOUND, "", true, FIND_NOTHING},
        {ANSWER_FOUND, "8bitmime dsn", false, FIND_NOTHING},
        {ANSWER_FOUND, "8bitmime dsn", true, FIND_ROUTE_PLAIN},
        {ANSWER_FOUND, "8bitmime smtputf8", true, FIND_NOTHING},
        {ANSWER_NONE, "", false, FIND_UNKNOWN_RECIPIENT},
        {ANSWER_NONE, "5.1.1 no such user", false, FIND_UNKNOWN_RECIPIENT},
        {ANSWER_FAILED, "refused", false, FIND_RECIPIENT_UNSURE},
        {ANSWER_TIMEOUT, "", false, FIND_RECIPIENT_UNSURE},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rig rig;
        rig_begin(&rig);
        rig_recipient(&rig, "TO:<joe@example.org>", true);
        rig.turn.facts.smtputf8 = cases[i].utf8;
        assert_int_equal(check_recipient.run(&rig.turn), CHECK_WAIT);
        assert_int_equal(rig.outbox.count, 1);
        assert_slice_equal(rig.outbox.actions[0].key, "3 joe@example.org");
        rig_answer(&rig, cases[i].status, cases[i].value);
        assert_int_equal(check_recipient.run(&rig.turn), CHECK_DONE);
        assert_int_equal(rig.outbox.count, 1);
        if (cases[i].finding)
            rig_found(&rig, cases[i].finding);
        else
            assert_int_equal(rig.turn.found_count, 0);
        rig_end(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_domain_that_is_not_ours_is_found_without_a_question),
        cmocka_unit_test(a_detour_in_the_local_part_is_relaying),
        cmocka_unit_test(postmaster_is_taken_unasked_behind_the_queue),
        cmocka_unit_test(postmaster_is_refused_by_his_own_server_alone),
        cmocka_unit_test(each_answer_has_its_finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
