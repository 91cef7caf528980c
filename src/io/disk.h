/* Helper threads for system calls that block: fsync, rename, opening files, LMDB commits. A job is a function
 * and its data; when it has run, `done` is called on the loop's thread through the inbox.
 *
 * Jobs run in any order and side by side. Between disk_run and `done` the data belongs to the job; a job
 * touches nothing else of the process but what is made for threads (base/memory.h, inbox_post_*, loop_wake).
 */
#ifndef IO_DISK_H
#define IO_DISK_H

#include "io/inbox.h"

struct disk;

/* NULL with *error filled when no thread can be started. All signals are blocked in the threads. */
struct disk *disk_open(struct inbox *inbox, unsigned threads, struct error *error);
/* Waits until every job has run; their `done` calls are in the inbox then. NULL is taken. */
void disk_close(struct disk *disk);

void disk_run(struct disk *disk, void (*work)(void *data), void (*done)(void *data), void *data);
size_t disk_waiting(struct disk *disk); /* jobs that no thread has taken up yet */

#endif
