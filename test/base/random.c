/* Proves the published sequence of SplitMix64, and that no number below a limit is preferred. */
#include "base/random.h"
#include "unit.h"

static void gives_the_published_sequence(void **state)
{
    struct random random = {1234567};

    (void)state;
    assert_true(random_next(&random) == UINT64_C(6457827717110365317));
    assert_true(random_next(&random) == UINT64_C(3203168211198807973));
    assert_true(random_next(&random) == UINT64_C(9817491932198370423));
    assert_true(random_next(&random) == UINT64_C(4593380528125082431));
    assert_true(random_next(&random) == UINT64_C(16408922859458223821));
}

static void keeps_below_the_limit(void **state)
{
    struct random random = {1};
    unsigned counts[7] = {0};

    (void)state;
    assert_true(random_below(&random, 0) == 0);
    assert_true(random_below(&random, 1) == 0);
    for (unsigned i = 0; i < 70000; i++)
        counts[random_below(&random, 7)]++;
    for (unsigned i = 0; i < 7; i++)
        assert_in_range(counts[i], 9500, 10500);
    for (unsigned bit = 0; bit < 64; bit++)
        for (unsigned i = 0; i < 100; i++)
            assert_true(random_below(&random, UINT64_C(1) << bit) < UINT64_C(1) << bit);
    assert_true(random_below(&random, UINT64_MAX) < UINT64_MAX);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_published_sequence),
        cmocka_unit_test(keeps_below_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
