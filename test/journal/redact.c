/* Proves that redaction hides local parts and addresses wherever they stand, gives the same stand-in for the
 * same input, and leaves alone what tells of nobody; and that no view of a redacted session shows them. */
#include "journal/redact.h"

#include "journal/view.h"
#include "seed.h"
#include "unit.h"

struct row {
    const char *text, *shown;
};

/* In their order, with one redaction. */
static const struct row rows[] = {
    {"MAIL FROM:<joe@example.org> SIZE=100", "MAIL FROM:<person-1@example.org> SIZE=100"},
    {"there is no mailbox jill@example.org here", "there is no mailbox person-2@example.org here"},
    {"RCPT TO:<JOE@Example.ORG>", "RCPT TO:<person-1@Example.ORG>"},
    {"<\"joe smith\"@example.org>", "<person-3@example.org>"},
    {"joe+lists@example.org,jill@example.net", "person-4@example.org,person-2@example.net"},
    {"<jörg@bücher.example>", "<person-5@bücher.example>"},
    {"bounce-joe=example.org@lists.example", "person-6@lists.example"},
    {"@ alone, a@ and @b", "@ alone, a@ and @b"},
    {"[36.37.0.13] is on a list", "[192.0.2.1] is on a list"},
    {"36.37.0.13:39891", "192.0.2.1:39891"},
    {"see http://list.example/?ip=36.37.0.13.", "see http://list.example/?ip=192.0.2.1."},
    {"36-37-0-13.dsl.provider.example", "192-0-2-1.dsl.provider.example"},
    {"host13-0-37-36.provider.example", "host1-2-0-192.provider.example"},
    {"13.0.37.36.zen.example", "1.2.0.192.zen.example"},
    {"2425000d.provider.example", "c0000201.provider.example"},
    {"p036037000013.provider.example", "p192000002001.provider.example"},
    {"[IPv6:2001:db8:7::5]", "[IPv6:2001:db8::1]"},
    {"[2001:db8:7::5]:25 and 2001:DB8:7::5.", "[2001:db8::1]:25 and 2001:db8::1."},
    {"127.0.0.2 says 5.7.1 at 02:35:56 on 2026-07-24", "127.0.0.2 says 5.7.1 at 02:35:56 on 2026-07-24"},
    {"grey 36.37.0.0/24 joe@example.org jill@example.net",
     "grey 192.0.2.2/24 person-1@example.org person-2@example.net"},
    {"version 1.2.3, 999.1.1.1 and 1.2.3.4.5", "version 1.2.3, 999.1.1.1 and 192.0.2.3.5"},
    {"", ""},
};

static void texts_lose_persons_and_addresses(void **state)
{
    (void)state;
    struct redaction *redaction = redaction_new();
    struct arena arena;
    arena_init(&arena, NULL, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct slice shown = redaction_text(redaction, slice_text(rows[i].text), &arena);
        if (!slice_equal(shown, slice_text(rows[i].shown)))
            fail_msg("\"%s\" became \"%.*s\", not \"%s\"", rows[i].text, SLICE_ARGS(shown), rows[i].shown);
    }
    arena_drop(&arena);
    redaction_free(redaction);
}

static void any_octets_are_taken(void **state)
{
    (void)state;
    struct redaction *redaction = redaction_new();
    struct arena arena;
    char text[300];
    uint32_t random = 1;
    arena_init(&arena, NULL, 0);
    for (unsigned round = 0; round < 20000; round++) {
        static const char marks[] = "@.:-0123456789abcdef<>\"[ ]\0\xff_";
        const size_t len = round % sizeof text;
        for (size_t i = 0; i < len; i++) {
            random = random * 1664525 + 1013904223;
            text[i] = marks[(random >> 16) % (sizeof marks - 1)];
        }
        (void)redaction_text(redaction, slice_of(text, len), &arena);
        arena_drop(&arena);
    }
    redaction_free(redaction);
}

static void assert_without(struct slice text, const char *secret, const char *where)
{
    if (slice_find_slice(text, slice_text(secret)) != SLICE_NOT_FOUND)
        fail_msg("%s shows %s", where, secret);
}

/* The seed's session has an alias, a mailbox, a Message-ID and a literal in replies. */
static void views_of_a_redacted_session_name_nobody(void **state)
{
    (void)state;
    static const char *const secrets[] = {"emailplus@", "recipes@",      "joepublic",
                                          "36.37.0.13", "209.31.44.214", "419.436278"};
    struct redaction *redaction = redaction_new();
    struct seed seed;
    struct history history;
    seed_tell(&seed);
    history_init(&history, seed.stamp.session);
    history_add(&history, buf_slice(&seed.records));
    redaction_apply(redaction, &history);
    for (size_t v = 0; view_at(v); v++) {
        struct document document;
        struct buf out;
        buf_init(&out, 1 << 26);
        view_make(view_at(v), &history, &(struct view_settings){.level = 5}, &document);
        assert_true(document_text(&document, &(struct document_writing){.head = true}, &out));
        assert_true(document_html(&document, &out));
        assert_true(document_json(&document, &out));
        for (size_t i = 0; i < COUNT(secrets); i++)
            assert_without(buf_slice(&out), secrets[i], view_at(v)->name);
        assert_int_not_equal(slice_find_slice(buf_slice(&out), SLICE("321media.com")), SLICE_NOT_FOUND);
        document_drop(&document);
        buf_drop(&out);
    }
    history_drop(&history);
    buf_drop(&seed.records);
    redaction_free(redaction);
}

static void add(struct buf *records, enum event_kind kind, const void *body)
{
    const struct event_stamp stamp = {.session = 77, .unix_us = SEED_START_MS * 1000};
    assert_true(event_add(records, &stamp, kind, body));
}

static void what_names_people_otherwise_is_hidden(void **state)
{
    (void)state;
    struct redaction *redaction = redaction_new();
    struct history history;
    struct buf records;
    buf_init(&records, 1 << 20);
    add(&records, EVENT_KIND_line_received, &(struct event_line_received){.text = SLICE("VRFY joe")});
    add(&records, EVENT_KIND_line_received,
        &(struct event_line_received){.text = SLICE("From: \"Joe Public\" <joe@example.org>")});
    add(&records, EVENT_KIND_line_received, &(struct event_line_received){.text = SLICE("Subject: for Joe")});
    add(&records, EVENT_KIND_finding,
        &(struct event_finding){.evidence = SLICE("a field came: \"To: Joe Public <joe@example.org>\"")});
    add(&records, EVENT_KIND_message_received,
        &(struct event_message_received){.subject = SLICE("Dear Joe"), .message_id = SLICE("joes-message")});
    history_init(&history, 77);
    history_add(&history, buf_slice(&records));
    redaction_apply(redaction, &history);
    assert_slice_equal(history.events[0].body.line_received.text, "VRFY (hidden)");
    assert_slice_equal(history.events[1].body.line_received.text, "From: (hidden)");
    assert_slice_equal(history.events[2].body.line_received.text, "Subject: (hidden)");
    assert_slice_equal(history.events[3].body.finding.evidence, "a field came: \"To: (hidden)\"");
    assert_slice_equal(history.events[4].body.message_received.subject, "(hidden)");
    assert_slice_equal(history.events[4].body.message_received.message_id, "(hidden)");
    history_drop(&history);
    buf_drop(&records);
    redaction_free(redaction);
}

static void what_is_kept_stays_as_it_is(void **state)
{
    struct redaction *redaction = redaction_new();
    struct address host;
    struct arena arena;

    (void)state;
    arena_init(&arena, NULL, 0);
    assert_true(address_parse(SLICE("36.37.0.13"), &host));
    redaction_keep_host(redaction, &host);
    redaction_keep_person(redaction, SLICE("Spammer"));
    assert_slice_equal(
        redaction_text(redaction, SLICE("spammer@a.example at 36.37.0.13, 13.0.37.36.zen.example"), &arena),
        "spammer@a.example at 36.37.0.13, 13.0.37.36.zen.example");
    assert_slice_equal(redaction_text(redaction, SLICE("joe@b.example at 36.37.0.14"), &arena),
                       "person-1@b.example at 192.0.2.1");
    redaction_keep_person(redaction, SLICE("joe"));
    assert_slice_equal(redaction_text(redaction, SLICE("joe@b.example, jill@b.example"), &arena),
                       "joe@b.example, person-2@b.example");
    arena_drop(&arena);
    redaction_free(redaction);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_lose_persons_and_addresses),
        cmocka_unit_test(any_octets_are_taken),
        cmocka_unit_test(views_of_a_redacted_session_name_nobody),
        cmocka_unit_test(what_names_people_otherwise_is_hidden),
        cmocka_unit_test(what_is_kept_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
