/* A client of the gate: one connection, from an address of its own. */
#include "cli/play.h"

#include "base/error.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEARD_MAX  (4u << 20)
#define CONNECT_MS 5000

uint64_t play_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void play_client_init(struct play_client *client)
{
    *client = (struct play_client){.fd = -1};
    buf_init(&client->heard, HEARD_MAX);
}

/* --- addresses ----------------------------------------------------------------------------------------- */

union any_address {
    struct sockaddr generic;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static socklen_t to_system(const struct address *address, union any_address *ret_any)
{
    memset(ret_any, 0, sizeof *ret_any);
    if (address->family == ADDRESS_IPV6) {
        ret_any->six.sin6_family = AF_INET6;
        ret_any->six.sin6_port = htons(address->port);
        memcpy(&ret_any->six.sin6_addr, address->octets, 16);
        return sizeof ret_any->six;
    }
    ret_any->four.sin_family = AF_INET;
    ret_any->four.sin_port = htons(address->port);
    memcpy(&ret_any->four.sin_addr, address->octets, 4);
    return sizeof ret_any->four;
}

static struct address from_system(const union any_address *any)
{
    if (any->generic.sa_family == AF_INET6)
        return address_from_octets(ADDRESS_IPV6, any->six.sin6_addr.s6_addr, ntohs(any->six.sin6_port));
    return address_from_octets(ADDRESS_IPV4, (const uint8_t *)&any->four.sin_addr, ntohs(any->four.sin_port));
}

/* --- opening ------------------------------------------------------------------------------------------- */

static int bind_to(int fd, const struct address *from, struct error *error)
{
    union any_address any;
    char text[ADDRESS_TEXT_SIZE];
    const int on = 1;

    const socklen_t size = to_system(from, &any);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, &any.generic, size) == 0)
        return 0;
    const int number = errno;
    (void)address_print(from, text);
    if (number == EADDRNOTAVAIL)
        return error_set(error, 0, "%s is no address of this machine: expected one of 127.0.0.0/8", text);
    return error_set(error, number, "cannot connect from %s", text);
}

static int await_connection(int fd, struct error *error)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int number = 0;
    socklen_t size = sizeof number;

    if (poll(&wait, 1, CONNECT_MS) <= 0)
        return error_set(error, ETIMEDOUT, "cannot connect");
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size) < 0 || number)
        return error_set(error, number, "cannot connect");
    return 0;
}

static int connect_to(int fd, const struct address *to, struct error *error)
{
    union any_address any;
    const socklen_t size = to_system(to, &any);

    if (connect(fd, &any.generic, size) == 0)
        return 0;
    return errno == EINPROGRESS ? await_connection(fd, error) : error_set(error, errno, "cannot connect");
}

int play_client_open(struct play_client *client, const struct address *from, const struct address *to,
                     struct error *error)
{
    const int family = to->family == ADDRESS_IPV6 ? AF_INET6 : AF_INET, on = 1;
    union any_address any;
    socklen_t size = sizeof any;

    const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set(error, errno, "cannot make a socket");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* what is sent apart goes apart */
    if (bind_to(fd, from, error) < 0 || connect_to(fd, to, error) < 0 ||
        getsockname(fd, &any.generic, &size) < 0) {
        (void)close(fd);
        return -1;
    }
    client->fd = fd;
    client->from = from_system(&any);
    client->closed = false;
    client->taken = 0;
    buf_clear(&client->heard);
    return 0;
}

/* --- talking ------------------------------------------------------------------------------------------- */

static void receive(struct play_client *client)
{
    char *room = buf_room(&client->heard, 4096);
    const ssize_t got = room ? recv(client->fd, room, 4096, 0) : 0;

    if (got > 0)
        buf_grow(&client->heard, (size_t)got);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        client->closed = true;
}

bool play_client_listen(struct play_client *client, uint64_t until_ms)
{
    struct pollfd wait = {.fd = client->closed ? -1 : client->fd, .events = POLLIN};
    const uint64_t now_ms = play_now_ms();
    const int left_ms = until_ms > now_ms ? (int)(until_ms - now_ms) : 0;

    if (poll(&wait, 1, left_ms) <= 0)
        return false;
    receive(client);
    return true;
}

bool play_client_send(struct play_client *client, struct slice octets, uint64_t wait_ms)
{
    const uint64_t until_ms = play_now_ms() + wait_ms;

    while (octets.len && !client->closed) {
        const ssize_t sent = send(client->fd, octets.at, octets.len, MSG_NOSIGNAL);
        if (sent >= 0) {
            octets = slice_from(octets, (size_t)sent);
            continue;
        }
        struct pollfd wait = {.fd = client->fd, .events = POLLOUT};
        if ((errno != EAGAIN && errno != EINTR) || play_now_ms() >= until_ms)
            return false;
        (void)poll(&wait, 1, 100);
    }
    return !octets.len;
}

bool play_client_line(struct play_client *client, struct slice *ret_line)
{
    struct slice rest = slice_from(buf_slice(&client->heard), client->taken);
    const size_t end = slice_find(rest, '\n');

    if (end == SLICE_NOT_FOUND)
        return false;
    const size_t cr = end && rest.at[end - 1] == '\r';
    *ret_line = slice_head(rest, end - cr);
    client->taken += end + 1;
    return true;
}

void play_client_end(struct play_client *client)
{
    if (client->fd >= 0)
        (void)shutdown(client->fd, SHUT_WR);
}

void play_client_drop(struct play_client *client)
{
    if (client->fd >= 0)
        (void)close(client->fd);
    client->fd = -1;
    buf_drop(&client->heard);
}
