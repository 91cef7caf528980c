/* Proves jobs against servers that are dead, silent, slow, lying, closing and greedy: each job ends once,
 * what may be tried again is, and what may have been taken is never sent twice. */
#include "outbound_rig.h"

/* --- servers that are down ----------------------------------------------------------------------------- */

static void next_target(void **state)
{
    struct rig *rig = *state;
    rig->to.target_count = 2;
    inner_stop_listening(&rig->inner[0]);
    expect(rig, send_one(rig), OUTBOUND_ANSWERED, 250);
    expect(rig, send_one(rig), OUTBOUND_ANSWERED, 250);
    assert_int_equal(rig->inner[1].message_count, 2);
}

static void nobody_there(void **state)
{
    struct rig *rig = *state;
    inner_stop_listening(&rig->inner[0]);
    struct one *one = send_one(rig);
    expect(rig, one, OUTBOUND_DOWN, 0);
    assert_true(slice_find_slice(one->job.trouble, SLICE("Connection refused")) != SLICE_NOT_FOUND);
}

/* Once it is known to be down nobody waits for it, until its time has come. */
static void left_alone_and_tried_again(void **state)
{
    struct rig *rig = *state;
    rig->settings.again_first_ms = rig->settings.again_most_ms = 50;
    outbound_change(rig->outbound, &rig->settings);
    rig->inner[0].replies.greeting = "!421 4.3.2 busy\r\n";
    expect(rig, send_one(rig), OUTBOUND_DOWN, 0);
    struct one *one = send_one(rig);
    expect(rig, one, OUTBOUND_DOWN, 0);
    assert_true(slice_find_slice(one->job.trouble, SLICE("its greeting was 421 busy")) != SLICE_NOT_FOUND);
    assert_int_equal(rig->inner[0].accepted, 1);
    rig->inner[0].replies.greeting = "220 hi\r\n";
    uint64_t down_ms = loop_now_ms(rig->loop);
    INNER_UNTIL(rig->loop, loop_now_ms(rig->loop) > down_ms + 60);
    expect(rig, send_one(rig), OUTBOUND_ANSWERED, 250);
}

static void silent_at_the_greeting(void **state)
{
    struct rig *rig = *state;
    rig->settings.reply_ms = 50;
    outbound_change(rig->outbound, &rig->settings);
    rig->inner[0].replies.greeting = "";
    rig->to.target_count = 2;
    expect(rig, send_one(rig), OUTBOUND_ANSWERED, 250);
    assert_int_equal(rig->inner[1].message_count, 1);
}

static void silent_in_the_envelope(void **state)
{
    struct rig *rig = *state;
    rig->settings.reply_ms = 50;
    outbound_change(rig->outbound, &rig->settings);
    rig->inner[0].replies.rcpt = rig->inner[0].replies.data = "";
    struct one *one = send_one(rig);
    expect(rig, one, OUTBOUND_DOWN, 0);
    assert_slice_equal(one->job.trouble, "waited 50ms for its reply to RCPT");
}

static void goodbye_in_the_envelope(void **state)
{
    struct rig *rig = *state;
    rig->inner[0].replies.rcpt = "!421 4.3.2 going down\r\n";
    expect(rig, send_one(rig), OUTBOUND_ANSWERED, 421);
    rig->to.target_count = 2;
    expect(rig, send_one(rig), OUTBOUND_ANSWERED, 250);
    assert_int_equal(rig->inner[1].message_count, 1);
}

static void unix_socket(void **state)
{
    struct rig *rig = *state;
    rig->targets[0] = (struct target){.host = SLICE("/nowhere/postern-test.sock"), .is_unix = true};
    struct one *one = send_one(rig);
    expect(rig, one, OUTBOUND_DOWN, 0);
    assert_slice_equal(one->job.server, "/nowhere/postern-test.sock");
}

static void names_and_next_addresses(void **state)
{
    struct rig *rig = *state;
    rig->targets[0].host = SLICE("localhost");
    rig->targets[0].address.family = ADDRESS_NONE;
    expect(rig, send_one(rig), OUTBOUND_ANSWERED, 250);
    rig->targets[0].host = SLICE("no such name");
    struct one *one = send_one(rig);
    expect(rig, one, OUTBOUND_DOWN, 0);
    assert_true(slice_starts(one->job.trouble, SLICE("no such name has no address: ")));
}

static void too_many_connections(void **state)
{
    struct rig *rig = *state;
    struct one *first = message(rig, 0), *second = message(rig, 1);
    rig->inner[0].replies.dot = "";
    start(rig, first);
    INNER_UNTIL(rig->loop, rig->inner[0].message_count == 1);
    rig->inner[0].replies.greeting = "!421 too many\r\n";
    rig->inner[0].replies.dot = "250 second\r\n";
    start(rig, second);
    INNER_UNTIL(rig->loop, rig->inner[0].accepted == 2);
    inner_say(&rig->inner[0], "250 first\r\n");
    INNER_UNTIL(rig->loop, first->done && second->done);
    assert_int_equal(rig->inner[0].message_count, 2);
    assert_int_equal(second->job.result, OUTBOUND_ANSWERED);
}

/* --- connections that were given up -------------------------------------------------------------------- */

static void stale_connection(void **state)
{
    struct rig *rig = *state;
    send_one(rig);
    inner_hang_up(&rig->inner[0]);
    expect(rig, send_one(rig), OUTBOUND_ANSWERED, 250);
    assert_int_equal(rig->inner[0].accepted, 2);
}

/* The server's goodbye crosses with our MAIL. */
static void goodbye_to_an_idle_connection(void **state)
{
    struct rig *rig = *state;
    send_one(rig);
    rig->inner[0].replies.mail = "!421 4.4.2 idle for too long\r\n";
    struct one *one = message(rig, 0);
    start(rig, one);
    INNER_UNTIL(rig->loop, rig->inner[0].open == 0);
    rig->inner[0].replies.mail = "250 ok\r\n";
    INNER_UNTIL(rig->loop, one->done);
    expect(rig, one, OUTBOUND_ANSWERED, 250);
    assert_int_equal(rig->inner[0].message_count, 2);
}

static void speaks_while_idle(void **state)
{
    struct rig *rig = *state;
    send_one(rig);
    inner_say(&rig->inner[0], "421 4.4.2 bye\r\n");
    INNER_UNTIL(rig->loop, rig->inner[0].open == 0);
    expect(rig, send_one(rig), OUTBOUND_ANSWERED, 250);
}

/* --- after the dot ------------------------------------------------------------------------------------- */

/* What may have been taken goes nowhere else. */
static void closes_after_the_dot(void **state)
{
    struct rig *rig = *state;
    rig->to.target_count = 2;
    rig->inner[0].replies.dot = "!";
    expect(rig, send_one(rig), OUTBOUND_LOST, 0);
    assert_int_equal(rig->inner[1].accepted, 0);
    assert_int_equal(rig->inner[0].message_count, 1);
}

static void silent_after_the_dot(void **state)
{
    struct rig *rig = *state;
    rig->settings.dot_ms = 50;
    outbound_change(rig->outbound, &rig->settings);
    rig->inner[0].replies.dot = "";
    struct one *one = send_one(rig);
    expect(rig, one, OUTBOUND_LOST, 0);
    assert_slice_equal(one->job.trouble, "waited 50ms for its reply to the message");
}

static void refuses_after_the_dot(void **state)
{
    struct rig *rig = *state;
    rig->inner[0].replies.dot = "554 5.7.1 no\r\n";
    expect(rig, send_one(rig), OUTBOUND_ANSWERED, 554);
    expect(rig, send_one(rig), OUTBOUND_ANSWERED, 554);
    assert_int_equal(rig->inner[0].accepted, 1);
}

static void refuses_while_we_send(void **state)
{
    struct rig *rig = *state;
    size_t size = 8000000;
    char *text = memory_take(size);
    memset(text, 'x', size);
    struct one *one = message(rig, 0);
    one->content = (struct content){.whole = slice_of(text, size), .piece = 65536};
    rig->inner[0].replies.data = "354 go\r\n552 5.3.4 too much\r\n";
    start(rig, one);
    INNER_UNTIL(rig->loop, one->done);
    assert_int_equal(one->job.job.dot_sent, false);
    assert_int_equal(rig->inner[0].message_count, 0);
    memory_give(text, size);
}

static void unreadable_content(void **state)
{
    struct rig *rig = *state;
    struct one *one = message(rig, 0);
    one->content.piece = 3;
    one->content.broken = true;
    start(rig, one);
    INNER_UNTIL(rig->loop, one->done);
    assert_int_equal(one->job.result, OUTBOUND_FAILED);
    assert_slice_equal(one->job.trouble, "the disk is gone");
    INNER_UNTIL(rig->loop, rig->inner[0].open == 0);
    assert_int_equal(rig->inner[0].message_count, 0);
    expect(rig, send_one(rig), OUTBOUND_ANSWERED, 250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(next_target),
        TEST(nobody_there),
        TEST(left_alone_and_tried_again),
        TEST(silent_at_the_greeting),
        TEST(silent_in_the_envelope),
        TEST(goodbye_in_the_envelope),
        TEST(unix_socket),
        TEST(names_and_next_addresses),
        TEST(too_many_connections),
        TEST(stale_connection),
        TEST(goodbye_to_an_idle_connection),
        TEST(speaks_while_idle),
        TEST(closes_after_the_dot),
        TEST(silent_after_the_dot),
        TEST(refuses_after_the_dot),
        TEST(refuses_while_we_send),
        TEST(unreadable_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
