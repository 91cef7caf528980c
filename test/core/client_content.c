/* Proves what becomes of the content: dots and bare newlines cannot end it, the reply behind it decides for
 * all or, in LMTP, for each, and whatever is said too early or never is no yes. */
#include "base/random.h"
#include "client_rig.h"
#include "wire/dot.h"

/* Up to the content. */
static void begin(struct rig *rig)
{
    rig_greet(rig, EHLO_PIPELINING);
    rig_start(rig);
    buf_clear(&rig->sent);
    rig_hears(rig, "250 a\r\n250 b\r\n354 go\r\n");
    assert_true(rig->job.done_anything);
}

static void dots_are_doubled(void **state)
{
    static const struct {
        const char *content;
        const char *sent;
    } cases[] = {
        {"", "\r\n.\r\n"},
        {".\r\n", "..\r\n.\r\n"},
        {"a\r\n.\r\nb", "a\r\n..\r\nb\r\n.\r\n"},
        {"a\n.\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"},
        {"a\r.\rb\r\n", "a\r\n..\r\nb\r\n.\r\n"},
        {"a\r\n.\rQUIT\r\n", "a\r\n..\r\nQUIT\r\n.\r\n"},
    };
    struct rig *rig = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        rig_message(rig, 1, cases[i].content);
        begin(rig);
        if (i == 0)
            rig_said(rig, ".\r\n");
        else
            rig_said(rig, cases[i].sent);
        client_free(rig->client);
    }
    rig->client = NULL;
}

/* A hostile content, then the decoder on the other side: one end, at the end. */
static void content_cannot_end_itself(void **state)
{
    struct rig *rig = *state;
    static const char octets[] = "\r\n.\0aQ";
    struct random random = {.state = 7};
    char content[400];
    for (size_t round = 0; round < 200; round++) {
        struct dot dot;
        struct dot_out out = {.end = false};
        for (size_t i = 0; i < sizeof content; i++)
            content[i] = octets[random_below(&random, sizeof octets - 1)];
        rig_message(rig, 1, "");
        rig->content = slice_of(content, sizeof content);
        begin(rig);
        struct slice sent = buf_slice(&rig->sent);
        dot_init(&dot, DOT_REJECT, false, 0);
        while (sent.len > 0 && !out.end)
            sent = slice_from(sent, dot_decode(&dot, sent, &out));
        assert_true(out.end && sent.len == 0 && !dot_refused(&dot));
        buf_clear(&rig->sent);
        client_free(rig->client);
    }
    rig->client = NULL;
}

static void largest_pieces(void **state)
{
    struct rig *rig = *state;
    char *piece = memory_take(CLIENT_PIECE_MAX);
    memset(piece, '\n', CLIENT_PIECE_MAX);
    rig->hold_content = true;
    begin(rig);
    for (size_t i = 0; i < 3; i++) {
        assert_true(rig->out.want_content);
        rig_step(rig, CLIENT_CONTENT, slice_of(piece, CLIENT_PIECE_MAX));
        assert_int_equal(rig->sent.len, 2 * CLIENT_PIECE_MAX);
        buf_clear(&rig->sent);
    }
    memory_give(piece, CLIENT_PIECE_MAX);
}

static void waits_for_the_dot(void **state)
{
    struct rig *rig = *state;
    begin(rig);
    assert_true(rig->job.dot_sent);
    assert_int_equal(rig->out.timer_ms, rig->now_ms + 600000);
    rig->now_ms += 599999;
    rig_step(rig, CLIENT_TIMER, SLICE_NONE);
    assert_false(rig->closed);
    rig->now_ms++;
    rig_step(rig, CLIENT_TIMER, SLICE_NONE);
    rig_is_done(rig, 0);
    rig_is_closed(rig, "waited 10m for its reply to the message");
    assert_true(rig->job.dot_sent && rig->job.closed);
}

static void closes_after_the_dot(void **state)
{
    struct rig *rig = *state;
    begin(rig);
    rig_hears(rig, "250 2.0.0 tak");
    rig_step(rig, CLIENT_EOF, SLICE_NONE);
    rig_is_done(rig, 0);
    rig_is_closed(rig, "the connection ended while we waited for its reply to the message");
    assert_true(rig->job.dot_sent && !rig->recipients[0].delivered);
}

static void refuses_after_the_dot(void **state)
{
    struct rig *rig = *state;
    begin(rig);
    rig_hears(rig, "554-5.7.1 spam\r\n554 5.7.1 really\x01\xff\r\n");
    rig_is_done(rig, 554);
    rig_is_ready(rig);
    assert_slice_equal(rig->job.reply.enhanced, "5.7.1");
    assert_slice_equal(rig->job.reply.text, "spam really??");
    assert_false(rig->recipients[0].delivered);
}

static void neither_yes_nor_no(void **state)
{
    struct rig *rig = *state;
    begin(rig);
    rig_hears(rig, "354 more\r\n");
    rig_is_done(rig, 0);
    rig_is_closed(rig, "its reply to the message was 354 more");
    assert_true(rig->job.dot_sent);
}

static void takes_and_closes(void **state)
{
    struct rig *rig = *state;
    begin(rig);
    rig_hears(rig, "250 taken\r\n421 bye\r\n");
    rig_is_done(rig, 250);
    assert_true(rig->recipients[0].delivered);
    rig_is_closed(rig, "the server spoke while nothing was asked of it");
}

static void stops_taking(void **state)
{
    struct rig *rig = *state;
    rig->hold_content = true;
    begin(rig);
    rig->now_ms += 20000;
    rig_step(rig, CLIENT_CONTENT, SLICE("x"));
    rig->now_ms += 29999;
    rig_step(rig, CLIENT_TIMER, SLICE_NONE);
    assert_false(rig->closed);
    rig->now_ms++;
    rig_step(rig, CLIENT_TIMER, SLICE_NONE);
    rig_is_done(rig, 0);
    rig_is_closed(rig, "waited 30s for it to take the message");
    assert_false(rig->job.dot_sent);
}

static void refuses_halfway(void **state)
{
    struct rig *rig = *state;
    rig->hold_content = true;
    begin(rig);
    rig_step(rig, CLIENT_CONTENT, SLICE("x"));
    buf_clear(&rig->sent);
    rig_hears(rig, "552 5.3.4 too");
    rig_step(rig, CLIENT_CONTENT, SLICE("y"));
    rig_said(rig, "");
    assert_false(rig->out.want_content);
    rig_hears(rig, " much\r\n");
    rig_is_done(rig, 552);
    rig_is_closed(rig, "");
    assert_slice_equal(rig->job.reply.text, "too much");
    assert_false(rig->job.dot_sent);
}

static void takes_halfway(void **state)
{
    struct rig *rig = *state;
    rig->hold_content = true;
    begin(rig);
    rig_step(rig, CLIENT_CONTENT, SLICE("x"));
    rig_hears(rig, "250 taken\r\n");
    rig_is_done(rig, 0);
    rig_is_closed(rig, "the end of a reply that came too early was 250 taken");
    assert_false(rig->job.dot_sent || rig->recipients[0].delivered);
}

static void closes_halfway(void **state)
{
    struct rig *rig = *state;
    rig->hold_content = true;
    begin(rig);
    rig_step(rig, CLIENT_CONTENT, SLICE("x"));
    rig_step(rig, CLIENT_EOF, SLICE("Broken pipe"));
    rig_is_done(rig, 0);
    rig_is_closed(rig, "the connection ended while we waited for it to take the message: Broken pipe");
    assert_false(rig->job.dot_sent);
}

static void one_after_the_other(void **state)
{
    struct rig *rig = *state;
    begin(rig);
    rig_hears(rig, "250 one\r\n");
    for (size_t i = 0; i < 5; i++) {
        rig_message(rig, 1, "x\r\n");
        buf_clear(&rig->sent);
        rig_start(rig);
        rig_hears(rig, "250 a\r\n250 b\r\n354 go\r\n");
        rig_hears(rig, "250 next\r\n");
        rig_said(rig, "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@inner.example>\r\nDATA\r\nx\r\n.\r\n");
        rig_is_done(rig, 250);
        assert_slice_equal(rig->job.reply.text, "next");
    }
}

/* --- LMTP ---------------------------------------------------------------------------------------------- */

static void lmtp(struct rig *rig)
{
    rig->settings.protocol = CLIENT_LMTP;
    rig_greet(rig, EHLO_PIPELINING);
    rig_message(rig, 4, "x\r\n");
    rig_start(rig);
    rig_hears(rig, "250 a\r\n250 b\r\n550 c\r\n250 d\r\n250 e\r\n354 go\r\n");
}

static void each_has_a_reply(void **state)
{
    struct rig *rig = *state;
    lmtp(rig);
    rig_hears(rig, "250 one\r\n452 4.2.2 full\r\n");
    assert_false(rig->done);
    rig_hears(rig, "250 four\r\n");
    rig_is_done(rig, 452);
    rig_is_ready(rig);
    assert_true(rig->recipients[0].delivered && rig->recipients[3].delivered);
    assert_false(rig->recipients[1].delivered || rig->recipients[2].delivered);
    assert_int_equal(rig->recipients[1].reply.code, 550);
    assert_slice_equal(rig->recipients[2].reply.text, "full");
    assert_slice_equal(rig->recipients[3].reply.text, "four");
}

static void some_have_a_reply(void **state)
{
    struct rig *rig = *state;
    lmtp(rig);
    rig_hears(rig, "250 one\r\n");
    rig_step(rig, CLIENT_EOF, SLICE_NONE);
    assert_true(rig->done && rig->job.dot_sent);
    rig_is_closed(rig, "the connection ended while we waited for its reply to the message");
    assert_true(rig->recipients[0].delivered);
    assert_false(rig->recipients[2].delivered || rig->recipients[3].delivered);
}

static void too_many_replies(void **state)
{
    struct rig *rig = *state;
    lmtp(rig);
    rig_hears(rig, "250 one\r\n250 three\r\n250 four\r\n250 five\r\n");
    rig_is_done(rig, 250);
    rig_is_closed(rig, "the server spoke while nothing was asked of it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(dots_are_doubled),     RIG_TEST(content_cannot_end_itself),
        RIG_TEST(largest_pieces),       RIG_TEST(waits_for_the_dot),
        RIG_TEST(closes_after_the_dot), RIG_TEST(refuses_after_the_dot),
        RIG_TEST(neither_yes_nor_no),   RIG_TEST(takes_and_closes),
        RIG_TEST(stops_taking),         RIG_TEST(refuses_halfway),
        RIG_TEST(takes_halfway),        RIG_TEST(closes_halfway),
        RIG_TEST(one_after_the_other),  RIG_TEST(each_has_a_reply),
        RIG_TEST(some_have_a_reply),    RIG_TEST(too_many_replies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
