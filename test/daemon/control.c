/* Proves control sockets: lines out and in, several requests, answers that come later, mistakes told, a
 * client that leaves, and one that does not read. */
#include "daemon/control.h"
#include "io/net.h"
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static char folder[FOLDER_SIZE];
static char path[FOLDER_SIZE + 8];

struct server {
    struct loop *loop;
    struct control *control;
    slab_handle later; /* a request that is answered by the timer */
    struct loop_timer timer;
    unsigned commands;
    bool gone; /* a line could not be said */
};

static void later_due(struct loop_timer *timer)
{
    struct server *server = LIST_OF(timer, struct server, timer);
    if (!control_is_waiting(server->control, server->later)) {
        server->gone = true;
        return;
    }
    control_line(server->control, server->later, SLICE("{\"late\":1}"));
    control_done(server->control, server->later);
}

static void flood(struct server *server, slab_handle request)
{
    char line[1024];
    memset(line, 'x', sizeof line);
    for (int i = 0; i < 10000 && !server->gone; i++)
        server->gone = !control_line(server->control, request, slice_of(line, sizeof line));
}

static void on_command(void *data, struct control *control, const struct control_request *request)
{
    struct server *server = data;
    server->commands++;
    if (slice_equal(request->command, SLICE("count"))) {
        for (uint64_t i = 0; i < control_number(request, "to", 2); i++)
            control_line(control, request->handle, SLICE("{\"n\":1}"));
        control_done(control, request->handle);
    } else if (slice_equal(request->command, SLICE("later"))) {
        server->later = request->handle;
        loop_timer_set(server->loop, &server->timer, loop_now_ms(server->loop) + 5);
    } else if (slice_equal(request->command, SLICE("flood"))) {
        flood(server, request->handle);
    } else {
        assert_true(control_flag(request, "yes"));
        control_error(control, request->handle, control_text(request, "why"));
    }
}

static void server_open(struct server *server)
{
    struct error error;
    memset(server, 0, sizeof *server);
    server->loop = loop_open(&error);
    server->timer.due = later_due;
    struct control_handler handler = {on_command, server};
    server->control = control_open(server->loop, slice_text(path), &handler, &error);
    assert_non_null(server->control);
}

static void server_close(struct server *server)
{
    control_close(server->control);
    assert_int_equal(access(path, F_OK), -1);
    loop_close(server->loop);
}

/* The waiting side runs in a thread of its own, as the command line does in a process. */
struct asking {
    struct control_call call;
    struct loop *loop;
    struct error error;
    int result;
    unsigned lines;
    atomic_bool done;
};

static void on_line(void *data, struct slice json)
{
    struct asking *asking = data;
    assert_true(json.len > 0);
    asking->lines++;
}

static void *ask(void *data)
{
    struct asking *asking = data;
    asking->result = control_call(&asking->call, &asking->error);
    atomic_store(&asking->done, true);
    loop_wake(asking->loop);
    return NULL;
}

static struct asking asked(struct server *server, const char *request)
{
    struct asking asking = {
        .call = {.path = slice_text(path), .request = slice_text(request), .wait_ms = 10000, .line = on_line},
        .loop = server->loop};
    pthread_t thread;
    asking.call.data = &asking;
    assert_int_equal(pthread_create(&thread, NULL, ask, &asking), 0);
    while (!atomic_load(&asking.done))
        loop_turn(server->loop, UINT64_MAX);
    pthread_join(thread, NULL);
    return asking;
}

static void requests_are_answered(void **state)
{
    (void)state;
    struct server server;
    server_open(&server);
    struct asking asking = asked(&server, "{\"command\":\"count\",\"to\":300}");
    assert_int_equal(asking.result, 0);
    assert_int_equal(asking.lines, 300);
    asking = asked(&server, "{\"command\":\"later\"}");
    assert_int_equal(asking.result, 0);
    assert_int_equal(asking.lines, 1);
    asking = asked(&server, "{\"command\":\"fail\",\"yes\":true,\"why\":\"no \\\"such\\\" thing\"}");
    assert_int_equal(asking.result, -1);
    assert_string_equal(asking.error.text, "no \"such\" thing");
    asking = asked(&server, "nonsense");
    assert_string_equal(asking.error.text, "this is not JSON");
    asking = asked(&server, "{\"order\":1}");
    assert_string_equal(asking.error.text, "a request is an object with a command");
    assert_int_equal(server.commands, 3);
    server_close(&server);
}

static void nobody_listens(void **state)
{
    (void)state;
    struct error error;
    struct control_call call = {.path = slice_text(path), .request = SLICE("{}"), .wait_ms = 1000};
    assert_int_equal(control_call(&call, &error), -1);
    assert_int_equal(error.number, ENOENT);
}

static int raw_connect(void)
{
    struct error error;
    int fd = net_connect_unix(slice_text(path), &error);
    assert_true(fd >= 0);
    return fd;
}

/* Several requests in one write are worked off one after the other, also when an answer comes late. */
static void requests_queue_up(void **state)
{
    (void)state;
    struct server server;
    char answer[256];
    server_open(&server);
    int fd = raw_connect();
    struct slice both = SLICE("{\"command\":\"later\"}\n{\"command\":\"count\",\"to\":1}\n");
    assert_int_equal(net_send(fd, both), both.len);
    shutdown(fd, SHUT_WR); /* who has said all still gets all */
    size_t have = 0;
    for (ssize_t got = -1; got != 0;) {
        loop_turn(server.loop, 100);
        got = recv(fd, answer + have, sizeof answer - have, 0);
        have += got > 0 ? (size_t)got : 0;
    }
    assert_true(slice_equal(slice_of(answer, have),
                            SLICE("{\"late\":1}\n{\"done\":true}\n{\"n\":1}\n{\"done\":true}\n")));
    close(fd);
    server_close(&server);
}

static void client_leaves(void **state)
{
    (void)state;
    struct server server;
    server_open(&server);
    int fd = raw_connect();
    struct slice request = SLICE("{\"command\":\"later\"}\n");
    assert_int_equal(net_send(fd, request), request.len);
    while (!server.commands)
        loop_turn(server.loop, 100);
    close(fd);
    while (!server.gone)
        loop_turn(server.loop, 100);
    server_close(&server);
}

static void client_does_not_read(void **state)
{
    (void)state;
    struct server server;
    server_open(&server);
    int fd = raw_connect();
    struct slice request = SLICE("{\"command\":\"flood\"}\n");
    assert_int_equal(net_send(fd, request), request.len);
    while (!server.gone)
        loop_turn(server.loop, 100);
    close(fd);
    server_close(&server);
}

static int folder_make(void **state)
{
    (void)state;
    if (folder_new(folder, "control") < 0)
        return -1;
    snprintf(path, sizeof path, "%s/s", folder);
    return 0;
}

static int folder_remove(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_answered), cmocka_unit_test(nobody_listens),
        cmocka_unit_test(requests_queue_up),     cmocka_unit_test(client_leaves),
        cmocka_unit_test(client_does_not_read),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
