#include "daemon/control.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/memory.h"
#include "io/net.h"
#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINE_MAX_SIZE = 384 * 1024, UNSENT_MAX = 1024 * 1024, ACCEPTS = 16 };

struct control {
    struct loop *loop;
    struct loop_watch watch;
    struct control_handler handler;
    struct slab clients; /* struct client */
    char path[108];
};

/* One connection. A request is named by the connection's own handle; `busy` tells whether one is under way,
 * and a connection whose client has gone is given back, so that its handle ends with it. */
struct client {
    struct loop_watch watch;
    struct control *control;
    slab_handle handle;
    struct buf in;
    struct buf out;
    bool busy;    /* a request is under way */
    bool working; /* client_work runs further up the stack */
    bool eof;
};

static void client_close(struct client *client)
{
    struct control *control = client->control;
    loop_remove_close(control->loop, &client->watch);
    buf_drop(&client->in);
    buf_drop(&client->out);
    slab_give(&control->clients, client->handle);
}

/* False: the client was closed. */
static bool client_flush(struct client *client)
{
    while (client->out.len) {
        long sent = net_send(client->watch.fd, buf_slice(&client->out));
        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            client_close(client);
            return false;
        }
        if (sent <= 0)
            break;
        buf_take_front(&client->out, (size_t)sent);
    }
    unsigned wants = client->out.len ? LOOP_WRITE : 0;
    if (!client->eof && !client->busy)
        wants |= LOOP_READ;
    loop_want(client->control->loop, &client->watch, wants);
    return true;
}

static int octets_add(const char *octets, size_t size, void *data)
{
    return buf_add(data, slice_of(octets, size)) ? 0 : -1;
}

/* Adds {"KEY":"text"} or {"KEY":true} and a line end. False: there is no room for it. */
static bool client_say(struct client *client, const char *key, const struct slice *text)
{
    json_t *value = text ? json_stringn_nocheck(text->at ? text->at : "", text->len) : json_true();
    json_t *object = json_pack("{s:o}", key, value);
    bool added = json_dump_callback(object, octets_add, &client->out, JSON_COMPACT) == 0 &&
                 buf_add_octet(&client->out, '\n');
    json_decref(object);
    return added;
}

static void request_refuse(struct client *client, const char *why)
{
    struct slice text = slice_text(why);
    client_say(client, "error", &text);
}

static void request_run(struct client *client, struct slice line)
{
    json_error_t problem;
    json_t *json = json_loadb(line.at, line.len, 0, &problem);
    const char *command = json ? json_string_value(json_object_get(json, "command")) : NULL;
    if (!command) {
        request_refuse(client, json ? "a request is an object with a command" : "this is not JSON");
        json_decref(json);
        return;
    }
    struct control *control = client->control;
    struct control_request request = {client->handle, slice_text(command), json};
    client->busy = true;
    control->handler.command(control->handler.data, control, &request);
    json_decref(json);
}

/* Takes the requests that have come, one after the other. False: the client was closed. */
static bool client_work(struct client *client)
{
    struct control *control = client->control;
    slab_handle handle = client->handle;
    client->working = true;
    while (!client->busy) {
        struct slice octets = buf_slice(&client->in);
        size_t end = slice_find(octets, '\n');
        if (end == SLICE_NOT_FOUND)
            break;
        request_run(client, slice_head(octets, end));
        if (!slab_get(&control->clients, handle))
            return false;
        buf_take_front(&client->in, end + 1);
    }
    client->working = false;
    if (!client_flush(client))
        return false;
    if (client->busy || !client->eof || client->out.len)
        return true;
    client_close(client);
    return false;
}

/* A client that ends its side may still want its answer; one that is gone altogether shows as broken. */
static void client_read(struct client *client)
{
    char *room = buf_room(&client->in, 4096);
    ssize_t got = room ? recv(client->watch.fd, room, 4096, 0) : -1;
    if (!room || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        client_close(client);
        return;
    }
    if (got > 0)
        buf_grow(&client->in, (size_t)got);
    client->eof = got == 0;
    client_work(client);
}

static void client_ready(struct loop_watch *watch, unsigned ready)
{
    struct client *client = LIST_OF(watch, struct client, watch);
    if (ready & LOOP_READ)
        client_read(client);
    else if (ready & LOOP_BROKEN)
        client_close(client);
    else if (client_flush(client) && client->eof)
        client_work(client);
}

static void client_open(struct control *control, int fd)
{
    slab_handle handle;
    struct client *client = slab_take(&control->clients, &handle);
    client->control = control;
    client->handle = handle;
    client->watch.fd = fd;
    client->watch.ready = client_ready;
    buf_init(&client->in, LINE_MAX_SIZE);
    buf_init(&client->out, UNSENT_MAX);
    if (loop_add(control->loop, &client->watch, LOOP_READ, NULL) < 0) {
        close(fd);
        slab_give(&control->clients, handle);
    }
}

static void listener_ready(struct loop_watch *watch, unsigned ready)
{
    (void)ready;
    struct control *control = LIST_OF(watch, struct control, watch);
    for (int i = 0; i < ACCEPTS; i++) {
        int fd = net_accept(watch->fd, NULL);
        if (fd < 0)
            return;
        client_open(control, fd);
    }
}

struct control *control_open(struct loop *loop, struct slice path, const struct control_handler *handler,
                             struct error *error)
{
    int fd = net_listen_unix(path, 0600, error);
    if (fd < 0)
        return NULL;
    struct control *control = memory_take(sizeof *control);
    control->loop = loop;
    control->handler = *handler;
    slab_init(&control->clients, sizeof(struct client));
    memcpy(control->path, path.at, path.len);
    control->watch.fd = fd;
    control->watch.ready = listener_ready;
    if (loop_add(loop, &control->watch, LOOP_READ, error) < 0) {
        close(fd);
        control->watch.ready = NULL;
        control_close(control);
        return NULL;
    }
    return control;
}

void control_close(struct control *control)
{
    if (!control)
        return;
    struct client *client;
    slab_handle handle;
    for (uint32_t at = 0; (client = slab_next(&control->clients, &at, &handle));)
        client_close(client);
    slab_drop(&control->clients);
    loop_remove_close(control->loop, &control->watch);
    unlink(control->path);
    memory_give(control, sizeof *control);
}

/* --- what a handler says ------------------------------------------------------------------------------- */

static struct client *client_of(const struct control *control, slab_handle request)
{
    struct client *client = slab_get(&control->clients, request);
    return client && client->busy ? client : NULL;
}

struct slice control_text(const struct control_request *request, const char *key)
{
    const json_t *value = json_object_get((const json_t *)request->json, key);
    return slice_of(json_string_value(value), json_string_length(value));
}

uint64_t control_number(const struct control_request *request, const char *key, uint64_t otherwise)
{
    const json_t *value = json_object_get((const json_t *)request->json, key);
    return json_is_integer(value) && json_integer_value(value) >= 0 ? (uint64_t)json_integer_value(value)
                                                                    : otherwise;
}

bool control_flag(const struct control_request *request, const char *key)
{
    return json_is_true(json_object_get((const json_t *)request->json, key));
}

bool control_line(struct control *control, slab_handle request, struct slice json)
{
    struct client *client = client_of(control, request);
    if (!client)
        return false;
    assert(slice_find(json, '\n') == SLICE_NOT_FOUND);
    if (!buf_room(&client->out, json.len + 1)) {
        client_close(client);
        return false;
    }
    buf_add(&client->out, json);
    buf_add_octet(&client->out, '\n');
    return client_flush(client);
}

bool control_is_waiting(const struct control *control, slab_handle request)
{
    return client_of(control, request) != NULL;
}

size_t control_unsent(const struct control *control, slab_handle request)
{
    const struct client *client = client_of(control, request);
    return client ? client->out.len : 0;
}

/* Within the handler's call client_work goes on by itself. */
static void request_end(struct client *client, const char *key, const struct slice *text)
{
    client->busy = false;
    if (!client_say(client, key, text))
        client_close(client);
    else if (!client->working)
        client_work(client);
}

void control_done(struct control *control, slab_handle request)
{
    struct client *client = client_of(control, request);
    if (client)
        request_end(client, "done", NULL);
}

void control_error(struct control *control, slab_handle request, struct slice text)
{
    struct client *client = client_of(control, request);
    if (client)
        request_end(client, "error", &text);
}
