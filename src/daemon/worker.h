/* The supervisor and its workers: what a worker is given, and the messages between the two (one
 * SOCK_SEQPACKET socket pair a worker).
 *
 * The supervisor forks, and the child drops its privileges and calls the role's function, which runs a loop
 * until it was told to end and returns the exit status. A worker ends by itself when the supervisor is gone:
 * that looks like WORKER_DRAIN. SIGTERM, SIGINT and SIGHUP are ignored in workers: the supervisor's word
 * counts. */
#ifndef DAEMON_WORKER_H
#define DAEMON_WORKER_H

#include "core/site.h"
#include "io/counters.h"
#include "io/loop.h"
#include "io/tls.h"

enum worker_role { WORKER_GATE, WORKER_COURIER, WORKER_KEEPER, WORKER_ARCHIVIST };
#define WORKER_ROLES 4
const char *worker_word(enum worker_role role); /* "gate" */

/* A listening socket and the place of its entry in site->listens. */
struct worker_listener {
    int fd;
    uint16_t listen;
};

/* Lives as long as the process. */
struct worker {
    enum worker_role role;
    unsigned slot;           /* gates: place in the counters and in session ids; 0 for the others */
    int channel;             /* to the supervisor */
    const struct site *site; /* the configuration of this process, for life */
    struct counters *counters;
    struct tls_server *tls;                  /* gates; NULL without certificates */
    const struct worker_listener *listeners; /* gates */
    size_t listener_count;
};

enum worker_kind {
    WORKER_READY = 1, /* from the worker: it serves */
    /* Take nothing new, finish what is under way within `value` ms, then end. WORKER_NO_HURRY: clients come
     * to their own end (a reload). To a gate the payload names listens (uint16_t each) that nobody serves any
     * more: connections that wait there are taken first. */
    WORKER_DRAIN,
    WORKER_ADOPT,   /* to a gate: serve these listeners, too; number: whose; payload: their listens (uint16_t)
                     */
    WORKER_RELEASE, /* to a gate: the listeners of that number are served by their own gate again */
    WORKER_TROUBLE, /* from the worker: it must end, the payload says why */
    WORKER_EVENT,   /* to any: write this record (core/event.h) into the journal for the supervisor */
    WORKER_FLUSH,   /* to any: get what was recorded into the journal's file, then answer */
    WORKER_FLUSHED  /* from the worker: the answer, with the same number */
};

#define WORKER_NO_HURRY    UINT64_MAX
#define WORKER_FDS_MAX     64
#define WORKER_PAYLOAD_MAX 60000u

struct worker_message {
    enum worker_kind kind;
    uint32_t number;
    uint64_t value;
    struct slice payload;
    const int *fds; /* received ones belong to the receiver */
    size_t fd_count;
};

/* Never waits. Negative: the other side is gone, or does not read (EAGAIN). */
int worker_send(int channel, const struct worker_message *message, struct error *error);

enum worker_received { WORKER_RECEIVED, WORKER_NOTHING, WORKER_GONE };
/* Slices and descriptor lists are good until the next call: `room` is the caller's. */
struct worker_room {
    char octets[WORKER_PAYLOAD_MAX + 64];
    int fds[WORKER_FDS_MAX];
};
enum worker_received worker_receive(int channel, struct worker_room *room,
                                    struct worker_message *ret_message);

/* 0, or -1: the system has none left. */
int worker_channel(int ret_channels[2], struct error *error);

/* For workers: calls `message` for each message on the loop. */
struct worker_port;
struct worker_port *worker_attach(const struct worker *worker, struct loop *loop,
                                  void (*message)(void *data, const struct worker_message *message),
                                  void *data, struct error *error);
void worker_detach(struct worker_port *port);   /* NULL is taken */
void worker_ready(const struct worker *worker); /* tells the supervisor */
/* Tells it why this process cannot go on; returns the exit status to end with. */
int worker_fail(const struct worker *worker, const struct error *error);

/* Each role is one function, `int ROLE_run(const struct worker *worker)`, in its own header: gate_run in
 * daemon/gate.h, courier_run in daemon/courier.h, keeper_run in daemon/keeper.h, archivist_run in
 * daemon/archivist.h. */

#endif
