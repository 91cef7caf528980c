/* Proves what a job says before its content: batches and lock-step, parameters where they are offered, and
 * what becomes of each refusal. */
#include "client_rig.h"

#define MAIL_C   "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@inner.example>\r\n"
#define MAIL_CDE MAIL_C "RCPT TO:<d@inner.example>\r\nRCPT TO:<e@inner.example>\r\n"

static void one_batch(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PIPELINING);
    rig_message(rig, 2, "x\r\n");
    rig_start(rig);
    rig_said(rig, MAIL_C "RCPT TO:<d@inner.example>\r\nDATA\r\n");
    rig_hears(rig, "250 a\r\n250 b\r\n251 c\r\n354 go\r\n");
    rig_said(rig, "x\r\n.\r\n");
    rig_hears(rig, "250 2.0.0 taken\r\n");
    rig_is_done(rig, 250);
    rig_is_ready(rig);
    assert_true(rig->recipients[0].delivered && rig->recipients[1].delivered);
}

static void lock_step(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PLAIN);
    rig_start(rig);
    rig_said(rig, "MAIL FROM:<a@b.example>\r\n");
    rig_hears(rig, "250 a\r\n");
    rig_said(rig, "RCPT TO:<c@inner.example>\r\n");
    rig_hears(rig, "250 a\r\n");
    rig_said(rig, "DATA\r\n");
    assert_false(rig->job.done_anything);
    rig_hears(rig, "354 a\r\n");
    assert_true(rig->job.done_anything && rig->job.dot_sent);
    rig_hears(rig, "250 a\r\n");
    rig_is_done(rig, 250);
    rig_is_ready(rig);
}

static void long_batches_stop_and_go_on(void **state)
{
    enum { MANY = 2000 };
    struct rig *rig = *state;
    struct client_recipient *many = memory_take(MANY * sizeof *many);
    for (size_t i = 0; i < MANY; i++)
        many[i].address = SLICE("somebody@inner.example");
    rig_greet(rig, EHLO_PIPELINING);
    rig->job.recipients = many;
    rig->job.recipient_count = MANY;
    rig_start(rig);
    assert_true(rig->sent.len < 20000);
    for (size_t i = 0; i <= MANY; i++)
        rig_hears(rig, "250 a\r\n");
    rig_hears(rig, "354 a\r\n");
    rig_hears(rig, "250 a\r\n");
    rig_is_done(rig, 250);
    assert_true(many[MANY - 1].delivered);
    memory_give(many, MANY * sizeof *many);
}

static void parameters_where_offered(void **state)
{
    struct rig *rig = *state;
    rig_message(rig, 1, "12345");
    rig->transaction.body = BODY_8BITMIME;
    rig->transaction.smtputf8 = true;
    rig->transaction.ret = RET_HDRS;
    rig->transaction.envid = SLICE("QQ314159");
    rig->given[0].orcpt = SLICE("rfc822;Bob+40x.example");
    rig->given[0].notify = NOTIFY_SUCCESS | NOTIFY_DELAY;
    rig_greet(rig, EHLO_FULL);
    rig_start(rig);
    rig_said(rig, "MAIL FROM:<a@b.example> SIZE=5 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ314159\r\n"
                  "RCPT TO:<c@inner.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob+40x.example\r\nDATA\r\n");
}

static void no_parameters_where_not_offered(void **state)
{
    struct rig *rig = *state;
    rig->transaction.body = BODY_8BITMIME;
    rig->transaction.ret = RET_FULL;
    rig->transaction.envid = SLICE("x");
    rig->given[0].orcpt = SLICE("rfc822;x");
    rig->given[0].notify = NOTIFY_NEVER;
    rig_greet(rig, EHLO_PIPELINING);
    rig_start(rig);
    rig_said(rig, MAIL_C "DATA\r\n");
}

static void bad_parameters_are_left_out(void **state)
{
    struct rig *rig = *state;
    rig->transaction.envid = SLICE("a b");
    rig->given[0].orcpt = SLICE("rfc822;x\r\nDATA");
    rig_message(rig, 1, "");
    rig->given[0].orcpt = SLICE("rfc822;x\r\nDATA");
    rig_greet(rig, EHLO_FULL);
    rig_start(rig);
    rig_said(rig, MAIL_C "DATA\r\n");
}

/* What the server cannot carry is refused without a word to it, and the connection goes on. */
static void refused_here(struct rig *rig, unsigned code, const char *enhanced)
{
    rig_start(rig);
    rig_is_done(rig, code);
    assert_true(slice_equal(rig->job.reply.enhanced, slice_text(enhanced)));
    assert_true(rig->job.refused_here && !rig->job.done_anything && !rig->job.closed);
    rig_is_ready(rig);
    rig_said(rig, "");
}

static void cannot_be_carried(void **state)
{
    struct rig *rig = *state;
    static const char *const bad[] = {"",      "c@x\r\nRSET", "c@x>",    "<c@x",
                                      "c d@x", "\"c",         "c@x\x7f", "\"c\" d@x"};
    rig_greet(rig, "250-x\r\n250 SIZE 10\r\n");
    rig->transaction.smtputf8 = true;
    refused_here(rig, 553, "5.6.7");
    rig->transaction.smtputf8 = false;
    rig->recipients[0].address = SLICE("\xc3\xa4@inner.example");
    refused_here(rig, 553, "5.6.7");
    for (size_t i = 0; i < COUNT(bad); i++) {
        rig->recipients[0].address = slice_text(bad[i]);
        refused_here(rig, 553, "5.1.3");
    }
    rig->recipients[0].address = SLICE("c\0@x");
    refused_here(rig, 553, "5.1.3");
    rig->recipients[0].address = SLICE("c@x");
    rig->job.content_octets = 11;
    refused_here(rig, 552, "5.3.4");
    rig->transaction.body = BODY_BINARYMIME;
    refused_here(rig, 554, "5.6.3");
}

static void quoted_addresses_go(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PIPELINING);
    rig->job.sender = SLICE_NONE;
    rig->recipients[0].address = SLICE("\"a> \\\" b\"@inner.example");
    rig_start(rig);
    rig_said(rig, "MAIL FROM:<>\r\nRCPT TO:<\"a> \\\" b\"@inner.example>\r\nDATA\r\n");
}

/* --- verification -------------------------------------------------------------------------------------- */

static void verifies_in_one_batch(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PIPELINING);
    rig_message(rig, 3, "");
    rig->job.verify = true;
    rig_start(rig);
    rig_said(rig, MAIL_CDE "RSET\r\n");
    rig_hears(rig, "250 a\r\n250 b\r\n550-5.1.1 no\r\n550 5.1.1 such user\r\n450 later\r\n");
    assert_false(rig->done);
    rig_hears(rig, "250 reset\r\n");
    rig_is_done(rig, 250);
    rig_is_ready(rig);
    assert_true(rig->recipients[0].accepted && !rig->recipients[1].accepted && !rig->recipients[2].accepted);
    assert_int_equal(rig->recipients[1].reply.code, 550);
    assert_slice_equal(rig->recipients[1].reply.enhanced, "5.1.1");
    assert_slice_equal(rig->recipients[1].reply.text, "no such user");
    assert_int_equal(rig->recipients[2].reply.code, 450);
}

static void verifies_in_lock_step(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PLAIN);
    rig->job.verify = true;
    rig_start(rig);
    rig_hears(rig, "250 a\r\n");
    rig_hears(rig, "550 b\r\n");
    rig_said(rig, MAIL_C "RSET\r\n");
    rig_hears(rig, "250 c\r\n");
    rig_is_done(rig, 250);
    rig_is_ready(rig);
    assert_int_equal(rig->recipients[0].reply.code, 550);
}

/* A refused sender says nothing of the recipients. */
static void refused_sender(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PIPELINING);
    rig->job.verify = true;
    rig_start(rig);
    rig_hears(rig, "550 5.7.1 not you\r\n503 b\r\n250 c\r\n");
    rig_is_done(rig, 550);
    rig_is_ready(rig);
    assert_int_equal(rig->recipients[0].reply.code, 0);
    rig->job.verify = false;
    rig_said(rig, MAIL_C "RSET\r\n");
    rig_start(rig);
    rig_hears(rig, "451 4.7.1 not now\r\n503 b\r\n503 c\r\n");
    rig_said(rig, MAIL_C "DATA\r\n");
    rig_is_done(rig, 451);
    rig_is_ready(rig);
}

static void refused_sender_in_lock_step(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PLAIN);
    rig_start(rig);
    rig_hears(rig, "550 5.7.1 not you\r\n");
    rig_said(rig, "MAIL FROM:<a@b.example>\r\n");
    rig_is_done(rig, 550);
    rig_is_ready(rig);
}

static void verification_without_reset(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PIPELINING);
    rig->job.verify = true;
    rig_start(rig);
    rig_hears(rig, "250 a\r\n550 b\r\n500 what\r\n");
    rig_is_done(rig, 500);
    rig_is_closed(rig, "its reply to RSET was 500 what");
    assert_true(rig->job.closed);
    assert_int_equal(rig->recipients[0].reply.code, 550);
}

/* --- refused recipients -------------------------------------------------------------------------------- */

/* In a batch DATA is on its way already: when it is taken all the same, only an end of the connection is
 * safe. */
static void all_or_nothing_in_a_batch(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PIPELINING);
    rig_message(rig, 3, "x\r\n");
    rig->job.all_or_nothing = true;
    rig_start(rig);
    rig_said(rig, MAIL_CDE "DATA\r\n");
    rig_hears(rig, "250 a\r\n250 b\r\n550 c\r\n250 d\r\n354 go\r\n");
    rig_is_done(rig, 550);
    rig_is_closed(rig, "");
    rig_said(rig, "");
    assert_false(rig->job.dot_sent || rig->job.done_anything);
    assert_int_equal(rig->recipients[1].reply.code, 550);
    assert_true(rig->job.closed && rig->recipients[2].accepted && !rig->recipients[2].delivered);
}

static void all_or_nothing_in_lock_step(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PLAIN);
    rig_message(rig, 2, "x\r\n");
    rig->job.all_or_nothing = true;
    rig_start(rig);
    rig_hears(rig, "250 a\r\n");
    rig_hears(rig, "450 b\r\n");
    rig_hears(rig, "250 c\r\n");
    rig_said(rig, MAIL_C "RCPT TO:<d@inner.example>\r\nRSET\r\n");
    rig_is_done(rig, 450);
    assert_false(rig->out.ready || rig->job.closed);
    rig_hears(rig, "250 d\r\n");
    rig_is_ready(rig);
}

static void only_one_and_refused(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PIPELINING);
    rig->job.all_or_nothing = true;
    rig_start(rig);
    rig_said(rig, MAIL_C "DATA\r\n");
    rig_hears(rig, "250 a\r\n550 5.1.1 b\r\n554 no valid recipients\r\n");
    rig_said(rig, "RSET\r\n");
    rig_is_done(rig, 550);
    rig_hears(rig, "250 d\r\n");
    rig_is_ready(rig);
}

static void some_are_enough(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PIPELINING);
    rig_message(rig, 3, "x\r\n");
    rig_start(rig);
    rig_hears(rig, "250 a\r\n550 b\r\n250 c\r\n450 d\r\n354 go\r\n");
    rig_said(rig, MAIL_CDE "DATA\r\nx\r\n.\r\n");
    rig_hears(rig, "250 taken\r\n");
    rig_is_done(rig, 250);
    assert_false(rig->recipients[0].delivered || rig->recipients[2].delivered);
    assert_true(rig->recipients[1].delivered);
    assert_int_equal(rig->recipients[0].reply.code, 550);
    assert_int_equal(rig->recipients[1].reply.code, 250);
}

static void none_is_left(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PLAIN);
    rig_message(rig, 2, "x\r\n");
    rig_start(rig);
    rig_hears(rig, "250 a\r\n");
    rig_hears(rig, "550 b\r\n");
    rig_hears(rig, "450 c\r\n");
    rig_said(rig, MAIL_C "RCPT TO:<d@inner.example>\r\nRSET\r\n");
    rig_is_done(rig, 550);
}

static void none_is_left_and_data_is_taken(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PIPELINING);
    rig_start(rig);
    rig_hears(rig, "250 a\r\n550 b\r\n354 go\r\n");
    rig_is_done(rig, 550);
    rig_is_closed(rig, "");
}

static void data_is_refused(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PIPELINING);
    rig_start(rig);
    rig_hears(rig, "250 a\r\n250 b\r\n451 4.3.0 disk\r\n");
    rig_said(rig, MAIL_C "DATA\r\nRSET\r\n");
    rig_is_done(rig, 451);
    rig_hears(rig, "250 a\r\n");
    rig_is_ready(rig);
}

static void reset_is_refused(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PIPELINING);
    rig_start(rig);
    rig_hears(rig, "250 a\r\n250 b\r\n451 4.3.0 disk\r\n");
    rig_hears(rig, "451 disk\r\n");
    rig_is_closed(rig, "its reply to RSET was 451 disk");
}

/* --- servers out of order ------------------------------------------------------------------------------ */

static void goodbye_at_any_time(void **state)
{
    struct rig *rig = *state;
    static const struct {
        const char *words;
        const char *trouble;
    } cases[] = {
        {"421 bye\r\n", "its reply to MAIL was 421 bye"},
        {"250 a\r\n421 bye\r\n", "its reply to RCPT was 421 bye"},
        {"250 a\r\n250 b\r\n421 bye\r\n", "its reply to DATA was 421 bye"},
        {"250 a\r\n250 b\r\n354 go\r\n|421 bye\r\n", "its reply to the message was 421 bye"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice words = slice_text(cases[i].words), word;
        char text[64];
        rig_greet(rig, EHLO_PIPELINING);
        rig_message(rig, 1, "x");
        rig_start(rig);
        while (slice_cut(&words, '|', &word)) {
            memcpy(text, word.at, word.len);
            text[word.len] = '\0';
            rig_hears(rig, text);
        }
        rig_is_done(rig, 421);
        rig_is_closed(rig, cases[i].trouble);
        assert_false(rig->recipients[0].delivered);
        client_free(rig->client);
        buf_clear(&rig->sent);
    }
    rig->client = NULL;
}

static void nonsense(void **state)
{
    struct rig *rig = *state;
    static const struct {
        const char *words;
        const char *trouble;
    } cases[] = {
        {"354 a\r\n", "its reply to MAIL was 354 a"},
        {"250 a\r\n354 b\r\n", "its reply to RCPT was 354 b"},
        {"250 a\r\n250 b\r\n250 c\r\n", "its reply to DATA was 250 c"},
        {"250 a\r\n250 b\r\n334 c\r\n", "its reply to DATA was 334 c"},
        {"250 a\r\nwhat?\r\n", "what came in place of its reply to RCPT is no reply"},
        {"150 a\r\n", "what came in place of its reply to MAIL is no reply"},
        {"600 a\r\n", "what came in place of its reply to MAIL is no reply"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        rig_greet(rig, EHLO_PIPELINING);
        rig_start(rig);
        rig_hears(rig, cases[i].words);
        rig_is_done(rig, 0);
        rig_is_closed(rig, cases[i].trouble);
        assert_true(slice_equal(rig->job.reply.text, slice_text(cases[i].trouble)));
        assert_false(rig->job.dot_sent);
        client_free(rig->client);
        buf_clear(&rig->sent);
    }
    rig->client = NULL;
}

static void more_replies_than_commands(void **state)
{
    struct rig *rig = *state;
    if (rig->octet_by_octet)
        return;
    rig_greet(rig, EHLO_PLAIN);
    rig_start(rig);
    rig_hears(rig, "250 a\r\n250 b\r\n");
    rig_is_done(rig, 0);
    rig_is_closed(rig, "more came than its reply to MAIL");
}

/* 354 and a yes to a message that has not been sent: no octet of it goes out. */
static void yes_before_the_content(void **state)
{
    struct rig *rig = *state;
    if (rig->octet_by_octet)
        return;
    rig_greet(rig, EHLO_PIPELINING);
    rig_start(rig);
    rig_hears(rig, "250 a\r\n250 b\r\n354 go\r\n250 taken\r\n");
    rig_said(rig, MAIL_C "DATA\r\n");
    rig_is_done(rig, 0);
    rig_is_closed(rig, "more came than its reply to DATA");
    assert_false(rig->job.dot_sent || rig->recipients[0].delivered);
}

static void each_reply_has_its_time(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PIPELINING);
    rig_start(rig);
    rig->now_ms += 29000;
    rig_hears(rig, "250 a\r\n");
    assert_int_equal(rig->out.timer_ms, rig->now_ms + 30000);
    rig->now_ms += 30000;
    rig_step(rig, CLIENT_TIMER, SLICE_NONE);
    rig_is_done(rig, 0);
    rig_is_closed(rig, "waited 30s for its reply to RCPT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(one_batch),
        RIG_TEST(lock_step),
        RIG_TEST(long_batches_stop_and_go_on),
        RIG_TEST(parameters_where_offered),
        RIG_TEST(no_parameters_where_not_offered),
        RIG_TEST(bad_parameters_are_left_out),
        RIG_TEST(cannot_be_carried),
        RIG_TEST(quoted_addresses_go),
        RIG_TEST(verifies_in_one_batch),
        RIG_TEST(verifies_in_lock_step),
        RIG_TEST(refused_sender),
        RIG_TEST(refused_sender_in_lock_step),
        RIG_TEST(verification_without_reset),
        RIG_TEST(all_or_nothing_in_a_batch),
        RIG_TEST(all_or_nothing_in_lock_step),
        RIG_TEST(only_one_and_refused),
        RIG_TEST(some_are_enough),
        RIG_TEST(none_is_left),
        RIG_TEST(none_is_left_and_data_is_taken),
        RIG_TEST(data_is_refused),
        RIG_TEST(reset_is_refused),
        RIG_TEST(goodbye_at_any_time),
        RIG_TEST(nonsense),
        RIG_TEST(more_replies_than_commands),
        RIG_TEST(yes_before_the_content),
        RIG_TEST(each_reply_has_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
