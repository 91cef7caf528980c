/* A connection: the shell round a session machine (core/session.h). It brings the machine its octets, answers
 * and timers, and does what the outbox wants.
 *
 * What is read goes into the gate's buffer; a connection keeps only octets that the machine has not consumed,
 * and output that the socket would not take. Reading stops while either is too much, so that nobody can make
 * a connection grow without end. One read and a bounded number of steps a turn: no client keeps the others
 * waiting.
 */
#ifndef DAEMON_CONN_H
#define DAEMON_CONN_H

#include "daemon/gate.h"

/* Octets of an idle plaintext connection, all of it. */
#define CONN_IDLE_MAX 768u

struct conn_opening {
    int fd; /* the connection's from here on */
    struct address peer;
    struct address local;
    bool proxy;
};

void conns_init(struct gate *gate);
/* Gives all connections back, whatever they are doing. */
void conns_done(struct gate *gate);
size_t conn_size(void); /* octets of an idle connection in the slab */

void conn_open(struct gate *gate, const struct conn_opening *opening);
/* The gate is stopping: every session ends as soon as no transaction is under way. */
void conns_stop(struct gate *gate);

/* For the inbox; data is the gate. */
void conn_answered(void *data, const struct inbox_answer *answer);
void conn_stored(void *data, struct ticket ticket, const struct stored *stored);

#endif
