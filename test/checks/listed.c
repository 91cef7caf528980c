/* Proves which questions lists are asked, what their codes weigh, and what the client and the operator are
 * told of it. */
#include "rig.h"

#define LISTS 3

static struct blocklist lists[LISTS] = {
    {.name = {"first-list", 10}, .weight = 4},
    {.name = {"second-list", 11}, .weight = 1},
    {.name = {"good-list", 9}, .weight = -3},
};

static void begin(struct rig *rig, size_t count)
{
    rig_begin(rig);
    rig_peer(rig, "192.0.2.7");
    rig->site->blocklists = lists;
    rig->site->blocklist_count = count;
}

static void nothing_is_asked_without_lists(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig, 0);
    assert_int_equal(check_listed.run(&rig.turn), CHECK_DONE);
    assert_null(rig.session->asks);
    rig_end(&rig);
}

static void all_lists_are_asked_at_once(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig, LISTS);
    assert_int_equal(check_listed.run(&rig.turn), CHECK_WAIT);
    rig_answer_to(&rig, "first-list 192.0.2.7", ANSWER_FOUND, "127.0.0.2\nsee the page");
    rig_answer_to(&rig, "good-list 192.0.2.7", ANSWER_FOUND, "127.0.0.9");
    assert_int_equal(check_listed.run(&rig.turn), CHECK_WAIT);
    assert_int_equal(rig.turn.found_count, 0);
    rig_answer_to(&rig, "second-list 192.0.2.7", ANSWER_NONE, "");
    assert_int_equal(check_listed.run(&rig.turn), CHECK_DONE);
    assert_int_equal(rig.turn.found_count, 2);
    const struct found *found = rig.turn.found;
    assert_int_equal(found[0].finding, FIND_LISTED);
    assert_int_equal(found[0].weight, 4);
    assert_slice_equal(found[0].evidence, "192.0.2.7 is listed by first-list as 127.0.0.2: see the page");
    assert_slice_equal(found[0].words, "[192.0.2.7] blocked using first-list, reason: see the page");
    assert_int_equal(found[1].finding, FIND_ALLOW_LISTED);
    assert_int_equal(found[1].weight, -3);
    assert_slice_equal(found[1].evidence, "192.0.2.7 is listed by good-list as 127.0.0.9");
    assert_int_equal(found[1].words.len, 0);
    rig_end(&rig);
}

static void codes_weigh_what_is_written(void **state)
{
    static struct blocklist_code codes[] = {{.weight = 9}, {.weight = 2}, {.weight = -7}};
    static const struct {
        const char *codes;
        int weight;
    } rows[] = {
        {"127.0.0.2", 9},            /* the first that fits */
        {"127.0.0.3", 2},            /* the next */
        {"127.0.1.3", 4},            /* none: the list's own */
        {"127.0.0.3 127.0.1.3", 4},  /* the heavier */
        {"127.0.1.3 127.0.0.3", 4},  /* in whatever order */
        {"127.0.0.3 127.0.9.9", -7}, /* also where it is below nothing */
        {"127.0.0.2 127.0.9.9", 9},
    };
    (void)state;
    assert_true(dnsbl_pattern_parse(SLICE("127.0.0.2"), &codes[0].pattern));
    assert_true(dnsbl_pattern_parse(SLICE("127.0.0.*"), &codes[1].pattern));
    assert_true(dnsbl_pattern_parse(SLICE("127.0.9.*"), &codes[2].pattern));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig rig;
        begin(&rig, 1);
        lists[0].codes = codes;
        lists[0].code_count = COUNT(codes);
        assert_int_equal(check_listed.run(&rig.turn), CHECK_WAIT);
        rig_answer(&rig, ANSWER_FOUND, rows[i].codes);
        assert_int_equal(check_listed.run(&rig.turn), CHECK_DONE);
        rig_found(&rig, rows[i].weight < 0 ? FIND_ALLOW_LISTED : FIND_LISTED);
        assert_int_equal(rig.turn.found[0].weight, rows[i].weight);
        lists[0].code_count = 0;
        rig_end(&rig);
    }
}

static void what_a_list_cannot_say_is_no_listing(void **state)
{
    static const enum answer_status statuses[] = {ANSWER_NONE, ANSWER_FAILED, ANSWER_TIMEOUT};
    (void)state;
    for (size_t i = 0; i < COUNT(statuses); i++) {
        struct rig rig;
        begin(&rig, 1);
        assert_int_equal(check_listed.run(&rig.turn), CHECK_WAIT);
        rig_answer(&rig, statuses[i], "127.0.0.2");
        assert_int_equal(check_listed.run(&rig.turn), CHECK_DONE);
        assert_int_equal(rig.turn.found_count, 0);
        rig_end(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_asked_without_lists),
        cmocka_unit_test(all_lists_are_asked_at_once),
        cmocka_unit_test(codes_weigh_what_is_written),
        cmocka_unit_test(what_a_list_cannot_say_is_no_listing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
