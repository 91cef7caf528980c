/* Several pieces of work done at once, ahead of whoever wants their results one after the other: for searches,
 * which wait for the disk at many places. Who waits for a piece that nobody has begun does it himself; so with
 * everything in memory nothing is slower than without threads. */
#ifndef JOURNAL_AHEAD_H
#define JOURNAL_AHEAD_H

#include <stddef.h>

#define AHEAD_WORKERS 9 /* who waits is worker 0, the threads are 1 to 8 */

struct ahead;

struct ahead_work {
    /* Does piece `number`, in any thread; no two have the same `worker` at a time. */
    void (*run)(void *data, size_t number, unsigned worker);
    void *data;
    size_t count; /* pieces, from 0 */
};

struct ahead *ahead_new(const struct ahead_work *work);
/* Pieces below `until` may be begun, the lowest first. Threads are made when they are of use. */
void ahead_allow(struct ahead *ahead, size_t until);
/* The piece is done when it returns. */
void ahead_wait(struct ahead *ahead, size_t number);
/* Waits for what is under way; what was not begun is not done. NULL is taken. */
void ahead_free(struct ahead *ahead);

#endif
