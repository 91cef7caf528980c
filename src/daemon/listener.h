/* The listening sockets of a gate: its own, and for a while those of a gate that has died.
 *
 * When no connection fits any more, or the system gives none (EMFILE, ENOMEM), all of them pause: who
 * connects waits in the system's queue, and the loop does not turn in vain. */
#ifndef DAEMON_LISTENER_H
#define DAEMON_LISTENER_H

#include "daemon/gate.h"

#define LISTENER_OWN UINT32_MAX

/* Takes the worker's listeners. NULL with *error filled when the system refuses. */
struct listeners *listeners_open(struct gate *gate, struct error *error);
/* Serves these, too: they become the gate's. */
int listeners_adopt(struct listeners *listeners, uint32_t number, const struct worker_listener *adopted,
                    size_t count, struct error *error);
/* Serves those that were adopted under that number no longer. */
void listeners_release(struct listeners *listeners, uint32_t number);
/* A connection has gone: there may be room again. */
void listeners_room(struct listeners *listeners);
/* Takes the connections that wait at this listen. */
void listeners_sweep(struct listeners *listeners, unsigned listen);
/* Serves nothing any more. NULL is taken. */
void listeners_close(struct listeners *listeners);

#endif
