/* In a gate: gives the sessions that the gate before it was killed over their ends, in the same stream of the
 * journal (journal/unended.h), between the connections' turns. */
#ifndef DAEMON_HEIR_H
#define DAEMON_HEIR_H

#include "daemon/worker.h"
#include "journal/writer.h"

struct heir;

/* Looks at the stream; before its writer is opened. NULL: there is nothing to do. */
struct heir *heir_new(const struct worker *worker);
/* Behind the record that the process has started. Loop and writer outlive it; it rests when it is done. NULL
 * is taken, also below. */
void heir_begin(struct heir *heir, struct loop *loop, struct journal_writer *writer);
/* What is left is done now: a gate that ends says so, and nobody looks behind that. */
void heir_finish(struct heir *heir);
void heir_free(struct heir *heir);

#endif
