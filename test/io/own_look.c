/* The own block list as gates look it up: an allowance beats a block whatever their lengths, then the longest
 * prefix counts; nothing is read for families and lengths that are not in use; a new entry counts at
 * once; and a store that holds nonsense matches nobody. */
#include "unit.h"

#include "io/own_look.h"

#define NOW_MS INT64_C(1784860556000)

struct rig {
    struct store *store;
    struct own_look look;
};

static void put(struct rig *rig, const char *key, const char *value, int64_t expires_ms)
{
    const struct store_write write = {.verb = value ? STORE_PUT : STORE_REMOVE,
                                      .key = slice_text(key),
                                      .value = slice_text(value),
                                      .expires_unix_ms = expires_ms};
    assert_int_equal(store_apply(rig->store, &(struct store_batch){.writes = &write, .write_count = 1}, NULL),
                     0);
}

static void begin(struct rig *rig)
{
    *rig = (struct rig){.store = store_memory_new()};
}

static bool any(struct rig *rig)
{
    return own_look_any(&rig->look, rig->store, NOW_MS);
}

static void assert_answer(struct rig *rig, const char *address, const char *wanted)
{
    struct own_answer answer;
    own_look_answer(&rig->look, rig->store, slice_text(address), NOW_MS, &answer);
    assert_int_equal(answer.status, wanted ? ANSWER_FOUND : ANSWER_NONE);
    if (wanted && !slice_equal(answer.value, slice_text(wanted)))
        fail_msg("\"%.*s\" is not \"%s\"", SLICE_ARGS(answer.value), wanted);
}

static void test_nothing_there(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig);
    put(&rig, "block 192.0.2.7/32", "- Apparent open relay", 0);
    assert_false(any(&rig)); /* no length is in use */
    assert_answer(&rig, "192.0.2.7", NULL);
    store_close(rig.store);
}

static void test_longest_first_and_allowances_before_all(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig);
    put(&rig, "own lengths", "4:32,24,16 6:64,48", 0);
    put(&rig, "block 192.0.2.7/32", "0123456789abc Apparent open relay", 0);
    put(&rig, "block 192.0.0.0/16", "- A bad network", 0);
    put(&rig, "allow 192.0.2.0/24", "- wronged", 0);
    put(&rig, "block 192.0.3.9/32", "- Spam trap", 0);
    put(&rig, "block 2001:db8:1::/48", "- A bad network", 0);
    put(&rig, "allow 2001:db8:1:2::/64", "0123456789abc wronged", 0);
    assert_true(any(&rig));
    assert_answer(&rig, "192.0.2.7", "allow 192.0.2.0/24 - wronged");
    assert_answer(&rig, "192.0.3.9", "block 192.0.3.9/32 - Spam trap");
    assert_answer(&rig, "192.0.3.10", "block 192.0.0.0/16 - A bad network");
    assert_answer(&rig, "192.1.3.10", NULL);
    assert_answer(&rig, "2001:db8:1:2::25", "allow 2001:db8:1:2::/64 0123456789abc wronged");
    assert_answer(&rig, "2001:db8:1:3::25", "block 2001:db8:1::/48 - A bad network");
    assert_answer(&rig, "2001:db8:2:3::25", NULL);
    store_close(rig.store);
}

static void test_over(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig);
    put(&rig, "own lengths", "4:32", 0);
    put(&rig, "block 192.0.2.7/32", "- over", NOW_MS - 1);
    put(&rig, "block 192.0.2.8/32", "- not yet", NOW_MS + 1);
    assert_true(any(&rig));
    assert_answer(&rig, "192.0.2.7", NULL);
    assert_answer(&rig, "192.0.2.8", "block 192.0.2.8/32 - not yet");
    store_close(rig.store);
}

static void test_a_new_entry_counts_at_once(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig);
    assert_false(any(&rig));
    put(&rig, "own lengths", "4:32", 0);
    assert_true(any(&rig));
    assert_true(any(&rig));
    put(&rig, "own lengths", NULL, 0);
    assert_false(any(&rig));
    store_close(rig.store);
}

static void test_nonsense_matches_nobody(void **state)
{
    static const char *const lengths[] = {"", "4:0", "4:32,", "all", "6:64 4:32"};
    static const char *const values[] = {"", "-", "- ", "Apparent open relay", "- two\r\nlines"};
    struct rig rig;
    (void)state;
    begin(&rig);
    for (size_t i = 0; i < COUNT(lengths); i++) {
        put(&rig, "own lengths", lengths[i], 0);
        assert_false(any(&rig));
    }
    put(&rig, "own lengths", "4:32,24", 0);
    put(&rig, "block 192.0.2.0/24", "- the network", 0);
    assert_true(any(&rig));
    for (size_t i = 0; i < COUNT(values); i++) {
        put(&rig, "block 192.0.2.7/32", values[i], 0);
        assert_answer(&rig, "192.0.2.7", "block 192.0.2.0/24 - the network");
    }
    store_close(rig.store);
}

static void test_no_address(void **state)
{
    struct rig rig;
    struct own_answer answer;
    (void)state;
    begin(&rig);
    own_look_answer(&rig.look, rig.store, SLICE("nobody"), NOW_MS, &answer);
    assert_int_equal(answer.status, ANSWER_FAILED);
    store_close(rig.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_there),
        cmocka_unit_test(test_longest_first_and_allowances_before_all),
        cmocka_unit_test(test_over),
        cmocka_unit_test(test_a_new_entry_counts_at_once),
        cmocka_unit_test(test_nonsense_matches_nobody),
        cmocka_unit_test(test_no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
