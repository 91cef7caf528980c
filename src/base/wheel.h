/* A hierarchical timer wheel: setting and clearing cost the same whether ten or a hundred thousand timers
 * run. Time is an argument: milliseconds of a clock that never goes back. Resolution 1 ms. */
#ifndef BASE_WHEEL_H
#define BASE_WHEEL_H

#include "base/list.h"
#include <stdint.h>

#define WHEEL_BITS   6
#define WHEEL_LEVELS 6 /* 2^36 ms, over two years */

struct timer {
    struct link link;
    uint64_t due_ms; /* 0: not set */
};

struct wheel {
    uint64_t now_ms;
    uint64_t busy[WHEEL_LEVELS]; /* a bit for each slot that is not empty */
    struct link slots[WHEEL_LEVELS][1 << WHEEL_BITS];
    uint32_t count;
};

void wheel_init(struct wheel *wheel, uint64_t now_ms);
/* Sets or moves the timer. A due time in the past means: at the next wheel_expired. A timer is
 * zero-initialised before its first use. */
void wheel_set(struct wheel *wheel, struct timer *timer, uint64_t due_ms);
void wheel_clear(struct wheel *wheel, struct timer *timer); /* a timer that is not set is taken */
/* Moves the wheel on to now and returns one timer that is due, cleared, or NULL: call until NULL. */
struct timer *wheel_expired(struct wheel *wheel, uint64_t now_ms);
/* Milliseconds until the wheel wants to be looked at again (never later than the first due timer), or
 * UINT64_MAX when no timer is set. */
uint64_t wheel_wait_ms(const struct wheel *wheel, uint64_t now_ms);

#endif
