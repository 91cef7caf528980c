/* The event loop of a process: descriptors (epoll, level-triggered but for LOOP_EDGE), timers (a wheel) and a
 * wake-up for other threads. One thread runs it; only loop_wake may be called from others.
 *
 * A watch and a timer are parts of their owner's struct, which a callback finds with LIST_OF; the loop keeps
 * no memory for each. A watch that is removed, and a timer that is cleared, are never called again, not even
 * within the batch that is being worked off: their owner may be given back at once.
 *
 * One turn: wait; read the clocks; work off the descriptors that are ready; run timers that are due, as many
 * as do not hold the others up; run the hooks, in the order in which they were added. */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include "base/error.h"
#include "base/list.h"
#include "base/wheel.h"
#include <stdbool.h>
#include <stdint.h>

struct loop;

#define LOOP_READ   1u /* octets, a connection to accept, or the end of the stream */
#define LOOP_WRITE  2u
#define LOOP_BROKEN 4u /* error or closed in both directions: told even when not asked for */
/* To be asked for with the others: each change is told once, and whoever has not read all, or not written
 * all, has to come back by himself. It spares the kernel a second look at each descriptor that was ready. */
#define LOOP_EDGE 8u
#define LOOP_ENDED                                                                                           \
    16u /* with LOOP_EDGE only: the other side has shut its side, its last octets may be unread */

struct loop_watch {
    void (*ready)(struct loop_watch *watch, unsigned ready);
    int fd;
    unsigned wants; /* LOOP_READ, LOOP_WRITE; 0: only LOOP_BROKEN is told */
};

struct loop_timer {
    struct timer timer;
    void (*due)(struct loop_timer *timer); /* the timer is cleared before the call */
};

struct loop_hook {
    struct link link;
    void (*run)(struct loop_hook *hook);
};

/* NULL with *error filled when the system refuses. */
struct loop *loop_open(struct error *error);
void loop_close(struct loop *loop); /* descriptors under watch stay open; NULL is taken */

/* Sets watch->ready and watch->fd before the call. Negative: the system refuses. */
int loop_add(struct loop *loop, struct loop_watch *watch, unsigned wants, struct error *error);
/* No system call where nothing changes. */
void loop_want(struct loop *loop, struct loop_watch *watch, unsigned wants);
/* Ends the watch; the descriptor stays open. A watch that was never added (fd -1 or ready NULL) is taken. */
void loop_remove(struct loop *loop, struct loop_watch *watch);
/* Ends the watch and closes its descriptor, which no other process or watch may share: one system call. In a
 * process that forks: loop_forks. */
void loop_remove_close(struct loop *loop, struct loop_watch *watch);

/* Children that this process makes hold its descriptors for a moment: from here on loop_remove_close takes
 * care of that. Said once, before the first fork. */
void loop_forks(struct loop *loop);

/* Monotonic milliseconds. A due time that has come means: in the next turn, which then does not wait, or,
 * from within the call of a timer, one millisecond later. */
void loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t due_ms);
void loop_timer_clear(struct loop *loop, struct loop_timer *timer);
static inline bool loop_timer_is_set(const struct loop_timer *timer)
{
    return timer->timer.due_ms != 0;
}

/* Runs at the end of each turn, last thing before the loop waits: for what is gathered over a turn. */
void loop_hook_add(struct loop *loop, struct loop_hook *hook);
void loop_hook_remove(struct loop *loop, struct loop_hook *hook);
/* Sees to it that the hooks run soon: at the end of this turn where they are still to come, else in a next
 * one that does not wait. For the loop's own thread. */
void loop_again(struct loop *loop);
/* Ends the wait from any thread. */
void loop_wake(struct loop *loop);

/* How long those wait who come while a turn is under way, from their moment to its end: microseconds of busy
 * time by that wait, so that the shares are those of busy moments, not of turns. The last class has no bound.
 */
#define LOOP_LAG_CLASSES 18
extern const uint32_t
    loop_lag_bounds_us[LOOP_LAG_CLASSES - 1];         /* a wait that is as long still belongs to it */
const uint64_t *loop_lag_us(const struct loop *loop); /* LOOP_LAG_CLASSES sums since it was opened */

/* The clocks as they were when this turn began. */
uint64_t loop_now_ms(const struct loop *loop); /* monotonic */
int64_t loop_unix_us(const struct loop *loop); /* of the wall */

/* One turn that waits at most wait_ms (UINT64_MAX: as long as it takes). */
void loop_turn(struct loop *loop, uint64_t wait_ms);
void loop_run(struct loop *loop); /* turns until loop_stop */
void loop_stop(struct loop *loop);

#endif
