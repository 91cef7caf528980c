/* Proves what the gate does with an inner server: recipients are asked for once and remembered, messages get
 * the inner server's own answer, what it takes too late is remembered, and whatever it does wrong loses
 * nothing. */
#include "relay_rig.h"

/* --- recipients ---------------------------------------------------------------------------------------- */

static void asks_once_and_remembers(void **state)
{
    struct rig *rig = *state;
    ask_and_expect(rig, "0 yes@inner.example", ANSWER_FOUND, "8bitmime dsn");
    ask_and_expect(rig, "0 yes@INNER.example", ANSWER_FOUND, "8bitmime dsn");
    ask_and_expect(rig, "0 no@inner.example", ANSWER_NONE, "550 5.1.1 no such user");
    ask_and_expect(rig, "0 no@inner.example", ANSWER_NONE, "550 5.1.1 no such user");
    assert_int_equal(heard_count(&rig->inner[0], "RCPT TO:<yes@"), 1);
    assert_int_equal(heard_count(&rig->inner[0], "RCPT TO:<no@"), 1);
    assert_int_equal(heard_count(&rig->inner[0], "MAIL FROM:<>\n"), 2);
    assert_int_equal(heard_count(&rig->inner[0], "DATA"), 0);
    assert_string_equal(rig->events, "");
}

static void forgets_after_its_time(void **state)
{
    struct rig *rig = *state;
    rig->site.set.relay_cache_yes = rig->site.set.relay_cache_no = 0;
    for (unsigned i = 1; i < 4; i++) {
        ask_and_expect(rig, "0 yes@inner.example", ANSWER_FOUND, NULL);
        ask_and_expect(rig, "0 no@inner.example", ANSWER_NONE, NULL);
        assert_int_equal(heard_count(&rig->inner[0], "RCPT TO:<yes@"), i);
    }
}

static void unsure_is_not_remembered(void **state)
{
    struct rig *rig = *state;
    rig->inner[0].replies.rcpt = "450 4.2.1 later\r\n";
    ask_and_expect(rig, "0 a@inner.example", ANSWER_FAILED, "450 4.2.1 later");
    rig->inner[0].replies.rcpt = "250 ok\r\n";
    ask_and_expect(rig, "0 a@inner.example", ANSWER_FOUND, NULL);
}

static void equal_questions_are_one(void **state)
{
    struct rig *rig = *state;
    for (unsigned i = 0; i < 10; i++)
        ask(rig, "0 yes@inner.example");
    INNER_UNTIL(rig->loop, rig->got_count == 10);
    assert_int_equal(heard_count(&rig->inner[0], "RCPT TO:<yes@"), 1);
}

static void many_go_together(void **state)
{
    struct rig *rig = *state;
    char key[64];
    for (unsigned i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "0 %u%s@inner.example", i, i % 2 ? "yes" : "no");
        ask(rig, key);
    }
    INNER_UNTIL(rig->loop, rig->got_count == 40);
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(rig->got[i + 1].status, i % 2 ? ANSWER_FOUND : ANSWER_NONE);
    assert_true(heard_count(&rig->inner[0], "MAIL FROM") < 15);
    assert_int_equal(heard_count(&rig->inner[0], "RCPT TO"), 41);
}

static void server_down(void **state)
{
    struct rig *rig = *state;
    inner_stop_listening(&rig->inner[0]);
    ask_and_expect(rig, "0 a@inner.example", ANSWER_FAILED, NULL);
    ask_and_expect(rig, "0 a@inner.example", ANSWER_FAILED, NULL);
    assert_string_equal(rig->events, "passing mail on for inner.example\n");
    assert_int_equal(relay_carried(rig->relay), 0);
}

static void silent_server(void **state)
{
    struct rig *rig = *state;
    rig->inner[0].replies.rset = rig->inner[0].replies.rcpt = "";
    rig->inner[0].replies.refused = NULL;
    relay_free(rig->relay);
    rig->site.set.relay_reply_time = 100;
    relay_open(rig);
    ask_and_expect(rig, "0 a@inner.example", ANSWER_FAILED, "waited 100ms for its reply to RCPT");
}

static void forgotten_questions(void **state)
{
    struct rig *rig = *state;
    ask(rig, "0 yes@inner.example");
    ask(rig, "0 yes@inner.example");
    relay_forget(rig->relay, ticket(1));
    relay_forget(rig->relay, ticket(9));
    INNER_UNTIL(rig->loop, rig->got[2].here);
    assert_false(rig->got[1].here);
    ask(rig, "0 other@inner.example");
    relay_forget(rig->relay, ticket(3));
    INNER_UNTIL(rig->loop, heard_count(&rig->inner[0], "RCPT TO:<other@") == 1);
    ask_and_expect(rig, "0 other@inner.example", ANSWER_FOUND, NULL);
    assert_int_equal(heard_count(&rig->inner[0], "RCPT TO:<other@"), 1);
}

static const char *wants_sender(const struct inner *inner, struct slice line)
{
    (void)inner;
    return slice_starts(line, SLICE("MAIL FROM:<>")) ? "550 5.7.1 no null sender\r\n" : NULL;
}

static void server_wants_a_sender(void **state)
{
    struct rig *rig = *state;
    rig->inner[0].answer = wants_sender;
    ask_and_expect(rig, "0 yes@inner.example", ANSWER_FOUND, NULL);
    ask_and_expect(rig, "0 no@inner.example", ANSWER_NONE, NULL);
    assert_int_equal(heard_count(&rig->inner[0], "MAIL FROM:<>"), 1);
    assert_int_equal(heard_count(&rig->inner[0], "MAIL FROM:<postmaster@mx.example>"), 2);
}

static void server_wants_nobody(void **state)
{
    struct rig *rig = *state;
    rig->inner[0].replies.mail = "550 5.7.1 not you\r\n";
    rig->inner[0].replies.rcpt = "503 no sender\r\n";
    ask_and_expect(rig, "0 yes@inner.example", ANSWER_FAILED, "550 5.7.1 not you");
}

/* Its yes proves nothing: said once, and asked no more. */
static void takes_anything(void **state)
{
    struct rig *rig = *state;
    rig->inner[0].replies.refused = NULL;
    ask_and_expect(rig, "0 a@inner.example", ANSWER_FOUND, NULL);
    ask_and_expect(rig, "0 b@inner.example", ANSWER_FOUND, "8bitmime dsn");
    ask_and_expect(rig, "0 c@Inner.Example", ANSWER_FOUND, NULL);
    assert_int_equal(heard_count(&rig->inner[0], "RCPT"), 2);
    assert_int_equal(heard_count(&rig->inner[0], "RCPT TO:<postern-asks-"), 1);
    assert_true(
        slice_starts(slice_text(rig->events), SLICE("verifying recipients of inner.example at 127.0.0.1:")));
    ask_and_expect(rig, "0 a@other.example", ANSWER_FOUND, NULL);
    assert_int_equal(heard_count(&rig->inner[0], "RCPT TO:<postern-asks-"), 2);
}

static void international_recipients(void **state)
{
    struct rig *rig = *state;
    ask(rig, "0 yes@inner.example");
    ask(rig, "0 \xc3\xa4@inner.example");
    INNER_UNTIL(rig->loop, rig->got_count == 2);
    assert_int_equal(rig->got[1].status, ANSWER_FOUND);
    assert_int_equal(rig->got[2].status, ANSWER_NONE);
    assert_string_equal(rig->got[2].text, "553 5.6.7 the server does not take international messages");
}

static void other_routes(void **state)
{
    struct rig *rig = *state;
    relay_free(rig->relay);
    route_set(rig, 1, ROUTE_LMTP, &rig->inner[1].target);
    route_set(rig, 2, ROUTE_RELAY, &rig->inner[1].target);
    rig->routes[2].mailboxes = ROUTE_MAILBOXES_ANY;
    rig->inner[1].replies.refused = "no@ asks";
    rig->site.route_count = 3;
    relay_open(rig);
    ask_and_expect(rig, "1 yes@inner.example", ANSWER_FOUND, "8bitmime dsn size");
    ask_and_expect(rig, "1 no@inner.example", ANSWER_NONE, NULL);
    assert_int_equal(heard_count(&rig->inner[1], "LHLO mx.example"), 1);
    unsigned asked = heard_count(&rig->inner[1], "RCPT");
    ask_and_expect(rig, "2 no@inner.example", ANSWER_FOUND, NULL);
    assert_int_equal(heard_count(&rig->inner[1], "RCPT"), asked);
    ask_and_expect(rig, "3 a@b", ANSWER_FAILED, NULL);
    ask_and_expect(rig, "x a@b", ANSWER_FAILED, NULL);
    ask_and_expect(rig, "0", ANSWER_FAILED, NULL);
}

static void learns_what_routes_carry(void **state)
{
    struct rig *rig = *state;
    relay_free(rig->relay);
    route_set(rig, 1, ROUTE_RELAY, &rig->inner[1].target);
    rig->site.route_count = 2;
    rig->inner[0].replies.ehlo = "250-x\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 DSN\r\n";
    rig->inner[1].replies.ehlo = "250-x\r\n250-8BITMIME\r\n250-SIZE 1000\r\n250 DSN\r\n";
    relay_open(rig);
    assert_int_equal(relay_carried(rig->relay), 0);
    INNER_UNTIL(rig->loop, relay_carried(rig->relay) != 0);
    assert_int_equal(relay_carried(rig->relay), CARRY_8BITMIME | CARRY_DSN);
    relay_free(rig->relay);
    rig->site.route_count = 0;
    relay_open(rig);
    assert_int_equal(relay_carried(rig->relay), CARRY_ALL);
}

/* --- messages ------------------------------------------------------------------------------------------ */

static uint32_t commit(struct rig *rig, size_t recipients)
{
    static const char *const addresses[] = {"yes@inner.example", "no@inner.example", "too@inner.example"};
    struct draft *draft = draft_new(&rig->drafts);
    uint32_t number = ++rig->number;
    draft_add(draft, SLICE("Received: x\r\n"));
    draft_add(draft, SLICE("Subject: x\r\n\r\n.hello\r\n"));
    rig->transaction = transaction_of(SENDER, CLIENT);
    rig->transaction.recipients = rig->recipients;
    rig->transaction.recipient_count = (uint32_t)recipients;
    rig->transaction.route = &rig->routes[0];
    for (size_t i = 0; i < recipients; i++) {
        rig->recipients[i] = (struct recipient){.address = slice_text(addresses[i])};
        rig->recipients[i].next = i + 1 < recipients ? &rig->recipients[i + 1] : NULL;
    }
    const struct relay_commit wanted = {ticket(number), &rig->transaction, draft, SLICE("key")};
    relay_commit(rig->relay, &wanted);
    /* What the session lent is gone. */
    memset(&rig->transaction, 0xff, sizeof rig->transaction);
    memset(rig->recipients, 0xff, sizeof rig->recipients);
    assert_false(rig->got[number].here);
    return number;
}

static void commit_and_expect(struct rig *rig, size_t recipients, enum stored_status status, unsigned code,
                              const char *text)
{
    struct got *got = &rig->got[commit(rig, recipients)];
    assert_int_equal(relay_busy(rig->relay), 1);
    INNER_UNTIL(rig->loop, got->here);
    assert_int_equal(got->stored, status);
    assert_int_equal(got->code, code);
    if (text)
        assert_string_equal(got->text, text);
    assert_int_equal(relay_busy(rig->relay), 0);
}

static void passes_on(void **state)
{
    struct rig *rig = *state;
    rig->inner[0].replies.dot = "250 2.6.0 queued as 42\r\n";
    INNER_UNTIL(rig->loop, relay_carried(rig->relay) != 0);
    commit_and_expect(rig, 1, STORED_TAKEN, 250, "queued as 42");
    assert_string_equal(rig->got[1].enhanced, "2.6.0");
    assert_slice_equal(buf_slice(&rig->inner[0].messages),
                       "Received: x\r\nSubject: x\r\n\r\n..hello\r\n.\r\n");
    commit_and_expect(rig, 1, STORED_TAKEN, 250, NULL);
    assert_int_equal(rig->inner[0].accepted, 1);
}

static void refuses(void **state)
{
    struct rig *rig = *state;
    rig->inner[0].replies.dot = "554 5.7.1 spam\r\n";
    commit_and_expect(rig, 1, STORED_REFUSED, 554, "spam");
    rig->inner[0].replies.dot = "452 4.3.1 full\r\n";
    commit_and_expect(rig, 1, STORED_DEFERRED, 452, "full");
    rig->inner[0].replies.data = "451 4.3.0 not now\r\n";
    commit_and_expect(rig, 1, STORED_DEFERRED, 451, "not now");
    rig->inner[0].replies.mail = "550 5.7.1 not you\r\n";
    commit_and_expect(rig, 1, STORED_REFUSED, 550, "not you");
}

/* He was taken when he was asked for; the client learns it at RCPT when it comes again, from anywhere in its
 * network. Others may have him: their question is asked anew. */
static void refuses_one_of_several_late(void **state)
{
    struct rig *rig = *state;
    rig->inner[0].replies.refused = "asks";
    ask_and_expect(rig, "0 no@inner.example", ANSWER_FOUND, NULL);
    rig->inner[0].replies.refused = "<no@";
    commit_and_expect(rig, 3, STORED_LATE, 550, "no such user");
    assert_int_equal(rig->inner[0].message_count, 0);
    unsigned asked = heard_count(&rig->inner[0], "RCPT TO:<no@");
    ask_and_expect(rig, "0 no@inner.example", ANSWER_NONE, "550 5.1.1 no such user");
    got_expect(rig, ask_as(rig, "0 no@Inner.example", SENDER, "2001:db8::2"), ANSWER_NONE,
               "550 5.1.1 no such user");
    assert_int_equal(heard_count(&rig->inner[0], "RCPT TO:<no@"), asked);
    commit_and_expect(rig, 1, STORED_TAKEN, 250, NULL);
    rig->inner[0].replies.refused = "asks";
    got_expect(rig, ask_as(rig, "0 no@inner.example", SENDER, "2001:db8:1::1"), ANSWER_FOUND, NULL);
    assert_int_equal(heard_count(&rig->inner[0], "RCPT TO:<no@"), asked + 1);
    got_expect(rig, ask_as(rig, "0 no@inner.example", "other@b.example", CLIENT), ANSWER_FOUND, NULL);
    ask_and_expect(rig, "0 no@inner.example", ANSWER_NONE, "550 5.1.1 no such user");
    assert_int_equal(heard_count(&rig->inner[0], "RCPT TO:<no@"), asked + 1);
}

/* Neither a server that takes anybody when it is asked nor short memories make the client come for ever. */
static void refuses_late_what_it_takes_always(void **state)
{
    struct rig *rig = *state;
    rig->site.set.relay_cache_no = 0;
    rig->inner[0].replies.refused = NULL;
    ask_and_expect(rig, "0 no@inner.example", ANSWER_FOUND, NULL);
    rig->inner[0].replies.refused = "<no@";
    commit_and_expect(rig, 2, STORED_LATE, 550, "no such user");
    ask_and_expect(rig, "0 too@inner.example", ANSWER_FOUND, NULL);
    ask_and_expect(rig, "0 no@inner.example", ANSWER_NONE, "550 5.1.1 no such user");
}

static void refuses_the_only_one_late(void **state)
{
    struct rig *rig = *state;
    rig->inner[0].replies.refused = "<yes@";
    commit_and_expect(rig, 1, STORED_REFUSED, 550, "no such user");
    ask_and_expect(rig, "0 yes@inner.example", ANSWER_NONE, NULL);
}

static void defers_one_of_several(void **state)
{
    struct rig *rig = *state;
    rig->inner[0].replies.rcpt = "450 4.2.1 later\r\n";
    commit_and_expect(rig, 2, STORED_LATE, 450, NULL);
    rig->inner[0].replies.refused = NULL;
    commit_and_expect(rig, 2, STORED_DEFERRED, 450, "later");
    assert_int_equal(rig->inner[0].message_count, 0);
}

static void nobody_there(void **state)
{
    struct rig *rig = *state;
    inner_stop_listening(&rig->inner[0]);
    commit_and_expect(rig, 1, STORED_DOWN, 0, NULL);
    commit_and_expect(rig, 1, STORED_DOWN, 0, NULL);
    assert_string_equal(rig->events, "passing mail on for inner.example\n");
}

static void closes_after_the_dot(void **state)
{
    struct rig *rig = *state;
    rig->inner[0].replies.dot = "!";
    commit_and_expect(rig, 1, STORED_DOWN, 0,
                      "the connection ended while we waited for its reply to the message");
    assert_int_equal(rig->inner[0].message_count, 1);
}

static void large_message_without_a_disk(void **state)
{
    struct rig *rig = *state;
    struct draft *draft = draft_new(&rig->drafts);
    static char text[100000];
    memset(text, 'x', sizeof text);
    draft_add(draft, slice_of(text, sizeof text));
    assert_non_null(draft_trouble(draft));
    rig->transaction.route = &rig->routes[0];
    const struct relay_commit wanted = {ticket(1), &rig->transaction, draft, SLICE("key")};
    relay_commit(rig->relay, &wanted);
    INNER_UNTIL(rig->loop, rig->got[1].here);
    assert_int_equal(rig->got[1].stored, STORED_FAILED);
    assert_int_equal(rig->inner[0].message_count, 0);
}

static void forgotten_before_the_dot(void **state)
{
    struct rig *rig = *state;
    rig->inner[0].replies.data = "";
    commit(rig, 1);
    INNER_UNTIL(rig->loop, heard_count(&rig->inner[0], "DATA") == 1);
    relay_forget(rig->relay, ticket(1));
    assert_int_equal(relay_busy(rig->relay), 0);
    INNER_UNTIL(rig->loop, rig->inner[0].connections[0].watch.fd < 0 || rig->inner[0].open < 2);
    assert_int_equal(rig->inner[0].message_count, 0);
    assert_false(rig->got[1].here);
}

static void forgotten_behind_the_dot(void **state)
{
    struct rig *rig = *state;
    rig->inner[0].replies.dot = "";
    commit(rig, 1);
    INNER_UNTIL(rig->loop, rig->inner[0].message_count == 1);
    relay_forget(rig->relay, ticket(1));
    assert_int_equal(relay_busy(rig->relay), 1);
    inner_say(&rig->inner[0], "250 2.0.0 taken at last\r\n");
    INNER_UNTIL(rig->loop, relay_busy(rig->relay) == 0);
    assert_false(rig->got[1].here);
    assert_string_equal(rig->late_key, "key");
    assert_string_equal(rig->late_text, "taken at last");
}

static void forgotten_and_refused(void **state)
{
    struct rig *rig = *state;
    rig->inner[0].replies.dot = "";
    commit(rig, 1);
    INNER_UNTIL(rig->loop, rig->inner[0].message_count == 1);
    relay_forget(rig->relay, ticket(1));
    inner_say(&rig->inner[0], "554 5.7.1 spam\r\n");
    INNER_UNTIL(rig->loop, relay_busy(rig->relay) == 0);
    assert_string_equal(rig->late_key, "");
}

static void freed_with_all_under_way(void **state)
{
    struct rig *rig = *state;
    rig->inner[0].replies.dot = "";
    commit(rig, 1);
    INNER_UNTIL(rig->loop, rig->inner[0].message_count == 1);
    commit(rig, 1);
    ask(rig, "0 a@inner.example");
    relay_stop(rig->relay);
    loop_turn(rig->loop, 1);
    relay_free(rig->relay);
    rig->relay = NULL;
    loop_turn(rig->loop, 1);
    assert_false(rig->got[1].here || rig->got[2].here || rig->got[3].here);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, rig_open, rig_close)
    const struct CMUnitTest tests[] = {
        TEST(asks_once_and_remembers),
        TEST(forgets_after_its_time),
        TEST(unsure_is_not_remembered),
        TEST(equal_questions_are_one),
        TEST(many_go_together),
        TEST(server_down),
        TEST(silent_server),
        TEST(forgotten_questions),
        TEST(server_wants_a_sender),
        TEST(server_wants_nobody),
        TEST(takes_anything),
        TEST(international_recipients),
        TEST(other_routes),
        TEST(learns_what_routes_carry),
        TEST(passes_on),
        TEST(refuses),
        TEST(refuses_one_of_several_late),
        TEST(refuses_late_what_it_takes_always),
        TEST(refuses_the_only_one_late),
        TEST(defers_one_of_several),
        TEST(nobody_there),
        TEST(closes_after_the_dot),
        TEST(large_message_without_a_disk),
        TEST(forgotten_before_the_dot),
        TEST(forgotten_behind_the_dot),
        TEST(forgotten_and_refused),
        TEST(freed_with_all_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
