/* Proves how a client becomes known by its address and by its pool, what good messages, bad sessions and
 * traps do, and that a store that fails makes everybody a stranger. */
#include "rig.h"

#define NOW INT64_C(1784860556000) /* day 20658 */

static void known_begin(struct rig *rig)
{
    rig_begin(rig);
    rig_peer(rig, "192.0.2.7");
    rig->turn.facts.unix_ms = NOW;
}

static void by_address(void **state)
{
    (void)state;
    static const struct {
        enum answer_status host;
        const char *entry;
        enum answer_status pool;
        bool known;
    } rows[] = {
        {ANSWER_NONE, "", ANSWER_NONE, false},
        {ANSWER_FAILED, "no store", ANSWER_NONE, false},
        {ANSWER_FOUND, "+20650 far.example", ANSWER_FOUND, true},
        {ANSWER_FOUND, "+20650 far.example", ANSWER_NONE, false},
        {ANSWER_FOUND, "+20650 far.example", ANSWER_FAILED, false},
        {ANSWER_FOUND, "-20650 far.example", ANSWER_FOUND, false},
        {ANSWER_FOUND, "+x far.example", ANSWER_FOUND, false},
        {ANSWER_FOUND, "?", ANSWER_FOUND, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig rig;
        known_begin(&rig);
        assert_int_equal(check_known.run(&rig.turn), CHECK_WAIT);
        rig_answer_to(&rig, "known host 192.0.2.7", rows[i].host, rows[i].entry);
        if (check_known.run(&rig.turn) == CHECK_WAIT)
            rig_answer_to(&rig, "known pool far.example", rows[i].pool, "20650");
        rig.turn.learn_count = 0;
        assert_int_equal(check_known.run(&rig.turn), CHECK_DONE);
        assert_int_equal(rig.turn.learn_count, rows[i].known ? 2 : 0);
        if (rows[i].known) {
            assert_int_equal(rig.turn.learns[0].what, LEARN_POOL);
            assert_slice_equal(rig.turn.learns[0].value, "far.example");
            assert_int_equal(rig.turn.learns[1].what, LEARN_KNOWN);
        }
        rig_end(&rig);
    }
}

static void by_pool(void **state)
{
    (void)state;
    static const struct {
        enum answer_status pool, host;
        const char *entry;
        bool known;
    } rows[] = {
        {ANSWER_NONE, ANSWER_NONE, "", false},
        {ANSWER_TIMEOUT, ANSWER_NONE, "", false},
        {ANSWER_FOUND, ANSWER_NONE, "", true},
        {ANSWER_FOUND, ANSWER_FAILED, "no store", true},
        {ANSWER_FOUND, ANSWER_FOUND, "-20650 far.example", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig rig;
        known_begin(&rig);
        rig.turn.facts.pool = SLICE("far.example");
        assert_int_equal(check_known_pool.run(&rig.turn), CHECK_WAIT);
        rig_answer_to(&rig, "known pool far.example", rows[i].pool, "20650");
        if (check_known_pool.run(&rig.turn) == CHECK_WAIT)
            rig_answer_to(&rig, "known host 192.0.2.7", rows[i].host, rows[i].entry);
        rig.turn.learn_count = rig.turn.tell_count = 0;
        assert_int_equal(check_known_pool.run(&rig.turn), CHECK_DONE);
        assert_int_equal(rig.turn.learn_count, rows[i].known);
        if (rows[i].known)
            rig_told(&rig, 0, TELL_PUT, "known host 192.0.2.7", "+20658 far.example");
        rig_end(&rig);
    }
}

static void good_messages_of_strangers(void **state)
{
    (void)state;
    static const struct {
        const char *host, *clean; /* answers, or NULL: none */
        const char *subject;
        bool known;
    } rows[] = {
        {NULL, NULL, "known clean far.example", false},
        {NULL, "1784760000000 1784850000000 1 1", "known clean far.example", false},
        {NULL, "1784760000000 1784850000000 2 2", "known clean far.example", true},
        {NULL, "1784855000000 1784855001000 50 1", "known clean far.example", false}, /* all today */
        {"-20650 far.example", "1784760000000 1784850000000 2 2", "known clean 192.0.2.7", true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig rig;
        known_begin(&rig);
        rig.turn.facts.pool = SLICE("far.example");
        assert_int_equal(check_known_message.run(&rig.turn), CHECK_WAIT);
        rig_answer_to(&rig, "known host", rows[i].host ? ANSWER_FOUND : ANSWER_NONE, rows[i].host);
        assert_int_equal(check_known_message.run(&rig.turn), CHECK_WAIT);
        rig_answer_to(&rig, rows[i].subject, rows[i].clean ? ANSWER_FOUND : ANSWER_NONE, rows[i].clean);
        rig.turn.tell_count = 0;
        assert_int_equal(check_known_message.run(&rig.turn), CHECK_DONE);
        assert_int_equal(rig.turn.tell_count, rows[i].known ? 3 : 1);
        rig_told(&rig, 0, TELL_SEEN, rows[i].subject, "20658");
        if (rows[i].known)
            rig_told(&rig, 1, TELL_PUT, "known pool far.example", "20658");
        rig_end(&rig);
    }
}

static void known_ones_are_renewed_once_a_day(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct rig rig;
        known_begin(&rig);
        rig.turn.facts.pool = SLICE("far.example");
        rig.turn.facts.known = true;
        assert_int_equal(check_known_message.run(&rig.turn), CHECK_WAIT);
        rig_answer_to(&rig, "known host", ANSWER_FOUND, i ? "+20658 far.example" : "+20657 far.example");
        assert_int_equal(check_known_message.run(&rig.turn), CHECK_DONE);
        assert_int_equal(rig.turn.tell_count, i ? 0 : 2);
        rig_end(&rig);
    }
}

static void bad_sessions_end_it(void **state)
{
    (void)state;
    static const struct {
        const char *bad; /* NULL: none */
        size_t tells;
    } rows[] = {{NULL, 3}, {"1 2 1 1", 3}, {"1 2 2 2", 5}, {"1 2 9 2", 5}};
    const struct check *const checks[] = {&check_known_recipient, &check_known_message};
    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        const struct check *check = checks[i % 2];
        struct rig rig;
        known_begin(&rig);
        rig.turn.facts.pool = SLICE("far.example");
        rig.turn.facts.known = true;
        rig_weigh(&rig, 10);
        assert_int_equal(check->run(&rig.turn), CHECK_WAIT);
        rig_answer_to(&rig, "known bad far.example", rows[i / 2].bad ? ANSWER_FOUND : ANSWER_NONE,
                      rows[i / 2].bad);
        assert_int_equal(check->run(&rig.turn), CHECK_DONE);
        assert_int_equal(rig.turn.tell_count, rows[i / 2].tells);
        rig_told(&rig, 0, TELL_PUT, "known host 192.0.2.7", "-20658 far.example");
        rig_told(&rig, 1, TELL_REMOVE, "known clean 192.0.2.7", NULL);
        if (rows[i / 2].tells == 3)
            rig_told(&rig, 2, TELL_SEEN, "known bad far.example", "192.0.2.7");
        else
            rig_told(&rig, 2, TELL_REMOVE, "known pool far.example", NULL);
        assert_int_equal(rig.turn.learns[0].what, LEARN_KNOWN);
        assert_int_equal(rig.turn.learns[0].value.len, 0);
        rig_end(&rig);
    }
}

/* Whether it was known or not; by the weight of the finding, so that one that is observed does nothing. */
static void a_trap_ends_it_for_the_host_alone(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct rig rig;
        bool known = i % 2, weighs = i / 2;
        known_begin(&rig);
        site_add_trap(rig.site, SLICE("sandra@example.org"));
        rig_recipient(&rig, "TO:<Sandra@example.org>", true);
        rig.turn.facts.pool = SLICE("far.example");
        rig.turn.facts.known = known;
        if (weighs)
            rig_weigh(&rig, 10);
        assert_int_equal(check_known_recipient.run(&rig.turn), CHECK_DONE);
        assert_int_equal(rig.turn.tell_count, weighs ? 2 : 0);
        if (weighs) {
            rig_told(&rig, 0, TELL_PUT, "known host 192.0.2.7", "-20658 far.example");
            rig_told(&rig, 1, TELL_REMOVE, "known clean 192.0.2.7", NULL);
        }
        rig_end(&rig);
    }
}

/* Known by the configuration: there is nothing to lose. */
static void without_a_pool_nothing_is_told(void **state)
{
    (void)state;
    struct rig rig;
    known_begin(&rig);
    rig.turn.facts.known = true;
    rig_weigh(&rig, 10);
    assert_int_equal(check_known_recipient.run(&rig.turn), CHECK_DONE);
    assert_int_equal(check_known_message.run(&rig.turn), CHECK_DONE);
    assert_int_equal(rig.turn.tell_count + rig.turn.learn_count + rig.outbox.count, 0);
    rig_end(&rig);
}

/* A finding without weight that refuses by itself. */
static void what_is_refused_is_no_good_message(void **state)
{
    (void)state;
    struct rig rig;
    known_begin(&rig);
    rig.turn.facts.pool = SLICE("far.example");
    rig_weigh(&rig, 0);
    rig.burden.finding = FIND_HEADER_LOOP;
    assert_int_equal(check_known_message.run(&rig.turn), CHECK_DONE);
    assert_int_equal(rig.turn.tell_count + rig.outbox.count, 0);
    rig_end(&rig);
}

static void nothing_is_told_of_doubtful_or_bad_strangers(void **state)
{
    (void)state;
    static const int sums[] = {1, 5, 10, 50};
    for (size_t i = 0; i < COUNT(sums); i++) {
        struct rig rig;
        known_begin(&rig);
        rig.turn.facts.pool = SLICE("far.example");
        rig_weigh(&rig, sums[i]);
        assert_int_equal(check_known_message.run(&rig.turn), CHECK_DONE);
        assert_int_equal(check_known_recipient.run(&rig.turn), CHECK_DONE);
        assert_int_equal(rig.turn.tell_count + rig.outbox.count, 0);
        rig_end(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_address),
        cmocka_unit_test(by_pool),
        cmocka_unit_test(good_messages_of_strangers),
        cmocka_unit_test(known_ones_are_renewed_once_a_day),
        cmocka_unit_test(bad_sessions_end_it),
        cmocka_unit_test(a_trap_ends_it_for_the_host_alone),
        cmocka_unit_test(without_a_pool_nothing_is_told),
        cmocka_unit_test(what_is_refused_is_no_good_message),
        cmocka_unit_test(nothing_is_told_of_doubtful_or_bad_strangers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
