/* Proves which senders are refused, which are deferred, and which pass. */
#include "answers.h"

static void begin(struct rig *rig, const char *sender)
{
    rig_begin(rig);
    rig_peer(rig, "192.0.2.7");
    settings_preset(&rig->site->set, &rig->site->arena);
    site_add_domain(rig->site, &rig->route, SLICE("example.org"));
    rig->turn.facts.sender = slice_text(sender);
}

static const struct {
    const char *sender;
    struct row rows[4];
    const char *words;
    size_t asked;
} samples[] = {
    {"a@Far.Example", {{ASK_MX, "far.example", ANSWER_FOUND, "10 mx.far.example"}}, "", 1},
    {"\"a@b\"@far.example", {{ASK_MX, "far.example", ANSWER_FOUND, "10 mx.far.example"}}, "", 1},
    {"a@far.example", {{ASK_MX, "far.example", ANSWER_FOUND, "0 ."}}, "sender-null-mx", 1},
    /* another domain can be looked up, or not */
    {"a@far.example",
     {{ASK_MX, "far.example", ANSWER_FAILED, "server failure"}, {ASK_MX, "com", ANSWER_NONE, "no such data"}},
     "sender-unsure",
     2},
    {"a@far.example",
     {{ASK_MX, "far.example", ANSWER_FAILED, "no name server answers"},
      {ASK_MX, "com", ANSWER_FAILED, "no name server answers"}},
     "",
     2},
    {"a@far.example", {{ASK_MX, "far.example", ANSWER_TIMEOUT, ""}}, "sender-unsure", 1},
    {"a@far.example",
     {{ASK_MX, "far.example", ANSWER_NONE, "no such data"},
      {ASK_ADDRESS4, "far.example", ANSWER_FOUND, "192.0.2.9"}},
     "",
     2},
    {"a@far.example",
     {{ASK_MX, "far.example", ANSWER_NONE, "no such data"},
      {ASK_ADDRESS4, "far.example", ANSWER_NONE, "no such data"},
      {ASK_ADDRESS6, "far.example", ANSWER_FOUND, "2001:db8::9"}},
     "",
     3},
    {"a@far.example",
     {{ASK_MX, "far.example", ANSWER_NONE, "no such name"},
      {ASK_ADDRESS4, "far.example", ANSWER_NONE, "no such name"},
      {ASK_ADDRESS6, "far.example", ANSWER_NONE, "no such name"}},
     "sender-no-domain",
     3},
    {"a@far.example",
     {{ASK_MX, "far.example", ANSWER_NONE, "no such data"},
      {ASK_ADDRESS4, "far.example", ANSWER_NONE, "no such data"},
      {ASK_ADDRESS6, "far.example", ANSWER_TIMEOUT, ""}},
     "sender-unsure",
     3},
    /* nothing to look up */
    {"", {{0}}, "", 0},
    {"a@[192.0.2.7]", {{0}}, "", 0},
    {"a@m\xc3\xbcll.example", {{0}}, "", 0},
    {"a@Example.ORG", {{0}}, "sender-forges-us", 0},
};

static void each_answer_has_its_finding(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct rig rig;
        begin(&rig, samples[i].sender);
        assert_int_equal(rig_run(&rig, &check_sender, samples[i].rows), samples[i].asked);
        if (strcmp(rig_words(&rig), samples[i].words) != 0)
            fail_msg("%zu %s: %s", i, samples[i].sender, rig_words(&rig));
        rig_end(&rig);
    }
}

static void an_spf_pass_vouches_for_a_sender_of_ours(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, "a@example.org");
    rig.turn.facts.auth_domain = SLICE("example.org");
    rig_run(&rig, &check_sender, NULL);
    assert_string_equal(rig_words(&rig), "");
    rig.turn.facts.auth_domain = SLICE("far.example");
    rig_run(&rig, &check_sender, NULL);
    assert_string_equal(rig_words(&rig), "sender-forges-us");
    rig_end(&rig);
}

static void a_sender_of_ours_waits_for_spf(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, "a@example.org");
    rig.turn.unfinished = true;
    assert_int_equal(check_sender.run(&rig.turn), CHECK_WAIT);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_has_its_finding),
        cmocka_unit_test(an_spf_pass_vouches_for_a_sender_of_ours),
        cmocka_unit_test(a_sender_of_ours_waits_for_spf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
