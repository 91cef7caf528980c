/* Proves what is found of each shape of HELO name, and of each answer to it. */
#include "answers.h"

static void run(struct rig *rig, const char *peer, const char *helo)
{
    rig_begin(rig);
    struct slice expected;
    assert_true(setting_set(&rig->site->set, setting_find(SLICE("host-name")), SLICE("mx.example"),
                            &rig->site->arena, &expected));
    rig->route.domains = (struct slice[]){SLICE("example.org")};
    rig->route.domain_count = 1;
    site_add_domain(rig->site, &rig->route, SLICE("example.org"));
    rig_peer(rig, peer);
    rig->turn.facts.helo = slice_text(helo);
}

static void each_shape_has_its_finding(void **state)
{
    (void)state;
    static const struct {
        const char *peer, *helo, *words;
    } samples[] = {
        {"192.0.2.7", "mail.example.net", ""},
        {"192.0.2.7", "mail.example.net.", ""},
        {"192.0.2.7", "Made-Up-Name-desk98", "helo-not-fqdn"},
        {"192.0.2.7", "localhost", "helo-not-fqdn"},
        {"192.0.2.7", "192.0.2.7", "helo-bare-ip"},
        {"192.0.2.7", "192.0.2.8", "helo-bare-ip"},
        {"192.0.2.7", "2001:db8::7", "helo-bare-ip"},
        {"192.0.2.7", "[192.0.2.7]", ""},
        {"192.0.2.7", "[192.0.2.8]", "helo-literal-mismatch"},
        {"2001:db8::7", "[IPv6:2001:db8::7]", ""},
        {"2001:db8::7", "[IPv6:2001:db8::8]", "helo-literal-mismatch"},
        {"192.0.2.7", "mail..example", "helo-syntax"},
        {"192.0.2.7", "-mail.example", "helo-syntax"},
        {"192.0.2.7", "mail$.example", "helo-syntax"},
        {"192.0.2.7", "mx.example", "helo-claims-us"},
        {"192.0.2.7", "MX.Example.", "helo-claims-us"},
        {"192.0.2.7", "[192.0.2.25]", "helo-claims-us"},
        {"192.0.2.7", "192.0.2.25", "helo-claims-us"},
        {"127.0.0.1", "mx.example", ""}, /* that is us */
        {"192.0.2.25", "mx.example", ""},
        {"192.0.2.25", "[192.0.2.25]", ""},
        {"192.0.2.7", "mx2.example", ""},
    };
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct rig rig;
        run(&rig, samples[i].peer, samples[i].helo);
        assert_int_equal(rig_run(&rig, &check_helo, NULL), 0);
        if (strcmp(rig_words(&rig), samples[i].words) != 0)
            fail_msg("%s: %s", samples[i].helo, rig_words(&rig));
        rig_end(&rig);
    }
}

#define V4 ASK_ADDRESS4
#define V6 ASK_ADDRESS6

static const struct {
    const char *peer, *helo;
    struct row rows[3];
    const char *words;
    size_t asked;
} answers[] = {
    {"192.0.2.7", "Mail.Example.NET.", {{V4, "mail.example.net", ANSWER_FOUND, "192.0.2.7"}}, "", 1},
    {"192.0.2.7",
     "mail.example.net",
     {{V4, "mail.example.net", ANSWER_FOUND, "192.0.2.8"}},
     "helo-mismatch",
     1},
    {"192.0.2.7", "mail.example.net", {{V4, "mail.example.net", ANSWER_FAILED, "x"}}, "", 1},
    {"192.0.2.7", "mail.example.net", {{V4, "mail.example.net", ANSWER_TIMEOUT, ""}}, "", 1},
    {"192.0.2.7",
     "mail.example.net",
     {{V4, "mail.example.net", ANSWER_NONE, ""}, {V6, "mail.example.net", ANSWER_NONE, ""}},
     "helo-unverified",
     2},
    {"192.0.2.7",
     "mail.example.net",
     {{V4, "mail.example.net", ANSWER_NONE, ""}, {V6, "mail.example.net", ANSWER_FOUND, "2001:db8::7"}},
     "helo-mismatch",
     2},
    {"192.0.2.7",
     "mail.example.net",
     {{V4, "mail.example.net", ANSWER_NONE, ""}, {V6, "mail.example.net", ANSWER_TIMEOUT, ""}},
     "",
     2},
    {"2001:db8::7", "mail.example.net", {{V6, "mail.example.net", ANSWER_FOUND, "2001:db8::7"}}, "", 1},
    {"192.0.2.7",
     "desk98",
     {{V4, "desk98", ANSWER_NONE, ""}, {V6, "desk98", ANSWER_NONE, ""}},
     "helo-unverified",
     2},
    /* a mail domain of ours is ours, unless it leads to the client */
    {"192.0.2.7", "example.org", {{V4, "example.org", ANSWER_FOUND, "192.0.2.8"}}, "helo-claims-us", 1},
    {"192.0.2.7", "example.org", {{V4, "example.org", ANSWER_FOUND, "192.0.2.7"}}, "", 1},
    {"192.0.2.7", "example.org", {{V4, "example.org", ANSWER_FAILED, "x"}}, "", 1},
    {"192.0.2.7",
     "example.org",
     {{V4, "example.org", ANSWER_NONE, ""}, {V6, "example.org", ANSWER_NONE, ""}},
     "helo-claims-us",
     2},
    {"192.0.2.7",
     "www.example.org",
     {{V4, "www.example.org", ANSWER_FOUND, "192.0.2.8"}},
     "helo-mismatch",
     1},
    /* nothing to look up, or found by its form */
    {"192.0.2.7", "[192.0.2.8]", {{0}}, "", 0},
    {"192.0.2.7", "192.0.2.8", {{0}}, "", 0},
    {"192.0.2.7", "a..b", {{0}}, "", 0},
    {"192.0.2.7", "mx.example", {{0}}, "", 0},
};

static void each_answer_has_its_finding(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct rig rig;
        run(&rig, answers[i].peer, answers[i].helo);
        assert_int_equal(rig_run(&rig, &check_helo_name, answers[i].rows), answers[i].asked);
        if (strcmp(rig_words(&rig), answers[i].words) != 0)
            fail_msg("%zu %s: %s", i, answers[i].helo, rig_words(&rig));
        rig_end(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_shape_has_its_finding),
        cmocka_unit_test(each_answer_has_its_finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
