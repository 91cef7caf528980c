#include "io/loop.h"
#include "base/memory.h"
#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum phase { PHASE_OUTSIDE, PHASE_READY, PHASE_TIMERS, PHASE_HOOKS };

/* As many as a busy gate has ready at once; more only makes a turn longer. */
enum { BATCH = 64 };

/* Of thousands of timers that are due at one moment: behind so much of them descriptors come in between. */
enum { TIMERS_US = 1000 };

struct loop {
    int epoll;
    int ready; /* events of the batch being worked off */
    int at;    /* which of them is next */
    enum phase phase;
    bool stop;
    bool again;
    bool forks;
    uint64_t now_ms;
    int64_t unix_us;
    struct link hooks;
    struct link *hook_next; /* while hooks run: the one after the running one */
    struct loop_watch wake;
    uint64_t turn_us; /* when the turn began */
    uint64_t lag_us[LOOP_LAG_CLASSES];
    struct wheel wheel;
    struct epoll_event events[BATCH];
};

const uint32_t loop_lag_bounds_us[LOOP_LAG_CLASSES - 1] = {50,    100,    200,    500,    1000,   2000,
                                                           3000,  4000,   5000,   7000,   10000,  20000,
                                                           50000, 100000, 200000, 500000, 1000000};

static uint64_t monotonic_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void clocks_read(struct loop *loop)
{
    struct timespec t;
    loop->turn_us = monotonic_us();
    loop->now_ms = loop->turn_us / 1000 + 1;
    clock_gettime(CLOCK_REALTIME, &t);
    loop->unix_us = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Who comes at a moment of the turn waits for what is left of it: each class gets the moments whose rest
 * belongs to it. */
static void lag_count(struct loop *loop)
{
    uint64_t took_us = monotonic_us() - loop->turn_us, below_us = 0;
    unsigned class = 0;
    for (; class < LOOP_LAG_CLASSES - 1 && took_us > loop_lag_bounds_us[class]; class ++) {
        loop->lag_us[class] += loop_lag_bounds_us[class] - below_us;
        below_us = loop_lag_bounds_us[class];
    }
    loop->lag_us[class] += took_us - below_us;
}

const uint64_t *loop_lag_us(const struct loop *loop)
{
    return loop->lag_us;
}

static void wake_ready(struct loop_watch *watch, unsigned ready)
{
    (void)ready;
    uint64_t count;
    ssize_t got = read(watch->fd, &count, sizeof count);
    (void)got; /* EAGAIN: somebody has read it already */
}

static int loop_begin(struct loop *loop, struct error *error)
{
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll < 0)
        return error_set(error, errno, "cannot make an epoll descriptor");
    loop->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake.fd < 0)
        return error_set(error, errno, "cannot make an event descriptor");
    loop->wake.ready = wake_ready;
    return loop_add(loop, &loop->wake, LOOP_READ, error);
}

struct loop *loop_open(struct error *error)
{
    struct loop *loop = memory_take(sizeof *loop);
    loop->epoll = loop->wake.fd = -1;
    list_init(&loop->hooks);
    clocks_read(loop);
    wheel_init(&loop->wheel, loop->now_ms);
    if (loop_begin(loop, error) < 0) {
        loop_close(loop);
        return NULL;
    }
    return loop;
}

void loop_close(struct loop *loop)
{
    if (!loop)
        return;
    if (loop->wake.fd >= 0)
        close(loop->wake.fd);
    if (loop->epoll >= 0)
        close(loop->epoll);
    memory_give(loop, sizeof *loop);
}

static uint32_t epoll_wants(unsigned wants)
{
    uint32_t events = wants & LOOP_READ ? (uint32_t)EPOLLIN : 0;
    if (wants & LOOP_WRITE)
        events |= (uint32_t)EPOLLOUT;
    if (wants & LOOP_EDGE)
        events |= (uint32_t)EPOLLET | (uint32_t)EPOLLRDHUP;
    return events;
}

int loop_add(struct loop *loop, struct loop_watch *watch, unsigned wants, struct error *error)
{
    assert(watch->ready);
    struct epoll_event event = {.events = epoll_wants(wants), .data.ptr = watch};
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, watch->fd, &event) < 0)
        return error_set(error, errno, "cannot watch a descriptor");
    watch->wants = wants;
    return 0;
}

void loop_want(struct loop *loop, struct loop_watch *watch, unsigned wants)
{
    if (watch->wants == wants)
        return;
    struct epoll_event event = {.events = epoll_wants(wants), .data.ptr = watch};
    int changed = epoll_ctl(loop->epoll, EPOLL_CTL_MOD, watch->fd, &event);
    assert(changed == 0);
    watch->wants = wants;
}

/* What is left of the batch may still name the watch. The scan is over one cache-warm array and short. */
static void batch_forget(struct loop *loop, const struct loop_watch *watch)
{
    for (int i = loop->at; i < loop->ready; i++) {
        if (loop->events[i].data.ptr == watch)
            loop->events[i].data.ptr = NULL;
    }
}

void loop_remove(struct loop *loop, struct loop_watch *watch)
{
    if (watch->fd < 0 || !watch->ready)
        return;
    batch_forget(loop, watch);
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->ready = NULL;
}

void loop_remove_close(struct loop *loop, struct loop_watch *watch)
{
    if (watch->fd < 0 || !watch->ready)
        return;
    batch_forget(loop, watch);
    if (loop->forks)
        epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
    close(watch->fd); /* the kernel forgets it with the last descriptor, wherever that is */
    watch->fd = -1;
    watch->ready = NULL;
}

void loop_forks(struct loop *loop)
{
    loop->forks = true;
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t due_ms)
{
    assert(timer->due);
    if (loop->phase == PHASE_TIMERS && due_ms <= loop->now_ms)
        due_ms = loop->now_ms + 1; /* else this turn would never end */
    wheel_set(&loop->wheel, &timer->timer, due_ms);
}

void loop_timer_clear(struct loop *loop, struct loop_timer *timer)
{
    wheel_clear(&loop->wheel, &timer->timer);
}

void loop_hook_add(struct loop *loop, struct loop_hook *hook)
{
    list_add_last(&loop->hooks, &hook->link);
}

void loop_hook_remove(struct loop *loop, struct loop_hook *hook)
{
    if (loop->hook_next == &hook->link)
        loop->hook_next = hook->link.next;
    list_remove(&hook->link);
}

void loop_again(struct loop *loop)
{
    if (loop->phase == PHASE_OUTSIDE || loop->phase == PHASE_HOOKS)
        loop->again = true;
}

void loop_wake(struct loop *loop)
{
    uint64_t one = 1;
    ssize_t put = write(loop->wake.fd, &one, sizeof one);
    (void)put; /* EAGAIN: it is more than awake */
}

uint64_t loop_now_ms(const struct loop *loop)
{
    return loop->now_ms;
}

int64_t loop_unix_us(const struct loop *loop)
{
    return loop->unix_us;
}

static int wait_time(const struct loop *loop, uint64_t wait_ms)
{
    if (loop->again || loop->stop)
        return 0;
    uint64_t timer_ms = wheel_wait_ms(&loop->wheel, loop->now_ms);
    if (timer_ms < wait_ms)
        wait_ms = timer_ms;
    if (wait_ms == UINT64_MAX)
        return -1;
    return wait_ms > 60000 ? 60000 : (int)wait_ms;
}

static unsigned epoll_ready(uint32_t events)
{
    unsigned ready = events & (uint32_t)EPOLLIN ? LOOP_READ : 0;
    if (events & (uint32_t)EPOLLOUT)
        ready |= LOOP_WRITE;
    if (events & (uint32_t)EPOLLRDHUP)
        ready |= LOOP_ENDED;
    if (events & ((uint32_t)EPOLLERR | (uint32_t)EPOLLHUP))
        ready |= LOOP_BROKEN;
    return ready;
}

static void batch_run(struct loop *loop)
{
    for (loop->at = 0; loop->at < loop->ready;) {
        struct epoll_event event = loop->events[loop->at++];
        struct loop_watch *watch = event.data.ptr;
        if (watch)
            watch->ready(watch, epoll_ready(event.events));
    }
    loop->ready = loop->at = 0;
}

static void timers_run(struct loop *loop)
{
    struct timer *timer = wheel_expired(&loop->wheel, loop->now_ms);
    uint64_t until_us = timer ? monotonic_us() + TIMERS_US : 0;
    while (timer) {
        struct loop_timer *due = LIST_OF(timer, struct loop_timer, timer);
        due->due(due);
        timer = monotonic_us() < until_us ? wheel_expired(&loop->wheel, loop->now_ms) : NULL;
    }
}

static void hooks_run(struct loop *loop)
{
    for (struct link *at = loop->hooks.next; at != &loop->hooks; at = loop->hook_next) {
        loop->hook_next = at->next;
        struct loop_hook *hook = LIST_OF(at, struct loop_hook, link);
        hook->run(hook);
    }
    loop->hook_next = NULL;
}

void loop_turn(struct loop *loop, uint64_t wait_ms)
{
    int wait = wait_time(loop, wait_ms);
    loop->again = false;
    int ready = epoll_wait(loop->epoll, loop->events, BATCH, wait);
    loop->ready = ready < 0 ? 0 : ready; /* EINTR: a turn without events */
    clocks_read(loop);
    loop->phase = PHASE_READY;
    batch_run(loop);
    loop->phase = PHASE_TIMERS;
    timers_run(loop);
    loop->phase = PHASE_HOOKS;
    hooks_run(loop);
    loop->phase = PHASE_OUTSIDE;
    lag_count(loop);
}

void loop_run(struct loop *loop)
{
    while (!loop->stop)
        loop_turn(loop, UINT64_MAX);
    loop->stop = false;
}

void loop_stop(struct loop *loop)
{
    loop->stop = true;
}
