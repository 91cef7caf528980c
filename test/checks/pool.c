/* Proves whom a stranger counts as: the registered domain of a confirmed name that tells something, else the
 * domain that SPF has confirmed, else its network; and that it waits for what is not known yet. */
#include "rig.h"

struct row {
    const char *peer, *name, *auth_domain;
    const char *asks;            /* the name that is asked about, or NULL */
    enum answer_status answered; /* to that */
    const char *domain;          /* of the answer */
    const char *pool;
};

static const struct row rows[] = {
    {"192.0.2.7", "", "", NULL, ANSWER_NONE, "", "192.0.2.0/24"},
    {"2001:db8:1:2::9", "", "", NULL, ANSWER_NONE, "", "2001:db8:1:2::/64"},
    {"192.0.2.7", "MX.far.example", "", "mx.far.example", ANSWER_FOUND, "far.example", "far.example"},
    /* a public or private suffix has no owner */
    {"192.0.2.7", "shared.example", "", "shared.example", ANSWER_NONE, "", "192.0.2.0/24"},
    /* the name was made of the address */
    {"192.0.2.7", "host-192-0-2-7.access.example", "", NULL, ANSWER_NONE, "", "192.0.2.0/24"},
    {"192.0.2.7", "192-0-2-7.dsl.access.example", "lists.near.example", "lists.near.example", ANSWER_FOUND,
     "near.example", "near.example"},
    {"192.0.2.7", "", "near.example", "near.example", ANSWER_FAILED, "no list", "192.0.2.0/24"},
    {"192.0.2.7", "mx.far.example", "", "mx.far.example", ANSWER_TIMEOUT, "", "192.0.2.0/24"},
};

static void pools_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct rig rig;
        rig_begin(&rig);
        assert_true(address_parse(slice_text(row->peer), &rig.session->peer));
        rig.turn.facts.peer_name = slice_text(row->name);
        rig.turn.facts.auth_domain = slice_text(row->auth_domain);
        if (row->asks) {
            assert_int_equal(check_pool.run(&rig.turn), CHECK_WAIT);
            assert_int_equal(rig.outbox.count, 1);
            assert_int_equal(rig.outbox.actions[0].ask, ASK_REGISTERED);
            assert_true(slice_equal(rig.outbox.actions[0].key, slice_text(row->asks)));
            rig_answer(&rig, row->answered, row->domain);
        }
        assert_int_equal(check_pool.run(&rig.turn), CHECK_DONE);
        assert_int_equal(rig.turn.learn_count, 1);
        assert_int_equal(rig.turn.learns[0].what, LEARN_POOL);
        if (!slice_equal(rig.turn.learns[0].value, slice_text(row->pool)))
            fail_msg("row %zu: %.*s", i, SLICE_ARGS(rig.turn.learns[0].value));
        assert_int_equal(rig.turn.found_count, 0);
        rig_end(&rig);
    }
}

static void a_pool_that_is_known_is_not_learnt_again(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig);
    assert_true(address_parse(SLICE("192.0.2.7"), &rig.session->peer));
    rig.turn.facts.pool = SLICE("192.0.2.0/24");
    assert_int_equal(check_pool.run(&rig.turn), CHECK_DONE);
    assert_int_equal(rig.turn.learn_count, 0);
    rig.turn.unfinished = true; /* a check before it may still learn the name */
    assert_int_equal(check_pool.run(&rig.turn), CHECK_WAIT);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pools_are_found),
        cmocka_unit_test(a_pool_that_is_known_is_not_learnt_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
