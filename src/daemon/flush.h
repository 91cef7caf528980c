/* In a worker: what it has recorded is to be in the journal's file soon, and the supervisor is told when it
 * is (WORKER_FLUSH, WORKER_FLUSHED). Nothing waits for it meanwhile. */
#ifndef DAEMON_FLUSH_H
#define DAEMON_FLUSH_H

#include "daemon/worker.h"
#include "journal/writer.h"

struct flush {
    struct loop_timer timer;
    struct loop *loop;
    struct journal_writer *writer;
    const struct worker *worker;
    uint64_t written; /* octets in the file when it is done */
    uint32_t number;  /* of the newest request: its answer is one to those before it, too */
};

/* Part of a process's state, zeroed at first; its loop and its writer outlive it. */
void flush_begin(struct flush *flush, const struct worker *worker, struct loop *loop,
                 struct journal_writer *writer, uint32_t number);

#endif
