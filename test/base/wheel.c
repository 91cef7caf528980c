/* Proves the wheel against a list of due times that is searched: nothing fires early, late or twice, and all
 * that is due at a look has fired. */
#include "base/random.h"
#include "base/wheel.h"
#include "unit.h"

#define TIMERS 200U

struct model {
    struct wheel wheel;
    struct timer timers[TIMERS];
    uint64_t due_ms[TIMERS]; /* 0: not set */
    uint64_t now_ms;
    struct random random;
};

static void set(struct model *model, size_t i, uint64_t due_ms)
{
    wheel_set(&model->wheel, &model->timers[i], due_ms);
    model->due_ms[i] = due_ms ? due_ms : 1;
}

/* Takes all that is due and holds it against the model; in the order of due times, of equals as set. */
static void look(struct model *model)
{
    const uint64_t wait_ms = wheel_wait_ms(&model->wheel, model->now_ms);
    uint64_t last_ms = 0;

    for (size_t i = 0; i < TIMERS; i++)
        if (model->due_ms[i] > model->now_ms)
            assert_true(wait_ms <= model->due_ms[i] - model->now_ms);
        else if (model->due_ms[i])
            assert_true(wait_ms == 0);
    for (const struct timer *timer; (timer = wheel_expired(&model->wheel, model->now_ms));) {
        const size_t i = (size_t)(timer - model->timers);

        assert_true(model->due_ms[i] && model->due_ms[i] <= model->now_ms);
        assert_true(timer->due_ms == 0);
        last_ms = model->due_ms[i] > last_ms ? model->due_ms[i] : last_ms;
        model->due_ms[i] = 0;
    }
    uint32_t count = 0;
    for (size_t i = 0; i < TIMERS; i++) {
        assert_true(model->due_ms[i] == 0 || model->due_ms[i] > model->now_ms);
        count += model->due_ms[i] != 0;
    }
    assert_int_equal(model->wheel.count, count);
}

/* bits: how far ahead timers lie and how far a look jumps, as a power of two. */
static void step(struct model *model, unsigned bits_due, unsigned bits_jump)
{
    const size_t i = (size_t)random_below(&model->random, TIMERS);
    const uint64_t ahead = random_below(&model->random, UINT64_C(1)
                                                            << random_below(&model->random, bits_due + 1));
    const uint64_t jump = random_below(&model->random, UINT64_C(1)
                                                           << random_below(&model->random, bits_jump + 1));

    switch (random_below(&model->random, 5)) {
    case 0:
    case 1: set(model, i, model->now_ms + ahead); break;
    case 2: set(model, i, model->now_ms > jump ? model->now_ms - jump : 0); break;
    case 3:
        wheel_clear(&model->wheel, &model->timers[i]);
        model->due_ms[i] = 0;
        break;
    case 4:
        model->now_ms += jump;
        look(model);
        break;
    }
}

static void agrees_with_a_list(void **state)
{
    static struct model model;
    static const unsigned bits[][2] = {{6, 3},   {12, 6},  {13, 13}, {20, 10},
                                       {30, 30}, {36, 34}, {45, 36}, {20, 45}};

    (void)state;
    for (size_t row = 0; row < COUNT(bits); row++) {
        model = (struct model){.now_ms = row * UINT64_C(999983), .random = {row}};
        wheel_init(&model.wheel, model.now_ms);
        for (unsigned n = 0; n < 6000; n++)
            step(&model, bits[row][0], bits[row][1]);
    }
}

/* A loop that sleeps as long as the wheel says sees each timer at its very millisecond. */
static void fires_on_time(void **state)
{
    static struct model model;
    unsigned looks = 0;

    (void)state;
    model = (struct model){.now_ms = 77, .random = {4}};
    wheel_init(&model.wheel, model.now_ms);
    for (size_t i = 0; i < TIMERS; i++)
        set(&model, i, 78 + random_below(&model.random, UINT64_C(1) << (i % 40)));
    while (model.wheel.count) {
        model.now_ms += wheel_wait_ms(&model.wheel, model.now_ms);
        for (const struct timer *timer; (timer = wheel_expired(&model.wheel, model.now_ms));)
            assert_true(model.due_ms[timer - model.timers] == model.now_ms);
        looks++;
    }
    /* A timer sinks through each level at most once, and goes round the top a few times. */
    assert_true(looks < TIMERS * (WHEEL_LEVELS + 16));
    assert_true(wheel_wait_ms(&model.wheel, model.now_ms) == UINT64_MAX);
}

static void takes_edges(void **state)
{
    static struct wheel wheel;
    struct timer timer = {0};

    (void)state;
    wheel_init(&wheel, 0);
    wheel_clear(&wheel, &timer);
    assert_null(wheel_expired(&wheel, 0));
    wheel_set(&wheel, &timer, 0);
    assert_true(wheel_wait_ms(&wheel, 0) == 0);
    assert_ptr_equal(wheel_expired(&wheel, 0), &timer);
    assert_null(wheel_expired(&wheel, 0));
    wheel_set(&wheel, &timer, UINT64_MAX);
    assert_null(wheel_expired(&wheel, UINT64_C(1) << 62));
    assert_int_equal(wheel.count, 1);
    wheel_set(&wheel, &timer, 5);
    wheel_set(&wheel, &timer, 6);
    assert_int_equal(wheel.count, 1);
    /* A clock that went back does not stop what was due already. */
    assert_ptr_equal(wheel_expired(&wheel, 3), &timer);
    assert_int_equal(wheel.count, 0);
    assert_null(wheel_expired(&wheel, UINT64_MAX));
}

static void keeps_the_order_of_equals(void **state)
{
    static struct wheel wheel;
    struct timer timers[10] = {0};

    (void)state;
    wheel_init(&wheel, 1000);
    for (size_t i = 0; i < COUNT(timers); i++)
        wheel_set(&wheel, &timers[i], 500000);
    for (size_t i = 0; i < COUNT(timers); i++)
        assert_ptr_equal(wheel_expired(&wheel, 600000), &timers[i]);
    assert_null(wheel_expired(&wheel, 600000));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_list),
        cmocka_unit_test(fires_on_time),
        cmocka_unit_test(takes_edges),
        cmocka_unit_test(keeps_the_order_of_equals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
