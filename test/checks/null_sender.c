/* Proves that a second recipient is found for the null sender alone. */
#include "rig.h"

static void one_recipient_for_the_null_sender(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct transaction transaction = {.recipient_count = i & 1};
        struct rig rig;
        rig_begin(&rig);
        rig.turn.facts.transaction = &transaction;
        rig.turn.facts.sender = i & 2 ? SLICE("a@b.example") : SLICE_NONE;
        assert_int_equal(check_null_sender.run(&rig.turn), CHECK_DONE);
        if (i == 1)
            rig_found(&rig, FIND_NULL_MANY_RCPT);
        else
            assert_int_equal(rig.turn.found_count, 0);
        rig_end(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_recipient_for_the_null_sender),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
