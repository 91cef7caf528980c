/* The courier: the process that takes messages over from the gates' spool and delivers them. It is the shell
 * round queue/queue.h: loop, helper threads, connections, the watch on the folder, the address book, the
 * control socket. */
#ifndef DAEMON_COURIER_H
#define DAEMON_COURIER_H

#include "daemon/worker.h"

int courier_run(const struct worker *worker); /* the exit status */

#endif
