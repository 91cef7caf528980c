/* Proves that messages and recipients are counted up to their limits and not beyond, that known clients may
 * send ten times as much, and that a store that fails defers nobody. */
#include "rig.h"

#define HOUR "400000"

struct row {
    uint64_t limit;
    bool known;
    enum answer_status status;
    const char *count;
    bool found;
};

static const struct row rows[] = {
    {5, false, ANSWER_NONE, "", false},     {5, false, ANSWER_FOUND, "4", false},
    {5, false, ANSWER_FOUND, "5", true},    {5, false, ANSWER_FOUND, "500", true},
    {5, true, ANSWER_FOUND, "49", false},   {5, true, ANSWER_FOUND, "50", true},
    {5, false, ANSWER_FAILED, "99", false}, {5, false, ANSWER_TIMEOUT, "", false},
};

static void row_try(const struct row *row, const struct check *check, uint64_t *limit, const char *key,
                    struct rig *rig)
{
    *limit = row->limit;
    rig_peer(rig, "192.0.2.7");
    rig_recipient(rig, "TO:<Joe@example.org>", true);
    rig->turn.facts.sender = SLICE("A@b.example");
    rig->turn.facts.known = row->known;
    rig->turn.facts.unix_ms = INT64_C(400000) * 3600000 + 5;
    assert_int_equal(check->run(&rig->turn), CHECK_WAIT);
    assert_int_equal(rig->outbox.count, 1);
    rig_answer_to(rig, key, row->status, row->count);
    rig->turn.tell_count = 0;
    assert_int_equal(check->run(&rig->turn), CHECK_DONE);
    if (row->found) {
        rig_found(rig, FIND_RATE_LIMIT);
        assert_int_equal(rig->turn.tell_count, 0);
    } else {
        assert_int_equal(rig->turn.found_count, 0);
        assert_int_equal(rig->turn.tell_count, 1);
        rig_told(rig, 0, TELL_ADD, key, "1");
    }
}

static void limits_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (unsigned which = 0; which < 5; which++) {
            struct rig rig;
            rig_begin(&rig);
            struct settings *set = &rig.site->set;
            const struct {
                const struct check *check;
                uint64_t *limit;
                const char *key;
            } counters[] = {
                {&check_rate_mail, &set->rate_network_messages, "rate messages network 192.0.2.0/24 " HOUR},
                {&check_rate_mail, &set->rate_sender_messages, "rate messages sender a@b.example " HOUR},
                {&check_rate_recipient, &set->rate_network_recipients,
                 "rate recipients network 192.0.2.0/24 " HOUR},
                {&check_rate_recipient, &set->rate_sender_recipients,
                 "rate recipients sender a@b.example " HOUR},
                {&check_rate_recipient, &set->rate_recipient_messages,
                 "rate messages recipient joe@example.org " HOUR},
            };
            row_try(&rows[i], counters[which].check, counters[which].limit, counters[which].key, &rig);
            rig_end(&rig);
        }
}

static void without_limits_nothing_is_asked(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig);
    rig_recipient(&rig, "TO:<joe@example.org>", true);
    assert_int_equal(check_rate_mail.run(&rig.turn), CHECK_DONE);
    assert_int_equal(check_rate_recipient.run(&rig.turn), CHECK_DONE);
    rig.site->set.rate_sender_messages = 1; /* the null sender is everybody's */
    assert_int_equal(check_rate_mail.run(&rig.turn), CHECK_DONE);
    assert_int_equal(rig.outbox.count, 0);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(without_limits_nothing_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
