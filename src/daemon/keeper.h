/* The keeper: the process that reads what all others record. It writes the mail log, applies to the store
 * what sessions want remembered, and removes old journal files.
 *
 * It stores how far it has read together with what it has applied, in one transaction of the store: after a
 * crash at any point nothing has been applied twice or left out. The mail log follows the same places: after
 * a crash a few of its lines, of the last second at most, may come again. When it falls behind, nobody waits
 * for it. */
#ifndef DAEMON_KEEPER_H
#define DAEMON_KEEPER_H

#include "daemon/worker.h"

int keeper_run(const struct worker *worker); /* the exit status */

#endif
