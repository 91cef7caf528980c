/* Several pieces of work done at once, ahead of whoever wants their results one after the other: for
 * searches, which wait for the disk at many places. Who waits for a piece that nobody has begun does it
 * himself; so with everything in memory nothing is slower than without threads. */
#ifndef JOURNAL_CREW_H
#define JOURNAL_CREW_H

#include <stddef.h>

#define CREW_WORKERS 9 /* who waits is worker 0, the threads are 1 to 8 */

struct crew;

struct crew_work {
    /* Does piece `number`, in any thread; no two have the same `worker` at a time. */
    void (*run)(void *data, size_t number, unsigned worker);
    void *data;
    size_t count; /* pieces, from 0 */
};

struct crew *crew_new(const struct crew_work *work);
/* Pieces below `until` may be begun, the lowest first. Threads are made when they are of use. */
void crew_allow(struct crew *crew, size_t until);
/* The piece is done when it returns. */
void crew_wait(struct crew *crew, size_t number);
/* Waits for what is under way; what was not begun is not done. NULL is taken. */
void crew_free(struct crew *crew);

#endif
