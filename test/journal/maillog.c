/* Proves that events become the mail log's lines: the end line, and sendmail's from=, to=, reject= and
 * relay=. */
#include "unit.h"

#include "journal/maillog.h"

#define SESSION UINT64_C(0x0123456789abcdef) /* 028t5cy4tqkff */

struct log {
    struct maillog *maillog;
    struct buf lines;
    struct buf records;
};

static void begin(struct log *log)
{
    log->maillog = maillog_new(2);
    buf_init(&log->lines, 1 << 20);
    buf_init(&log->records, 1 << 20);
}

static void end(struct log *log)
{
    maillog_free(log->maillog);
    buf_drop(&log->lines);
    buf_drop(&log->records);
}

static const struct event_stamp stamp = {.session = SESSION, .unix_us = 1059024945000000};

/* Reads back what was added last, as the keeper would. */
static void feed(struct log *log)
{
    struct event event;
    size_t size;
    assert_int_equal(event_read(buf_slice(&log->records), &event, &size), EVENT_DONE);
    buf_clear(&log->lines);
    maillog_add(log->maillog, &event, &log->lines);
    buf_clear(&log->records);
}

#define FEED(log, name, ...)                                                                                 \
    do {                                                                                                     \
        event_add_##name(&(log)->records, &stamp, &(struct event_##name){__VA_ARGS__});                      \
        feed(log);                                                                                           \
    } while (0)

static void says(struct log *log, const char *wanted)
{
    buf_add_octet(&log->lines, '\0');
    assert_string_equal(log->lines.at, wanted);
}

static void open_session(struct log *log)
{
    struct address peer = {0};
    address_parse(SLICE("61.77.232.38"), &peer);
    FEED(log, session_opened, .peer = peer);
    FEED(log, line_received, .text = SLICE("EHLO client.example"));
}

static void a_stored_message_has_its_from_line(void **state)
{
    (void)state;
    struct log log;
    begin(&log);
    open_session(&log);
    FEED(&log, mail_started, .sender = SLICE("5140ghxc@aci.net"));
    FEED(&log, recipient_judged, .recipient = SLICE("LENNON@ONLINEROCK.COM"), .code = 250);
    FEED(&log, message_received, .octets = 1762, .message_id = SLICE("<1@aci.net>"));
    FEED(&log, message_stored, .transaction = 1, .queue_id = SLICE("028t5cy4tqkff.1"));
    says(&log, "028t5cy4tqkff.1: from=<5140ghxc@aci.net>, size=1762, class=0, nrcpts=1, msgid=<1@aci.net>, "
               "proto=ESMTP, "
               "daemon=postern, relay=[61.77.232.38]\n");
    end(&log);
}

static void a_refused_recipient_has_its_reject_line(void **state)
{
    (void)state;
    struct log log;
    begin(&log);
    open_session(&log);
    FEED(&log, line_received, .text = SLICE("RCPT TO:<nobody@example.org>"));
    FEED(&log, reply_sent, .number = 82, .code = 550,
         .text = SLICE("550 5.1.1 there is no <nobody@example.org> here #82 (028t5cy4tqkff)"));
    says(&log, "028t5cy4tqkff: ruleset=check_rcpt, arg1=<nobody@example.org>, relay=[61.77.232.38], "
               "reject=550 5.1.1 there "
               "is no <nobody@example.org> here #82 (028t5cy4tqkff)\n");
    end(&log);
}

static void an_unknown_command_is_no_rejection(void **state)
{
    (void)state;
    struct log log;
    begin(&log);
    open_session(&log);
    FEED(&log, line_received, .text = SLICE("BOGUS"));
    FEED(&log, reply_sent, .number = 20, .code = 500, .text = SLICE("500 5.5.2 command not recognised"));
    says(&log, "");
    end(&log);
}

static void a_relayed_message_has_both_lines(void **state)
{
    (void)state;
    struct log log;
    begin(&log);
    open_session(&log);
    FEED(&log, mail_started, .sender = SLICE_NONE);
    FEED(&log, recipient_judged, .recipient = SLICE("a@example.org"), .code = 250);
    FEED(&log, recipient_judged, .recipient = SLICE("b@example.org"), .code = 550);
    FEED(&log, recipient_judged, .recipient = SLICE("c@example.org"), .code = 250);
    FEED(&log, message_received, .octets = 10);
    FEED(&log, message_relayed, .transaction = 2, .server = SLICE("192.0.2.80:25"), .code = 250,
         .reply = SLICE("queued as 4711"), .took_ms = 1500);
    says(&log, "028t5cy4tqkff.2: from=<>, size=10, class=0, nrcpts=2, proto=ESMTP, daemon=postern, "
               "relay=[61.77.232.38]\n"
               "028t5cy4tqkff.2: to=<a@example.org>,<c@example.org>, delay=00:00:01, mailer=relay, "
               "relay=192.0.2.80:25, "
               "dsn=2.0.0, stat=Sent (queued as 4711)\n");
    end(&log);
}

static void the_end_line_tells_the_session(void **state)
{
    (void)state;
    struct log log;
    struct address peer;
    begin(&log);
    open_session(&log);
    address_parse(SLICE("61.77.232.38"), &peer);
    FEED(&log, session_ended, .peer = peer, .flags = SLICE("junk"), .helo = SLICE("a\"b\r\nc"), .accepted = 1,
         .tried = 2, .octets_in = 28, .negative = 1, .took_ms = 1600,
         .last_negative = SLICE("502 5.5.1 EHLO not supported"),
         .fingerprint = SLICE("4:64+0:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+:0"));
    says(&log,
         "028t5cy4tqkff #721 end i=61.77.232.38 p=\"\" f=\"junk\" h=\"a'b\\r\\nc\" m=1/2 b=28 R=1 t=2 "
         "l=\"502 5.5.1 EHLO not supported\" p0f=\"4:64+0:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+:0\"\n");
    assert_int_equal(maillog_sessions(log.maillog), 0);
    end(&log);
}

static void deliveries_have_their_to_lines(void **state)
{
    (void)state;
    struct log log;
    begin(&log);
    FEED(&log, delivered, .queue_id = SLICE("028t5cy4tqkff.1"), .recipient = SLICE("recipes@hypertouch.com"),
         .target = SLICE("joepublic"), .by = SLICE("maildir"), .waited_ms = 3661000);
    says(&log, "028t5cy4tqkff.1: to=<recipes@hypertouch.com>, delay=01:01:01, mailer=maildir, "
               "relay=joepublic, dsn=2.0.0, "
               "stat=Sent\n");
    FEED(&log, delivery_deferred, .queue_id = SLICE("x.1"), .recipient = SLICE("a@b.example"),
         .target = SLICE("host:25"), .reason = SLICE("connection refused"));
    says(&log, "x.1: to=<a@b.example>, relay=host:25, dsn=4.0.0, stat=Deferred: connection refused\n");
    FEED(&log, delivery_failed, .queue_id = SLICE("x.1"), .recipient = SLICE("a@b.example"),
         .target = SLICE("host:25"), .reason = SLICE("550 no\nsuch user"));
    says(&log,
         "x.1: to=<a@b.example>, relay=host:25, dsn=5.0.0, stat=Service unavailable: 550 no\\nsuch user\n");
    end(&log);
}

static void sessions_are_kept_within_bounds(void **state)
{
    (void)state;
    struct maillog *maillog = maillog_new(3);
    struct buf records, lines;
    buf_init(&records, 65536);
    buf_init(&lines, 65536);
    for (uint64_t i = 1; i <= 10; i++) {
        struct event_stamp each = {.session = i};
        struct event event;
        size_t size;
        buf_clear(&records);
        event_add_session_opened(&records, &each, &(struct event_session_opened){.sequence = i});
        assert_int_equal(event_read(buf_slice(&records), &event, &size), EVENT_DONE);
        maillog_add(maillog, &event, &lines);
    }
    assert_int_equal(maillog_sessions(maillog), 3);
    maillog_free(maillog);
    buf_drop(&records);
    buf_drop(&lines);
}

/* Every kind of event, empty, first in its session: at most lines, never a fault. */
static void every_event_is_taken(void **state)
{
    (void)state;
    for (unsigned kind = 1; kind < EVENT_KIND_LIMIT; kind++) {
        struct log log;
        union event_body body;
        if (!event_info(kind))
            continue;
        begin(&log);
        memset(&body, 0, sizeof body);
        event_add(&log.records, &stamp, (enum event_kind)kind, &body);
        feed(&log);
        end(&log);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stored_message_has_its_from_line),
        cmocka_unit_test(a_refused_recipient_has_its_reject_line),
        cmocka_unit_test(an_unknown_command_is_no_rejection),
        cmocka_unit_test(a_relayed_message_has_both_lines),
        cmocka_unit_test(the_end_line_tells_the_session),
        cmocka_unit_test(deliveries_have_their_to_lines),
        cmocka_unit_test(sessions_are_kept_within_bounds),
        cmocka_unit_test(every_event_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
