/* Proves who is greylisted and when a greylisted client passes, at RCPT and with its message. */
#include "rig.h"

#define NOW INT64_C(1784860556000)
#define KEY "grey far.example a@b.example joe@example.org"

static void grey_begin(struct rig *rig, int sum)
{
    rig_begin(rig);
    rig_peer(rig, "192.0.2.7");
    rig_recipient(rig, "TO:<Joe@example.org>", true);
    rig->turn.facts.unix_ms = NOW;
    rig->turn.facts.pool = SLICE("far.example");
    rig->turn.facts.sender = SLICE("A@b.example");
    rig_weigh(rig, sum);
}

static void nobody_else_is_meant(void **state)
{
    (void)state;
    static const struct {
        enum grey_mode mode;
        int sum;
        bool postmaster, meant;
    } rows[] = {
        {GREY_SUSPECT, 4, false, false},  {GREY_SUSPECT, 5, false, true}, {GREY_SUSPECT, 9, false, true},
        {GREY_SUSPECT, 10, false, false}, {GREY_SUSPECT, 5, true, false}, {GREY_UNKNOWN, 0, false, true},
        {GREY_UNKNOWN, 10, false, false}, {GREY_OFF, 5, false, false},    {GREY_UNKNOWN, -1, false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig rig;
        grey_begin(&rig, rows[i].sum);
        rig.site->set.grey_mode = (uint8_t)rows[i].mode;
        rig.turn.facts.postmaster = rows[i].postmaster;
        assert_int_equal(check_grey.run(&rig.turn), rows[i].meant ? CHECK_WAIT : CHECK_DONE);
        assert_int_equal(rig.outbox.count, rows[i].meant);
        rig_end(&rig);
    }
}

struct row {
    enum answer_status status;
    const char *value;
    const char *words; /* NULL: it passes */
};

static const struct row rows[] = {
    {ANSWER_NONE, "", "5 minutes"},
    {ANSWER_FOUND, "1784860555999 1784860555999 1 0", "5 minutes"},
    {ANSWER_FOUND, "1784860316000 1784860316000 1 0", "60 seconds"},
    {ANSWER_FOUND, "1784860256001 1784860316000 2 0", "1 second"},
    {ANSWER_FOUND, "1784860256000 1784860316000 2 0", NULL},
    {ANSWER_FOUND, "1 1784860316000 2 0", NULL},
};

static void the_delay_decides(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig rig;
        grey_begin(&rig, 5);
        assert_int_equal(check_grey.run(&rig.turn), CHECK_WAIT);
        rig_answer_to(&rig, KEY, rows[i].status, rows[i].value);
        if (!rows[i].words) {
            assert_int_equal(check_grey.run(&rig.turn), CHECK_WAIT);
            rig_answer_to(&rig, "known host 192.0.2.7", ANSWER_NONE, "");
        }
        assert_int_equal(check_grey.run(&rig.turn), CHECK_DONE);
        if (rows[i].words) {
            rig_found(&rig, FIND_GREY);
            assert_true(slice_equal(rig.turn.found[0].words, slice_text(rows[i].words)));
            assert_int_equal(rig.turn.tell_count, rows[i].status == ANSWER_NONE);
        } else {
            assert_int_equal(rig.turn.found_count, 0);
            rig_told(&rig, 0, TELL_PUT, "known pool far.example", "20658");
            rig_told(&rig, 1, TELL_PUT, "known host 192.0.2.7", "+20658 far.example");
            assert_int_equal(rig.turn.learns[0].what, LEARN_KNOWN);
        }
        if (rows[i].status == ANSWER_NONE) {
            rig_told(&rig, 0, TELL_SEEN, KEY, "");
            assert_int_equal(rig.turn.tells[0].ttl_ms, rig.site->set.grey_lifetime);
        }
        rig_end(&rig);
    }
}

/* Its message passes, and it stays a stranger. */
static void a_host_that_has_lost_it_does_not_become_known(void **state)
{
    (void)state;
    struct rig rig;
    grey_begin(&rig, 5);
    assert_int_equal(check_grey.run(&rig.turn), CHECK_WAIT);
    rig_answer_to(&rig, KEY, ANSWER_FOUND, "1 1784860316000 2 0");
    assert_int_equal(check_grey.run(&rig.turn), CHECK_WAIT);
    rig_answer_to(&rig, "known host 192.0.2.7", ANSWER_FOUND, "-20650 far.example");
    assert_int_equal(check_grey.run(&rig.turn), CHECK_DONE);
    assert_int_equal(rig.turn.found_count + rig.turn.tell_count + rig.turn.learn_count, 0);
    rig_end(&rig);
}

static void a_store_that_fails_lets_pass_and_tells_nothing(void **state)
{
    (void)state;
    for (enum answer_status status = ANSWER_FAILED; status <= ANSWER_TIMEOUT; status++) {
        struct rig rig;
        grey_begin(&rig, 5);
        assert_int_equal(check_grey.run(&rig.turn), CHECK_WAIT);
        rig_answer_to(&rig, KEY, status, "no store");
        assert_int_equal(check_grey.run(&rig.turn), CHECK_DONE);
        assert_int_equal(rig.turn.found_count + rig.turn.tell_count + rig.turn.learn_count, 0);
        rig_end(&rig);
    }
}

static void a_message_passes_by_its_digest(void **state)
{
    (void)state;
    struct transaction transaction = {.digest = {0xab, 0x01}, .has_digest = true};
    struct rig rig;
    grey_begin(&rig, 5);
    rig.turn.facts.transaction = &transaction;
    rig.turn.facts.sender = SLICE_NONE;
    assert_int_equal(check_grey_message.run(&rig.turn), CHECK_WAIT);
    rig_answer_to(&rig, "grey far.example <> ab010000000000000000000000000000", ANSWER_NONE, "");
    assert_int_equal(check_grey_message.run(&rig.turn), CHECK_DONE);
    rig_found(&rig, FIND_GREY_MESSAGE);
    rig.turn.found_count = 0;
    rig_weigh(&rig, 4); /* in the mode "unknown", too, strangers were asked at RCPT */
    rig.site->set.grey_mode = GREY_UNKNOWN;
    assert_int_equal(check_grey_message.run(&rig.turn), CHECK_DONE);
    assert_int_equal(rig.turn.found_count, 0);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_else_is_meant),
        cmocka_unit_test(the_delay_decides),
        cmocka_unit_test(a_host_that_has_lost_it_does_not_become_known),
        cmocka_unit_test(a_store_that_fails_lets_pass_and_tells_nothing),
        cmocka_unit_test(a_message_passes_by_its_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
