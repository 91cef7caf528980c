/* The gate: a process that carries SMTP sessions. It serves its listeners, runs each connection's session
 * machine and does what the machine wants done; it writes to the journal and to spool/incoming and nowhere
 * else.
 *
 * gate.c is the process, listener.c accepts, conn*.c are the connections. */
#ifndef DAEMON_GATE_H
#define DAEMON_GATE_H

#include "core/session.h"
#include "daemon/flush.h"
#include "daemon/guard.h"
#include "daemon/role.h"
#include "io/draft.h"
#include "io/inbox.h"
#include "io/own_look.h"

struct conn;
struct heir;
struct listeners;
struct mailboxes;
struct questions;
struct relay;
struct spool;
struct store;
struct store_overlay;

#define GATE_READ_SIZE (64u * 1024u)

struct gate_folders {
    char spool[ROLE_PATH_SIZE];
    char incoming[ROLE_PATH_SIZE + 16];
    char mailboxes[ROLE_PATH_SIZE + 16];
    char store[ROLE_PATH_SIZE];
};

/* What all connections of the process share. */
struct gate {
    const struct worker *worker;
    const struct site *site;
    struct loop *loop;
    struct inbox *inbox;
    struct worker_port *port;
    struct listeners *listeners;
    struct session_world world;
    struct guard guard;

    /* connections */
    struct slab conns;
    struct outbox outbox; /* of the step at hand */
    char *in;             /* what the connection at hand has sent: GATE_READ_SIZE and what it had kept */
    size_t in_size;
    slab_handle *again; /* connections that had more to do than one turn allows */
    uint32_t again_count, again_size;
    struct loop_hook again_hook;

    /* what the machine's wishes are given to */
    struct journal_writer *journal;
    struct heir *heir; /* NULL: the gate before ended as it should */
    struct mailboxes *mailboxes;
    struct relay *relay;
    struct questions *questions;
    struct spool *spool;
    struct drafts drafts;
    struct store *store;
    struct store_overlay *overlay;
    struct own_look own; /* our own block list and the allowances */

    struct gate_folders folders;

    /* numbers */
    uint64_t sequence;   /* connections so far */
    uint64_t id_last_ms; /* for session ids */
    unsigned id_count;

    struct loop_timer tick; /* each second: counters, disk, journal */
    struct loop_timer end;  /* the end of draining */
    struct loop_timer look; /* whether draining is over */
    struct flush flush;
    bool draining;
    bool drained;
};

int gate_run(const struct worker *worker); /* the exit status */

/* A new session id. */
uint64_t gate_session_id(struct gate *gate);
/* A connection has gone: a gate that drains may be done. */
void gate_look_for_end(struct gate *gate);

#endif
