/* Proves that jobs for servers behind us share connections, wait within bounds, can be forgotten at any time,
 * and go encrypted, and under the client's name, where they should. */
#include "outbound_rig.h"
#include "certificate.h"
#include <stdlib.h>
#include <unistd.h>

/* --- a server that is well ----------------------------------------------------------------------------- */

static void sends(void **state)
{
    struct rig *rig = *state;
    struct one *one = send_one(rig);
    expect(rig, one, OUTBOUND_ANSWERED, 250);
    assert_string_equal(rig->code_text, "taken");
    assert_slice_equal(buf_slice(&rig->inner[0].messages), "Subject: x\r\n\r\nhello\r\n.\r\n");
    assert_slice_equal(buf_slice(&rig->inner[0].heard),
                       "EHLO mx.example\nMAIL FROM:<a@b.example>\nRCPT TO:<c@inner.example>\nDATA\n");
    assert_int_equal(one->job.capability.set, CAPABILITY_PIPELINING);
    char server[ADDRESS_PORT_TEXT_SIZE];
    address_port_print(&rig->inner[0].address, server);
    assert_true(slice_equal(one->job.server, slice_text(server)));
    assert_int_equal(outbound_busy(rig->outbound), 0);
}

static void uses_a_connection_again(void **state)
{
    struct rig *rig = *state;
    for (size_t i = 0; i < 10; i++)
        expect(rig, send_one(rig), OUTBOUND_ANSWERED, 250);
    assert_int_equal(rig->inner[0].accepted, 1);
    assert_int_equal(rig->inner[0].message_count, 10);
}

static void starts_from_done(void **state)
{
    struct rig *rig = *state;
    struct one *second = message(rig, 1);
    rig->again = second;
    send_one(rig);
    INNER_UNTIL(rig->loop, second->done);
    assert_int_equal(rig->inner[0].accepted, 1);
    assert_int_equal(rig->inner[0].message_count, 2);
}

static void shares_connections_among_many(void **state)
{
    struct rig *rig = *state;
    rig->settings.waiting = JOBS;
    outbound_change(rig->outbound, &rig->settings);
    for (size_t i = 0; i < JOBS; i++)
        start(rig, message(rig, i));
    assert_int_equal(outbound_busy(rig->outbound), JOBS);
    INNER_UNTIL(rig->loop, rig->done == JOBS);
    assert_int_equal(rig->inner[0].accepted, 4);
    assert_int_equal(rig->inner[0].message_count, JOBS);
}

static void large_content_in_pieces(void **state)
{
    struct rig *rig = *state;
    size_t size = 3000000;
    char *text = memory_take(size);
    for (size_t i = 0; i < size; i++)
        text[i] = i % 64 == 62 ? '\r' : i % 64 == 63 ? '\n' : i % 64 == 0 ? '.' : 'x';
    struct one *one = message(rig, 0);
    one->content = (struct content){.whole = slice_of(text, size), .piece = 200000};
    start(rig, one);
    INNER_UNTIL(rig->loop, one->done);
    expect(rig, one, OUTBOUND_ANSWERED, 250);
    size_t lines = size / 64;
    assert_int_equal(rig->inner[0].messages.len, size + lines + 1 + 2 + 3 - (size % 64 ? 0 : 3));
    memory_give(text, size);
}

static void probes(void **state)
{
    struct rig *rig = *state;
    struct one *one = message(rig, 0);
    one->job.job.recipient_count = 0;
    rig->inner[0].replies.ehlo = "250-x\r\n250-8BITMIME\r\n250 DSN\r\n";
    for (size_t i = 0; i < 2; i++) {
        start(rig, one);
        INNER_UNTIL(rig->loop, one->done);
        expect(rig, one, OUTBOUND_ANSWERED, 0);
        assert_int_equal(one->job.capability.set, CAPABILITY_8BITMIME | CAPABILITY_DSN);
    }
    expect(rig, send_one(rig), OUTBOUND_ANSWERED, 250);
    assert_int_equal(rig->inner[0].accepted, 1);
}

static void refused_here(void **state)
{
    struct rig *rig = *state;
    struct one *one = message(rig, 0);
    rig->transaction.smtputf8 = true;
    start(rig, one);
    INNER_UNTIL(rig->loop, one->done);
    expect(rig, one, OUTBOUND_ANSWERED, 553);
    rig->transaction.smtputf8 = false;
    expect(rig, send_one(rig), OUTBOUND_ANSWERED, 250);
    assert_int_equal(rig->inner[0].accepted, 1);
}

static void idle_connections_are_closed(void **state)
{
    struct rig *rig = *state;
    rig->settings.idle_ms = 20;
    outbound_change(rig->outbound, &rig->settings);
    send_one(rig);
    INNER_UNTIL(rig->loop, rig->inner[0].open == 0);
    assert_true(slice_ends_fold(buf_slice(&rig->inner[0].heard), SLICE("DATA\nQUIT\n")));
    expect(rig, send_one(rig), OUTBOUND_ANSWERED, 250);
    assert_int_equal(rig->inner[0].accepted, 2);
}

static void stops(void **state)
{
    struct rig *rig = *state;
    send_one(rig);
    struct one *one = message(rig, 0);
    start(rig, one);
    outbound_stop(rig->outbound);
    INNER_UNTIL(rig->loop, one->done && rig->inner[0].open == 0);
    expect(rig, one, OUTBOUND_ANSWERED, 250);
}

static void dribbling_server(void **state)
{
    struct rig *rig = *state;
    rig->inner[0].replies.greeting = "~220-a\r\n220 b\r\n";
    rig->inner[0].replies.rcpt = "~250-a\r\n250-b\r\n250 c\r\n";
    rig->inner[0].replies.data = "~354 go\r\n";
    rig->inner[0].replies.dot = "~250 2.0.0 taken\r\n";
    rig->inner[0].replies.ehlo = "250 x\r\n";
    expect(rig, send_one(rig), OUTBOUND_ANSWERED, 250);
}

/* --- limits -------------------------------------------------------------------------------------------- */

static void bounded_queue(void **state)
{
    struct rig *rig = *state;
    rig->settings.connections = 1;
    rig->settings.waiting = 2;
    outbound_change(rig->outbound, &rig->settings);
    rig->inner[0].replies.dot = "";
    start(rig, message(rig, 0));
    INNER_UNTIL(rig->loop, rig->inner[0].message_count == 1);
    for (size_t i = 1; i < 5; i++)
        start(rig, message(rig, i));
    INNER_UNTIL(rig->loop, rig->done == 2);
    assert_true(rig->jobs[3].job.result == OUTBOUND_BUSY && rig->jobs[4].job.result == OUTBOUND_BUSY);
    rig->inner[0].replies.dot = "250 ok\r\n";
    inner_say(&rig->inner[0], "250 ok\r\n");
    INNER_UNTIL(rig->loop, rig->done == 5);
    assert_int_equal(rig->inner[0].message_count, 3);
}

static void bounded_waiting(void **state)
{
    struct rig *rig = *state;
    rig->settings.connections = 1;
    rig->settings.waiting_ms = 30;
    outbound_change(rig->outbound, &rig->settings);
    rig->inner[0].replies.dot = "";
    start(rig, message(rig, 0));
    INNER_UNTIL(rig->loop, rig->inner[0].message_count == 1);
    struct one *one = message(rig, 1);
    start(rig, one);
    INNER_UNTIL(rig->loop, one->done);
    assert_int_equal(one->job.result, OUTBOUND_BUSY);
}

/* --- forgetting ---------------------------------------------------------------------------------------- */

static void forgets_at_every_state(void **state)
{
    struct rig *rig = *state;
    rig->settings.connections = 1;
    outbound_change(rig->outbound, &rig->settings);
    struct one *one = message(rig, 0);
    outbound_forget(&one->job);
    for (unsigned turns = 0; turns < 12; turns++) {
        start(rig, one);
        for (unsigned i = 0; i < turns && !one->done; i++)
            loop_turn(rig->loop, 5);
        bool dot_sent = one->job.job.dot_sent;
        outbound_forget(&one->job);
        assert_int_equal(outbound_busy(rig->outbound), 0);
        unsigned before = rig->inner[0].message_count;
        for (unsigned i = 0; i < 5; i++)
            loop_turn(rig->loop, 1);
        assert_true(dot_sent || rig->inner[0].message_count == before);
        one->done = false;
    }
    expect(rig, send_one(rig), OUTBOUND_ANSWERED, 250);
}

static void forgets_those_that_wait(void **state)
{
    struct rig *rig = *state;
    rig->settings.connections = 1;
    outbound_change(rig->outbound, &rig->settings);
    for (size_t i = 0; i < 4; i++)
        start(rig, message(rig, i));
    outbound_forget(&rig->jobs[1].job);
    outbound_forget(&rig->jobs[3].job);
    INNER_UNTIL(rig->loop, outbound_busy(rig->outbound) == 0);
    assert_true(rig->jobs[0].done && rig->jobs[2].done && !rig->jobs[1].done && !rig->jobs[3].done);
}

static void freed_with_jobs(void **state)
{
    struct rig *rig = *state;
    for (size_t i = 0; i < 8; i++)
        start(rig, message(rig, i));
    for (unsigned i = 0; i < 4; i++)
        loop_turn(rig->loop, 5);
    outbound_free(rig->outbound);
    rig->outbound = NULL;
    for (unsigned i = 0; i < 10; i++)
        loop_turn(rig->loop, 1);
    assert_true(rig->done <= 8);
}

/* --- PROXY and TLS ------------------------------------------------------------------------------------- */

static void proxy_connections_are_one_clients(void **state)
{
    struct rig *rig = *state;
    rig->to.tell = ROUTE_TELL_PROXY;
    assert_true(address_port_parse(SLICE("192.0.2.7:4711"), 0, &rig->transaction.peer));
    assert_true(address_port_parse(SLICE("192.0.2.1:25"), 0, &rig->transaction.local));
    rig->transaction.session = 1;
    send_one(rig);
    send_one(rig);
    assert_int_equal(rig->inner[0].accepted, 1);
    assert_true(
        slice_starts(buf_slice(&rig->inner[0].heard), SLICE("PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\n")));
    for (rig->transaction.session = 2; rig->transaction.session < 8; rig->transaction.session++)
        expect(rig, send_one(rig), OUTBOUND_ANSWERED, 250);
    assert_int_equal(rig->inner[0].accepted, 7);
    INNER_UNTIL(rig->loop, rig->inner[0].open <= 4);
}

static void tls_open(struct rig *rig)
{
    char folder[FOLDER_SIZE], chain[FOLDER_SIZE + 8], key[FOLDER_SIZE + 8];
    assert_int_equal(folder_new(folder, "outbound"), 0);
    snprintf(chain, sizeof chain, "%s/chain", folder);
    snprintf(key, sizeof key, "%s/key", folder);
    assert_int_equal(certificate_write(true, "inner.example", chain, key), 0);
    struct certificate certificate = {.chain_file = slice_text(chain), .key_file = slice_text(key)};
    rig->inner[0].tls = tls_server_new(&certificate, 1, NULL);
    assert_non_null(rig->inner[0].tls);
    rig->inner[0].replies.ehlo = "250-inner.example\r\n250-PIPELINING\r\n250 STARTTLS\r\n";
    unlink(chain);
    unlink(key);
    rmdir(folder);
}

static void tls_close(struct rig *rig)
{
    struct tls_server *tls = rig->inner[0].tls;
    outbound_free(rig->outbound);
    rig->outbound = NULL;
    inner_hang_up(&rig->inner[0]);
    tls_server_free(tls);
}

static void encrypts(void **state)
{
    struct rig *rig = *state;
    tls_open(rig);
    rig->to.tls = ROUTE_TLS_MUST;
    size_t size = 500000;
    char *text = memory_take(size);
    memset(text, 'x', size);
    struct one *one = message(rig, 0);
    one->content = (struct content){.whole = slice_of(text, size), .piece = size};
    start(rig, one);
    INNER_UNTIL(rig->loop, one->done);
    expect(rig, one, OUTBOUND_ANSWERED, 250);
    assert_true(one->job.tls);
    assert_int_equal(rig->inner[0].messages.len, size + 5);
    expect(rig, send_one(rig), OUTBOUND_ANSWERED, 250);
    assert_int_equal(rig->inner[0].accepted, 1);
    memory_give(text, size);
    tls_close(rig);
}

static void does_without_where_it_may(void **state)
{
    struct rig *rig = *state;
    tls_open(rig);
    struct tls_server *tls = rig->inner[0].tls;
    rig->to.tls = ROUTE_TLS_MAY;
    /* It says 220 to STARTTLS, and then something else than TLS. */
    rig->inner[0].tls = NULL;
    rig->inner[0].replies.other = "220 go\r\n";
    struct one *one = message(rig, 0);
    start(rig, one);
    INNER_UNTIL(rig->loop, rig->inner[0].connections[0].in.len > 0);
    inner_say(&rig->inner[0], "HTTP/1.1 400 Bad Request\r\n");
    INNER_UNTIL(rig->loop, one->done);
    expect(rig, one, OUTBOUND_ANSWERED, 250);
    assert_false(one->job.tls);
    assert_int_equal(rig->inner[0].accepted, 2);
    rig->to.tls = ROUTE_TLS_MUST;
    rig->inner[0].replies.ehlo = "250 inner.example\r\n";
    one = send_one(rig);
    expect(rig, one, OUTBOUND_DOWN, 0);
    assert_true(slice_ends_fold(one->job.trouble, SLICE("does not offer STARTTLS, which the route demands")));
    rig->inner[0].tls = tls;
    tls_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sends),
        TEST(uses_a_connection_again),
        TEST(starts_from_done),
        TEST(shares_connections_among_many),
        TEST(large_content_in_pieces),
        TEST(probes),
        TEST(refused_here),
        TEST(idle_connections_are_closed),
        TEST(stops),
        TEST(dribbling_server),
        TEST(bounded_queue),
        TEST(bounded_waiting),
        TEST(forgets_at_every_state),
        TEST(forgets_those_that_wait),
        TEST(freed_with_jobs),
        TEST(proxy_connections_are_one_clients),
        TEST(encrypts),
        TEST(does_without_where_it_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
