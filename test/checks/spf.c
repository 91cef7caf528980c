/* Proves what the SPF check makes of two identities: which of them is found, and what is learnt for later. */
#include "rig.h"

#define FAIL "11:v=spf1 -all,"
#define PASS "11:v=spf1 +all,"

/* Answers all TXT questions: the sender's domain is s.example, HELO's is h.example. */
static void answer_all(struct rig *rig, const char *sender, const char *helo)
{
    for (struct ask *ask = rig->session->asks; ask; ask = ask->next) {
        const char *value = slice_equal(ask->key, SLICE("s.example")) ? sender : helo;
        assert_int_equal(ask->kind, ASK_TXT);
        ask->status = (uint8_t)(value ? ANSWER_FOUND : ANSWER_NONE);
        ask->value = slice_text(value);
    }
}

static void begin(struct rig *rig, const char *sender, const char *helo)
{
    rig_begin(rig);
    address_parse(SLICE("192.0.2.7"), &rig->session->peer);
    rig->turn.facts.sender = slice_text(sender);
    rig->turn.facts.helo = slice_text(helo);
}

static struct slice learnt(const struct rig *rig, enum learn what)
{
    for (size_t i = 0; i < rig->turn.learn_count; i++)
        if (rig->turn.learns[i].what == what)
            return rig->turn.learns[i].value;
    return SLICE_NONE;
}

static const struct {
    const char *sender, *helo; /* records, or NULL */
    enum finding findings[3];
    const char *auth_domain;
} cases[] = {
    {PASS, NULL, {FIND_SPF_PASS}, "s.example"},
    {PASS, FAIL, {FIND_SPF_PASS}, "s.example"},
    {PASS, PASS, {FIND_SPF_PASS}, "s.example"},
    {FAIL, FAIL, {FIND_SPF_FAIL}, ""},
    {FAIL, PASS, {FIND_SPF_FAIL}, "h.example"},
    {NULL, FAIL, {FIND_SPF_NONE, FIND_SPF_FAIL}, ""},
    {NULL, PASS, {FIND_SPF_NONE}, "h.example"},
    {"11:v=spf1 ~all,", FAIL, {FIND_SPF_SOFTFAIL, FIND_SPF_FAIL}, ""},
    {"11:v=spf1 ?all,", "11:v=spf1 ~all,", {FIND_SPF_NEUTRAL}, ""},
    {"7:v=spf1 ,7:v=spf1 ,", NULL, {FIND_SPF_PERMERROR}, ""},
};

static void two_identities_make_one_finding_or_two(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rig rig;
        begin(&rig, "a@s.example", "h.example");
        assert_int_equal(check_spf.run(&rig.turn), CHECK_WAIT);
        assert_int_equal(rig.outbox.count, 2);
        answer_all(&rig, cases[i].sender, cases[i].helo);
        assert_int_equal(check_spf.run(&rig.turn), CHECK_DONE);
        size_t count = 0;
        for (; cases[i].findings[count]; count++)
            assert_int_equal(rig.turn.found[count].finding, cases[i].findings[count]);
        assert_int_equal(rig.turn.found_count, count);
        assert_true(slice_equal(learnt(&rig, LEARN_AUTH_DOMAIN), slice_text(cases[i].auth_domain)));
        assert_true(slice_starts(learnt(&rig, LEARN_SPF_FIELD), SLICE("Received-SPF: ")));
        rig_end(&rig);
    }
}

static void what_is_no_host_name_is_not_asked(void **state)
{
    static const char *const names[] = {"[192.0.2.7]", "192.0.2.7", "desk", "bad..name", ""};
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct rig rig;
        begin(&rig, "a@s.example", names[i]);
        assert_int_equal(check_spf.run(&rig.turn), CHECK_WAIT);
        assert_int_equal(rig.outbox.count, 1);
        assert_slice_equal(rig.outbox.actions[0].key, "s.example");
        rig_end(&rig);
    }
}

static void a_null_sender_without_a_host_name_has_no_record(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig, "", "[192.0.2.7]");
    assert_int_equal(check_spf.run(&rig.turn), CHECK_DONE);
    rig_found(&rig, FIND_SPF_NONE);
    rig_end(&rig);
}

static void each_half_has_its_switch(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig, "a@s.example", "h.example");
    rig.site->set.spf_helo = rig.site->set.spf_field = false;
    assert_int_equal(check_spf.run(&rig.turn), CHECK_WAIT);
    assert_int_equal(rig.outbox.count, 1);
    answer_all(&rig, PASS, NULL);
    assert_int_equal(check_spf.run(&rig.turn), CHECK_DONE);
    assert_int_equal(learnt(&rig, LEARN_SPF_FIELD).len, 0);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_identities_make_one_finding_or_two),
        cmocka_unit_test(what_is_no_host_name_is_not_asked),
        cmocka_unit_test(a_null_sender_without_a_host_name_has_no_record),
        cmocka_unit_test(each_half_has_its_switch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
