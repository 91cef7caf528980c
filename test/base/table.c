/* Proves a table against an array that is searched: random puts and removals, walks that remove, graves that
 * do not fill it, and keys of like low bits that do not gather in one run. */
#include "base/memory.h"
#include "base/random.h"
#include "base/table.h"
#include "unit.h"

#include <stdio.h>

#define KEYS 3000U

static char names[KEYS][8];

static int name_keys(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KEYS; i++)
        snprintf(names[i], sizeof(names[i]), "k%u", i);
    return 0;
}

static struct slice key(uint64_t i)
{
    return slice_text(names[i]);
}

static void agrees_with_an_array(void **state)
{
    struct random random = {5};
    struct table table;
    char *model[KEYS] = {NULL};
    size_t used = 0;

    (void)state;
    table_init(&table, 99);
    assert_null(table_get(&table, key(0)));
    assert_null(table_remove(&table, key(0)));
    for (unsigned step = 0; step < 300000; step++) {
        const uint64_t i = random_below(&random, KEYS);
        char *value = names[random_below(&random, KEYS)];

        assert_ptr_equal(table_get(&table, key(i)), model[i]);
        if (random_below(&random, 2)) {
            used += !model[i];
            assert_ptr_equal(table_put(&table, key(i), value), model[i]);
            model[i] = value;
        } else {
            used -= model[i] != NULL;
            assert_ptr_equal(table_remove(&table, key(i)), model[i]);
            model[i] = NULL;
        }
        assert_int_equal(table.used, used);
        assert_true(table.full * 4 <= table.size * 3);
    }
    table_drop(&table);
}

static void walks_and_removes(void **state)
{
    struct table table;
    struct slice at_key;
    void *value;
    unsigned seen = 0;

    (void)state;
    table_init(&table, 1);
    for (unsigned i = 0; i < KEYS; i++)
        table_put(&table, key(i), names[i]);
    for (size_t at = 0; table_next(&table, &at, &at_key, &value); seen++) {
        assert_ptr_equal(at_key.at, value);
        assert_ptr_equal(table_remove(&table, at_key), value);
    }
    assert_int_equal(seen, KEYS);
    assert_int_equal(table.used, 0);
    size_t at = 0;
    assert_false(table_next(&table, &at, &at_key, &value));
    table_drop(&table);
}

/* One key comes and one goes: the table must not grow with the graves. */
static void buries_its_graves(void **state)
{
    struct table table;
    const size_t before = memory_in_use();

    (void)state;
    table_init(&table, 1);
    for (unsigned i = 0; i < 100000; i++) {
        table_put(&table, key(i % KEYS), names[0]);
        if (i >= 10)
            table_remove(&table, key((i - 10) % KEYS));
    }
    assert_true(table.size <= 64);
    table_drop(&table);
    assert_int_equal(memory_in_use(), before);
    table_drop(&table);
    table_drop(NULL);
}

static void takes_any_key(void **state)
{
    struct table table;

    (void)state;
    table_init(&table, 0);
    table_put(&table, SLICE_NONE, names[0]);
    table_put(&table, SLICE("\0"), names[1]);
    table_put(&table, SLICE("\0\0"), names[2]);
    assert_ptr_equal(table_get(&table, SLICE("")), names[0]);
    assert_ptr_equal(table_get(&table, SLICE("\0")), names[1]);
    assert_ptr_equal(table_remove(&table, SLICE("\0\0")), names[2]);
    assert_null(table_get(&table, SLICE("\0\0")));
    table_drop(&table);
}

/* A replaced entry keeps no hold on the key that it came with. */
static void lets_go_of_the_old_key(void **state)
{
    char old[] = "key";
    struct table table;

    (void)state;
    table_init(&table, 0);
    table_put(&table, slice_text(old), names[0]);
    table_put(&table, SLICE("key"), names[1]);
    old[0] = 'x';
    assert_ptr_equal(table_get(&table, SLICE("key")), names[1]);
    table_drop(&table);
}

/* Keys that differ in the high bits of their octets alone give FNV-1a equal low bits. */
static void spreads_like_low_bits(void **state)
{
    static char like[256][8];
    bool taken[64] = {false};
    struct table table;
    unsigned places = 0;
    size_t at = 0;
    struct slice at_key;
    void *value;

    (void)state;
    table_init(&table, 12345);
    for (unsigned i = 0; i < 24; i++) {
        for (unsigned bit = 0; bit < 8; bit++)
            like[i][bit] = (char)(i >> bit & 1 ? 0xe1 : 0x61);
        table_put(&table, slice_of(like[i], 8), like[i]);
    }
    assert_int_equal(table.size, 32);
    while (table_next(&table, &at, &at_key, &value))
        taken[at - 1] = true;
    for (unsigned i = 0; i + 1 < 32; i++)
        places += taken[i] != taken[i + 1];
    /* One run would have at most two ends. */
    assert_true(places > 4);
    table_drop(&table);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_an_array),   cmocka_unit_test(walks_and_removes),
        cmocka_unit_test(buries_its_graves),      cmocka_unit_test(takes_any_key),
        cmocka_unit_test(lets_go_of_the_old_key), cmocka_unit_test(spreads_like_low_bits),
    };
    return cmocka_run_group_tests(tests, name_keys, NULL);
}
