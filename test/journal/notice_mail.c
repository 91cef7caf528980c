/* Proves how a notice reads: as the golden file has it; that it is a proper message which no program answers;
 * and that nothing a peer sent can stand in it but as plain ASCII in its own line. */
#include "journal/notice_mail.h"

#include "base/memory.h"
#include "core/say.h"
#include "folder.h"
#include "journal/history.h"
#include "journal/notice_transcript.h"
#include "journal/notice_watch.h"
#include "seed.h"

#include <stdio.h>

#define BEGAN_MS INT64_C(1784860556000)

static const char *golden_folder;

static void compare(struct slice text, const char *name)
{
    char path[1024], now[128];
    snprintf(path, sizeof path, "%s/%s", golden_folder, name);
    struct slice golden = file_take(path);
    if (!slice_equal(text, golden)) {
        snprintf(now, sizeof now, "%s.now", name);
        file_put(now, text);
        fail_msg("it is not as in %s: see %s", path, now);
    }
    file_give(golden);
}

/* --- transcripts --------------------------------------------------------------------------------------- */

static bool seed_transcript(void *data, const struct notice_example *example, struct buf *out)
{
    const struct notice_transcript_settings settings = {.lines_max = 0};
    struct seed seed;
    struct history history;
    (void)data;
    seed_tell(&seed);
    history_init(&history, example->session);
    history_add(&history, buf_slice(&seed.records));
    notice_transcript(&history, &settings, out);
    history_drop(&history);
    buf_drop(&seed.records);
    return true;
}

static bool gone(void *data, const struct notice_example *example, struct buf *out)
{
    (void)data;
    (void)example;
    (void)out;
    return false;
}

static struct slice seed_session(void)
{
    static char room[32];
    struct seed seed;
    struct event event;
    size_t size;
    seed_tell(&seed);
    assert_int_equal(event_read(buf_slice(&seed.records), &event, &size), EVENT_DONE);
    memcpy(room, &event.stamp.session, sizeof event.stamp.session);
    buf_drop(&seed.records);
    return slice_of(room, sizeof event.stamp.session);
}

static void a_transcript_reads_as_the_golden_file(void **state)
{
    (void)state;
    struct buf out;
    uint64_t session;
    memcpy(&session, seed_session().at, sizeof session);
    buf_init(&out, 1 << 20);
    seed_transcript(NULL, &(struct notice_example){.session = session}, &out);
    compare(buf_slice(&out), "seed-001.notice");
    buf_drop(&out);
}

static void the_middle_of_a_long_one_is_left_out(void **state)
{
    (void)state;
    const struct event_stamp stamp = {.session = event_id_make(BEGAN_MS, 0, 1), .unix_us = BEGAN_MS * 1000};
    struct buf records, out;
    struct history history;
    buf_init(&records, 1 << 20);
    buf_init(&out, 1 << 20);
    for (unsigned i = 0; i < 500; i++) {
        char line[32];
        snprintf(line, sizeof line, "NOOP %u", i);
        event_add_line_received(&records, &stamp, &(struct event_line_received){.text = slice_text(line)});
    }
    history_init(&history, stamp.session);
    history_add(&history, buf_slice(&records));
    notice_transcript(&history, &(struct notice_transcript_settings){.lines_max = 20}, &out);
    assert_true(slice_find_slice(buf_slice(&out), SLICE(" In:  NOOP 14\n  (480 lines are left out here)\n "
                                                        "In:  NOOP 495\n")) != SLICE_NOT_FOUND);
    assert_true(slice_find_slice(buf_slice(&out), SLICE("NOOP 499\n")) != SLICE_NOT_FOUND);
    history_drop(&history);
    buf_drop(&records);
    buf_drop(&out);
}

/* --- mails --------------------------------------------------------------------------------------------- */

static void add(struct notices *notices, struct notice_incident incident, unsigned host, unsigned count)
{
    const uint8_t octets[4] = {192, 0, 2, (uint8_t)host};
    if (host)
        incident.host = address_from_octets(ADDRESS_IPV4, octets, 0);
    incident.unix_ms = BEGAN_MS;
    for (unsigned i = 0; i < count; i++)
        notices_add(notices, &incident, BEGAN_MS);
}

static struct notices *gathered(void)
{
    const struct notice_settings settings = {
        .classes = 31, .digest = 31, .gather_ms = 300000, .rate = 6, .examples = 2};
    struct notices *notices = memory_take(sizeof *notices);
    uint64_t session;
    memcpy(&session, seed_session().at, sizeof session);
    notices_init(notices, &settings, BEGAN_MS);
    add(notices,
        (struct notice_incident){.class = NOTICE_POLICY, .reply = SAY_RELAY_DENIED, .session = session}, 7,
        12);
    add(notices, (struct notice_incident){.class = NOTICE_POLICY, .reply = SAY_LISTED}, 8, 488);
    add(notices, (struct notice_incident){.class = NOTICE_PROTOCOL, .reply = SAY_PIPELINING}, 9, 3);
    add(notices,
        (struct notice_incident){.class = NOTICE_RESOURCE,
                                 .cause = SLICE("trouble: write to the store"),
                                 .example = SLICE("Trouble: write to the store: No space left on device; it "
                                                  "is tried again; until then less is remembered")},
        0, 1);
    return notices;
}

static void mail_of(struct notices *notices, bool transcripts, struct buf *out)
{
    const struct notice_mail mail = {.notice = &notices->pending,
                                     .host = SLICE("mx.example.net"),
                                     .to = SLICE("postmaster@example.net"),
                                     .now_ms = BEGAN_MS + 300000,
                                     .transcript = transcripts ? seed_transcript : gone};
    notice_mail_compose(&mail, out);
}

static void a_mail_reads_as_the_golden_file(void **state)
{
    (void)state;
    struct notices *notices = gathered();
    struct buf out;
    buf_init(&out, NOTICE_MAIL_MAX);
    assert_true(notices_take(notices, notice_id_make(BEGAN_MS, 0), BEGAN_MS + 300000));
    mail_of(notices, true, &out);
    compare(buf_slice(&out), "notice.mail");
    memory_give(notices, sizeof *notices);
    buf_drop(&out);
}

static void a_digest_reads_as_the_golden_file(void **state)
{
    (void)state;
    struct notices *notices = gathered();
    struct buf out;
    buf_init(&out, NOTICE_MAIL_MAX);
    notices->digest_ms = BEGAN_MS + 300000;
    assert_true(notices_take(notices, notice_id_make(BEGAN_MS, 1), BEGAN_MS + 300000));
    mail_of(notices, true, &out);
    compare(buf_slice(&out), "notice-digest.mail");
    memory_give(notices, sizeof *notices);
    buf_drop(&out);
}

static void assert_message(struct slice text)
{
    struct slice line, rest = text;
    bool header = true;
    unsigned fields = 0;
    while (slice_cut(&rest, '\n', &line)) {
        assert_true(line.len > 0 && line.at[line.len - 1] == '\r');
        line.len--;
        assert_true(slice_is_printable(line));
        assert_true(line.len <= 200);
        fields += header && line.len;
        header = header && line.len;
    }
    assert_int_equal(fields, 9);
    assert_true(slice_find_slice(text, SLICE("\r\nAuto-Submitted: auto-generated\r\n")) != SLICE_NOT_FOUND);
}

/* A session in which the peer sent all that it can think of. */
static bool nasty_transcript(void *data, const struct notice_example *example, struct buf *out)
{
    const struct event_stamp stamp = {.session = example->session, .unix_us = BEGAN_MS * 1000};
    const struct slice nasty = SLICE("\r\n.\r\n\033[2J\x80\xff\n\nSubject: x\r\n");
    const struct notice_transcript_settings settings = {0};
    char all[1000];
    struct buf records;
    struct history history;
    (void)data;
    buf_init(&records, 1 << 20);
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (char)i;
    event_add_line_received(&records, &stamp, &(struct event_line_received){.text = nasty});
    event_add_line_received(&records, &stamp, &(struct event_line_received){.text = slice_of(all, 1000)});
    event_add_reply_sent(&records, &stamp, &(struct event_reply_sent){.text = slice_of(all, 1000)});
    event_add_tls_failed(&records, &stamp, &(struct event_tls_failed){.reason = nasty});
    event_add_http_request(&records, &stamp,
                           &(struct event_http_request){.sender = nasty, .recipients = nasty});
    event_add_session_ended(&records, &stamp, &(struct event_session_ended){.ptr = nasty});
    history_init(&history, example->session);
    history_add(&history, buf_slice(&records));
    notice_transcript(&history, &settings, out);
    history_drop(&history);
    buf_drop(&records);
    return true;
}

static void nothing_breaks_out(void **state)
{
    (void)state;
    struct notices *notices = gathered();
    struct buf out;
    buf_init(&out, NOTICE_MAIL_MAX);
    add(notices,
        (struct notice_incident){
            .class = NOTICE_SOFTWARE, .cause = SLICE("a\r\n\r\nb\x80"), .example = SLICE("c\r\n.\r\nd\033")},
        0, 1);
    assert_true(notices_take(notices, notice_id_make(BEGAN_MS, 0), BEGAN_MS + 300000));
    const struct notice_mail mail = {.notice = &notices->pending,
                                     .host = SLICE("mx.example.net"),
                                     .to = SLICE("postmaster@example.net"),
                                     .now_ms = BEGAN_MS,
                                     .transcript = nasty_transcript};
    notice_mail_compose(&mail, &out);
    assert_message(buf_slice(&out));
    memory_give(notices, sizeof *notices);
    buf_drop(&out);
}

static void a_session_that_is_gone_is_said_so(void **state)
{
    (void)state;
    struct notices *notices = gathered();
    struct buf out;
    buf_init(&out, NOTICE_MAIL_MAX);
    assert_true(notices_take(notices, notice_id_make(BEGAN_MS, 0), BEGAN_MS + 300000));
    mail_of(notices, false, &out);
    assert_message(buf_slice(&out));
    assert_true(slice_find_slice(buf_slice(&out), SLICE("its records are not in the journal any more")) !=
                SLICE_NOT_FOUND);
    memory_give(notices, sizeof *notices);
    buf_drop(&out);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transcript_reads_as_the_golden_file),
        cmocka_unit_test(the_middle_of_a_long_one_is_left_out),
        cmocka_unit_test(a_mail_reads_as_the_golden_file),
        cmocka_unit_test(a_digest_reads_as_the_golden_file),
        cmocka_unit_test(nothing_breaks_out),
        cmocka_unit_test(a_session_that_is_gone_is_said_so),
    };
    golden_folder = count > 1 ? arguments[1] : "test/journal/golden";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
