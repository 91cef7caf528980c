/* Proves what events are worth a notice: a session counts once in each class, by the reply that refused it
 * and not by those that followed; what happened to this host counts by its words; and nothing that is about a
 * notice ever does. */
#include "journal/notice_watch.h"

#include "core/finding.h"
#include "core/say.h"
#include "unit.h"

#define BEGAN_MS INT64_C(1784860556000)

struct rig {
    struct notice_watch *watch;
    struct buf records;
    struct event_stamp stamp;
    struct notice_incident incidents[NOTICE_CLASSES];
    size_t count;
};

static void rig_begin(struct rig *rig, size_t most)
{
    *rig = (struct rig){.stamp = {.session = event_id_make(BEGAN_MS, 0, 1), .unix_us = BEGAN_MS * 1000}};
    rig->watch = notice_watch_new(most);
    buf_init(&rig->records, 1 << 20);
}

static void rig_end(struct rig *rig)
{
    notice_watch_free(rig->watch);
    buf_drop(&rig->records);
}

static void rig_feed(struct rig *rig)
{
    struct event event;
    size_t size;
    assert_int_equal(event_read(buf_slice(&rig->records), &event, &size), EVENT_DONE);
    rig->count = notice_watch_event(rig->watch, &event, rig->incidents);
    buf_clear(&rig->records);
}

#define FEED(rig, name, ...)                                                                                 \
    do {                                                                                                     \
        event_add_##name(&(rig)->records, &(rig)->stamp, &(struct event_##name){__VA_ARGS__});               \
        rig_feed(rig);                                                                                       \
    } while (0)

static void opened(struct rig *rig)
{
    FEED(rig, session_opened, .sequence = 1);
    assert_int_equal(rig->count, 0);
}

static void reply(struct rig *rig, enum say number)
{
    FEED(rig, reply_sent, .number = number, .code = say_info(number)->code, .text = SLICE("x"));
    assert_int_equal(rig->count, 0);
}

static void finish(struct rig *rig)
{
    struct address peer = {0};
    address_parse(SLICE("192.0.2.7"), &peer);
    FEED(rig, session_ended, .peer = peer, .negative = 1);
}

static void expect(const struct rig *rig, size_t at, enum notice_class which, enum say number)
{
    assert_true(at < rig->count);
    assert_int_equal(rig->incidents[at].class, which);
    assert_int_equal(rig->incidents[at].reply, number);
    assert_int_equal(rig->incidents[at].session, rig->stamp.session);
    assert_int_equal(rig->incidents[at].unix_ms, BEGAN_MS);
    assert_int_equal(rig->incidents[at].host.family, ADDRESS_IPV4);
}

/* --- sessions ------------------------------------------------------------------------------------------ */

static void the_first_refusal_counts(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig, 10);
    reply(&rig, SAY_LISTED);
    reply(&rig, SAY_RELAY_DENIED);
    reply(&rig, SAY_NEED_MAIL);     /* follows */
    reply(&rig, SAY_NO_RECIPIENTS); /* follows */
    finish(&rig);
    assert_int_equal(rig.count, 1);
    expect(&rig, 0, NOTICE_POLICY, SAY_LISTED);
    assert_int_equal(notice_watch_sessions(rig.watch), 0);
    rig_end(&rig);
}

static void each_class_counts_once(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig, 10);
    reply(&rig, SAY_UNKNOWN_COMMAND);
    reply(&rig, SAY_UNKNOWN_COMMAND);
    reply(&rig, SAY_RELAY_DENIED);
    reply(&rig, SAY_DISK_FULL);
    finish(&rig);
    assert_int_equal(rig.count, 3);
    expect(&rig, 0, NOTICE_POLICY, SAY_RELAY_DENIED);
    expect(&rig, 1, NOTICE_PROTOCOL, SAY_UNKNOWN_COMMAND);
    expect(&rig, 2, NOTICE_RESOURCE, SAY_DISK_FULL);
    rig_end(&rig);
}

static void what_has_no_other_cause_counts(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig, 10);
    reply(&rig, SAY_NEED_MAIL);
    finish(&rig);
    assert_int_equal(rig.count, 1);
    expect(&rig, 0, NOTICE_PROTOCOL, SAY_NEED_MAIL);
    /* A goodbye that is a refusal, though its code is 221. */
    reply(&rig, SAY_HEADER_AS_COMMAND);
    finish(&rig);
    assert_int_equal(rig.count, 1);
    expect(&rig, 0, NOTICE_PROTOCOL, SAY_HEADER_AS_COMMAND);
    rig_end(&rig);
}

static void everyday_matters_make_none(void **state)
{
    (void)state;
    static const enum say everyday[] = {SAY_GREYLISTED,   SAY_UNKNOWN_RECIPIENT, SAY_ONE_FOR_BOUNCES,
                                        SAY_EHLO_REFUSED, SAY_IDLE_TOO_LONG,     SAY_BANNER,
                                        SAY_CLOSING,      SAY_RECIPIENT_OK,      SAY_STARTTLS_REFUSED};
    struct rig rig;
    rig_begin(&rig, 10);
    for (size_t i = 0; i < COUNT(everyday); i++)
        reply(&rig, everyday[i]);
    finish(&rig);
    assert_int_equal(rig.count, 0);
    rig_end(&rig);
}

/* All that is refused by the policy's own words is told of, and no acceptance is. */
static void every_reply_has_its_class(void **state)
{
    (void)state;
    unsigned classed = 0;
    for (unsigned number = 1; number < SAY_LIMIT; number++) {
        const struct say_info *info = say_info(number);
        enum notice_class which = NOTICE_CAMPAIGN;
        bool follows;
        const bool counts = notice_reply_class(number, &which, &follows);
        if (!info)
            assert_false(counts);
        if (!info || !counts)
            continue;
        assert_true(info->code >= 400 || number == SAY_HEADER_AS_COMMAND);
        assert_true(which <= NOTICE_RESOURCE);
        if (which == NOTICE_RESOURCE)
            assert_true(info->code < 500);
        classed++;
    }
    assert_true(classed > 50);
}

static void a_silent_drop_counts_by_its_finding(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig, 10);
    FEED(&rig, verdict, .verdict = 3, .finding = FIND_HTTP_TUNNEL);
    finish(&rig);
    assert_int_equal(rig.count, 1);
    assert_int_equal(rig.incidents[0].class, NOTICE_PROTOCOL);
    assert_int_equal(rig.incidents[0].reply, 0);
    assert_true(slice_starts(rig.incidents[0].cause, SLICE("http-tunnel: ")));
    assert_int_equal(rig.incidents[0].session, rig.stamp.session);
    FEED(&rig, verdict, .verdict = 3, .finding = FIND_OVERRIDE_BLOCK);
    finish(&rig);
    assert_int_equal(rig.count, 1);
    assert_int_equal(rig.incidents[0].class, NOTICE_POLICY);
    /* With a reply the reply counts; what was only watched, or spared, does not. */
    FEED(&rig, verdict, .verdict = 3, .finding = FIND_HTTP_TUNNEL);
    reply(&rig, SAY_FOREIGN);
    finish(&rig);
    assert_int_equal(rig.count, 1);
    expect(&rig, 0, NOTICE_PROTOCOL, SAY_FOREIGN);
    FEED(&rig, verdict, .verdict = 3, .finding = FIND_HTTP_TUNNEL, .observed = 1);
    finish(&rig);
    assert_int_equal(rig.count, 0);
    FEED(&rig, verdict, .verdict = 3, .finding = FIND_HTTP_TUNNEL, .spared = SLICE("known"));
    finish(&rig);
    assert_int_equal(rig.count, 0);
    FEED(&rig, verdict, .verdict = 1, .finding = FIND_GREY);
    finish(&rig);
    assert_int_equal(rig.count, 0);
    rig_end(&rig);
}

/* Whether the end of the session at hand wants what came before. */
static bool lacks(struct rig *rig)
{
    struct event event;
    size_t size;
    event_add_session_ended(&rig->records, &rig->stamp, &(struct event_session_ended){.negative = 1});
    assert_int_equal(event_read(buf_slice(&rig->records), &event, &size), EVENT_DONE);
    buf_clear(&rig->records);
    return notice_watch_lacks(rig->watch, &event);
}

/* As from the journal. */
static void learn(struct rig *rig, enum say number)
{
    struct event event;
    size_t size;
    event_add_reply_sent(&rig->records, &rig->stamp,
                         &(struct event_reply_sent){.number = number, .code = say_info(number)->code});
    assert_int_equal(event_read(buf_slice(&rig->records), &event, &size), EVENT_DONE);
    buf_clear(&rig->records);
    notice_watch_learn(rig->watch, &event);
}

static void the_oldest_are_forgotten_and_learnt(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig, 3);
    const uint64_t first = rig.stamp.session;
    for (unsigned i = 0; i < 5; i++) {
        rig.stamp.session = first + i;
        opened(&rig);
        reply(&rig, SAY_LISTED);
    }
    assert_int_equal(notice_watch_sessions(rig.watch), 3);
    assert_false(lacks(&rig));
    rig.stamp.session = first;
    assert_true(lacks(&rig));
    learn(&rig, SAY_RELAY_DENIED);
    finish(&rig);
    assert_int_equal(rig.count, 1);
    expect(&rig, 0, NOTICE_POLICY, SAY_RELAY_DENIED);
    notice_watch_forget_gate(rig.watch, 0);
    assert_int_equal(notice_watch_sessions(rig.watch), 0);
    rig_end(&rig);
}

/* Whoever begins to watch in the midst of a session does not take what follows for its cause. */
static void the_middle_of_a_session_is_not_its_beginning(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig, 10);
    reply(&rig, SAY_NO_RECIPIENTS);
    assert_true(lacks(&rig));
    notice_watch_forget(rig.watch, rig.stamp.session);
    learn(&rig, SAY_RELAY_DENIED);
    learn(&rig, SAY_NO_RECIPIENTS);
    finish(&rig);
    assert_int_equal(rig.count, 1);
    assert_int_equal(rig.incidents[0].reply, SAY_RELAY_DENIED);
    assert_int_equal(rig.incidents[0].class, NOTICE_POLICY);
    /* One that began afterwards was seen whole, though in the same millisecond; the one before it was not. */
    rig.stamp.session = event_id_make(BEGAN_MS, 0, 3);
    opened(&rig);
    reply(&rig, SAY_LISTED);
    assert_false(lacks(&rig));
    rig.stamp.session = event_id_make(BEGAN_MS, 0, 2);
    reply(&rig, SAY_NO_RECIPIENTS);
    assert_true(lacks(&rig));
    rig_end(&rig);
}

/* --- this host ----------------------------------------------------------------------------------------- */

static void this_host_counts_by_its_words(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig, 10);
    rig.stamp.session = 0;
    FEED(&rig, trouble, .what = SLICE("write to the store"), .reason = SLICE("No space left on device"),
         .effect = SLICE("it is tried again"));
    assert_int_equal(rig.count, 1);
    assert_int_equal(rig.incidents[0].class, NOTICE_RESOURCE);
    assert_slice_equal(rig.incidents[0].cause, "trouble: write to the store");
    assert_slice_equal(rig.incidents[0].example,
                       "Trouble: write to the store: No space left on device; it is tried again");
    FEED(&rig, process_crashed, .role = SLICE("gate"), .pid = 7, .how = SLICE("signal 11"), .again_ms = 100);
    assert_int_equal(rig.count, 1);
    assert_int_equal(rig.incidents[0].class, NOTICE_SOFTWARE);
    assert_slice_equal(rig.incidents[0].cause, "the gate ended by itself: signal 11");
    FEED(&rig, service_changed, .service = SLICE("blocklist a.example"), .state = SLICE("off"));
    assert_int_equal(rig.count, 1);
    assert_slice_equal(rig.incidents[0].cause, "blocklist a.example: off");
    FEED(&rig, service_changed, .service = SLICE("blocklist a.example"), .state = SLICE("works"));
    assert_int_equal(rig.count, 0);
    FEED(&rig, process_started, .role = SLICE("gate"));
    assert_int_equal(rig.count, 0);
    rig_end(&rig);
}

static void set_text(union event_body *body, const struct event_type_info *info, const char *name,
                     struct slice text)
{
    for (size_t i = 0; i < info->field_count; i++)
        if (info->fields[i].type == EVENT_TYPE_TEXT && strcmp(info->fields[i].name, name) == 0)
            *(struct slice *)(void *)((char *)body + info->fields[i].offset) = text;
}

/* Of all events that processes record those of campaigns that have a sentence make incidents of their class,
 * but for the end of one; and no other does. */
static void campaigns_are_told_by_their_sentence(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig, 10);
    rig.stamp.session = 0;
    for (unsigned kind = 100; kind < EVENT_KIND_LIMIT; kind++) {
        const struct event_type_info *info = event_info(kind);
        union event_body body;
        memset(&body, 0, sizeof body);
        if (!info)
            continue;
        set_text(&body, info, "kind", SLICE("relay-rotation"));
        set_text(&body, info, "sentence", SLICE("5 attempts in 42 s from 4 networks"));
        if (kind == EVENT_KIND_campaign_opened)
            body.campaign_opened.campaign = 1;
        assert_true(event_add(&rig.records, &rig.stamp, (enum event_kind)kind, &body));
        rig_feed(&rig);
        for (size_t i = 0; i < rig.count; i++)
            assert_int_equal(rig.incidents[i].class == NOTICE_CAMPAIGN, kind >= 170 && kind <= 189);
        if (strcmp(info->word, "campaign-joined") == 0 || strcmp(info->word, "campaign-closed") == 0)
            assert_int_equal(rig.count, 0);
        if (strcmp(info->word, "campaign-opened") == 0) {
            assert_int_equal(rig.count, 1);
            assert_slice_equal(rig.incidents[0].cause, "relay-rotation: campaign-opened");
            assert_slice_equal(rig.incidents[0].example,
                               "Campaign 0000000000001: 5 attempts in 42 s from 4 networks");
        }
    }
    rig_end(&rig);
}

/* --- never about itself -------------------------------------------------------------------------------- */

static void the_null_sender_makes_no_mail_by_itself(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig, 10);
    FEED(&rig, line_received, .text = SLICE("mail FROM:<> SIZE=100"));
    reply(&rig, SAY_POLICY_REJECT);
    finish(&rig);
    assert_int_equal(rig.count, 1);
    assert_true(rig.incidents[0].quiet);
    /* The same from a sender with a name, or with one besides. */
    FEED(&rig, line_received, .text = SLICE("MAIL FROM:<a@example.org>"));
    reply(&rig, SAY_POLICY_REJECT);
    finish(&rig);
    assert_int_equal(rig.count, 1);
    assert_false(rig.incidents[0].quiet);
    FEED(&rig, line_received, .text = SLICE("MAIL FROM:<>"));
    reply(&rig, SAY_POLICY_REJECT);
    FEED(&rig, line_received, .text = SLICE("MAIL FROM:<a@example.org>"));
    finish(&rig);
    assert_int_equal(rig.count, 1);
    assert_false(rig.incidents[0].quiet);
    rig_end(&rig);
}

static void a_notice_that_comes_back_makes_none(void **state)
{
    (void)state;
    struct rig rig;
    char id[128];
    rig_begin(&rig, 10);
    const uint64_t notice = notice_id_make(BEGAN_MS, 5);
    const size_t len = notice_message_id_print(notice, SLICE("mx.example.net"), id, sizeof id);
    FEED(&rig, line_received, .text = SLICE("MAIL FROM:<forwarder@example.org>"));
    FEED(&rig, message_received, .transaction = 1, .message_id = slice_of(id, len));
    reply(&rig, SAY_POLICY_REJECT);
    finish(&rig);
    assert_int_equal(rig.count, 0);
    FEED(&rig, message_received, .transaction = 1,
         .message_id = SLICE("<000000000000a.notice@mx.example.net>"));
    reply(&rig, SAY_POLICY_REJECT);
    finish(&rig);
    assert_int_equal(rig.count, 1); /* it only looks like one */
    rig_end(&rig);
}

static void events_about_a_notice_make_none(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig, 10);
    rig.stamp.session = notice_id_make(BEGAN_MS, 5);
    FEED(&rig, delivery_failed, .queue_id = SLICE("x"), .reason = SLICE("refused"));
    assert_int_equal(rig.count, 0);
    FEED(&rig, notice_failed, .reason = SLICE("No space left on device"));
    assert_int_equal(rig.count, 0);
    FEED(&rig, trouble, .what = SLICE("x"));
    assert_int_equal(rig.count, 0);
    rig_end(&rig);
}

static void ids_of_notices_are_their_own(void **state)
{
    (void)state;
    for (unsigned counter = 0; counter < 70000; counter += 999)
        assert_true(notice_id_is(notice_id_make(BEGAN_MS, counter)));
    for (unsigned gate = 0; gate < 64; gate++)
        assert_false(notice_id_is(event_id_make(BEGAN_MS, gate, 1)));
    assert_false(notice_id_is(event_id_make(BEGAN_MS, 63, 0xffff))); /* the courier's */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_refusal_counts),
        cmocka_unit_test(each_class_counts_once),
        cmocka_unit_test(what_has_no_other_cause_counts),
        cmocka_unit_test(everyday_matters_make_none),
        cmocka_unit_test(every_reply_has_its_class),
        cmocka_unit_test(a_silent_drop_counts_by_its_finding),
        cmocka_unit_test(the_oldest_are_forgotten_and_learnt),
        cmocka_unit_test(the_middle_of_a_session_is_not_its_beginning),
        cmocka_unit_test(this_host_counts_by_its_words),
        cmocka_unit_test(campaigns_are_told_by_their_sentence),
        cmocka_unit_test(the_null_sender_makes_no_mail_by_itself),
        cmocka_unit_test(a_notice_that_comes_back_makes_none),
        cmocka_unit_test(events_about_a_notice_make_none),
        cmocka_unit_test(ids_of_notices_are_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
