/* Proves that the header check finds loops and headers without measure, and nothing else. */
#include "rig.h"

static void run(struct rig *rig, const struct header *header)
{
    rig_begin(rig);
    rig->turn.facts.header = header;
    assert_int_equal(check_header.run(&rig->turn), CHECK_DONE);
}

static void an_ordinary_header_has_no_finding(void **state)
{
    (void)state;
    struct rig rig;
    struct header header = {.count = 10, .counts = {[HEADER_RECEIVED] = 50}};
    run(&rig, &header);
    assert_int_equal(rig.turn.found_count, 0);
    rig_end(&rig);
}

static void one_received_too_many_is_a_loop(void **state)
{
    (void)state;
    struct rig rig;
    struct header header = {.counts = {[HEADER_RECEIVED] = 51}};
    run(&rig, &header);
    rig_found(&rig, FIND_HEADER_LOOP);
    assert_slice_equal(rig.turn.found[0].words, "51");
    rig_end(&rig);
}

static void too_many_and_too_large_are_excess(void **state)
{
    (void)state;
    static const unsigned flags[] = {HEADER_TOO_MANY, HEADER_TOO_LARGE};
    for (size_t i = 0; i < COUNT(flags); i++) {
        struct rig rig;
        struct header header = {.flags = flags[i]};
        run(&rig, &header);
        rig_found(&rig, FIND_HEADER_EXCESS);
        rig_end(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_header_has_no_finding),
        cmocka_unit_test(one_received_too_many_is_a_loop),
        cmocka_unit_test(too_many_and_too_large_are_excess),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
