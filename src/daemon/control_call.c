/* The client side of control sockets: for the command line, so it waits. */
#include "base/buf.h"
#include "daemon/control.h"
#include "io/net.h"
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 2 * 1024 * 1024 };

static int wait_for(int fd, short events, uint64_t wait_ms, struct error *error)
{
    struct pollfd at = {.fd = fd, .events = events};
    int ready;
    do
        ready = poll(&at, 1, wait_ms > 1000000 ? 1000000 : (int)wait_ms);
    while (ready < 0 && errno == EINTR);
    if (ready > 0)
        return 0;
    return error_set(error, ready ? errno : ETIMEDOUT, "no answer");
}

static int send_all(int fd, struct slice octets, uint64_t wait_ms, struct error *error)
{
    while (octets.len) {
        long sent = net_send(fd, octets);
        if (sent > 0)
            octets = slice_from(octets, (size_t)sent);
        else if (errno != EAGAIN && errno != EINTR)
            return error_set(error, errno, "cannot send the request");
        else if (wait_for(fd, POLLOUT, wait_ms, error) < 0)
            return -1;
    }
    return 0;
}

static int receive_some(int fd, struct buf *in, uint64_t wait_ms, struct error *error)
{
    char *room = buf_room(in, 16384);
    if (!room)
        return error_set(error, 0, "an answer is too long");
    if (wait_for(fd, POLLIN, wait_ms, error) < 0)
        return -1;
    ssize_t got = recv(fd, room, 16384, 0);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : error_set(error, errno, "cannot read the answer");
    if (got == 0)
        return error_set(error, EPIPE, "the process ended before it had answered");
    buf_grow(in, (size_t)got);
    return 0;
}

enum said { SAID_MORE, SAID_DONE, SAID_ERROR };

static enum said answer_take(const struct control_call *call, struct slice line, struct error *error)
{
    json_error_t problem;
    json_t *json = json_loadb(line.at, line.len, 0, &problem);
    const char *trouble = json_string_value(json_object_get(json, "error"));
    enum said said = SAID_MORE;
    if (!json || trouble) {
        error_set(error, 0, "%s", trouble ? trouble : "the answer is not JSON");
        said = SAID_ERROR;
    } else if (json_is_true(json_object_get(json, "done"))) {
        said = SAID_DONE;
    } else if (call->line) {
        call->line(call->data, line);
    }
    json_decref(json);
    return said;
}

/* All whole lines that have come. */
static enum said answers_take(const struct control_call *call, struct buf *in, struct error *error)
{
    enum said said = SAID_MORE;
    size_t end;
    while (said == SAID_MORE && (end = slice_find(buf_slice(in), '\n')) != SLICE_NOT_FOUND) {
        said = answer_take(call, slice_head(buf_slice(in), end), error);
        buf_take_front(in, end + 1);
    }
    return said;
}

static int talk(const struct control_call *call, int fd, struct error *error)
{
    if (send_all(fd, call->request, call->wait_ms, error) < 0 ||
        send_all(fd, SLICE("\n"), call->wait_ms, error) < 0)
        return -1;
    struct buf in;
    buf_init(&in, ANSWER_MAX);
    enum said said = SAID_MORE;
    while (said == SAID_MORE) {
        said = receive_some(fd, &in, call->wait_ms, error) < 0 ? SAID_ERROR : answers_take(call, &in, error);
    }
    buf_drop(&in);
    return said == SAID_DONE ? 0 : -1;
}

int control_call(const struct control_call *call, struct error *error)
{
    int fd = net_connect_unix(call->path, error);
    if (fd < 0)
        return -1;
    int result = talk(call, fd, error);
    close(fd);
    return result;
}
