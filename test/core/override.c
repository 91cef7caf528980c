/* Overrides match by all their criteria, the most specific comes last, and an allow beats a block in whatever
 * order. */
#include "unit.h"

#include "core/override.h"

#define ALL 20 /* more than a stance holds */

struct rig {
    struct site *site;
    struct override overrides[ALL];
    struct slice names[ALL];
    struct prefix networks[ALL];
    struct address peer;
    struct subject subject;
};

static void begin(struct rig *rig)
{
    *rig = (struct rig){.site = site_new()};
    assert_true(address_parse(SLICE("192.0.2.7"), &rig->peer));
    rig->subject.peer = &rig->peer;
    rig->site->overrides = rig->overrides;
}

static void end(struct rig *rig)
{
    site_free(rig->site);
}

static struct override *add(struct rig *rig)
{
    return &rig->overrides[rig->site->override_count++];
}

static struct override *add_name(struct rig *rig, enum override_by by, const char *name)
{
    struct slice *item = &rig->names[rig->site->override_count];
    struct override *override = add(rig);
    *item = slice_text(name);
    override->by[by] = (struct names){item, 1};
    return override;
}

static struct override *add_network(struct rig *rig, const char *network)
{
    struct prefix *item = &rig->networks[rig->site->override_count];
    struct override *override = add(rig);
    assert_true(prefix_parse(slice_text(network), item));
    override->networks = (struct networks){item, 1};
    return override;
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        enum override_by by;
        const char *pattern, *name;
        bool matches;
    } rows[] = {
        {OVERRIDE_PTR, "mx.example.org", "mx.example.org", true},
        {OVERRIDE_PTR, "mx.example.org", "MX.Example.org", true},
        {OVERRIDE_PTR, "example.org", "mx.example.org", false},
        {OVERRIDE_PTR, ".example.org", "mx.example.org", true},
        {OVERRIDE_PTR, ".example.org", "example.org", false},
        {OVERRIDE_PTR, ".example.org", "badexample.org", false},
        {OVERRIDE_PTR, "mx.example.org", "", false},
        {OVERRIDE_HELO, "ylmf-pc", "ylmf-pc", true},
        {OVERRIDE_SENDER, "joe@example.org", "Joe@example.org", true},
        {OVERRIDE_SENDER, "joe@example.org", "jill@example.org", false},
        {OVERRIDE_SENDER, "example.org", "jill@example.org", true},
        {OVERRIDE_SENDER, ".example.org", "jill@a.example.org", true},
        {OVERRIDE_SENDER, "example.org", "example.org", false},
        {OVERRIDE_SENDER, "<>", "joe@example.org", false},
        {OVERRIDE_RECIPIENT, "example.org", "a@b@example.org", true},
        {OVERRIDE_AUTHENTICATED, "example.org", "example.org", true},
        {OVERRIDE_AS, "64500", "64499 64500", true},
        {OVERRIDE_AS, "6450", "64500", false},
        {OVERRIDE_AS, "64500", "", false},
        {OVERRIDE_COUNTRY, "nz", "NZ", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig rig;
        uint32_t precision;
        begin(&rig);
        const struct override *override = add_name(&rig, rows[i].by, rows[i].pattern);
        rig.subject.by[rows[i].by] = slice_text(rows[i].name);
        if (override_matches(override, &rig.subject, &precision) != rows[i].matches)
            fail_msg("%s and %s", rows[i].pattern, rows[i].name);
        end(&rig);
    }
}

static void test_null_sender(void **state)
{
    (void)state;
    struct rig rig;
    uint32_t precision;
    begin(&rig);
    const struct override *override = add_name(&rig, OVERRIDE_SENDER, "<>");
    assert_false(override_matches(override, &rig.subject, &precision)); /* there is no sender yet */
    rig.subject.null_sender = true;
    assert_true(override_matches(override, &rig.subject, &precision));
    end(&rig);
}

static void test_all_criteria(void **state)
{
    (void)state;
    struct rig rig;
    uint32_t one, two;
    begin(&rig);
    struct override *override = add_network(&rig, "192.0.2.0/24");
    assert_true(override_matches(override, &rig.subject, &one));
    struct slice helo = SLICE("mx.example.org");
    override->by[OVERRIDE_HELO] = (struct names){&helo, 1};
    assert_false(override_matches(override, &rig.subject, &two));
    rig.subject.by[OVERRIDE_HELO] = helo;
    assert_true(override_matches(override, &rig.subject, &two));
    assert_true(two > one);
    end(&rig);
}

static void test_most_specific_last(void **state)
{
    (void)state;
    struct rig rig;
    struct stance stance;
    begin(&rig);
    struct override *address = add_name(&rig, OVERRIDE_SENDER, "joe@example.org");
    struct override *below = add_name(&rig, OVERRIDE_SENDER, ".org");
    struct override *domain = add_name(&rig, OVERRIDE_SENDER, "example.org");
    struct override *narrow = add_network(&rig, "192.0.2.7");
    struct override *wide = add_network(&rig, "192.0.0.0/16");
    struct override *later = add_network(&rig, "192.0.0.0/16");
    rig.subject.by[OVERRIDE_SENDER] = SLICE("joe@example.org");
    stance_make(rig.site, &rig.subject, &stance);
    assert_int_equal(stance.count, 6);
    assert_ptr_equal(stance.matched[0], below);
    assert_ptr_equal(stance.matched[1], wide);
    assert_ptr_equal(stance.matched[2], later);
    assert_ptr_equal(stance.matched[3], narrow);
    assert_ptr_equal(stance.matched[4], domain);
    assert_ptr_equal(stance.matched[5], address);
    end(&rig);
}

static void test_rules_of_several(void **state)
{
    (void)state;
    struct rig rig;
    struct stance stance;
    begin(&rig);
    struct rule_change weight = {{7, 0, 0}, RULE_WEIGHT, FIND_NUL},
                       mode = {{0, MODE_OBSERVE, 0}, RULE_MODE, FIND_NUL};
    struct override *narrow = add_network(&rig, "192.0.2.7"), *wide = add_network(&rig, "192.0.2.0/24");
    narrow->changes = &weight;
    wide->changes = &mode;
    narrow->change_count = wide->change_count = 1;
    stance_make(rig.site, &rig.subject, &stance);
    struct rule rule = stance_rule(rig.site, &stance, FIND_NUL);
    assert_int_equal(rule.weight, 7);
    assert_int_equal(rule.mode, MODE_OBSERVE);
    assert_int_equal(stance_rule(rig.site, &stance, FIND_EARLY_TALK).mode, MODE_ENFORCE);
    end(&rig);
}

static void test_allow_beats_block(void **state)
{
    (void)state;
    for (unsigned order = 0; order < 2; order++) {
        struct rig rig;
        struct stance stance;
        begin(&rig);
        struct override *first = add_network(&rig, order ? "192.0.2.7" : "192.0.0.0/16");
        struct override *second = add_network(&rig, order ? "192.0.0.0/16" : "192.0.2.7");
        first->allow = second->block = true;
        stance_make(rig.site, &rig.subject, &stance);
        assert_ptr_equal(stance.allow, first);
        assert_null(stance.block);
        end(&rig);
    }
}

static void test_more_than_a_stance_holds(void **state)
{
    (void)state;
    struct rig rig;
    struct stance stance;
    begin(&rig);
    struct override *best = add_network(&rig, "192.0.2.7");
    while (rig.site->override_count < ALL)
        (void)add_network(&rig, "192.0.2.0/24");
    stance_make(rig.site, &rig.subject, &stance);
    assert_int_equal(stance.count, STANCE_MAX);
    assert_ptr_equal(stance.matched[STANCE_MAX - 1], best);
    for (size_t i = 1; i < stance.count; i++)
        assert_true(stance.precision[i - 1] <= stance.precision[i]);
    end(&rig);
}

static void test_behind_a_forwarder(void **state)
{
    struct rig rig;
    struct stance stance;
    struct address address;
    (void)state;
    begin(&rig);
    assert_true(address_parse(SLICE("203.0.113.7"), &address));
    struct subject behind = {.peer = &address, .by = {[OVERRIDE_HELO] = SLICE("behind.example")}};
    rig.subject.behind = &behind;
    rig.subject.by[OVERRIDE_HELO] = SLICE("fwd.example");
    add_network(&rig, "203.0.113.0/24")->allow = true;
    add_network(&rig, "192.0.2.0/24")->known = true;
    struct override *mixed = add_network(&rig, "203.0.113.0/24"); /* of two clients one half each */
    mixed->by[OVERRIDE_HELO] = (struct names){&rig.subject.by[OVERRIDE_HELO], 1};
    stance_make(rig.site, &rig.subject, &stance);
    assert_int_equal(stance.count, 2);
    assert_ptr_equal(stance.allow, &rig.overrides[0]);
    assert_true(stance.known);
    end(&rig);
}

static void test_what_may_be_raised(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig);
    struct rule_change raise = {{0, MODE_OBSERVE, 0}, RULE_MODE, FIND_NUL};
    rig.site->rules[FIND_NUL].mode = rig.site->rules[FIND_EARLY_TALK].mode = MODE_OFF;
    struct override *override = add_name(&rig, OVERRIDE_RECIPIENT, "example.org");
    override->changes = &raise;
    override->change_count = 1;
    assert_false(site_wants(rig.site, FIND_NUL));
    overrides_note(rig.site);
    assert_true(site_wants(rig.site, FIND_NUL));
    assert_false(site_wants(rig.site, FIND_EARLY_TALK));
    assert_true(rig.site->by_recipient);
    assert_false(rig.site->by_origin);
    add_name(&rig, OVERRIDE_COUNTRY, "NZ");
    rig.site->rules[FIND_ORIGIN].mode = MODE_OFF;
    overrides_note(rig.site);
    assert_true(rig.site->by_origin);
    assert_true(site_wants(rig.site, FIND_ORIGIN));
    end(&rig);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_null_sender),
        cmocka_unit_test(test_all_criteria),
        cmocka_unit_test(test_most_specific_last),
        cmocka_unit_test(test_rules_of_several),
        cmocka_unit_test(test_allow_beats_block),
        cmocka_unit_test(test_more_than_a_stance_holds),
        cmocka_unit_test(test_behind_a_forwarder),
        cmocka_unit_test(test_what_may_be_raised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
