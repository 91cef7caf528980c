/* The gate: a process that carries SMTP sessions. It serves its listeners, runs each connection's session
 * machine and does what the machine wants done; it writes to the journal and to spool/incoming and nowhere
 * else. */
#ifndef DAEMON_GATE_H
#define DAEMON_GATE_H

#include "daemon/worker.h"

int gate_run(const struct worker *worker); /* the exit status */

#endif
