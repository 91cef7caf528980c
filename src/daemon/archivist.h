/* The archivist: the process that reads what the gates record and writes the history, by which sessions are
 * found again (journal/archive.h). It packs journal files that are closed.
 *
 * Nobody waits for it: when it falls behind, or its disk is full, `postern sessions` reads from the journal
 * what is not in the history yet. It may end at any point: it goes on where the history says that it was. */
#ifndef DAEMON_ARCHIVIST_H
#define DAEMON_ARCHIVIST_H

#include "daemon/worker.h"

int archivist_run(const struct worker *worker); /* the exit status */

#endif
