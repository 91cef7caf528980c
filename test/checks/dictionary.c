/* Proves that unknown recipients are remembered until there are too many, and that a store that fails finds
 * nobody. */
#include "rig.h"

struct row {
    enum answer_status seen;
    const char *touches;
    enum answer_status mailbox;
    bool found, told;
};

static const struct row rows[] = {
    {ANSWER_NONE, "", ANSWER_FOUND, false, false},
    {ANSWER_NONE, "", ANSWER_NONE, false, true},
    {ANSWER_FOUND, "1 2 99 9", ANSWER_NONE, false, true},
    {ANSWER_FOUND, "1 2 99 9", ANSWER_FOUND, false, false},
    {ANSWER_FOUND, "1 2 10 10", ANSWER_NONE, true, false},
    {ANSWER_FOUND, "1 2 10 10", ANSWER_FOUND, true, false},
    {ANSWER_FAILED, "no store", ANSWER_NONE, false, true},
    {ANSWER_NONE, "", ANSWER_FAILED, false, false},
};

static void guesses_are_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig rig;
        rig_begin(&rig);
        rig.site->set.dictionary_limit = 10;
        rig_peer(&rig, "2001:db8::1");
        rig_recipient(&rig, "TO:<Nobody@example.org>", true);
        assert_int_equal(check_dictionary.run(&rig.turn), CHECK_WAIT);
        rig_answer_to(&rig, "dictionary 2001:db8::/64", rows[i].seen, rows[i].touches);
        rig_answer_to(&rig, "3 Nobody@example.org", rows[i].mailbox, "");
        assert_int_equal(check_dictionary.run(&rig.turn), CHECK_DONE);
        assert_int_equal(rig.turn.tell_count, rows[i].told);
        if (rows[i].told)
            rig_told(&rig, 0, TELL_SEEN, "dictionary 2001:db8::/64", "nobody@example.org");
        if (rows[i].found)
            rig_found(&rig, FIND_DICTIONARY);
        else
            assert_int_equal(rig.turn.found_count, 0);
        rig_end(&rig);
    }
}

static void others_domains_and_postmaster_are_no_guesses(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct rig rig;
        rig_begin(&rig);
        rig_recipient(&rig, "TO:<a@far.example>", i);
        rig.turn.facts.postmaster = i;
        assert_int_equal(check_dictionary.run(&rig.turn), CHECK_DONE);
        assert_int_equal(rig.outbox.count, 0);
        rig_end(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guesses_are_counted),
        cmocka_unit_test(others_domains_and_postmaster_are_no_guesses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
