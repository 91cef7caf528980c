/* Proves that a handle names one thing for its life and nothing after, that things do not move, and that
 * twenty thousand of them cost little more than themselves. */
#include "base/memory.h"
#include "base/random.h"
#include "base/slab.h"
#include "unit.h"

#include <string.h>

#define MANY 20000U

static slab_handle handles[MANY];
static void *things[MANY];

static void forgets_what_is_given_back(void **state)
{
    struct slab slab;
    slab_handle first;
    slab_handle second;

    (void)state;
    slab_init(&slab, 10);
    assert_null(slab_get(&slab, 0));
    assert_null(slab_get(&slab, UINT64_MAX));
    char *thing = slab_take(&slab, &first);
    memset(thing, 0xaa, 10);
    slab_give(&slab, first);
    assert_null(slab_get(&slab, first));
    for (unsigned i = 0; i < 1000; i++) {
        assert_ptr_equal(slab_take(&slab, &second), thing);
        assert_memory_equal(thing, "\0\0\0\0\0\0\0\0\0\0", 10);
        assert_true(second != first && second != 0);
        assert_null(slab_get(&slab, first));
        assert_ptr_equal(slab_get(&slab, second), thing);
        memset(thing, 0xaa, 10);
        slab_give(&slab, second);
    }
    slab_drop(&slab);
}

/* A generation comes round after 2^31 lives of one place; even then no handle is 0 or of a free place. */
static void survives_the_last_generation(void **state)
{
    struct slab slab;
    slab_handle handle;

    (void)state;
    slab_init(&slab, 8);
    slab_take(&slab, &handle);
    slab_give(&slab, handle);
    slab.generations[(uint32_t)handle] = UINT32_MAX - 1;
    slab_take(&slab, &handle);
    assert_true(handle >> 32 == UINT32_MAX);
    slab_give(&slab, handle);
    assert_null(slab_get(&slab, handle));
    assert_null(slab_get(&slab, (uint32_t)handle));
    slab_take(&slab, &handle);
    assert_true(handle >> 32 == 1);
    slab_drop(&slab);
}

static void holds_many(void **state)
{
    struct slab slab;
    const size_t before = memory_in_use();
    const size_t item_size = 768;

    (void)state;
    slab_init(&slab, item_size);
    for (uint32_t i = 0; i < MANY; i++) {
        things[i] = slab_take(&slab, &handles[i]);
        memcpy(things[i], &i, sizeof(i));
    }
    for (uint32_t i = 0; i < MANY; i++) {
        assert_ptr_equal(slab_get(&slab, handles[i]), things[i]);
        assert_memory_equal(things[i], &i, sizeof(i));
        assert_int_equal((uintptr_t)things[i] % 8, 0);
    }
    assert_int_equal(slab.used, MANY);
    const size_t overhead = memory_in_use() - before - MANY * item_size;
    assert_true(overhead < MANY * item_size / 20);
    slab_drop(&slab);
    assert_int_equal(memory_in_use(), before);
    slab_drop(&slab);
    slab_drop(NULL);
}

static void walks_what_is_in_use(void **state)
{
    struct random random = {3};
    struct slab slab;
    bool used[1000] = {false};
    unsigned count = 0;
    slab_handle handle;

    (void)state;
    slab_init(&slab, sizeof(uint32_t));
    for (unsigned step = 0; step < 20000; step++) {
        const uint32_t i = (uint32_t)random_below(&random, COUNT(used));

        if (used[i])
            slab_give(&slab, handles[i]);
        else
            memcpy(slab_take(&slab, &handles[i]), &i, sizeof(i));
        used[i] = !used[i];
    }
    for (uint32_t at = 0; slab_next(&slab, &at, &handle); count++) {
        uint32_t i;

        memcpy(&i, slab_get(&slab, handle), sizeof(i));
        assert_true(used[i] && handles[i] == handle);
        used[i] = false;
    }
    assert_int_equal(count, slab.used);
    for (unsigned i = 0; i < COUNT(used); i++)
        assert_false(used[i]);
    slab_drop(&slab);
    uint32_t at = 0;
    assert_null(slab_next(&slab, &at, &handle));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(forgets_what_is_given_back),
        cmocka_unit_test(survives_the_last_generation),
        cmocka_unit_test(holds_many),
        cmocka_unit_test(walks_what_is_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
