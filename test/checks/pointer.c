/* Proves when an address counts as nameless, as forged, as generic, and when its name is confirmed. */
#include "answers.h"

struct sample {
    const char *peer;
    struct row rows[6];
    const char *words;
    const char *name; /* learnt */
};

#define V4 ASK_ADDRESS4
#define V6 ASK_ADDRESS6

static const struct sample samples[] = {
    {"192.0.2.7", {{ASK_POINTER, "192.0.2.7", ANSWER_NONE, "no such name"}}, "no-ptr", NULL},
    {"192.0.2.7", {{ASK_POINTER, "192.0.2.7", ANSWER_FAILED, "server failure"}}, "", NULL},
    {"192.0.2.7", {{ASK_POINTER, "192.0.2.7", ANSWER_TIMEOUT, ""}}, "", NULL},
    {"192.0.2.7",
     {{ASK_POINTER, "192.0.2.7", ANSWER_FOUND, "mail.example.org"},
      {V4, "mail.example.org", ANSWER_FOUND, "192.0.2.6 192.0.2.7"}},
     "",
     "mail.example.org"},
    {"192.0.2.7",
     {{ASK_POINTER, "192.0.2.7", ANSWER_FOUND, "mail.example.org"},
      {V4, "mail.example.org", ANSWER_FOUND, "192.0.2.6"}},
     "forged",
     NULL},
    {"192.0.2.7",
     {{ASK_POINTER, "192.0.2.7", ANSWER_FOUND, "mail.example.org"},
      {V4, "mail.example.org", ANSWER_NONE, "no such data"}},
     "forged",
     NULL},
    {"192.0.2.7",
     {{ASK_POINTER, "192.0.2.7", ANSWER_FOUND, "mail.example.org"},
      {V4, "mail.example.org", ANSWER_FAILED, "server failure"}},
     "",
     NULL},
    {"192.0.2.7",
     {{ASK_POINTER, "192.0.2.7", ANSWER_FOUND, "a.example.org b.example.org"},
      {V4, "a.example.org", ANSWER_FAILED, "server failure"},
      {V4, "b.example.org", ANSWER_FOUND, "192.0.2.7"}},
     "",
     "b.example.org"},
    {"192.0.2.7",
     {{ASK_POINTER, "192.0.2.7", ANSWER_FOUND, "192-0-2-7.dyn.provider.example"},
      {V4, "192-0-2-7.dyn.provider.example", ANSWER_FOUND, "192.0.2.7"}},
     "ptr-generic",
     "192-0-2-7.dyn.provider.example"},
    {"192.0.2.7",
     {{ASK_POINTER, "192.0.2.7", ANSWER_FOUND, "192-0-2-7.dyn.provider.example"},
      {V4, "192-0-2-7.dyn.provider.example", ANSWER_NONE, "no such name"}},
     "forged ptr-generic",
     NULL},
    {"2001:db8::7",
     {{ASK_POINTER, "2001:db8::7", ANSWER_FOUND, "mail.example.org"},
      {V6, "mail.example.org", ANSWER_FOUND, "2001:db8:0::7"}},
     "",
     "mail.example.org"},
    /* names that are none are not asked for: nothing can be said */
    {"192.0.2.7", {{ASK_POINTER, "192.0.2.7", ANSWER_FOUND, "-bad- a..b"}}, "", NULL},
};

static void each_answer_has_its_finding(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct rig rig;
        rig_begin(&rig);
        rig_peer(&rig, samples[i].peer);
        rig_run(&rig, &check_pointer, samples[i].rows);
        assert_string_equal(rig_words(&rig), samples[i].words);
        assert_int_equal(rig.turn.learn_count, samples[i].name ? 1 : 0);
        if (samples[i].name) {
            assert_int_equal(rig.turn.learns[0].what, LEARN_NAME);
            assert_true(slice_equal(rig.turn.learns[0].value, slice_text(samples[i].name)));
        }
        rig_end(&rig);
    }
}

static void of_many_names_four_are_asked_for_and_all_at_once(void **state)
{
    (void)state;
    struct rig rig;
    static const struct row rows[] = {
        {ASK_POINTER, "192.0.2.7", ANSWER_FOUND, "a.example b.example c.example d.example e.example"}, {0}};
    rig_begin(&rig);
    rig_peer(&rig, "192.0.2.7");
    assert_int_equal(check_pointer.run(&rig.turn), CHECK_WAIT);
    row_answer(rig.session->asks, rows);
    assert_int_equal(check_pointer.run(&rig.turn), CHECK_WAIT);
    assert_int_equal(rig.outbox.count, 5);
    rig_end(&rig);
}

static void a_name_that_a_front_gave_is_not_asked_for(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig);
    rig_peer(&rig, "192.0.2.7");
    rig.turn.facts.peer_name = SLICE("dsl-9.provider.example");
    assert_int_equal(rig_run(&rig, &check_pointer, NULL), 0);
    assert_string_equal(rig_words(&rig), "ptr-generic");
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_has_its_finding),
        cmocka_unit_test(of_many_names_four_are_asked_for_and_all_at_once),
        cmocka_unit_test(a_name_that_a_front_gave_is_not_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
