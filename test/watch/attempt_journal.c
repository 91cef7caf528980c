/* What a session's events say is said by its attempts: one an envelope, what came of it, and who the client
 * was. */
#include "unit.h"
#include "core/ask.h"
#include "core/finding.h"
#include "watch/attempt_journal.h"

#define SESSION 77u

struct rig {
    struct buf records;
    struct event_stamp stamp;
    struct history history;
    struct arena arena;
    struct event ended;
    struct attempt attempts[ATTEMPT_JOURNAL_MAX];
    size_t count;
};

#define ADD(rig, name, ...)                                                                                  \
    do {                                                                                                     \
        (rig)->stamp.unix_us += 1000000;                                                                     \
        assert_true(event_add_##name(&(rig)->records, &(rig)->stamp, &(struct event_##name){__VA_ARGS__}));  \
    } while (0)

static struct address address(const char *text)
{
    struct address parsed;
    assert_true(address_parse(slice_text(text), &parsed));
    return parsed;
}

static void rig_begin(struct rig *rig)
{
    memset(rig, 0, sizeof *rig);
    buf_init(&rig->records, 1u << 20);
    arena_init(&rig->arena, NULL, 0);
    rig->stamp = (struct event_stamp){.session = SESSION, .unix_us = 1900000000000000};
    ADD(rig, session_opened, .peer = address("192.0.2.7"), .fingerprint = SLICE("4:64:0:1460:mss:df:0"));
}

/* Ends the session and reads it. */
static void rig_read(struct rig *rig, struct slice name)
{
    size_t size;
    struct slice rest;
    ADD(rig, session_ended, .peer = address("192.0.2.7"), .ptr = name, .why = 1);
    history_init(&rig->history, SESSION);
    history_add(&rig->history, buf_slice(&rig->records));
    rest = buf_slice(&rig->records);
    while (event_read(rest, &rig->ended, &size) == EVENT_DONE)
        rest = slice_from(rest, size);
    assert_int_equal(rig->ended.kind, EVENT_KIND_session_ended);
    rig->count = attempts_from_history(&rig->history, &rig->ended, &rig->arena, rig->attempts);
}

static void rig_end(struct rig *rig)
{
    history_drop(&rig->history);
    arena_drop(&rig->arena);
    buf_drop(&rig->records);
}

static void a_refused_message_is_an_attempt(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    ADD(&rig, line_received, .text = SLICE("EHLO friend"));
    ADD(&rig, question_answered, .kind = ASK_POINTER, .status = ANSWER_FOUND,
        .value = SLICE("mx.example.org"));
    ADD(&rig, question_answered, .kind = ASK_ORIGIN, .status = ANSWER_FOUND,
        .value = SLICE("AS64500 AS64501\t192.0.2.0/24\tNZ\tExample Telecom\tNew Zealand"));
    ADD(&rig, question_answered, .kind = ASK_REGISTERED, .key = SLICE("mx.example.org"),
        .status = ANSWER_FOUND, .value = SLICE("example.org"));
    ADD(&rig, finding, .finding = FIND_HELO_NOT_FQDN);
    ADD(&rig, mail_started, .transaction = 1, .sender = SLICE("a@example.org"), .size = 1700);
    ADD(&rig, finding, .finding = FIND_SPF_PASS);
    ADD(&rig, recipient_judged, .transaction = 1, .recipient = SLICE("b@house.example"), .code = 250);
    ADD(&rig, reply_sent, .code = 250);
    ADD(&rig, reply_sent, .code = 354);
    ADD(&rig, message_received, .transaction = 1, .octets = 1762, .body = 5, .header_octets = 100);
    ADD(&rig, finding, .finding = FIND_MESSAGE_ID_ABSENT);
    ADD(&rig, reply_sent, .code = 553);
    rig_read(&rig, SLICE("mx.example.org"));
    assert_int_equal(rig.count, 1);
    const struct attempt *attempt = &rig.attempts[0];
    assert_int_equal(attempt->id, SESSION);
    assert_int_equal(attempt->envelope, 1);
    assert_int_equal(attempt->verdict, ATTEMPT_REFUSED);
    assert_int_equal(attempt->code, 553);
    assert_true(attempt->gave_up);
    assert_int_equal(attempt->octets, 1762);
    assert_int_equal(attempt->size, 1700);
    assert_int_equal(attempt->body_digest, 5);
    assert_true(attempt_has(attempt, ATTEMPT_HAS_MESSAGE_ID) && !attempt->message_id);
    assert_slice_equal(attempt->sender, "a@example.org");
    assert_slice_equal(attempt->recipients[0], "b@house.example");
    assert_slice_equal(attempt->helo, "friend");
    assert_slice_equal(attempt->spf_pass, "example.org");
    assert_slice_equal(attempt->pool, "example.org");
    assert_true(attempt->ptr_confirmed && !attempt->ptr_generic);
    assert_int_equal(attempt->as_number, 64500);
    assert_string_equal(attempt->country, "NZ");
    assert_slice_equal(attempt->owner, "Example Telecom");
    assert_slice_equal(attempt->fingerprint, "4:64:0:1460:mss:df:0");
    assert_true(attempt_finding(attempt, FIND_HELO_NOT_FQDN) &&
                attempt_finding(attempt, FIND_MESSAGE_ID_ABSENT));
    assert_int_equal(attempt->duration_ms, 8000);
    rig_end(&rig);
}

static void envelopes_are_told_apart(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    ADD(&rig, mail_started, .transaction = 1, .sender = SLICE("a@example.org"));
    ADD(&rig, recipient_judged, .transaction = 1, .recipient = SLICE("b@house.example"), .code = 250);
    ADD(&rig, message_received, .transaction = 1, .octets = 10, .message_id = SLICE("<1@a>"),
        .header_octets = 10);
    ADD(&rig, message_stored, .transaction = 1);
    ADD(&rig, reply_sent, .code = 250);
    ADD(&rig, mail_started, .transaction = 2, .sender = SLICE("a@example.org"));
    ADD(&rig, finding, .finding = FIND_UNKNOWN_RECIPIENT);
    ADD(&rig, recipient_judged, .transaction = 2, .recipient = SLICE("x@house.example"), .code = 550);
    ADD(&rig, reply_sent, .code = 550);
    ADD(&rig, mail_started, .transaction = 3, .sender = SLICE_NONE);
    ADD(&rig, recipient_judged, .transaction = 3, .recipient = SLICE("b@house.example"), .code = 450);
    ADD(&rig, reply_sent, .code = 450);
    ADD(&rig, mail_started, .transaction = 4, .sender = SLICE_NONE);
    ADD(&rig, recipient_judged, .transaction = 4, .recipient = SLICE("b@house.example"), .code = 250);
    ADD(&rig, reply_sent, .code = 250);
    ADD(&rig, reply_sent, .code = 221);
    rig_read(&rig, SLICE_NONE);
    static const enum attempt_verdict wanted[] = {ATTEMPT_ACCEPTED, ATTEMPT_REFUSED, ATTEMPT_DEFERRED,
                                                  ATTEMPT_LEFT};
    assert_int_equal(rig.count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(rig.attempts[i].verdict, wanted[i]);
    assert_true(rig.attempts[0].message_id && !rig.attempts[0].gave_up);
    assert_int_equal(rig.attempts[1].recipients_unknown, 1);
    assert_int_equal(rig.attempts[0].recipients_unknown, 0);
    assert_false(attempt_has(&rig.attempts[1], ATTEMPT_HAS_OCTETS));
    assert_true(attempt_has(&rig.attempts[2], ATTEMPT_HAS_SENDER));
    assert_false(attempt_has(&rig.attempts[0], ATTEMPT_HAS_PTR)); /* nobody asked */
    rig_end(&rig);
}

static void a_session_without_envelope_tells_when_it_was_broken_off(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    ADD(&rig, finding, .finding = FIND_EARLY_TALK);
    ADD(&rig, verdict, .verdict = 3);
    ADD(&rig, reply_sent, .code = 554);
    rig_read(&rig, SLICE_NONE);
    assert_int_equal(rig.count, 1);
    assert_int_equal(rig.attempts[0].envelope, 0);
    assert_int_equal(rig.attempts[0].verdict, ATTEMPT_DROPPED);
    assert_true(attempt_finding(&rig.attempts[0], FIND_EARLY_TALK));
    rig_end(&rig);
    rig_begin(&rig); /* who looks round and goes tells nothing */
    ADD(&rig, reply_sent, .code = 250);
    rig_read(&rig, SLICE_NONE);
    assert_int_equal(rig.count, 0);
    rig_end(&rig);
}

static void a_tunnel_is_an_attempt(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    ADD(&rig, http_request, .method = SLICE("POST"), .helo = SLICE("yahoo.example"),
        .sender = SLICE("a@far.example"), .recipients = SLICE("b@house.example c@house.example"),
        .recipient_count = 30, .commands = 4);
    rig_read(&rig, SLICE_NONE);
    assert_int_equal(rig.count, 1);
    assert_true(attempt_finding(&rig.attempts[0], FIND_HTTP_TUNNEL));
    assert_slice_equal(rig.attempts[0].sender, "a@far.example");
    assert_slice_equal(rig.attempts[0].helo, "yahoo.example");
    assert_int_equal(rig.attempts[0].recipient_count, 2);
    assert_int_equal(rig.attempts[0].recipients_tried, 30);
    assert_int_equal(rig.attempts[0].verdict, ATTEMPT_DROPPED);
    rig_end(&rig);
}

static void who_a_proxy_names_is_the_client(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    ADD(&rig, session_proxied, .how = SLICE("PROXY"), .peer = address("203.0.113.9"));
    ADD(&rig, mail_started, .transaction = 1, .sender = SLICE("a@example.org"));
    ADD(&rig, reply_sent, .code = 550);
    rig_read(&rig, SLICE_NONE);
    const struct address wanted = address("203.0.113.9");
    assert_true(address_equal_host(&rig.attempts[0].peer, &wanted));
    assert_false(attempt_has(&rig.attempts[0], ATTEMPT_HAS_FINGERPRINT));
    rig_end(&rig);
}

/* Of very many envelopes the latest are kept, in their order. */
static void many_envelopes_are_bounded(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    for (unsigned i = 1; i <= 100; i++) {
        ADD(&rig, mail_started, .transaction = i, .sender = SLICE("a@example.org"));
        ADD(&rig, reply_sent, .code = 550);
    }
    rig_read(&rig, SLICE_NONE);
    assert_int_equal(rig.count, ATTEMPT_JOURNAL_MAX);
    for (unsigned i = 0; i < ATTEMPT_JOURNAL_MAX; i++)
        assert_int_equal(rig.attempts[i].envelope, 100 - ATTEMPT_JOURNAL_MAX + 1 + i);
    rig_end(&rig);
}

static void an_end_alone_tells_what_was_taken(void **state)
{
    struct event event = {.stamp = {.session = 5, .unix_us = 1900000000000000},
                          .kind = EVENT_KIND_session_ended};
    event.body.session_ended = (struct event_session_ended){.peer = address("192.0.2.7"),
                                                            .ptr = SLICE("mx.example.org"),
                                                            .flags = SLICE("spf-pass,quit"),
                                                            .accepted = 1,
                                                            .tried = 1};
    (void)state;
    const struct attempt attempt = attempt_from_end(&event, true, SLICE("a@example.org"));
    assert_int_equal(attempt.verdict, ATTEMPT_ACCEPTED);
    assert_slice_equal(attempt.spf_pass, "example.org");
    assert_true(attempt.ptr_confirmed);
    assert_false(attempt_has(&attempt, ATTEMPT_HAS_RECIPIENTS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_message_is_an_attempt),
        cmocka_unit_test(envelopes_are_told_apart),
        cmocka_unit_test(a_session_without_envelope_tells_when_it_was_broken_off),
        cmocka_unit_test(a_tunnel_is_an_attempt),
        cmocka_unit_test(who_a_proxy_names_is_the_client),
        cmocka_unit_test(many_envelopes_are_bounded),
        cmocka_unit_test(an_end_alone_tells_what_was_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
