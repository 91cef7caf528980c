/* Proves what is made of how a client took it that EHLO was refused: politeness is learnt, going without a
 * word is found and forgotten, and a store that fails speaks for nobody and against nobody. */
#include "rig.h"

static void visits(void **state)
{
    (void)state;
    static const struct {
        enum answer_status host, network;
        const char *value, *name; /* of the host; its confirmed name */
        bool polite;
        const char *found; /* the key that is forgotten */
    } rows[] = {
        {ANSWER_FOUND, ANSWER_NONE, "polite", "", true, NULL},
        {ANSWER_FOUND, ANSWER_FOUND, "polite", "", true, NULL},
        {ANSWER_FOUND, ANSWER_NONE, "no-helo", "", false, "ehlo host 192.0.2.7"},
        {ANSWER_FOUND, ANSWER_NONE, "no-helo", "mx.example", false, "ehlo host 192.0.2.7"},
        {ANSWER_NONE, ANSWER_NONE, "", "", false, NULL},
        {ANSWER_NONE, ANSWER_FOUND, "", "", false, "ehlo net 192.0.2.0/24"},
        {ANSWER_NONE, ANSWER_FOUND, "", "mx.example", false, NULL},
        {ANSWER_FAILED, ANSWER_FAILED, "no store", "", false, NULL},
        {ANSWER_TIMEOUT, ANSWER_TIMEOUT, "", "", false, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig rig;
        rig_begin(&rig);
        rig_peer(&rig, "192.0.2.7");
        rig.turn.facts.peer_name = slice_text(rows[i].name);
        assert_int_equal(check_visit.run(&rig.turn), CHECK_WAIT);
        rig_answer_to(&rig, "ehlo host 192.0.2.7", rows[i].host, rows[i].value);
        if (check_visit.run(&rig.turn) == CHECK_WAIT) {
            rig_answer_to(&rig, "ehlo net 192.0.2.0/24", rows[i].network, "no-helo");
            assert_int_equal(check_visit.run(&rig.turn), CHECK_DONE);
        }
        assert_int_equal(rig.turn.learn_count, rows[i].polite);
        assert_int_equal(rig.turn.found_count, rows[i].found != NULL);
        if (rows[i].found) {
            rig_found(&rig, FIND_EHLO_NO_HELO);
            rig_told(&rig, 0, TELL_REMOVE, rows[i].found, "");
        }
        rig_end(&rig);
    }
}

static void not_asked(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig);
    rig.site->set.ehlo_refuse = EHLO_REFUSE_OFF;
    assert_int_equal(check_visit.run(&rig.turn), CHECK_DONE);
    assert_null(rig.session->asks);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(visits),
        cmocka_unit_test(not_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
