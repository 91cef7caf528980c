/* Pauses double from the first to the longest, vary within the jitter, and never pass the time of expiry. */
#include "unit.h"

#include "queue/retry.h"

static const struct settings settings = {
    .retry_first = 300000, .retry_most = 14400000, .retry_jitter = 20, .retry_expire = 432000000};

static void pauses_double_within_the_jitter(void **state)
{
    static const int64_t pauses[] = {300000, 600000, 1200000, 2400000, 4800000, 9600000, 14400000, 14400000};
    struct random random = {.state = 1};
    int64_t least[COUNT(pauses)], most[COUNT(pauses)];

    (void)state;
    for (size_t i = 0; i < COUNT(pauses); i++) {
        least[i] = INT64_MAX;
        most[i] = 0;
        for (unsigned k = 0; k < 2000; k++) {
            const int64_t pause = retry_next(&settings, (uint32_t)i + 1, 1000, 5000, &random) - 5000;
            least[i] = pause < least[i] ? pause : least[i];
            most[i] = pause > most[i] ? pause : most[i];
        }
        assert_true(least[i] >= pauses[i] * 80 / 100 && least[i] < pauses[i] * 82 / 100);
        assert_true(most[i] <= pauses[i] * 120 / 100 && most[i] > pauses[i] * 118 / 100);
    }
}

static void no_jitter_is_exact(void **state)
{
    struct settings exact = settings;
    struct random random = {.state = 1};

    (void)state;
    exact.retry_jitter = 0;
    assert_true(retry_next(&exact, 1, 0, 1000, &random) == 301000);
    assert_true(retry_next(&exact, UINT32_MAX, 0, 1000, &random) == 14401000);
}

static void last_attempt_is_when_it_expires(void **state)
{
    struct random random = {.state = 1};
    const int64_t expires = 432000000;

    (void)state;
    assert_true(retry_next(&settings, 20, 0, expires - 1000, &random) == expires);
    assert_false(retry_is_expired(&settings, 0, expires - 1));
    assert_true(retry_is_expired(&settings, 0, expires));
}

static void delay_is_long_after_four_hours_or_as_set(void **state)
{
    struct settings set = settings;

    (void)state;
    assert_false(retry_is_late(&set, 0, RETRY_WARN_MS - 1));
    assert_true(retry_is_late(&set, 0, RETRY_WARN_MS));
    set.retry_warn = 60000;
    assert_true(retry_is_late(&set, 0, 60000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_double_within_the_jitter),
        cmocka_unit_test(no_jitter_is_exact),
        cmocka_unit_test(last_attempt_is_when_it_expires),
        cmocka_unit_test(delay_is_long_after_four_hours_or_as_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
