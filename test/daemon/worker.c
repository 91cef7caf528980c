/* Proves the messages between supervisor and workers: numbers, payload and descriptors arrive, and a
 * supervisor that has gone looks like the order to drain. */
#include "daemon/worker.h"
#include "unit.h"

#include <sys/socket.h>
#include <unistd.h>

struct seen {
    unsigned messages;
    struct worker_message last;
    char payload[64];
    int fd;
};

static void on_message(void *data, const struct worker_message *message)
{
    struct seen *seen = data;
    seen->messages++;
    seen->last = *message;
    seen->fd = message->fd_count ? message->fds[0] : -1;
    if (message->payload.len)
        memcpy(seen->payload, message->payload.at, message->payload.len);
}

static void messages_arrive(void **state)
{
    (void)state;
    struct error error;
    int channels[2], pipes[2];
    struct seen seen = {0};
    struct site site = {.set = {.stop_within = 1234}};
    assert_int_equal(worker_channel(channels, &error), 0);
    assert_int_equal(pipe(pipes), 0);
    struct worker worker = {.role = WORKER_GATE, .channel = channels[1], .site = &site};
    struct loop *loop = loop_open(&error);
    struct worker_port *port = worker_attach(&worker, loop, on_message, &seen, &error);
    assert_non_null(port);
    struct worker_message message = {.kind = WORKER_ADOPT,
                                     .number = 7,
                                     .value = UINT64_MAX - 1,
                                     .payload = SLICE("pay\0load"),
                                     .fds = &pipes[1],
                                     .fd_count = 1};
    assert_int_equal(worker_send(channels[0], &message, &error), 0);
    loop_turn(loop, 10000);
    assert_int_equal(seen.last.kind, WORKER_ADOPT);
    assert_int_equal(seen.last.number, 7);
    assert_true(seen.last.value == UINT64_MAX - 1);
    assert_memory_equal(seen.payload, "pay\0load", 8);
    assert_int_equal(write(seen.fd, "x", 1), 1); /* it is the other end of our pipe */
    char octet;
    assert_int_equal(read(pipes[0], &octet, 1), 1);
    close(seen.fd);

    worker_ready(&worker);
    static struct worker_room room;
    assert_int_equal(worker_receive(channels[0], &room, &message), WORKER_RECEIVED);
    assert_int_equal(message.kind, WORKER_READY);
    assert_int_equal(worker_receive(channels[0], &room, &message), WORKER_NOTHING);

    close(channels[0]);
    loop_turn(loop, 10000);
    assert_int_equal(seen.messages, 2);
    assert_int_equal(seen.last.kind, WORKER_DRAIN);
    assert_int_equal(seen.last.value, 1234);
    worker_detach(port);
    loop_close(loop);
    close(pipes[0]);
    close(pipes[1]);
}

static void too_much_is_refused(void **state)
{
    (void)state;
    static char much[WORKER_PAYLOAD_MAX + 1];
    struct error error;
    int channels[2];
    assert_int_equal(worker_channel(channels, &error), 0);
    struct worker_message message = {.kind = WORKER_EVENT, .payload = slice_of(much, sizeof much)};
    assert_int_equal(worker_send(channels[0], &message, &error), -1);
    message.payload.len--;
    int sent = 0;
    while (worker_send(channels[0], &message, &error) == 0)
        sent++; /* nobody reads: it never waits */
    assert_true(sent > 0);
    close(channels[0]);
    close(channels[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(messages_arrive),
                                       cmocka_unit_test(too_much_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
