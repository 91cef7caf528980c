/* Connections to the mail servers behind us, and the jobs that they carry: the shell round core/client.h, for
 * the gate's relay and for the courier.
 *
 * Each target has a pool of connections with a maximum; they are used again, one job after the other, and
 * closed when idle for too long. A job goes to the first target of its way that is not known to be down; when
 * all its connections are busy the job waits, for a bounded time, in a bounded queue. A target that could not
 * be reached, or that closed on us, is left alone for a while that doubles; jobs go to the next one. A job is
 * begun again elsewhere only while nothing of its content has left; a connection from the pool that turns out
 * to be closed costs a fresh one.
 *
 * A job's content must be complete before the job is given in: a slow client never holds a connection. */
#ifndef IO_OUTBOUND_H
#define IO_OUTBOUND_H

#include "base/error.h"
#include "base/list.h"
#include "core/client.h"
#include "io/loop.h"

struct outbound;
struct outbound_connection; /* private, as are those two */
struct outbound_pool;
struct outbound_way;
struct tls_client;

struct outbound_settings {
    struct loop *loop;      /* outlives the outbound */
    struct tls_client *tls; /* lent; NULL: one of its own, which verifies nothing (RFC 7435) */
    struct slice helo;      /* our name; copied */
    uint64_t connect_ms;    /* for name and connection, all addresses of a target together */
    uint64_t reply_ms;      /* for a reply to a command, and for the peer to take what we send */
    uint64_t dot_ms;        /* for the reply to the message */
    uint64_t idle_ms;       /* how long an unused connection is kept */
    uint64_t waiting_ms;    /* how long a job may wait until it begins, on all targets together */
    uint64_t again_first_ms, again_most_ms; /* how long a target that failed is left alone; 0: 1 s, 30 s */
    unsigned connections;                   /* to one target, at least 1 */
    unsigned waiting;                       /* jobs that may wait for one target */
};

/* Where a job goes: targets in order, and how to talk to them. */
struct outbound_to {
    const struct target *targets; /* borrowed for outbound_start only */
    size_t target_count;          /* at least 1 */
    enum client_protocol protocol;
    enum route_tls tls;
    enum route_tell tell; /* XCLIENT and PROXY tell of job->transaction's client */
};

/* The content, read from its beginning, piece by piece. */
struct outbound_content {
    /* Gives the next octets (any length over 0; good until the next call), or an empty slice at the end. */
    int (*next)(void *from, struct slice *ret_piece, struct error *error);
    void (*rewind)(void *from); /* called before the first `next` */
    void *from;
};

enum outbound_result {
    OUTBOUND_ANSWERED, /* the server has answered: see job.reply and each recipient */
    OUTBOUND_DOWN,     /* no server could be reached, or none answered; the message was not taken */
    OUTBOUND_LOST,     /* the connection ended after the dot: not known whether the message was taken */
    OUTBOUND_BUSY,     /* all connections were busy for too long, or too many jobs wait */
    OUTBOUND_FAILED    /* the content could not be read; the message was not taken */
};

/* A job. The owner fills the first part, keeps all of it alive and unchanged until `done` or outbound_forget,
 * and may hold it inside a struct of his own.
 *
 * Without recipients it is a probe: it is done as soon as a connection is open and EHLO has been answered. */
struct outbound_job {
    struct client_job job;           /* its replies are good in `done` only */
    struct outbound_content content; /* not for verifications */
    /* Called exactly once, from the loop, never from inside a call to outbound; not after outbound_forget.
     * The job is the owner's again, and may start anew. */
    void (*done)(void *whom, struct outbound_job *job);
    void *whom;

    /* results */
    enum outbound_result result;
    struct slice server; /* "192.0.2.7:25" or the socket's path: who answered, or was tried last; in `text` */
    struct slice trouble;         /* not ANSWERED: why, in words; in `text` */
    struct capability capability; /* of the server that answered; its greeting is empty */
    bool tls;                     /* the connection was encrypted */
    size_t target;                /* the place of the target in its way */

    /* private */
    struct link link;
    struct loop_timer timer;
    struct outbound *outbound;
    struct outbound_way *way;
    struct outbound_connection *connection;
    uint8_t state;
    uint8_t at; /* the target that is tried */
    bool fresh; /* only a connection that has carried nothing yet */
    bool begun; /* content was asked for */
    bool unreadable;
    char text[384];
};

struct outbound *outbound_new(const struct outbound_settings *settings);
/* Other settings from here on; connections that are open live on. The loop must be the same. */
void outbound_change(struct outbound *outbound, const struct outbound_settings *settings);
/* Takes the job in hand. */
void outbound_start(struct outbound *outbound, const struct outbound_to *to, struct outbound_job *job);
/* The job's result is not wanted any more; what is under way is broken off, and unless job.dot_sent is set
 * nothing was passed on. A job that is done, or zeroed and never started, is taken. */
void outbound_forget(struct outbound_job *job);
/* Closes what is idle, politely, and from here on each connection after its job. */
void outbound_stop(struct outbound *outbound);
/* Jobs that are under way or wait. */
size_t outbound_busy(const struct outbound *outbound);
/* Jobs that are still there are forgotten. NULL is taken. */
void outbound_free(struct outbound *outbound);

#endif
