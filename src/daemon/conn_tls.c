/* TLS on a connection. */
#include "daemon/conn_part.h"
#include "io/net.h"
#include <errno.h>
#include <sys/socket.h>

void conn_tls_begin(struct conn *conn)
{
    struct gate *gate = conn->gate;
    conn->starts_tls = false;
    conn->tls = tls_accept(gate->worker->tls, conn->watch.fd);
    gate->guard.tls++;
    conn->state = CONN_SHAKING;
    conn->wants_write = false;
    conn_watch(conn);
    if (conn->readable)
        conn_tls_shake(conn); /* its first octets are there already */
}

static void shake_failed(struct conn *conn)
{
    struct input input = {.kind = INPUT_TLS_FAILED, .tls = {.reason = tls_trouble(conn->tls)}};
    conn->eof = true; /* nothing more can be said to it */
    conn_step(conn, &input);
    conn_settle(conn);
}

static void shake_done(struct conn *conn)
{
    struct input input = {.kind = INPUT_TLS_UP,
                          .tls = {.version = tls_version(conn->tls),
                                  .cipher = tls_cipher(conn->tls),
                                  .server_name = tls_server_name(conn->tls)}};
    conn->state = CONN_OPEN;
    conn->readable = true; /* the client's first octets may have come with the end of its handshake */
    conn_step(conn, &input);
    conn_settle(conn);
}

void conn_tls_shake(struct conn *conn)
{
    enum tls_status status = tls_handshake(conn->tls);
    conn->wants_write = status == TLS_WANT_WRITE;
    switch (status) {
    case TLS_DONE: shake_done(conn); break;
    case TLS_WANT_READ:
    case TLS_WANT_WRITE: conn_watch(conn); break;
    case TLS_CLOSED:
    case TLS_FAILED: shake_failed(conn); break;
    }
}

/* As many records as fit. OpenSSL may hold octets that the descriptor does not show: only when it asks for
 * more is there nothing left to read. */
static long tls_receive(struct conn *conn, char *at, size_t size)
{
    enum tls_status status = TLS_DONE;
    size_t have = 0;
    while (status == TLS_DONE && have < size) {
        size_t got = 0;
        status = tls_read(conn->tls, at + have, size - have, &got);
        have += status == TLS_DONE ? got : 0;
    }
    conn->wants_write = status == TLS_WANT_WRITE;
    conn->readable = status != TLS_WANT_READ && status != TLS_WANT_WRITE;
    if (have)
        return (long)have;
    if (status == TLS_CLOSED)
        return 0;
    errno = status == TLS_FAILED ? EPROTO : EAGAIN;
    return -1;
}

/* Less than asked for is all there is, unless the end stands behind it. */
static long plain_receive(struct conn *conn, char *at, size_t size)
{
    ssize_t got = recv(conn->watch.fd, at, size, 0);
    conn->readable = got == (ssize_t)size || (got > 0 && conn->ended) || (got < 0 && errno == EINTR);
    return got;
}

long conn_receive(struct conn *conn, char *at, size_t size)
{
    return conn->tls ? tls_receive(conn, at, size) : plain_receive(conn, at, size);
}

static long tls_transmit(struct conn *conn, struct slice octets)
{
    size_t sent = 0;
    while (sent < octets.len) {
        size_t put = 0;
        enum tls_status status = tls_write(conn->tls, slice_from(octets, sent), &put);
        sent += put;
        if (status == TLS_DONE)
            continue;
        if (sent || status == TLS_WANT_WRITE || status == TLS_WANT_READ)
            break;
        errno = EPROTO;
        return -1;
    }
    return (long)sent;
}

long conn_send(struct conn *conn, struct slice octets)
{
    if (conn->tls)
        return tls_transmit(conn, octets);
    return conn->state == CONN_CLOSING ? net_send_last(conn->watch.fd, octets)
                                       : net_send(conn->watch.fd, octets);
}
