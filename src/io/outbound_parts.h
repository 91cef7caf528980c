/* What the files of the outbound share; nobody else includes it.
 *
 * outbound.c jobs and their ends · outbound_pool.c ways, pools, who gets which connection ·
 * outbound_connection.c a connection's life and its octets · outbound_connect.c until it stands: names,
 * addresses, TLS. */
#ifndef IO_OUTBOUND_PARTS_H
#define IO_OUTBOUND_PARTS_H

#include "io/outbound.h"
#include "io/resolve.h"
#include "io/tls.h"

enum outbound_job_state { JOB_NONE, JOB_STARTING, JOB_WAITING, JOB_RUNNING, JOB_FINISHED };

enum outbound_connection_state {
    CONNECTION_RESOLVING,
    CONNECTION_CONNECTING,
    CONNECTION_TALKING, /* greeting, a job, or what follows one */
    CONNECTION_SHAKING, /* the TLS handshake */
    CONNECTION_IDLE,
    CONNECTION_ENDING, /* QUIT was said; it does not count any more */
    CONNECTION_DEAD    /* closed; kept until the result of its job was told */
};

/* Connections to one target, talked to in one manner. */
struct outbound_pool {
    struct link link; /* of outbound.pools */
    struct outbound *outbound;
    struct arena arena;
    struct target target; /* in `arena` */
    enum client_protocol protocol;
    enum route_tls tls;
    enum route_tell tell;
    struct link connections; /* all that count, the most lately used first */
    struct link ending;
    struct link waiting; /* jobs */
    unsigned open;       /* of `connections` */
    unsigned ready;      /* … that reached their first idle state and are not dead */
    unsigned opening;    /* … that have not yet */
    unsigned waiting_count;
    unsigned limit;    /* 0: the settings'; what the server lets us have, since a further one was refused */
    uint64_t limit_ms; /* until then */
    uint64_t again_ms; /* it is down and left alone until then; 0: not known to be down */
    uint64_t pause_ms; /* how long it was left alone the last time; 0: it was well */
    uint64_t plain_ms; /* TLS_MAY: the handshake failed, no TLS until then */
    unsigned ways;     /* that name it */
    char trouble[256]; /* why it is down */
};

/* A list of targets, as a job names it. */
struct outbound_way {
    struct link link; /* of outbound.ways */
    size_t count;
    size_t jobs;
    struct outbound_pool *pools[];
};

struct outbound_connection {
    struct link link; /* of its pool */
    struct loop_watch watch;
    struct loop_timer timer;
    struct outbound_pool *pool;
    struct outbound_job *job; /* that it carries; FINISHED: whose result was not told yet */
    struct client *client;    /* NULL: not connected yet */
    struct client_output out;
    size_t written;     /* of out.send */
    struct slice piece; /* of content, what is left of it */
    struct tls *tls;
    struct address addresses[RESOLVE_ADDRESSES]; /* none for a unix socket */
    size_t address_count, address_at;
    uint64_t deadline_ms; /* for name and connecting */
    uint64_t number;      /* to the resolver */
    /* PROXY: the client that it is opened for; session 0: ourselves */
    uint64_t session;
    struct address peer, local;
    unsigned refusals; /* of recipients since the last message that was taken */
    uint8_t state;
    bool was_ready;
    bool used; /* it has carried a job, or waited for one: the peer may have given it up */
    bool ended_by_peer;
    bool unwritable; /* the peer takes nothing more; what it has said is still read */
    bool write_waits, tls_wants_write, tls_wants_read;
    char trouble[256]; /* why connecting failed, to be told in the next turn */
};

struct outbound {
    struct outbound_settings settings; /* helo in `helo` */
    struct buf helo;
    struct tls_client *tls_own;
    struct resolve *resolve;
    struct link pools;
    struct link ways;
    struct link starting; /* jobs given in while results are told */
    struct link finished; /* jobs whose result is to be told */
    struct loop_hook hook;
    uint64_t numbers;
    size_t jobs;
    bool telling;
    bool stopping;
    char room[64 * 1024]; /* what is read goes here first */
};

/* outbound.c */
uint64_t outbound_now(const struct outbound *outbound);
void outbound_tell(struct outbound *outbound); /* the last thing in every call from the loop */
/* trouble may be NULL for ANSWERED. */
void job_finish(struct outbound_job *job, enum outbound_result result, const char *trouble);
void job_place(struct outbound_job *job);      /* at the first target from job->at on that may be tried */
void job_place_next(struct outbound_job *job); /* at a later one; without one it is DOWN */
void job_set_server(struct outbound_job *job, const struct outbound_connection *connection);
void job_unlist(struct outbound_job *job); /* out of the queue that it waits in */

/* outbound_pool.c */
struct outbound_way *way_get(struct outbound *outbound, const struct outbound_to *to);
void ways_clear(struct outbound *outbound); /* those that nobody uses, and their pools */
/* PROXY: a connection is one client's from its first octets on. */
bool pool_tells_at_once(const struct outbound_pool *pool);
bool pool_is_down(struct outbound_pool *pool);
void pool_failed(struct outbound_pool *pool, const char *trouble);
void pool_is_well(struct outbound_pool *pool);
void pool_dispatch(struct outbound_pool *pool); /* waiting jobs to connections */
void pool_free(struct outbound_pool *pool);

/* outbound_connection.c */
/* For the client of this job, where PROXY tells of one; else for whoever waits when it is ready. */
void connection_open(struct outbound_pool *pool, const struct outbound_job *job);
void connection_run(struct outbound_connection *connection, struct outbound_job *job); /* an idle one */
void connection_release(struct outbound_connection *connection); /* its job's result was told */
void connection_drop(struct outbound_connection *connection);    /* at once, whatever it does */
void connection_quit(struct outbound_connection *connection);    /* an idle one */
void connection_step(struct outbound_connection *connection, enum client_input_kind kind,
                     struct slice octets);
void connection_work(struct outbound_connection *connection); /* after each step: sends, goes on, ends */
void connection_wants(struct outbound_connection *connection);
void connection_ready(struct loop_watch *watch, unsigned ready);

/* outbound_connect.c */
void connect_begin(struct outbound_connection *connection);
void connect_ready(struct outbound_connection *connection); /* the descriptor says so */
void connect_timer(struct outbound_connection *connection);
void connect_failed(struct outbound_connection *connection, const char *trouble);
void connect_shake(struct outbound_connection *connection); /* TLS */
void connect_close(struct outbound_connection *connection); /* descriptor, TLS, client, question */

#endif
