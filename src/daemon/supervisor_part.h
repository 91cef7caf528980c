/* What the supervisor's files share: not for others. supervisor.c is its life, supervisor_child.c the
 * processes, supervisor_socket.c the listening sockets, supervisor_control.c what it answers,
 * supervisor_flush.c one of the answers, supervisor_store.c looks at the store before all. */
#ifndef DAEMON_SUPERVISOR_PART_H
#define DAEMON_SUPERVISOR_PART_H

#include "base/buf.h"
#include "daemon/control.h"
#include "daemon/guard.h"
#include "daemon/supervisor.h"
#include "daemon/worker.h"
#include <sys/types.h>

#define LANES_MAX 64u /* gates side by side (set.gates) */

/* An address that is listened on: a socket for each lane. A lane is the place of one gate. */
struct socket_group {
    struct link link;
    struct address wanted; /* as configured: what a reload looks for */
    struct address bound;  /* the same but for port 0 */
    int fds[LANES_MAX];
    unsigned count;
};

/* A configuration and the processes that run by it. */
struct generation {
    struct link link;
    struct site *site;
    struct tls_server *tls; /* NULL without certificates */
    unsigned gates;
    unsigned children; /* that name it */
};

enum child_state {
    CHILD_DELAYED,  /* it has died and is not started again yet */
    CHILD_STARTING, /* it runs and has not said that it serves */
    CHILD_READY,
    CHILD_LEAVING /* told to end */
};

struct child {
    struct link link;
    struct supervisor *supervisor;
    struct generation *generation;
    struct loop_watch channel;
    struct loop_timer again;
    struct loop_timer kill;
    enum worker_role role;
    enum child_state state;
    unsigned slot;         /* gates: in the counters */
    unsigned gate;         /* gates: which of its generation's */
    struct child *adopter; /* gates that are DELAYED: who serves its sockets, or NULL */
    pid_t pid;
    uint64_t started_ms;
    uint64_t delay_ms;
    uint32_t flush_since; /* the first flush that this process was asked for; 0: none */
    uint32_t flush_told;  /* the newest that it has answered */
    char trouble[256];    /* what it said before its end */
};

enum phase {
    PHASE_START, /* until all serve for the first time */
    PHASE_RUN,
    PHASE_RELOAD, /* the next generation's gates are starting */
    PHASE_STOP_GATES,
    PHASE_STOP_COURIER,
    PHASE_STOP_KEEPER
};

struct supervisor {
    const struct supervisor_settings *settings;
    struct loop *loop;
    struct control *control;
    struct counters *counters;
    struct guard_user user;
    struct loop_watch signals;
    struct link groups;      /* struct socket_group */
    struct link generations; /* struct generation, the current one last but for the next */
    struct link children;    /* struct child */
    struct generation *current;
    struct generation *next; /* PHASE_RELOAD */
    unsigned lanes;
    enum phase phase;
    bool failed; /* the start has */
    uint64_t started_ms;
    slab_handle reload_request; /* 0: by signal */
    slab_handle stop_request;
    struct link flushes; /* requests that wait for workers */
    uint32_t flush_number;
    struct buf events; /* that no worker could take yet */
    char failure[512];
    char pid_file[300];
    struct worker_room room;
};

/* --- supervisor.c */
/* A child has become ready, or has ended: what was waited for may have come. */
void supervisor_look(struct supervisor *supervisor);
void supervisor_stop(struct supervisor *supervisor, slab_handle request);
void supervisor_reload(struct supervisor *supervisor, slab_handle request);
void supervisor_say(struct supervisor *supervisor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Records by whoever can write them. */
void supervisor_record(struct supervisor *supervisor, struct buf *events);
void generation_drop(struct generation *generation);
struct event_stamp supervisor_stamp(const struct supervisor *supervisor);

/* --- supervisor_child.c */
struct child *child_new(struct supervisor *supervisor, struct generation *generation, enum worker_role role,
                        unsigned gate);
/* -1: no slot or no process can be had. */
int child_start(struct child *child, struct error *error);
/* Tells it to end within that time, and makes sure that it does. */
void child_end(struct child *child, uint64_t within_ms, struct slice listens);
void child_drop(struct child *child);
void children_reap(struct supervisor *supervisor);
/* Sockets of gates that are not there are served by others. */
void children_cover(struct supervisor *supervisor);
/* How many of a generation (NULL: any) and role are there, or only those that serve. */
unsigned children_count(const struct supervisor *supervisor, const struct generation *generation,
                        enum worker_role role, bool ready);
bool slot_is_free(const struct supervisor *supervisor, unsigned slot);

/* --- supervisor_socket.c */
/* Opens what a site listens on, for all lanes. What was opened before the failure is closed by sockets_trim.
 */
int sockets_open(struct supervisor *supervisor, const struct site *site, unsigned lanes, struct error *error);
/* Closes the groups that neither site (the second may be NULL) listens on. */
void sockets_trim(struct supervisor *supervisor, const struct site *site, const struct site *other);
/* The sockets of one gate of a generation: all lanes that fall to it. Returns how many; at most `most`. */
size_t sockets_of_gate(const struct supervisor *supervisor, const struct generation *generation,
                       unsigned gate, struct worker_listener *ret_listeners, size_t most);
/* The listens of `site` that `other` lacks, as uint16_t; all of them where it is NULL. */
void sockets_lost(const struct site *site, const struct site *other, struct buf *ret_listens);

/* "127.0.0.1:25, [::1]:25" */
void sockets_print(const struct supervisor *supervisor, struct buf *buf);

/* --- supervisor_flush.c */
void supervisor_flush(struct supervisor *supervisor, slab_handle request);
void flush_told(struct child *child, uint32_t number);
void flush_look(struct supervisor *supervisor); /* a process has gone: it is not waited for any more */
void flushes_drop(struct supervisor *supervisor);

/* --- supervisor_store.c */
/* Sets a store that is damaged aside, and says so. */
void supervisor_store_look(struct supervisor *supervisor, const struct site *site);

/* --- supervisor_control.c */
int supervisor_control_open(struct supervisor *supervisor, struct error *error);

#endif
