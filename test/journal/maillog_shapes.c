/* Proves that the mail log's lines have the shapes that log readers know (sendmail's, smtpf's), with the
 * values of the session; and nothing that a peer sent can end a line, a quoted text or a field. */
#include "journal/maillog.h"

#include "core/ask.h"
#include "unit.h"

#include <regex.h>
#include <stdio.h>

#define START_US INT64_C(1784860556000000)

struct mail_log {
    struct maillog *maillog;
    struct event_stamp stamp;
    struct buf out;
};

/* By a record and back, as it comes from a file. */
static void pass(struct mail_log *log, struct buf *record, bool learn)
{
    struct event event;
    size_t size;
    assert_int_equal(event_read(buf_slice(record), &event, &size), EVENT_DONE);
    if (learn)
        maillog_learn(log->maillog, &event);
    else
        maillog_add(log->maillog, &event, &log->out);
    buf_drop(record);
    log->stamp.unix_us += 1000000;
}

#define TELL_AS(learn, log, name, ...)                                                                       \
    do {                                                                                                     \
        struct buf tell_record;                                                                              \
        buf_init(&tell_record, EVENT_SIZE_MAX);                                                              \
        assert_true(event_add_##name(&tell_record, &(log)->stamp, &(struct event_##name){__VA_ARGS__}));     \
        pass(log, &tell_record, learn);                                                                      \
    } while (0)
#define TELL(log, name, ...) TELL_AS(false, log, name, __VA_ARGS__)

static void begin(struct mail_log *log)
{
    *log = (struct mail_log){.stamp = {event_id_make(START_US / 1000, 1, 750), START_US, 0}};
    log->maillog = maillog_new(10);
    buf_init(&log->out, 1 << 20);
}

static void end(struct mail_log *log)
{
    maillog_free(log->maillog);
    buf_drop(&log->out);
}

static const struct address peer = {.family = ADDRESS_IPV4, .octets = {61, 77, 232, 38}, .port = 4711};

/* What was written so far is exactly these lines, each a regular expression. */
static void assert_lines(struct mail_log *log, const char *const *patterns, size_t count)
{
    struct slice rest = buf_slice(&log->out), text;
    for (size_t i = 0; i < count; i++) {
        char whole[1024], line_text[9000];
        regex_t regex;
        snprintf(whole, sizeof whole, "^%s$", patterns[i]);
        assert_int_equal(regcomp(&regex, whole, REG_EXTENDED | REG_NOSUB), 0);
        if (!slice_cut(&rest, '\n', &text))
            fail_msg("no line for %s", patterns[i]);
        snprintf(line_text, sizeof line_text, "%.*s", SLICE_ARGS(text));
        if (regexec(&regex, line_text, 0, NULL, 0) != 0)
            fail_msg("%s\nis not as\n%s", line_text, whole);
        regfree(&regex);
    }
    if (rest.len)
        fail_msg("more lines: %.*s", SLICE_ARGS(rest));
    buf_clear(&log->out);
}

#define LINES(log, ...)                                                                                      \
    do {                                                                                                     \
        const char *const lines_wanted[] = {__VA_ARGS__};                                                    \
        assert_lines(log, lines_wanted, COUNT(lines_wanted));                                                \
    } while (0)
#define NO_LINES(log) assert_int_equal((log)->out.len, 0)

#define ID            "[0-9a-hjkmnp-tv-z]{13}"
#define QID           ID "\\.[0-9]+"

static void open_session(struct mail_log *log)
{
    TELL(log, session_opened, .peer = peer, .sequence = 1);
    TELL(log, question_answered, .kind = ASK_POINTER, .status = ANSWER_FOUND, .key = SLICE("61.77.232.38"),
         .value = SLICE("other.example 12-237-128-54.client.example"));
    TELL(log, question_answered, .kind = ASK_ADDRESS4, .status = ANSWER_FOUND, .key = SLICE("other.example"),
         .value = SLICE("192.0.2.1"));
    TELL(log, question_answered, .kind = ASK_ADDRESS4, .status = ANSWER_FOUND,
         .key = SLICE("12-237-128-54.client.example"), .value = SLICE("192.0.2.1 61.77.232.38"));
    TELL(log, reply_sent, .number = 1, .code = 220, .text = SLICE("220 mx.example.net ESMTP"));
    TELL(log, line_received, .text = SLICE("EHLO QAPVBYXA"), .octets = 15);
    TELL(log, reply_sent, .number = 51, .code = 250, .text = SLICE("250-mx.example.net\r\n250 SIZE"));
}

static void recipient(struct mail_log *log, const char *address)
{
    char text[300];
    snprintf(text, sizeof text, "RCPT TO:<%s>", address);
    TELL(log, line_received, .text = slice_text(text), .octets = strlen(text) + 2);
    TELL(log, recipient_judged, .transaction = 1, .recipient = slice_text(address), .code = 250,
         .number = 80);
    TELL(log, reply_sent, .number = 80, .code = 250, .text = SLICE("250 2.1.5 recipient accepted"));
}

static void message(struct mail_log *log)
{
    TELL(log, line_received, .text = SLICE("MAIL FROM:<5140ghxc@aci.net>"), .octets = 30);
    TELL(log, mail_started, .transaction = 1, .sender = SLICE("5140ghxc@aci.net"));
    TELL(log, reply_sent, .number = 70, .code = 250, .text = SLICE("250 2.1.0 sender accepted"));
    recipient(log, "LENNON@ONLINEROCK.COM");
    recipient(log, "ringo@onlinerock.com");
    TELL(log, line_received, .text = SLICE("DATA"), .octets = 6);
    TELL(log, reply_sent, .number = 100, .code = 354, .text = SLICE("354 go on"));
    TELL(log, message_received, .transaction = 1, .octets = 1762, .message_id = SLICE("<1.2@aci.net>"));
}

#define FROM                                                                                                 \
    QID ": from=<5140ghxc@aci\\.net>, size=[0-9]+, class=0, nrcpts=2, msgid=<1\\.2@aci\\.net>, "             \
        "proto=ESMTP, daemon=postern, "                                                                      \
        "relay=12-237-128-54\\.client\\.example \\[61\\.77\\.232\\.38\\]"
#define TO QID ": to=<LENNON@ONLINEROCK\\.COM>,<ringo@onlinerock\\.com>, delay=00:00:0[0-9], "

static void stored_messages_have_a_from_line(void **state)
{
    (void)state;
    struct mail_log log;
    begin(&log);
    open_session(&log);
    message(&log);
    NO_LINES(&log);
    TELL(&log, message_stored, .transaction = 1, .queue_id = SLICE("x"), .octets = 1900);
    TELL(&log, reply_sent, .number = 102, .code = 250, .text = SLICE("250 2.0.0 accepted"));
    LINES(&log, FROM);
    TELL(&log, session_ended, .peer = peer, .ptr = SLICE("12-237-128-54.client.example"),
         .flags = SLICE("quit"), .helo = SLICE("QAPVBYXA"), .accepted = 1, .tried = 1, .octets_in = 2048,
         .took_ms = 5400, .tls = SLICE("TLSv1.3 TLS_AES_256_GCM_SHA384"));
    LINES(&log, ID
          " #721 end i=61\\.77\\.232\\.38 p=\"12-237-128-54\\.client\\.example\" f=\"quit\" h=\"QAPVBYXA\" "
          "m=1/1 b=2048 R=0 t=5 l=\"\" tls=\"TLSv1\\.3 TLS_AES_256_GCM_SHA384\" p0f=\"unknown\"");
    assert_int_equal(maillog_sessions(log.maillog), 0);
    end(&log);
}

static void relayed_messages_have_from_and_to(void **state)
{
    (void)state;
    struct mail_log log;
    begin(&log);
    open_session(&log);
    message(&log);
    TELL(&log, message_relayed, .transaction = 1, .server = SLICE("inner.example [192.0.2.25]:25"),
         .code = 250, .reply = SLICE("250 2.6.0 taken as 4711"));
    LINES(&log, FROM,
          TO "mailer=relay, relay=inner\\.example \\[192\\.0\\.2\\.25\\]:25, dsn=2\\.6\\.0, "
             "stat=Sent \\(250 2\\.6\\.0 taken as 4711\\)");
    end(&log);
}

/* Seed 003: what was refused at its content leaves reject=, from= and to=. */
static void refused_content_has_three_lines(void **state)
{
    (void)state;
    struct mail_log log;
    begin(&log);
    open_session(&log);
    message(&log);
    TELL(&log, reply_sent, .number = 120, .code = 553,
         .text = SLICE("553-5.0.0 Unidentified messages are not acceptable\r\n553 5.0.0 here #120 (x)"));
    LINES(&log,
          QID
          ": ruleset=check_eom, relay=12-237-128-54\\.client\\.example \\[61\\.77\\.232\\.38\\], reject=553 "
          "5\\.0\\.0 Unidentified messages are not acceptable here #120 \\(x\\)",
          FROM,
          TO
          "mailer=gate, dsn=5\\.0\\.0, stat=553 5\\.0\\.0 Unidentified messages are not acceptable here #120 "
          "\\(x\\)");
    end(&log);
}

static void refused_commands_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        uint64_t code;
        const char *reply;
        const char *wanted; /* NULL: none */
    } cases[] = {
        {"RCPT TO:<nobody@example.net>", 550, "550 5.1.1 there is no <nobody@example.net> here",
         ID
         ": ruleset=check_rcpt, arg1=<nobody@example\\.net>, relay=.* \\[61\\.77\\.232\\.38\\], reject=550 "
         "5\\.1\\.1 there is no <nobody@example\\.net> here"},
        {"RCPT TO: joe@example.net x", 550, "550 5.7.1 no",
         ID ": ruleset=check_rcpt, arg1=<joe@example\\.net>, relay=.*, reject=550 5\\.7\\.1 no"},
        {"mail from:<>", 451, "451 4.7.1 come again later",
         ID ": ruleset=check_mail, arg1=<>, relay=.*, reject=451 4\\.7\\.1 come again later"},
        {"EHLO x", 502, "502 5.5.1 EHLO not supported",
         ID ": ruleset=check_helo, relay=.*, reject=502 5\\.5\\.1 EHLO not supported"},
        {"DATA", 554, "554 5.5.1 no valid recipients",
         ID ": ruleset=check_data, relay=.*, reject=554 5\\.5\\.1 no valid recipients"},
        {"POST / HTTP/1.0", 500, "500 5.5.2 command not recognised", NULL},
        {"Host: x", 421, "421 4.7.0 this is an SMTP server",
         ID ": relay=.*, reject=421 4\\.7\\.0 this is .*"},
    };
    struct mail_log log;
    begin(&log);
    open_session(&log);
    for (size_t i = 0; i < COUNT(cases); i++) {
        TELL(&log, line_received, .text = slice_text(cases[i].line), .octets = strlen(cases[i].line) + 2);
        TELL(&log, reply_sent, .code = cases[i].code, .text = slice_text(cases[i].reply));
        if (cases[i].wanted) {
            assert_lines(&log, &cases[i].wanted, 1);
        } else {
            NO_LINES(&log);
        }
    }
    end(&log);
    begin(&log);
    TELL(&log, session_opened, .peer = peer);
    TELL(&log, reply_sent, .code = 421, .text = SLICE("421 4.3.2 too many connections"));
    LINES(&log, ID
          ": ruleset=check_relay, relay=\\[61\\.77\\.232\\.38\\], reject=421 4\\.3\\.2 too many connections");
    end(&log);
}

/* Seed 002's first line, with the address that its mailing list took out. */
static void end_line_of_the_seed(void **state)
{
    (void)state;
    struct mail_log log;
    begin(&log);
    struct address six = {.family = ADDRESS_IPV6, .octets = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, .port = 1};
    TELL(&log, session_ended, .peer = six, .flags = SLICE("forged,black,no_ptr,ehlo_no_helo,ipv6,quit"),
         .helo = SLICE("[]"), .octets_in = 28, .negative = 1, .took_ms = 2000,
         .last_negative = SLICE("502 5.5.1 EHLO not supported #253 (l9L48f044650594100)"));
    LINES(&log,
          ID " #721 end i=2001:db8::1 p=\"\" f=\"forged,black,no_ptr,ehlo_no_helo,ipv6,quit\" h=\"\\[\\]\" "
             "m=0/0 b=28 R=1 t=2 l=\"502 5\\.5\\.1 EHLO not supported #253 \\(l9L48f044650594100\\)\" "
             "p0f=\"unknown\"");
    end(&log);
}

static void nothing_can_be_forged(void **state)
{
    (void)state;
    struct mail_log log;
    begin(&log);
    TELL(&log, session_opened, .peer = peer);
    TELL(&log, question_answered, .kind = ASK_POINTER, .status = ANSWER_FOUND, .key = SLICE("61.77.232.38"),
         .value = SLICE("x[192.0.2.1],relay=y"));
    TELL(&log, question_answered, .kind = ASK_ADDRESS4, .status = ANSWER_FOUND,
         .key = SLICE("x[192.0.2.1],relay=y"), .value = SLICE("61.77.232.38"));
    TELL(&log, mail_started, .transaction = 1,
         .sender = SLICE("\"a>, relay=good.example [192.0.2.1]\"@b\r\nJul"));
    TELL(&log, message_received, .transaction = 1, .octets = 1, .message_id = SLICE("<a, size=9, \x1b[2J>"));
    TELL(&log, message_stored, .transaction = 1, .octets = 1);
    TELL(&log, session_ended, .peer = peer, .helo = SLICE("a\" m=9/9 \\"), .last_negative = SLICE("x\ny"));
    struct slice text = buf_slice(&log.out);
    assert_slice_equal(
        slice_head(slice_from(text, 13), slice_find(text, '\n') - 13),
        ".1: from=<\\x22a\\x3e\\x2c\\x20relay=good.example\\x20[192.0.2.1]\\x22@b\\r\\nJul>, size=1, "
        "class=0, nrcpts=0, msgid=<a\\x2c\\x20size=9\\x2c\\x20\\x1b[2J>, proto=SMTP, daemon=postern, "
        "relay=x[192.0.2.1]\\x2crelay=y [61.77.232.38]");
    text = slice_from(text, slice_find(text, '\n') + 1);
    assert_slice_equal(slice_from(text, 13),
                       " #721 end i=61.77.232.38 p=\"\" f=\"\" h=\"a' m=9/9 \\\\\" m=0/0 "
                       "b=0 R=0 t=0 l=\"x\\ny\" p0f=\"unknown\"\n");
    end(&log);
}

static void many_recipients_take_many_lines(void **state)
{
    (void)state;
    struct mail_log log;
    begin(&log);
    open_session(&log);
    TELL(&log, mail_started, .transaction = 3, .sender = SLICE("a@b"));
    for (unsigned i = 0; i < 100; i++) {
        char address[256];
        snprintf(address, sizeof address, "%03u-%0200d@example.net", i, 0);
        recipient(&log, address);
    }
    TELL(&log, message_received, .transaction = 3, .octets = 5);
    TELL(&log, message_relayed, .transaction = 3, .server = SLICE("inner"), .code = 250,
         .reply = SLICE("250 ok"));
    struct slice rest = buf_slice(&log.out), text;
    unsigned recipients = 0, lines = 0;
    while (slice_cut(&rest, '\n', &text)) {
        lines++;
        assert_true(text.len < 4000);
        for (size_t at; (at = slice_find(text, '@')) != SLICE_NOT_FOUND; text = slice_from(text, at + 1))
            recipients++;
        if (lines > 1)
            assert_true(slice_ends_fold(text, SLICE("dsn=2.0.0, stat=Sent (250 ok)")));
    }
    assert_int_equal(recipients, 101); /* and the sender */
    assert_true(lines > 10);
    end(&log);
}

static void courier_lines(void **state)
{
    (void)state;
    struct mail_log log;
    char id[EVENT_ID_SIZE], queue_id[EVENT_ID_SIZE + 2];
    begin(&log);
    event_id_print(log.stamp.session, id);
    snprintf(queue_id, sizeof queue_id, "%s.1", id);
    log.stamp.unix_us += INT64_C(93784) * 1000000; /* 1 day, 2 hours, 3 minutes, 4 seconds */
    TELL(&log, delivered, .queue_id = slice_text(queue_id), .recipient = SLICE("recipes@hypertouch.com"),
         .target = SLICE("joepublic"), .by = SLICE("maildir"), .waited_ms = 61000);
    TELL(&log, delivered, .queue_id = slice_text(queue_id), .recipient = SLICE("a@b"),
         .target = SLICE("mx:24"), .by = SLICE("lmtp"), .reply = SLICE("250 2.1.5 Ok"));
    TELL(&log, delivery_deferred, .queue_id = slice_text(queue_id), .recipient = SLICE("a@b"),
         .target = SLICE("mx"), .reason = SLICE("connection refused"));
    TELL(&log, delivery_failed, .queue_id = slice_text(queue_id), .recipient = SLICE("a@b"),
         .target = SLICE("mx"), .reason = SLICE("550 5.1.1 no such user"), .notified = 1);
    TELL(&log, notification_queued, .queue_id = SLICE("n.1"), .about = slice_text(queue_id),
         .kind = SLICE("failed"));
    TELL(&log, message_removed, .queue_id = slice_text(queue_id), .why = SLICE("delivered"));
    LINES(&log,
          QID ": to=<recipes@hypertouch\\.com>, delay=00:01:01, mailer=maildir, relay=joepublic, "
              "dsn=2\\.0\\.0, stat=Sent",
          QID
          ": to=<a@b>, delay=00:00:00, mailer=lmtp, relay=mx:24, dsn=2\\.1\\.5, stat=Sent \\(250 2\\.1\\.5 "
          "Ok\\)",
          QID ": to=<a@b>, delay=1\\+02:03:06, relay=mx, dsn=4\\.0\\.0, stat=Deferred: connection refused",
          QID ": to=<a@b>, delay=1\\+02:03:07, relay=mx, dsn=5\\.1\\.1, stat=Service unavailable: 550 "
              "5\\.1\\.1 no such user",
          QID ": n\\.1: DSN: failed", "n\\.1: from=<>, nrcpts=1, relay=localhost", QID ": done; delivered");
    end(&log);
}

static void process_lines(void **state)
{
    (void)state;
    struct mail_log log;
    begin(&log);
    log.stamp.session = 0;
    TELL(&log, process_started, .role = SLICE("gate"), .pid = 4711, .version = SLICE("0.1.0"));
    LINES(&log, "process-started: role=gate, pid=4711, version=0\\.1\\.0, configuration=");
    TELL(&log, events_lost, .count = 17, .reason = SLICE("No space left on device"));
    LINES(&log, "events-lost: count=17, reason=No space left on device");
    end(&log);
}

static void what_is_learnt_is_not_told(void **state)
{
    (void)state;
    struct mail_log log;
    begin(&log);
    TELL_AS(true, &log, session_opened, .peer = peer);
    TELL_AS(true, &log, mail_started, .transaction = 1, .sender = SLICE("5140ghxc@aci.net"));
    TELL_AS(true, &log, message_stored, .transaction = 1);
    NO_LINES(&log);
    assert_int_equal(maillog_sessions(log.maillog), 1);
    TELL(&log, message_stored, .transaction = 1);
    LINES(&log, QID ": from=<5140ghxc@aci\\.net>, size=0,.*relay=\\[61\\.77\\.232\\.38\\]");
    struct event event = {.kind = EVENT_KIND_reply_sent, .stamp = log.stamp};
    event.stamp.previous = 100;
    assert_false(maillog_lacks(log.maillog, &event));
    maillog_forget_gate(log.maillog, 0);
    assert_int_equal(maillog_sessions(log.maillog), 1);
    maillog_forget_gate(log.maillog, 1);
    assert_int_equal(maillog_sessions(log.maillog), 0);
    assert_true(maillog_lacks(log.maillog, &event));
    event.kind = EVENT_KIND_session_ended;
    assert_false(maillog_lacks(log.maillog, &event));
    event.kind = EVENT_KIND_state_changed;
    assert_false(maillog_lacks(log.maillog, &event));
    end(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_messages_have_a_from_line),
        cmocka_unit_test(relayed_messages_have_from_and_to),
        cmocka_unit_test(refused_content_has_three_lines),
        cmocka_unit_test(refused_commands_are_told),
        cmocka_unit_test(end_line_of_the_seed),
        cmocka_unit_test(nothing_can_be_forged),
        cmocka_unit_test(many_recipients_take_many_lines),
        cmocka_unit_test(courier_lines),
        cmocka_unit_test(process_lines),
        cmocka_unit_test(what_is_learnt_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
