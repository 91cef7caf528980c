#include "io/net.h"
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 4096 }; /* the system cuts it to net.core.somaxconn */

union socket_name {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    struct sockaddr_un local;
};

static socklen_t name_make(const struct address *address, union socket_name *name)
{
    memset(name, 0, sizeof *name);
    if (address->family == ADDRESS_IPV6) {
        name->ipv6.sin6_family = AF_INET6;
        name->ipv6.sin6_port = htons(address->port);
        memcpy(&name->ipv6.sin6_addr, address->octets, 16);
        return sizeof name->ipv6;
    }
    assert(address->family == ADDRESS_IPV4);
    name->ipv4.sin_family = AF_INET;
    name->ipv4.sin_port = htons(address->port);
    memcpy(&name->ipv4.sin_addr, address->octets, 4);
    return sizeof name->ipv4;
}

static struct address name_read(const union socket_name *name)
{
    if (name->any.sa_family == AF_INET)
        return address_from_octets(ADDRESS_IPV4, (const uint8_t *)&name->ipv4.sin_addr,
                                   ntohs(name->ipv4.sin_port));
    if (name->any.sa_family == AF_INET6)
        return address_from_octets(ADDRESS_IPV6, (const uint8_t *)&name->ipv6.sin6_addr,
                                   ntohs(name->ipv6.sin6_port));
    return (struct address){.family = ADDRESS_NONE};
}

/* 0, or -1: the path is too long. */
static int name_make_local(struct slice path, union socket_name *name, socklen_t *ret_size,
                           struct error *error)
{
    memset(name, 0, sizeof *name);
    if (path.len >= sizeof name->local.sun_path)
        return error_set(error, ENAMETOOLONG, "socket %.*s", SLICE_ARGS(path));
    name->local.sun_family = AF_UNIX;
    memcpy(name->local.sun_path, path.at, path.len);
    *ret_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len + 1);
    return 0;
}

static int socket_open(int family)
{
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int option_set(int fd, int level, int option)
{
    int on = 1;
    return setsockopt(fd, level, option, &on, sizeof on);
}

static int listener_bind(int fd, const struct address *address)
{
    union socket_name name;
    socklen_t size = name_make(address, &name);
    if (option_set(fd, SOL_SOCKET, SO_REUSEADDR) < 0 ||
        (address->family == ADDRESS_IPV6 && option_set(fd, IPPROTO_IPV6, IPV6_V6ONLY) < 0))
        return -1;
    return bind(fd, &name.any, size);
}

static int listener_begin(int fd, const struct address *address)
{
    if (option_set(fd, SOL_SOCKET, SO_REUSEPORT) < 0 || option_set(fd, IPPROTO_TCP, TCP_NODELAY) < 0 ||
        listener_bind(fd, address) < 0)
        return -1;
    (void)option_set(fd, IPPROTO_TCP, TCP_SAVE_SYN);
    return listen(fd, BACKLOG);
}

static int listener_open(const struct address *address, int (*begin)(int fd, const struct address *address),
                         struct error *error)
{
    int fd = socket_open(address->family == ADDRESS_IPV6 ? AF_INET6 : AF_INET);
    if (fd >= 0 && begin(fd, address) == 0)
        return fd;
    int number = errno;
    if (fd >= 0)
        close(fd);
    char text[ADDRESS_PORT_TEXT_SIZE];
    address_port_print(address, text);
    return error_set(error, number, "cannot listen on %s", text);
}

int net_listen(const struct address *address, struct error *error)
{
    return listener_open(address, listener_begin, error);
}

int net_listen_probe(const struct address *address, struct error *error)
{
    int fd = listener_open(address, listener_bind, error);
    if (fd < 0)
        return -1;
    close(fd);
    return 0;
}

/* A socket file whose process has gone refuses connections: it may be replaced. */
static bool socket_is_dead(const union socket_name *name, socklen_t size)
{
    struct stat status;
    if (lstat(name->local.sun_path, &status) < 0 || !S_ISSOCK(status.st_mode))
        return false;
    int fd = socket_open(AF_UNIX);
    if (fd < 0)
        return false;
    bool dead = connect(fd, &name->any, size) < 0 && errno == ECONNREFUSED;
    close(fd);
    return dead;
}

static int local_begin(int fd, const union socket_name *name, socklen_t size, unsigned mode)
{
    if (socket_is_dead(name, size))
        unlink(name->local.sun_path);
    mode_t before = umask((mode_t)(~mode & 0777));
    int bound = bind(fd, &name->any, size);
    int number = errno;
    umask(before);
    errno = number;
    return bound < 0 ? -1 : listen(fd, 128);
}

int net_listen_unix(struct slice path, unsigned mode, struct error *error)
{
    union socket_name name;
    socklen_t size = 0;
    if (name_make_local(path, &name, &size, error) < 0)
        return -1;
    int fd = socket_open(AF_UNIX);
    if (fd >= 0 && local_begin(fd, &name, size, mode) == 0)
        return fd;
    int number = errno;
    if (fd >= 0)
        close(fd);
    return error_set(error, number, "cannot listen on %.*s", SLICE_ARGS(path));
}

int net_accept(int listener, struct address *ret_peer)
{
    union socket_name name;
    socklen_t size = sizeof name;
    int fd = accept4(listener, &name.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 && ret_peer)
        *ret_peer = name_read(&name);
    return fd;
}

static int connect_begin(int fd, const struct address *to, const struct address *from)
{
    union socket_name name;
    if (option_set(fd, IPPROTO_TCP, TCP_NODELAY) < 0)
        return -1;
    if (from) {
        socklen_t from_size = name_make(from, &name);
        if (bind(fd, &name.any, from_size) < 0)
            return -1;
    }
    socklen_t size = name_make(to, &name);
    return connect(fd, &name.any, size) < 0 && errno != EINPROGRESS ? -1 : 0;
}

int net_connect(const struct address *to, const struct address *from, struct error *error)
{
    int fd = socket_open(to->family == ADDRESS_IPV6 ? AF_INET6 : AF_INET);
    if (fd >= 0 && connect_begin(fd, to, from) == 0)
        return fd;
    int number = errno;
    if (fd >= 0)
        close(fd);
    char text[ADDRESS_PORT_TEXT_SIZE];
    address_port_print(to, text);
    return error_set(error, number, "cannot connect to %s", text);
}

int net_connect_unix(struct slice path, struct error *error)
{
    union socket_name name;
    socklen_t size = 0;
    if (name_make_local(path, &name, &size, error) < 0)
        return -1;
    int fd = socket_open(AF_UNIX);
    if (fd >= 0 && (connect(fd, &name.any, size) == 0 || errno == EINPROGRESS))
        return fd;
    int number = errno;
    if (fd >= 0)
        close(fd);
    return error_set(error, number, "cannot connect to %.*s", SLICE_ARGS(path));
}

int net_connect_result(int fd, struct error *error)
{
    int number = 0;
    socklen_t size = sizeof number;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size) < 0)
        number = errno;
    return number ? error_set(error, number, "cannot connect") : 0;
}

size_t net_saved_syn(int fd, char *at, size_t size)
{
    socklen_t got = (socklen_t)size;
    return getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, at, &got) == 0 ? (size_t)got : 0;
}

struct address net_local(int fd)
{
    union socket_name name;
    socklen_t size = sizeof name;
    if (getsockname(fd, &name.any, &size) < 0)
        return (struct address){.family = ADDRESS_NONE};
    return name_read(&name);
}

long net_send(int fd, struct slice octets)
{
    return send(fd, octets.at, octets.len, MSG_NOSIGNAL);
}

long net_send_last(int fd, struct slice octets)
{
    return send(fd, octets.at, octets.len, MSG_NOSIGNAL | MSG_MORE);
}
