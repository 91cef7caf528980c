/* "own lengths" names every length that any owner's entries have, from the batch on that an entry comes with,
 * also when the store refuses that batch for a while; and it goes with the last of them. */
#include "unit.h"

#include "daemon/own_keys.h"

struct rig {
    struct store *store;
    struct own_keys *keys;
    struct own_lengths used[OWN_KEYS_OWNERS];
};

static void lengths_of(void *data, struct own_lengths *lengths)
{
    const struct own_lengths *used = data;
    lengths->ipv4 |= used->ipv4;
    lengths->ipv6 |= used->ipv6;
}

static void begin(struct rig *rig)
{
    rig->keys = own_keys_new(rig->store, 1);
    for (size_t i = 0; i < OWN_KEYS_OWNERS; i++)
        own_keys_add(rig->keys, &(struct own_keys_owner){lengths_of, &rig->used[i]});
}

static void use(struct rig *rig, size_t owner, const char *text)
{
    struct prefix prefix;
    assert_true(prefix_parse(slice_text(text), &prefix));
    own_lengths_add(&rig->used[owner], &prefix);
    own_keys_changed(rig->keys);
}

/* Returns how many writes there were. */
static size_t commit(struct rig *rig)
{
    struct store_write writes[OWN_KEYS_WRITES];
    const size_t count = own_keys_writes(rig->keys, writes);
    assert_int_equal(
        store_apply(rig->store, &(struct store_batch){.writes = writes, .write_count = count}, NULL), 0);
    own_keys_committed(rig->keys);
    assert_false(own_keys_are_due(rig->keys));
    return count;
}

static void assert_stored(const struct rig *rig, const char *wanted)
{
    struct slice value;
    const enum store_status status = store_get(rig->store, OWN_LENGTHS_KEY, 1, &value, NULL);
    assert_int_equal(status, wanted ? STORE_FOUND : STORE_NONE);
    if (wanted && !slice_equal(value, slice_text(wanted)))
        fail_msg("\"%.*s\" is not \"%s\"", SLICE_ARGS(value), wanted);
}

static void test_owners_add_up(void **state)
{
    struct rig rig = {.store = store_memory_new()};
    (void)state;
    begin(&rig);
    assert_true(own_keys_are_due(rig.keys));
    assert_int_equal(commit(&rig), 0);
    assert_stored(&rig, NULL);
    use(&rig, 0, "192.0.2.7/32");
    assert_int_equal(commit(&rig), 1);
    assert_stored(&rig, "4:32");
    use(&rig, 1, "192.0.2.0/24");
    use(&rig, 1, "2001:db8::/64");
    assert_int_equal(commit(&rig), 1);
    assert_stored(&rig, "4:32,24 6:64");
    use(&rig, 0, "192.0.2.8/32");
    assert_int_equal(commit(&rig), 0);
    rig.used[0] = (struct own_lengths){0, 0};
    own_keys_changed(rig.keys);
    assert_int_equal(commit(&rig), 1);
    assert_stored(&rig, "4:24 6:64");
    rig.used[1] = (struct own_lengths){0, 0};
    own_keys_changed(rig.keys);
    assert_int_equal(commit(&rig), 1);
    assert_stored(&rig, NULL);
    own_keys_free(rig.keys);
    store_close(rig.store);
}

static void test_a_refused_batch_is_tried_again(void **state)
{
    struct rig rig = {.store = store_memory_new()};
    struct store_write writes[OWN_KEYS_WRITES];
    (void)state;
    begin(&rig);
    use(&rig, 0, "192.0.2.7/32");
    assert_int_equal(own_keys_writes(rig.keys, writes), 1);
    assert_true(own_keys_are_due(rig.keys));
    use(&rig, 0, "192.0.2.0/24");
    assert_int_equal(commit(&rig), 1);
    assert_stored(&rig, "4:32,24");
    own_keys_free(rig.keys);
    store_close(rig.store);
}

static void test_what_stands_there_is_put_right(void **state)
{
    static const char *const before[] = {"4:32", "4:32,24", "4:16", "nonsense", ""};
    (void)state;
    for (size_t i = 0; i < COUNT(before); i++) {
        struct rig rig = {.store = store_memory_new()};
        const struct store_write write = {
            .verb = STORE_PUT, .key = OWN_LENGTHS_KEY, .value = slice_text(before[i])};
        assert_int_equal(
            store_apply(rig.store, &(struct store_batch){.writes = &write, .write_count = 1}, NULL), 0);
        begin(&rig);
        use(&rig, 0, "192.0.2.7/32");
        assert_int_equal(commit(&rig), i == 0 ? 0 : 1);
        assert_stored(&rig, "4:32");
        own_keys_free(rig.keys);
        store_close(rig.store);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_owners_add_up),
        cmocka_unit_test(test_a_refused_batch_is_tried_again),
        cmocka_unit_test(test_what_stands_there_is_put_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
