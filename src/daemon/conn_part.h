/* What the connection's files share: not for others. */
#ifndef DAEMON_CONN_PART_H
#define DAEMON_CONN_PART_H

#include "daemon/conn.h"

enum conn_state {
    CONN_OPEN,
    CONN_SHAKING,  /* the TLS handshake */
    CONN_CLOSING,  /* the session is over: what is unsent goes out, then the connection ends */
    CONN_LINGERING /* our side is shut: the client's last octets are read and dropped */
};

/* The session and its first arena chunk stand behind it in the slab. */
struct conn {
    struct loop_watch watch; /* fd -1: the client has gone, a result is still awaited */
    struct loop_timer timer;
    struct gate *gate;
    slab_handle handle;
    uint64_t due_ms;     /* when the session wants its INPUT_TIMER; 0: never. The timer may be set earlier. */
    uint64_t host_key;   /* in the counters */
    struct buf *in;      /* not consumed yet; NULL: nothing */
    struct buf *out;     /* not sent yet; NULL: nothing */
    struct tls *tls;     /* NULL: plaintext */
    struct draft *draft; /* the message that comes in, or NULL */
    struct journal_mark mark;
    uint16_t lingered;    /* KiB that were read and dropped */
    uint8_t state;        /* enum conn_state */
    bool eof : 1;         /* the client has closed its side; the session was not told yet */
    bool big : 1;         /* the last read was full: read more at once */
    bool readable : 1;    /* there may be octets that were not read: the loop tells of new ones only */
    bool ended : 1;       /* the end of the client's octets has come, if not been read yet */
    bool queued : 1;      /* in gate->again */
    bool starts_tls : 1;  /* as soon as what is unsent is gone */
    bool said_quit : 1;   /* the last command: the client expects the end and sends nothing more */
    bool answered : 1;    /* the session is over and given back */
    bool told : 1;        /* the session knows that the client has gone */
    bool wants_write : 1; /* TLS: go on when the socket can be written */
};

#define CONN_KEEP_MAX 16384u         /* octets kept for the session: beyond, reading stops */
#define CONN_OUT_MAX  (512u * 1024u) /* unsent: beyond, the client is given up */

static inline struct session *conn_session(struct conn *conn)
{
    return (struct session *)(void *)(conn + 1);
}

/* One step and what it wants done; what it says is gathered in the outbox until conn_settle. Returns the
 * octets consumed. */
size_t conn_step(struct conn *conn, struct input *input);
/* After steps: sends, ends what is over, watches for what comes next. The connection may be gone afterwards.
 */
void conn_settle(struct conn *conn);
/* OUTBOX_CLOSE. */
void conn_over(struct conn *conn);
/* Goes on at the end of this turn, or of the next. */
void conn_again(struct conn *conn);
void conn_close(struct conn *conn);
/* Tells the loop what to watch for, from the connection's state. */
void conn_watch(struct conn *conn);

/* --- conn_act.c: the outbox's wishes */
void conn_act(struct conn *conn);

/* --- conn_tls.c */
void conn_tls_begin(struct conn *conn);
void conn_tls_shake(struct conn *conn);
/* As recv and send: octets, 0 at the end of the stream, -1 with errno (EAGAIN; EPROTO for TLS's own trouble).
 */
long conn_receive(struct conn *conn, char *at, size_t size);
long conn_send(struct conn *conn, struct slice octets);

#endif
