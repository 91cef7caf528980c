/* Proves who is asked where a client belongs in the net, what is told of the answer, and that nobody waits
 * for what weighs nothing. */
#include "rig.h"

static void begin(struct rig *rig, int weight)
{
    rig_begin(rig);
    rig_peer(rig, "192.0.2.7");
    rig->site->set.origin_zone = SLICE("origin.example");
    rig->site->rules[FIND_ORIGIN].weight = weight;
}

static void it_is_wanted_where_something_could_know(void **state)
{
    static struct slice files[] = {{"/asn.mmdb", 9}};
    struct site *site = site_new();
    (void)state;
    assert_false(check_origin.wanted(site));
    site->set.origin_zone6 = SLICE("origin6.example");
    assert_true(check_origin.wanted(site));
    site->set.origin_zone6 = SLICE_NONE;
    site->set.origin_zone = SLICE("origin.example");
    assert_true(check_origin.wanted(site));
    site->set.origin_zone = SLICE_NONE;
    site->set.origin_names = SLICE("asn.example"); /* of what would it be the name? */
    assert_false(check_origin.wanted(site));
    site->origin_files = files;
    site->origin_file_count = 1;
    assert_true(check_origin.wanted(site));
    site_free(site);
}

static void what_weighs_is_waited_for(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig, 1);
    assert_int_equal(check_origin.run(&rig.turn), CHECK_WAIT);
    assert_slice_equal(rig.session->asks->key, "192.0.2.7");
    rig_answer(&rig, ANSWER_FOUND, "AS64500\t192.0.2.0/24\tNZ\tExample Telecom\tNew Zealand");
    assert_int_equal(check_origin.run(&rig.turn), CHECK_DONE);
    rig_found(&rig, FIND_ORIGIN);
    assert_slice_equal(rig.turn.found[0].evidence, "AS64500 Example Telecom, 192.0.2.0/24, New Zealand");
    rig_end(&rig);
}

static void what_weighs_nothing_is_not(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig, 0);
    assert_int_equal(check_origin.run(&rig.turn), CHECK_DONE);
    assert_null(rig.session->asks);
    assert_int_equal(rig.turn.found_count, 0);
    rig_end(&rig);
}

static void what_overrides_look_at_is_waited_for_and_learnt(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig, 0);
    rig.site->by_origin = true;
    assert_int_equal(check_origin.run(&rig.turn), CHECK_WAIT);
    rig_answer(&rig, ANSWER_FOUND, "AS64500 AS64501\t192.0.2.0/24\tNZ\tExample Telecom\tNew Zealand");
    assert_int_equal(check_origin.run(&rig.turn), CHECK_DONE);
    assert_int_equal(rig.turn.learn_count, 2);
    assert_int_equal(rig.turn.learns[0].what, LEARN_AS);
    assert_slice_equal(rig.turn.learns[0].value, "64500 64501");
    assert_int_equal(rig.turn.learns[1].what, LEARN_COUNTRY);
    assert_slice_equal(rig.turn.learns[1].value, "NZ");
    rig_end(&rig);
}

static void what_cannot_be_said_is_not_found(void **state)
{
    static const struct {
        enum answer_status status;
        const char *value;
    } rows[] = {
        {ANSWER_NONE, ""},          {ANSWER_FAILED, "AS64500\t192.0.2.0/24\tNZ\t\t"},
        {ANSWER_TIMEOUT, ""},       {ANSWER_FOUND, ""},
        {ANSWER_FOUND, "\t\t\t\t"}, {ANSWER_FOUND, "\001 no | separators \377 of the right sort"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig rig;
        begin(&rig, 1);
        assert_int_equal(check_origin.run(&rig.turn), CHECK_WAIT);
        rig_answer(&rig, rows[i].status, rows[i].value);
        assert_int_equal(check_origin.run(&rig.turn), CHECK_DONE);
        assert_int_equal(rig.turn.found_count, 0);
        rig_end(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_wanted_where_something_could_know),
        cmocka_unit_test(what_weighs_is_waited_for),
        cmocka_unit_test(what_weighs_nothing_is_not),
        cmocka_unit_test(what_overrides_look_at_is_waited_for_and_learnt),
        cmocka_unit_test(what_cannot_be_said_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
