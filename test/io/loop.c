/* Proves that the loop calls what is ready and due, in order, and never what was removed or cleared, also
 * within one batch. */
#include "io/loop.h"
#include "unit.h"

#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct end {
    struct loop_watch watch;
    struct loop *loop;
    struct end *other; /* removed in the call, where there is one */
    unsigned calls;
    unsigned ready;
};

static void end_ready(struct loop_watch *watch, unsigned ready)
{
    struct end *end = LIST_OF(watch, struct end, watch);
    end->calls++;
    end->ready |= ready;
    if (end->other)
        loop_remove(end->loop, &end->other->watch);
}

static struct loop *loop_new(void)
{
    struct error error;
    struct loop *loop = loop_open(&error);
    assert_non_null(loop);
    return loop;
}

static void end_add(struct loop *loop, struct end *end, int fd, unsigned wants)
{
    struct error error;
    end->loop = loop;
    end->watch.fd = fd;
    end->watch.ready = end_ready;
    assert_int_equal(loop_add(loop, &end->watch, wants, &error), 0);
}

static void removed_within_batch(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct end a = {0}, b = {0};
    int one[2], two[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, one), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, two), 0);
    end_add(loop, &a, one[0], LOOP_READ);
    end_add(loop, &b, two[0], LOOP_READ);
    a.other = &b;
    b.other = &a;
    assert_int_equal(write(one[1], "x", 1), 1);
    assert_int_equal(write(two[1], "x", 1), 1);
    loop_turn(loop, 1000);
    assert_int_equal(a.calls + b.calls, 1); /* whichever came first has removed the other */
    loop_close(loop);
    for (int i = 0; i < 2; i++) {
        close(one[i]);
        close(two[i]);
    }
}

static void wants_and_broken(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct end a = {0};
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    end_add(loop, &a, pair[0], LOOP_WRITE);
    loop_turn(loop, 1000);
    assert_int_equal(a.ready, LOOP_WRITE);
    loop_want(loop, &a.watch, 0);
    assert_int_equal(write(pair[1], "x", 1), 1);
    loop_turn(loop, 0);
    assert_int_equal(a.calls, 1); /* nothing is wanted: octets do not call */
    loop_want(loop, &a.watch, LOOP_READ);
    loop_turn(loop, 1000);
    assert_int_equal(a.ready, LOOP_WRITE | LOOP_READ);
    loop_want(loop, &a.watch, 0);
    close(pair[1]);
    loop_turn(loop, 1000);
    assert_true(a.ready & LOOP_BROKEN);
    loop_remove_close(loop, &a.watch);
    assert_int_equal(a.watch.fd, -1);
    loop_close(loop);
}

/* What was not read is told once; new octets, and the end, are told again. */
static void edges(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct end a = {0};
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    end_add(loop, &a, pair[0], LOOP_READ | LOOP_EDGE);
    assert_int_equal(write(pair[1], "x", 1), 1);
    loop_turn(loop, 1000);
    loop_turn(loop, 0);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.ready, LOOP_READ);
    assert_int_equal(write(pair[1], "x", 1), 1);
    loop_turn(loop, 1000);
    assert_int_equal(a.calls, 2);
    shutdown(pair[1], SHUT_WR);
    loop_turn(loop, 1000);
    assert_int_equal(a.calls, 3);
    assert_int_equal(a.ready, LOOP_READ | LOOP_ENDED);
    loop_turn(loop, 0);
    assert_int_equal(a.calls, 3);
    loop_remove(loop, &a.watch);
    loop_close(loop);
    close(pair[0]);
    close(pair[1]);
}

struct clockwork {
    struct loop *loop;
    struct loop_timer timers[4];
    unsigned order[8];
    unsigned count;
    unsigned again; /* how often timer 3 sets itself anew, due at once */
};

static struct clockwork *current;

static void timer_due(struct loop_timer *timer)
{
    unsigned which = (unsigned)(timer - current->timers);
    assert_false(loop_timer_is_set(timer));
    current->order[current->count++] = which;
    if (which == 0)
        loop_timer_clear(current->loop, &current->timers[1]); /* due in the same turn: must not fire */
    if (which == 3 && current->again--)
        loop_timer_set(current->loop, timer, 0);
}

static void timers_in_order(void **state)
{
    (void)state;
    struct clockwork clockwork = {.loop = loop_new(), .again = 1};
    current = &clockwork;
    uint64_t now_ms = loop_now_ms(clockwork.loop);
    for (unsigned i = 0; i < 4; i++)
        clockwork.timers[i].due = timer_due;
    loop_timer_set(clockwork.loop, &clockwork.timers[2], now_ms + 2);
    loop_timer_set(clockwork.loop, &clockwork.timers[1], now_ms + 1);
    loop_timer_set(clockwork.loop, &clockwork.timers[0], now_ms);
    while (loop_timer_is_set(&clockwork.timers[2]))
        loop_turn(clockwork.loop, UINT64_MAX);
    assert_int_equal(clockwork.order[0], 0);
    assert_true(clockwork.count >= 2 && clockwork.count <= 3);
    assert_int_equal(clockwork.order[clockwork.count - 1], 2);
    clockwork.count = 0;
    loop_timer_set(clockwork.loop, &clockwork.timers[3], 0);
    loop_turn(clockwork.loop, UINT64_MAX);
    assert_int_equal(clockwork.count, 1); /* due at once within a timer's call: in a later turn */
    while (clockwork.count < 2)
        loop_turn(clockwork.loop, UINT64_MAX);
    loop_close(clockwork.loop);
}

struct counter {
    struct loop_hook hook;
    struct loop *loop;
    unsigned runs;
    unsigned again;
};

static void hook_run(struct loop_hook *hook)
{
    struct counter *counter = LIST_OF(hook, struct counter, hook);
    counter->runs++;
    if (counter->again && counter->again--)
        loop_again(counter->loop);
}

/* Were `again` lost, the second turn would wait for ever: the test would not end. */
static void hooks_and_again(void **state)
{
    (void)state;
    struct counter counter = {.loop = loop_new(), .again = 1};
    counter.hook.run = hook_run;
    loop_hook_add(counter.loop, &counter.hook);
    loop_again(counter.loop);
    loop_turn(counter.loop, UINT64_MAX);
    loop_turn(counter.loop, UINT64_MAX);
    assert_int_equal(counter.runs, 2);
    loop_hook_remove(counter.loop, &counter.hook);
    loop_turn(counter.loop, 0);
    assert_int_equal(counter.runs, 2);
    loop_close(counter.loop);
}

static void *waker(void *data)
{
    loop_wake(data);
    return NULL;
}

static void woken_by_thread(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, waker, loop), 0);
    loop_turn(loop, UINT64_MAX); /* ends only because it is woken */
    pthread_join(thread, NULL);
    loop_close(loop);
}

/* A descriptor that lives on in a child must not tell the parent of events after its end. */
static void shared_with_a_child(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct end a = {0};
    int pair[2];
    loop_forks(loop);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    end_add(loop, &a, pair[0], LOOP_READ);
    int copy = dup(pair[0]); /* as in a child */
    loop_remove_close(loop, &a.watch);
    memset(&a, 0, sizeof a);
    assert_int_equal(write(pair[1], "x", 1), 1);
    loop_turn(loop, 0);
    assert_int_equal(a.calls, 0);
    close(copy);
    close(pair[1]);
    loop_close(loop);
}

static void busy_due(struct loop_timer *timer)
{
    (void)timer;
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - begin.tv_sec) * 1000000000L + now.tv_nsec - begin.tv_nsec < 3500000);
}

/* Of a turn of 3.5 ms at least each class up to 3 ms has its whole width, and the half millisecond above is
 * there. */
static void long_turns_are_lag(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct loop_timer timer = {.due = busy_due};
    const uint64_t *lag_us = loop_lag_us(loop);
    uint64_t above_us = 0;
    loop_timer_set(loop, &timer, loop_now_ms(loop));
    loop_turn(loop, 1000);
    for (unsigned i = 0; i < LOOP_LAG_CLASSES; i++) {
        uint32_t below_us = i ? loop_lag_bounds_us[i - 1] : 0;
        if (below_us >= 3000)
            above_us += lag_us[i];
        else
            assert_true(lag_us[i] >= loop_lag_bounds_us[i] - below_us);
    }
    assert_true(above_us >= 500);
    loop_close(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(removed_within_batch), cmocka_unit_test(long_turns_are_lag),
        cmocka_unit_test(wants_and_broken),     cmocka_unit_test(edges),
        cmocka_unit_test(timers_in_order),      cmocka_unit_test(hooks_and_again),
        cmocka_unit_test(woken_by_thread),      cmocka_unit_test(shared_with_a_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
