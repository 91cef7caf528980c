#include "io/outbound_parts.h"
#include "io/net.h"
#include <stdio.h>
#include <unistd.h>

/* After a failed handshake a server that need not be encrypted is talked to in plain text for this long. */
enum { PLAIN_MS = 600000 };

static struct outbound *outbound_of(const struct outbound_connection *connection)
{
    return connection->pool->outbound;
}

void connect_close(struct outbound_connection *connection)
{
    struct outbound *outbound = outbound_of(connection);
    if (connection->tls)
        tls_end(connection->tls);
    tls_free(connection->tls);
    connection->tls = NULL;
    loop_remove_close(outbound->settings.loop, &connection->watch);
    loop_timer_clear(outbound->settings.loop, &connection->timer);
    resolve_forget(outbound->resolve, outbound, connection->number);
}

/* The pool's health first: nobody is to open another one meanwhile. */
static void give_up(struct outbound_connection *connection, const char *trouble)
{
    pool_failed(connection->pool, trouble);
    connection_drop(connection);
}

static void timer_until(struct outbound_connection *connection, uint64_t due_ms)
{
    loop_timer_set(outbound_of(connection)->settings.loop, &connection->timer, due_ms);
}

/* What fails at once is told in the next turn: the caller may be at work on the pool. */
static void fail_soon(struct outbound_connection *connection, const char *trouble)
{
    snprintf(connection->trouble, sizeof connection->trouble, "%s", trouble);
    timer_until(connection, outbound_now(outbound_of(connection)));
}

/* --- addresses ----------------------------------------------------------------------------------------- */

/* The addresses that are left share the time that is left. */
static uint64_t address_deadline(const struct outbound_connection *connection)
{
    uint64_t now_ms = outbound_now(outbound_of(connection));
    uint64_t left_ms = connection->deadline_ms > now_ms ? connection->deadline_ms - now_ms : 0;
    size_t left = connection->address_count - connection->address_at;
    return now_ms + (connection->address_count > 1 && left > 1 ? left_ms / left : left_ms);
}

static int socket_begin(struct outbound_connection *connection, struct error *error)
{
    const struct target *target = &connection->pool->target;
    if (target->is_unix)
        return net_connect_unix(target->host, error);
    return net_connect(&connection->addresses[connection->address_at], NULL, error);
}

static void try_address(struct outbound_connection *connection)
{
    struct loop *loop = outbound_of(connection)->settings.loop;
    struct error error = {.number = 0};
    connection->state = CONNECTION_CONNECTING;
    connection->trouble[0] = '\0';
    connection->watch.ready = connection_ready;
    connection->watch.fd = socket_begin(connection, &error);
    if (connection->watch.fd >= 0 && loop_add(loop, &connection->watch, LOOP_WRITE, &error) == 0) {
        timer_until(connection, address_deadline(connection));
        return;
    }
    if (connection->watch.fd >= 0)
        close(connection->watch.fd);
    connection->watch.fd = -1;
    fail_soon(connection, error.text);
}

static void addresses_take(struct outbound_connection *connection, const struct resolve_answer *answer)
{
    uint16_t port = connection->pool->target.port;
    for (size_t i = 0; i < answer->count; i++) {
        connection->addresses[i] = answer->addresses[i];
        connection->addresses[i].port = port;
    }
    connection->address_count = answer->count;
    if (answer->count > 0) {
        try_address(connection);
        return;
    }
    char trouble[256];
    snprintf(trouble, sizeof trouble, "%.*s has no address: %.*s", SLICE_ARGS(connection->pool->target.host),
             SLICE_ARGS(answer->trouble));
    fail_soon(connection, trouble);
}

/* The resolver's answer names the connection by its number: it may be gone. */
static void resolved(void *whom, uint64_t number, const struct resolve_answer *answer)
{
    struct outbound *outbound = whom;
    for (struct link *at = outbound->pools.next; at != &outbound->pools; at = at->next) {
        struct outbound_pool *pool = LIST_OF(at, struct outbound_pool, link);
        for (struct link *each = pool->connections.next; each != &pool->connections; each = each->next) {
            struct outbound_connection *connection = LIST_OF(each, struct outbound_connection, link);
            if (connection->number != number || connection->state != CONNECTION_RESOLVING)
                continue;
            addresses_take(connection, answer);
            return;
        }
    }
}

void connect_begin(struct outbound_connection *connection)
{
    struct outbound *outbound = outbound_of(connection);
    const struct target *target = &connection->pool->target;
    struct resolve_answer answer = {.count = 1, .addresses = {target->address}};
    connection->deadline_ms = outbound_now(outbound) + outbound->settings.connect_ms;
    connection->state = CONNECTION_RESOLVING;
    if (target->is_unix)
        try_address(connection);
    else if (target->address.family != ADDRESS_NONE)
        addresses_take(connection, &answer);
    else if (resolve_ask(outbound->resolve, target->host, connection->number, resolved, outbound, &answer))
        addresses_take(connection, &answer);
    else
        timer_until(connection, connection->deadline_ms);
}

/* --- the next address, or the end ---------------------------------------------------------------------- */

static void start_over(struct outbound_connection *connection)
{
    connect_close(connection);
    client_free(connection->client);
    connection->client = NULL;
    buf_clear(&connection->out.send);
    connection->out.close = connection->out.start_tls = false;
    connection->written = 0;
    connection->unwritable = connection->write_waits = false;
    connection->tls_wants_read = connection->tls_wants_write = false;
    try_address(connection);
}

static bool may_go_plain(struct outbound_connection *connection)
{
    struct outbound_pool *pool = connection->pool;
    if (!connection->tls || pool->tls != ROUTE_TLS_MAY)
        return false;
    pool->plain_ms = outbound_now(pool->outbound) + PLAIN_MS;
    return true;
}

/* "192.0.2.7:25: trouble" */
static void trouble_print(const struct outbound_connection *connection, const char *trouble, char text[256])
{
    char server[ADDRESS_PORT_TEXT_SIZE];
    if (connection->address_count == 0) {
        snprintf(text, 256, "%s", trouble);
        return;
    }
    address_port_print(&connection->addresses[connection->address_at], server);
    snprintf(text, 256, "%s: %s", server, trouble);
}

void connect_failed(struct outbound_connection *connection, const char *trouble)
{
    bool in_time = outbound_now(outbound_of(connection)) < connection->deadline_ms;
    char text[256];
    if (may_go_plain(connection)) {
        start_over(connection);
        return;
    }
    trouble_print(connection, trouble, text);
    if (in_time && connection->address_at + 1 < connection->address_count) {
        connection->address_at++;
        start_over(connection);
        return;
    }
    give_up(connection, text);
}

void connect_timer(struct outbound_connection *connection)
{
    char trouble[256];
    if (connection->trouble[0]) {
        snprintf(trouble, sizeof trouble, "%s", connection->trouble);
        connect_failed(connection, trouble);
    } else if (connection->state == CONNECTION_RESOLVING) {
        connect_failed(connection, "the resolver did not answer in time");
    } else {
        connect_failed(connection, "connecting took too long");
    }
}

/* --- connected, and TLS -------------------------------------------------------------------------------- */

static void connected(struct outbound_connection *connection)
{
    const struct outbound_pool *pool = connection->pool;
    const struct outbound_settings *settings = &pool->outbound->settings;
    bool plain = pool->tls == ROUTE_TLS_MAY && pool->plain_ms > outbound_now(pool->outbound);
    const struct transaction about = {.peer = connection->peer, .local = connection->local};
    struct client_settings client = {.protocol = pool->protocol,
                                     .helo = settings->helo,
                                     .tls = plain ? ROUTE_TLS_NEVER : pool->tls,
                                     .tell = pool->tell,
                                     .reply_ms = settings->reply_ms,
                                     .dot_ms = settings->dot_ms};
    if (connection->address_count > 0) {
        client.self = net_local(connection->watch.fd);
        client.server = connection->addresses[connection->address_at];
    }
    connection->client = client_new(&client, connection->session ? &about : NULL);
    connection->state = CONNECTION_TALKING;
    loop_timer_clear(settings->loop, &connection->timer);
    connection_step(connection, CLIENT_CONNECTED, SLICE_NONE);
    connection_work(connection);
}

static void shake(struct outbound_connection *connection)
{
    enum tls_status status = tls_handshake(connection->tls);
    connection->tls_wants_write = status == TLS_WANT_WRITE;
    if (status == TLS_WANT_READ || status == TLS_WANT_WRITE) {
        connection_wants(connection);
        return;
    }
    connection->state = CONNECTION_TALKING;
    if (status == TLS_DONE)
        connection_step(connection, CLIENT_TLS_UP, SLICE_NONE);
    else
        connection_step(connection, CLIENT_TLS_FAILED, tls_trouble(connection->tls));
    connection_work(connection);
}

void connect_shake(struct outbound_connection *connection)
{
    struct tls_client *tls = outbound_of(connection)->settings.tls;
    if (!tls) {
        connection_step(connection, CLIENT_TLS_FAILED, SLICE("there is no TLS in this process"));
        connection_work(connection);
        return;
    }
    connection->tls = tls_connect(tls, connection->watch.fd, connection->pool->target.host);
    connection->state = CONNECTION_SHAKING;
    shake(connection);
}

void connect_ready(struct outbound_connection *connection)
{
    struct error error = {.number = 0};
    if (connection->state == CONNECTION_SHAKING)
        shake(connection);
    else if (net_connect_result(connection->watch.fd, &error) < 0)
        connect_failed(connection, error.text);
    else
        connected(connection);
}
