/* c-ares and its sockets on the loop. One channel a server: which server is asked next is ours to say.
 *
 * c-ares gets sockets of ours, so that each answer passes by: what was not asked for is counted, which c-ares
 * does in silence. The timer ticks only while questions are under way: c-ares tells when its next time-out is
 * due by walking over all questions. */
#include "base/memory.h"
#include "io/resolver_part.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 50, ID_SIZE = 2 };

uint64_t clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* --- sockets ------------------------------------------------------------------------------------------- */

static ares_socket_t socket_make(int family, int type, int protocol, void *data)
{
    const int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    const int on = 1;
    (void)data;
    if (fd >= 0 && type == SOCK_STREAM)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static int socket_close(ares_socket_t fd, void *data)
{
    (void)data;
    return close(fd);
}

static int socket_connect(ares_socket_t fd, const struct sockaddr *address, ares_socklen_t size, void *data)
{
    (void)data;
    return connect(fd, address, size);
}

static ares_ssize_t socket_send(ares_socket_t fd, const struct iovec *parts, int count, void *data)
{
    (void)data;
    return writev(fd, parts, count);
}

/* Whether the datagram answers a question that is under way. */
static bool was_asked(const struct resolver *resolver, struct slice packet)
{
    if (packet.len < 12)
        return false;
    const struct entry *entry = table_get(&resolver->by_id, slice_head(packet, ID_SIZE));
    return entry && dns_question_is(packet, entry_name(entry), entry->type);
}

/* Streams have no sender's address: what comes there was not sent by somebody else. */
static ares_ssize_t socket_receive(ares_socket_t fd, void *at, size_t size, int flags, struct sockaddr *from,
                                   ares_socklen_t *from_size, void *data)
{
    struct channel *channel = data;
    struct resolver_counts *counts = &channel->resolver->counts;
    const ssize_t got = recvfrom(fd, at, size, flags, from, from_size);
    if (got < 0 || !from)
        return got;
    if (!was_asked(channel->resolver, slice_of(at, (size_t)got)))
        counts->strays++;
    else if (((const char *)at)[2] & 2)
        counts->cut++;
    return got;
}

static const struct ares_socket_functions functions = {socket_make, socket_close, socket_connect,
                                                       socket_receive, socket_send};

/* --- the loop ------------------------------------------------------------------------------------------ */

static void tick_set(struct resolver *resolver)
{
    if (!loop_timer_is_set(&resolver->tick) && resolver->by_id.used)
        loop_timer_set(resolver->loop, &resolver->tick, loop_now_ms(resolver->loop) + TICK_MS);
}

static void tick_due(struct loop_timer *timer)
{
    struct resolver *resolver = LIST_OF(timer, struct resolver, tick);
    for (size_t i = 0; i < resolver->channel_count; i++)
        ares_process_fd(resolver->channels[i].ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    tick_set(resolver);
}

static void socket_ready(struct loop_watch *watch, unsigned ready)
{
    struct channel_socket *socket = LIST_OF(watch, struct channel_socket, watch);
    const int fd = watch->fd;
    const bool reads = ready & (LOOP_READ | LOOP_BROKEN), writes = ready & LOOP_WRITE;
    ares_process_fd(socket->channel->ares, reads ? fd : ARES_SOCKET_BAD, writes ? fd : ARES_SOCKET_BAD);
}

static struct channel_socket *socket_find(struct channel *channel, int fd)
{
    for (struct link *at = channel->sockets.next; at != &channel->sockets; at = at->next) {
        struct channel_socket *socket = LIST_OF(at, struct channel_socket, link);
        if (socket->watch.fd == fd)
            return socket;
    }
    return NULL;
}

static void socket_end(struct channel *channel, struct channel_socket *socket)
{
    loop_remove(channel->resolver->loop, &socket->watch);
    list_remove(&socket->link);
    memory_give(socket, sizeof *socket);
}

static struct channel_socket *socket_begin(struct channel *channel, int fd)
{
    struct channel_socket *socket = memory_take(sizeof *socket);
    struct error error;
    socket->channel = channel;
    socket->watch.fd = fd;
    socket->watch.ready = socket_ready;
    list_add_last(&channel->sockets, &socket->link);
    if (loop_add(channel->resolver->loop, &socket->watch, LOOP_READ, &error) == 0)
        return socket;
    /* It is never told of: its questions run into their time. */
    list_remove(&socket->link);
    memory_give(socket, sizeof *socket);
    return NULL;
}

static void socket_changed(void *data, ares_socket_t fd, int reads, int writes)
{
    struct channel *channel = data;
    struct channel_socket *socket = socket_find(channel, fd);
    if (!reads && !writes) {
        if (socket)
            socket_end(channel, socket);
        return;
    }
    if (!socket)
        socket = socket_begin(channel, fd);
    if (socket)
        loop_want(channel->resolver->loop, &socket->watch,
                  (reads ? LOOP_READ : 0) | (writes ? LOOP_WRITE : 0));
}

/* --- questions ----------------------------------------------------------------------------------------- */

static struct slice id_key(const struct entry *entry)
{
    return slice_of((const char *)&entry->id, ID_SIZE);
}

/* From the system, many at once. */
static uint16_t id_next(struct resolver *resolver)
{
    if (resolver->ids_left == 0 &&
        getrandom(resolver->ids, sizeof resolver->ids, GRND_NONBLOCK) == (ssize_t)sizeof resolver->ids)
        resolver->ids_left = IDS;
    return resolver->ids_left ? resolver->ids[--resolver->ids_left]
                              : (uint16_t)random_next(&resolver->random);
}

/* Nobody outside may guess it. As it stands in memory, so it is sent. */
static void id_take(struct entry *entry)
{
    struct resolver *resolver = entry->resolver;
    do {
        entry->id = id_next(resolver);
    } while (table_get(&resolver->by_id, id_key(entry)));
    table_put(&resolver->by_id, id_key(entry), entry);
}

static const char *trouble_words(int status)
{
    switch (status) {
    case ARES_ETIMEOUT: return "the name servers do not answer";
    case ARES_ECONNREFUSED: return "no name server can be reached";
    default: return ares_strerror(status);
    }
}

static void query_done(void *data, int status, int timeouts, unsigned char *packet, int len)
{
    struct entry *entry = data;
    (void)timeouts;
    table_remove(&entry->resolver->by_id, id_key(entry));
    const struct slice octets = status == ARES_SUCCESS ? slice_of((const char *)packet, (size_t)len)
                                                       : SLICE_NONE;
    entry_answered(entry, octets, trouble_words(status));
}

void entry_send(struct entry *entry)
{
    struct resolver *resolver = entry->resolver;
    struct buf query;
    uint16_t id;
    id_take(entry);
    memcpy(&id, &entry->id, sizeof id);
    buf_init(&query, DNS_QUERY_MAX);
    dns_query_write(&query, (uint16_t)(id << 8 | id >> 8), entry_name(entry), entry->type);
    memcpy(query.at, &entry->id, sizeof entry->id);
    entry->sent++;
    entry->sent_us = clock_us();
    resolver->counts.sent++;
    ares_send(resolver->channels[entry->server].ares, (const unsigned char *)query.at, (int)query.len,
              query_done, entry);
    buf_drop(&query);
    tick_set(resolver);
}

/* --- servers ------------------------------------------------------------------------------------------- */

static int channel_open(struct resolver *resolver, const struct address *address, struct error *error)
{
    struct channel *channel = &resolver->channels[resolver->channel_count];
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP | ARES_FLAG_EDNS,
        .timeout = (int)(resolver->settings.deadline_ms / 4),
        .tries = 1,
        .ednspsz = DNS_UDP_SIZE,
        .sock_state_cb = socket_changed,
        .sock_state_cb_data = channel,
    };
    const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
                     ARES_OPT_SOCK_STATE_CB;
    char text[ADDRESS_PORT_TEXT_SIZE];
    address_port_print(address, text);
    channel->resolver = resolver;
    channel->address = *address;
    list_init(&channel->sockets);
    int status = ares_init_options(&channel->ares, &options, mask);
    if (status != ARES_SUCCESS)
        return error_set(error, 0, "c-ares cannot begin: %s", ares_strerror(status));
    resolver->channel_count++;
    ares_set_socket_functions(channel->ares, &functions, channel);
    status = ares_set_servers_ports_csv(channel->ares, text);
    return status == ARES_SUCCESS ? 0
                                  : error_set(error, 0, "name server %s: %s", text, ares_strerror(status));
}

static int servers_named(struct slice text, struct address servers[RESOLVER_SERVERS], size_t *ret_count,
                         struct error *error)
{
    struct slice word;
    size_t count = 0;
    while (slice_word(&text, &word)) {
        if (count == RESOLVER_SERVERS ||
            (!address_parse(word, &servers[count]) && !address_port_parse(word, 53, &servers[count])))
            return error_set(error, 0, "\"%.*s\" is no address of a name server, or one too many",
                             SLICE_ARGS(word));
        if (!servers[count].port)
            servers[count].port = 53;
        count++;
    }
    *ret_count = count;
    return 0;
}

static struct address node_address(const struct ares_addr_port_node *node)
{
    const bool six = node->family == AF_INET6;
    return address_from_octets(six ? ADDRESS_IPV6 : ADDRESS_IPV4,
                               six ? (const uint8_t *)&node->addr.addr6 : (const uint8_t *)&node->addr.addr4,
                               (uint16_t)(node->udp_port ? node->udp_port : 53));
}

/* From resolv.conf; without one c-ares takes the server of this host. */
static int servers_of_system(struct address servers[RESOLVER_SERVERS], size_t *ret_count, struct error *error)
{
    struct ares_addr_port_node *nodes = NULL;
    ares_channel ares;
    int status = ares_init(&ares);
    if (status != ARES_SUCCESS)
        return error_set(error, 0, "c-ares cannot begin: %s", ares_strerror(status));
    status = ares_get_servers_ports(ares, &nodes);
    size_t count = 0;
    for (const struct ares_addr_port_node *node = nodes; node && count < RESOLVER_SERVERS; node = node->next)
        servers[count++] = node_address(node);
    ares_free_data(nodes);
    ares_destroy(ares);
    *ret_count = count;
    return count ? 0 : error_set(error, 0, "the system names no name server: %s", ares_strerror(status));
}

static int servers_find(struct slice text, struct address servers[RESOLVER_SERVERS], size_t *ret_count,
                        struct error *error)
{
    int result = text.len ? servers_named(text, servers, ret_count, error)
                          : servers_of_system(servers, ret_count, error);
    return result < 0 || *ret_count ? result : error_set(error, 0, "no name server is named");
}

int resolver_servers(struct slice servers, struct address ret_servers[RESOLVER_SERVERS], size_t *ret_count,
                     struct error *error)
{
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
        return error_set(error, 0, "c-ares cannot begin");
    int result = servers_find(servers, ret_servers, ret_count, error);
    ares_library_cleanup();
    return result;
}

int channels_open(struct resolver *resolver, struct error *error)
{
    struct address servers[RESOLVER_SERVERS];
    size_t count = 0;
    resolver->tick.due = tick_due;
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
        return error_set(error, 0, "c-ares cannot begin");
    if (servers_find(resolver->settings.servers, servers, &count, error) < 0)
        return -1;
    resolver->local = count > 0;
    for (size_t i = 0; i < count; i++) {
        if (channel_open(resolver, &servers[i], error) < 0)
            return -1;
        resolver->local &= address_is_special(&servers[i]);
    }
    return 0;
}

void channels_close(struct resolver *resolver)
{
    loop_timer_clear(resolver->loop, &resolver->tick);
    for (size_t i = 0; i < resolver->channel_count; i++)
        ares_destroy(resolver->channels[i].ares);
    ares_library_cleanup();
}
