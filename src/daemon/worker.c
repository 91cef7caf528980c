#include "daemon/worker.h"
#include "base/memory.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* As it stands in front of the payload; both ends are the same program. */
struct head {
    uint64_t value;
    uint32_t kind;
    uint32_t number;
};

union fds_room {
    struct cmsghdr align;
    char octets[CMSG_SPACE(sizeof(int) * WORKER_FDS_MAX)];
};

const char *worker_word(enum worker_role role)
{
    switch (role) {
    case WORKER_GATE: return "gate";
    case WORKER_COURIER: return "courier";
    case WORKER_KEEPER: return "keeper";
    case WORKER_ARCHIVIST: return "archivist";
    }
    return NULL;
}

int worker_channel(int ret_channels[2], struct error *error)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ret_channels) < 0)
        return error_set(error, errno, "cannot make a socket pair");
    return 0;
}

static void fds_attach(struct msghdr *header, union fds_room *room, const struct worker_message *message)
{
    size_t size = message->fd_count * sizeof(int);
    memset(room, 0, sizeof *room);
    header->msg_control = room->octets;
    header->msg_controllen = CMSG_SPACE(size);
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(control), message->fds, size);
}

int worker_send(int channel, const struct worker_message *message, struct error *error)
{
    if (message->payload.len > WORKER_PAYLOAD_MAX || message->fd_count > WORKER_FDS_MAX)
        return error_set(error, EMSGSIZE, "message to a worker");
    struct head head = {message->value, message->kind, message->number};
    struct iovec parts[2] = {{&head, sizeof head},
                             {(void *)(uintptr_t)message->payload.at, message->payload.len}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = message->payload.len ? 2 : 1};
    union fds_room room;
    if (message->fd_count)
        fds_attach(&header, &room, message);
    if (sendmsg(channel, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return error_set(error, errno, "cannot send a message to a process");
    return 0;
}

static size_t fds_take(struct msghdr *header, int *ret_fds)
{
    size_t count = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(ret_fds + count, CMSG_DATA(c), here * sizeof(int));
        count += here;
    }
    return count;
}

enum worker_received worker_receive(int channel, struct worker_room *room, struct worker_message *ret_message)
{
    struct head head;
    union fds_room fds;
    struct iovec parts[2] = {{&head, sizeof head}, {room->octets, sizeof room->octets}};
    struct msghdr header = {
        .msg_iov = parts, .msg_iovlen = 2, .msg_control = fds.octets, .msg_controllen = sizeof fds.octets};
    ssize_t got = recvmsg(channel, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return WORKER_NOTHING;
    if (got < (ssize_t)sizeof head)
        return WORKER_GONE;
    *ret_message = (struct worker_message){
        .kind = (enum worker_kind)head.kind,
        .number = head.number,
        .value = head.value,
        .payload = slice_of(room->octets, (size_t)got - sizeof head),
        .fds = room->fds,
        .fd_count = fds_take(&header, room->fds),
    };
    return WORKER_RECEIVED;
}

struct worker_port {
    struct loop_watch watch;
    struct loop *loop;
    uint64_t within_ms; /* to end, when the supervisor is gone */
    void (*message)(void *data, const struct worker_message *message);
    void *data;
    struct worker_room room;
};

/* Without a supervisor nobody would start us again: what is under way is finished, then we end. */
static void supervisor_gone(struct worker_port *port)
{
    struct worker_message message = {.kind = WORKER_DRAIN, .value = port->within_ms};
    loop_remove_close(port->loop, &port->watch);
    port->message(port->data, &message);
}

static void port_ready(struct loop_watch *watch, unsigned ready)
{
    (void)ready;
    struct worker_port *port = LIST_OF(watch, struct worker_port, watch);
    struct worker_message message;
    switch (worker_receive(watch->fd, &port->room, &message)) {
    case WORKER_RECEIVED: port->message(port->data, &message); break;
    case WORKER_NOTHING: break;
    case WORKER_GONE: supervisor_gone(port); break;
    }
}

struct worker_port *worker_attach(const struct worker *worker, struct loop *loop,
                                  void (*message)(void *data, const struct worker_message *message),
                                  void *data, struct error *error)
{
    struct worker_port *port = memory_take(sizeof *port);
    port->watch.fd = worker->channel;
    port->watch.ready = port_ready;
    port->loop = loop;
    port->within_ms = worker->site->set.stop_within;
    port->message = message;
    port->data = data;
    if (loop_add(loop, &port->watch, LOOP_READ, error) < 0) {
        memory_give(port, sizeof *port);
        return NULL;
    }
    return port;
}

void worker_detach(struct worker_port *port)
{
    if (!port)
        return;
    loop_remove(port->loop, &port->watch);
    memory_give(port, sizeof *port);
}

void worker_ready(const struct worker *worker)
{
    struct worker_message message = {.kind = WORKER_READY};
    worker_send(worker->channel, &message, NULL); /* a supervisor that has gone shows on the loop */
}

int worker_fail(const struct worker *worker, const struct error *error)
{
    struct worker_message message = {.kind = WORKER_TROUBLE, .payload = slice_text(error->text)};
    worker_send(worker->channel, &message, NULL);
    return 1;
}
