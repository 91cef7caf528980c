#include "inner.h"
#include "io/net.h"
#include "unit.h"
#include <errno.h>
#include <unistd.h>

static const struct inner_replies replies_kind = {
    .greeting = "220 inner.example ESMTP\r\n",
    .ehlo = "250-inner.example\r\n250 PIPELINING\r\n",
    .mail = "250 2.1.0 ok\r\n",
    .rcpt = "250 2.1.5 ok\r\n",
    .data = "354 go\r\n",
    .dot = "250 2.0.0 taken\r\n",
    .rset = "250 2.0.0 ok\r\n",
    .other = "221 2.0.0 bye\r\n",
};

static void connection_end(struct inner_connection *connection)
{
    if (connection->watch.fd < 0)
        return;
    tls_free(connection->tls);
    connection->tls = NULL;
    loop_remove_close(connection->inner->loop, &connection->watch);
    buf_drop(&connection->in);
    buf_drop(&connection->slow);
    buf_drop(&connection->message);
    connection->inner->open--;
}

static void send_now(struct inner_connection *connection, struct slice octets)
{
    size_t sent;
    if (octets.len == 0)
        return;
    if (connection->tls)
        tls_write(connection->tls, octets, &sent);
    else
        net_send(connection->watch.fd, octets);
}

static void reply(struct inner_connection *connection, const char *text)
{
    bool slow = *text == '~';
    connection->close_behind = *text == '!';
    struct slice octets = slice_text(slow || connection->close_behind ? text + 1 : text);
    if (slow) {
        buf_add(&connection->slow, octets);
        return;
    }
    send_now(connection, octets);
    if (connection->close_behind)
        connection_end(connection);
}

/* One octet a turn. */
static void slowly(struct loop_hook *hook)
{
    struct inner *inner = LIST_OF(hook, struct inner, hook);
    for (size_t i = 0; i < INNER_CONNECTIONS; i++) {
        struct inner_connection *connection = &inner->connections[i];
        if (connection->watch.fd < 0 || connection->slow.len == 0)
            continue;
        send_now(connection, slice_head(buf_slice(&connection->slow), 1));
        buf_take_front(&connection->slow, 1);
        loop_again(inner->loop);
    }
}

static bool is_refused(const struct inner_replies *replies, struct slice line)
{
    struct slice words = slice_text(replies->refused), word;
    while (slice_word(&words, &word))
        if (slice_find_slice(line, word) != SLICE_NOT_FOUND)
            return true;
    return false;
}

static const char *answer(struct inner_connection *connection, struct slice line)
{
    const struct inner_replies *replies = &connection->inner->replies;
    const char *own = connection->inner->answer ? connection->inner->answer(connection->inner, line) : NULL;
    if (own)
        return own;
    if (slice_starts_fold(line, SLICE("EHLO")) || slice_starts_fold(line, SLICE("LHLO")))
        return replies->ehlo;
    if (slice_starts_fold(line, SLICE("STARTTLS")) && connection->inner->tls)
        return "220 go\r\n";
    if (slice_starts_fold(line, SLICE("MAIL")))
        return replies->mail;
    if (slice_starts_fold(line, SLICE("RCPT")))
        return is_refused(replies, line) ? "550 5.1.1 no such user\r\n" : replies->rcpt;
    if (slice_starts_fold(line, SLICE("RSET")))
        return replies->rset;
    if (slice_starts_fold(line, SLICE("PROXY")))
        return "";
    return slice_starts_fold(line, SLICE("DATA")) ? replies->data : replies->other;
}

static void on_command(struct inner_connection *connection, struct slice line)
{
    const char *text = answer(connection, line);
    buf_add(&connection->inner->heard, line);
    buf_add(&connection->inner->heard, SLICE("\n"));
    connection->in_data = slice_starts_fold(line, SLICE("DATA")) && text[*text == '~'] == '3';
    reply(connection, text);
    if (slice_starts_fold(line, SLICE("STARTTLS")) && connection->inner->tls)
        connection->tls = tls_accept(connection->inner->tls, connection->watch.fd);
}

static void on_dot(struct inner_connection *connection)
{
    struct inner *inner = connection->inner;
    inner->message_count++;
    buf_add(&inner->messages, buf_slice(&connection->message));
    const char *text = inner->dot ? inner->dot(inner, buf_slice(&connection->message)) : inner->replies.dot;
    buf_clear(&connection->message);
    reply(connection, text);
}

/* False: more octets are needed. */
static bool take_line(struct inner_connection *connection)
{
    struct slice in = buf_slice(&connection->in);
    size_t end = slice_find_slice(in, SLICE("\r\n"));
    if (end == SLICE_NOT_FOUND)
        return false;
    struct slice line = slice_head(in, end);
    bool dot = connection->in_data && slice_equal(line, SLICE("."));
    char text[1024];
    if (connection->in_data) {
        buf_add(&connection->message, slice_head(in, end + 2));
        line.len = 0;
    }
    assert_true(line.len < sizeof text);
    if (line.len)
        memcpy(text, line.at, line.len);
    buf_take_front(&connection->in, end + 2);
    if (dot) {
        connection->in_data = false;
        on_dot(connection);
    } else if (!connection->in_data) {
        on_command(connection, slice_of(text, line.len));
    }
    return connection->watch.fd >= 0;
}

static long receive(struct inner_connection *connection, char *room, size_t size)
{
    size_t got = 0;
    if (!connection->tls)
        return read(connection->watch.fd, room, size);
    enum tls_status status = tls_read(connection->tls, room, size, &got);
    if (status == TLS_DONE)
        return (long)got;
    errno = EAGAIN;
    return status == TLS_WANT_READ || status == TLS_WANT_WRITE ? -1 : 0;
}

static void heard(struct loop_watch *watch, unsigned ready)
{
    struct inner_connection *connection = LIST_OF(watch, struct inner_connection, watch);
    static char room[65536];
    long got = receive(connection, room, sizeof room);
    (void)ready;
    if (got <= 0 && !(got < 0 && errno == EAGAIN)) {
        connection_end(connection);
        return;
    }
    if (got > 0)
        buf_add(&connection->in, slice_of(room, (size_t)got));
    while (take_line(connection))
        ;
    if (connection->watch.fd >= 0 && connection->tls && tls_has_pending(connection->tls))
        heard(watch, ready);
}

static void accepted(struct loop_watch *watch, unsigned ready)
{
    struct inner *inner = LIST_OF(watch, struct inner, watch);
    struct error error;
    (void)ready;
    int fd = net_accept(watch->fd, NULL);
    if (fd < 0)
        return;
    size_t free_at = 0;
    while (inner->connections[free_at].watch.fd >= 0)
        assert_true(++free_at < INNER_CONNECTIONS);
    struct inner_connection *connection = &inner->connections[free_at];
    *connection = (struct inner_connection){.inner = inner, .watch = {.ready = heard, .fd = fd}};
    buf_init(&connection->in, (size_t)1 << 24);
    buf_init(&connection->slow, 65536);
    buf_init(&connection->message, (size_t)1 << 24);
    assert_int_equal(loop_add(inner->loop, &connection->watch, LOOP_READ, &error), 0);
    inner->accepted++;
    inner->open++;
    reply(connection, inner->replies.greeting);
}

void inner_open_at(struct inner *inner, struct loop *loop, struct address address)
{
    struct error error = {.number = 0};
    *inner = (struct inner){.loop = loop, .replies = replies_kind};
    for (size_t i = 0; i < INNER_CONNECTIONS; i++)
        inner->connections[i].watch.fd = -1;
    buf_init(&inner->heard, (size_t)1 << 24);
    buf_init(&inner->messages, (size_t)1 << 24);
    inner->watch = (struct loop_watch){.ready = accepted, .fd = net_listen(&address, &error)};
    assert_true(inner->watch.fd >= 0);
    assert_int_equal(loop_add(loop, &inner->watch, LOOP_READ, &error), 0);
    inner->address = net_local(inner->watch.fd);
    inner->hook.run = slowly;
    loop_hook_add(loop, &inner->hook);
    address_print(&inner->address, inner->host);
    inner->target = (struct target){
        .host = slice_text(inner->host), .address = inner->address, .port = inner->address.port};
}

void inner_open(struct inner *inner, struct loop *loop)
{
    struct address address;
    assert_true(address_port_parse(SLICE("127.0.0.1:0"), 0, &address));
    inner_open_at(inner, loop, address);
}

void inner_stop_listening(struct inner *inner)
{
    loop_remove_close(inner->loop, &inner->watch);
}

void inner_say(struct inner *inner, const char *text)
{
    for (size_t i = 0; i < INNER_CONNECTIONS; i++)
        if (inner->connections[i].watch.fd >= 0)
            reply(&inner->connections[i], text);
}

void inner_hang_up(struct inner *inner)
{
    for (size_t i = 0; i < INNER_CONNECTIONS; i++)
        connection_end(&inner->connections[i]);
}

void inner_close(struct inner *inner)
{
    inner_hang_up(inner);
    inner_stop_listening(inner);
    loop_hook_remove(inner->loop, &inner->hook);
    buf_drop(&inner->heard);
    buf_drop(&inner->messages);
}
