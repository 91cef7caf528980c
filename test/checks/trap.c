/* Proves that a trap is found in whatever letters, and nothing else. */
#include "rig.h"

static void traps_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *argument;
        bool trap;
    } rows[] = {{"TO:<Sandra@EXAMPLE.org>", true}, {"TO:<joe@example.org>", false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig rig;
        rig_begin(&rig);
        site_add_trap(rig.site, SLICE("sandra@example.org"));
        rig_recipient(&rig, rows[i].argument, true);
        assert_int_equal(check_trap.run(&rig.turn), CHECK_DONE);
        if (rows[i].trap)
            rig_found(&rig, FIND_TRAP);
        else
            assert_int_equal(rig.turn.found_count, 0);
        rig_end(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traps_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
