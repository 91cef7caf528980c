/* A name server in the test's own loop, that behaves as it is told: by UDP and TCP on one port of loopback.
 */
#ifndef TEST_IO_DNS_SERVER_H
#define TEST_IO_DNS_SERVER_H

#include "dns.h"
#include "io/loop.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

enum server_mood {
    SERVER_GOOD,
    SERVER_DEAD,           /* it hears and says nothing */
    SERVER_SLOW,           /* it answers when server_release says so, but at once that nothing is .invalid */
    SERVER_WRONG_ID,       /* the answer is another question's */
    SERVER_WRONG_QUESTION, /* the id is right, the name is not */
    SERVER_CUTTING,        /* by UDP all is cut short, by TCP it is whole */
    SERVER_INVENTING,      /* names that do not exist have 203.0.113.99 */
    SERVER_FAILING,        /* SERVFAIL */
    SERVER_GARBLED         /* octets that are no answer */
};

/* What it knows: an answer's records, put behind the head that dns_put_head makes. Returns how many, or a
 * negative number: -1 no data, -2 no such name. */
typedef int dns_zone(struct slice name, enum dns_type type, struct buf *records);

struct dns_server {
    struct loop *loop;
    struct loop_watch udp, tcp, stream;
    dns_zone *zone;
    enum server_mood mood;
    unsigned heard, heard_tcp;
    char address[64];
    char held[600];
    size_t held_len;
    struct sockaddr_in held_from;
};

static inline void server_query_name(struct slice query, char name[256], enum dns_type *ret_type)
{
    size_t at = 12, len = 0;
    while (at < query.len && query.at[at]) {
        const size_t label = (unsigned char)query.at[at++];
        memcpy(name + len, query.at + at, label);
        at += label;
        len += label;
        name[len++] = '.';
    }
    name[len ? len - 1 : 0] = '\0';
    *ret_type = (enum dns_type)((unsigned char)query.at[at + 1] << 8 | (unsigned char)query.at[at + 2]);
}

static inline void server_records(struct dns_server *server, struct slice query, struct buf *packet)
{
    enum dns_type type;
    char name[256];
    struct buf records;
    buf_init(&records, 65000);
    server_query_name(query, name, &type);
    int count = server->zone(slice_text(name), type, &records);
    if (count == -2 && server->mood == SERVER_INVENTING && type == DNS_A) {
        dns_put_record(&records, NULL, DNS_A, 60, SLICE("\313\0\161\143"));
        count = 1;
    }
    dns_put_head(packet, query, count == -2 ? 3 : 0, count > 0 ? (unsigned)count : 0, count < 0);
    if (count < 0)
        dns_put_soa(packet, 600, 300);
    buf_add(packet, buf_slice(&records));
    buf_drop(&records);
}

static inline void server_answer(struct dns_server *server, struct slice query, bool stream,
                                 struct buf *packet)
{
    switch (server->mood) {
    case SERVER_GARBLED: dns_put_head(packet, query, 0, 9, 0); return;
    case SERVER_FAILING: dns_put_head(packet, query, 2, 0, 0); return;
    case SERVER_CUTTING:
        if (!stream) {
            dns_put_head(packet, query, 0x0200, 0, 0);
            return;
        }
        break;
    case SERVER_GOOD:
    case SERVER_DEAD:
    case SERVER_SLOW:
    case SERVER_WRONG_ID:
    case SERVER_WRONG_QUESTION:
    case SERVER_INVENTING: break;
    }
    server_records(server, query, packet);
    if (server->mood == SERVER_WRONG_ID)
        packet->at[0] = (char)(packet->at[0] ^ 1);
    if (server->mood == SERVER_WRONG_QUESTION)
        packet->at[13] = packet->at[13] == 'x' ? 'y' : 'x';
}

static inline void server_reply(struct dns_server *server, struct slice query, const struct sockaddr_in *to)
{
    struct buf packet;
    buf_init(&packet, 65535);
    server_answer(server, query, false, &packet);
    assert_true(sendto(server->udp.fd, packet.at, packet.len, 0, (const void *)to, sizeof *to) > 0);
    buf_drop(&packet);
}

static inline void server_datagram(struct loop_watch *watch, unsigned ready)
{
    struct dns_server *server = LIST_OF(watch, struct dns_server, udp);
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    char query[600];
    (void)ready;
    const ssize_t got = recvfrom(watch->fd, query, sizeof query, 0, (void *)&from, &size);
    if (got < 17)
        return;
    server->heard++;
    if (server->mood == SERVER_SLOW &&
        !slice_ends_fold(dns_question_of(slice_of(query, (size_t)got)), SLICE("\7invalid\0\0\1\0\1"))) {
        memcpy(server->held, query, (size_t)got);
        server->held_len = (size_t)got;
        server->held_from = from;
    } else if (server->mood != SERVER_DEAD) {
        server_reply(server, slice_of(query, (size_t)got), &from);
    }
}

/* The answer that was held back goes out. */
static inline void server_release(struct dns_server *server)
{
    server_reply(server, slice_of(server->held, server->held_len), &server->held_from);
}

static inline void server_stream_end(struct dns_server *server)
{
    if (server->stream.fd < 0)
        return;
    loop_remove(server->loop, &server->stream);
    close(server->stream.fd);
    server->stream.fd = -1;
}

static inline void server_stream(struct loop_watch *watch, unsigned ready)
{
    struct dns_server *server = LIST_OF(watch, struct dns_server, stream);
    char query[600];
    (void)ready;
    const ssize_t got = recv(watch->fd, query, sizeof query, 0);
    if (got < 19) {
        server_stream_end(server);
        return;
    }
    struct buf packet, framed;
    server->heard_tcp++;
    buf_init(&packet, 65535);
    buf_init(&framed, 65540);
    server_answer(server, slice_of(query + 2, (size_t)got - 2), true, &packet);
    dns_put(&framed, packet.len);
    buf_add(&framed, buf_slice(&packet));
    assert_true(send(watch->fd, framed.at, framed.len, 0) == (ssize_t)framed.len);
    buf_drop(&packet);
    buf_drop(&framed);
}

static inline void server_accept(struct loop_watch *watch, unsigned ready)
{
    struct dns_server *server = LIST_OF(watch, struct dns_server, tcp);
    (void)ready;
    server_stream_end(server);
    const int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    server->stream.fd = fd;
    server->stream.ready = server_stream;
    assert_int_equal(loop_add(server->loop, &server->stream, LOOP_READ, NULL), 0);
}

static inline int server_socket(int type, uint16_t *port)
{
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof in;
    const int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(fd, (void *)&in, sizeof in) < 0) {
        close(fd);
        return -1;
    }
    getsockname(fd, (void *)&in, &size);
    *port = ntohs(in.sin_port);
    return fd;
}

/* The port must be free for both: another is tried where it is not. */
static inline void server_open(struct dns_server *server, struct loop *loop, dns_zone *zone)
{
    *server = (struct dns_server){.loop = loop, .zone = zone, .stream = {.fd = -1}};
    uint16_t port = 0;
    for (unsigned i = 0; i < 50; i++) {
        port = 0;
        server->udp.fd = server_socket(SOCK_DGRAM, &port);
        server->tcp.fd = server_socket(SOCK_STREAM, &port);
        if (server->tcp.fd >= 0)
            break;
        close(server->udp.fd);
    }
    assert_true(server->tcp.fd >= 0 && listen(server->tcp.fd, 5) == 0);
    server->udp.ready = server_datagram;
    server->tcp.ready = server_accept;
    assert_int_equal(loop_add(loop, &server->udp, LOOP_READ, NULL), 0);
    assert_int_equal(loop_add(loop, &server->tcp, LOOP_READ, NULL), 0);
    snprintf(server->address, sizeof server->address, "127.0.0.1:%u", port);
}

static inline void server_close(struct dns_server *server)
{
    server_stream_end(server);
    loop_remove(server->loop, &server->udp);
    loop_remove(server->loop, &server->tcp);
    close(server->udp.fd);
    close(server->tcp.fd);
}

#endif
