/* Proves the statistics: what each event adds, into which buckets times fall, and the three columns over
 * virtual time, in any zone. */
#include "journal/stats.h"

#include "base/memory.h"
#include "core/ask.h"
#include "core/finding.h"
#include "core/say.h"
#include "journal/render_stats.h"
#include "unit.h"

#define MINUTE_US (INT64_C(60) * 1000000)
#define HOUR_US   (60 * MINUTE_US)
/* 2026-11-21 20:30:00 UTC */
#define NOW_US (INT64_C(1795293000) * 1000000)

static const struct stats_file gate = {{"gate-0", 6}, 1};

/* --- what each event adds ------------------------------------------------------------------------------- */

struct wanted {
    enum event_kind kind;
    union event_body body;
    struct stats_item items[STATS_ITEMS_MAX + 1]; /* count 0 ends them; histograms are not among them */
};

static uint64_t count_of(const struct stats_item *items, size_t count, unsigned cell)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].cell == cell)
            return items[i].count;
    return 0;
}

static void assert_adds(const struct wanted *wanted)
{
    struct event event = {.kind = wanted->kind, .info = event_info(wanted->kind), .body = wanted->body};
    struct stats_item items[STATS_ITEMS_MAX];
    size_t count = stats_of(&event, items), expected = 0, found = 0;
    assert_true(count <= STATS_ITEMS_MAX);
    for (; wanted->items[expected].count; expected++)
        if (count_of(items, count, wanted->items[expected].cell) != wanted->items[expected].count)
            fail_msg("%s does not add %llu to %u", event.info->word,
                     (unsigned long long)wanted->items[expected].count, wanted->items[expected].cell);
    for (size_t i = 0; i < count; i++)
        found += items[i].cell < STATS_HISTOGRAMS;
    assert_int_equal(found, expected);
}

#define LINE(line, ...)                                                                                      \
    {                                                                                                        \
        EVENT_KIND_line_received, {.line_received = {.text = {line, sizeof line - 1}}},                      \
        {                                                                                                    \
            {STAT_COMMANDS, 1}, __VA_ARGS__                                                                  \
        }                                                                                                    \
    }

static const struct wanted commands[] = {
    LINE("HELO a.example", {STAT_COMMAND_HELO, 1}),
    LINE("ehlo a.example", {STAT_COMMAND_EHLO, 1}),
    LINE("MAIL FROM:<>", {STAT_MAIL, 1}),
    LINE(" Rcpt\tTO:<a@b.example>", {STAT_RCPT, 1}),
    LINE("DATA", {STAT_COMMAND_DATA, 1}, {STAT_DATA, 1}),
    LINE("BDAT 5 LAST", {STAT_COMMAND_BDAT, 1}),
    LINE("RSET", {STAT_COMMAND_RSET, 1}),
    LINE("NOOP", {STAT_COMMAND_NOOP, 1}),
    LINE("QUIT", {STAT_COMMAND_QUIT, 1}),
    LINE("VRFY a", {STAT_COMMAND_VRFY, 1}),
    LINE("EXPN a", {STAT_COMMAND_EXPN, 1}),
    LINE("HELP", {STAT_COMMAND_HELP, 1}),
    LINE("AUTH PLAIN ****", {STAT_COMMAND_AUTH, 1}),
    LINE("starttls", {STAT_COMMAND_STARTTLS, 1}),
    LINE("XCLIENT NAME=a", {STAT_COMMAND_XCLIENT, 1}),
    LINE("STARTTLSX", {STAT_COMMAND_OTHER, 1}),
    LINE("MAI", {STAT_COMMAND_OTHER, 1}),
    LINE("ETRN a", {STAT_COMMAND_OTHER, 1}),
    LINE("", {STAT_COMMAND_OTHER, 1}),
    LINE("\xff\x80 \x01", {STAT_COMMAND_OTHER, 1}),
    LINE("GET / HTTP/1.1", {STAT_COMMAND_OTHER, 1}),
};

#define REPLY(n, c)                                                                                          \
    EVENT_KIND_reply_sent,                                                                                   \
    {                                                                                                        \
        .reply_sent = {.number = n, .code = c }                                                              \
    }

static const struct wanted others[] = {
    {EVENT_KIND_session_opened, {.session_opened = {.peer = {.family = ADDRESS_IPV4}}}, {{STAT_CLIENTS, 1}}},
    {EVENT_KIND_session_opened,
     {.session_opened = {.peer = {.family = ADDRESS_IPV6}}},
     {{STAT_CLIENTS, 1}, {STAT_IPV6, 1}}},
    {EVENT_KIND_session_ended,
     {.session_ended = {.why = 1, .accepted = 2, .octets_in = 30, .octets_out = 40, .took_ms = 5}},
     {{STAT_SESSIONS_ENDED, 1},
      {STAT_QUIT, 1},
      {STAT_WITH_MAIL, 1},
      {STAT_OCTETS_RECEIVED, 30},
      {STAT_OCTETS_SENT, 40}}},
    {EVENT_KIND_session_ended,
     {.session_ended = {.why = 4}},
     {{STAT_SESSIONS_ENDED, 1}, {STAT_TIMED_OUT, 1}}},
    {EVENT_KIND_session_ended, {.session_ended = {.why = 99}}, {{STAT_SESSIONS_ENDED, 1}}},
    {REPLY(SAY_RELAY_DENIED, 550), {{STAT_REPLIES, 1}, {STAT_REPLIES_REFUSING, 1}, {1081, 1}}},
    {REPLY(SAY_GREYLISTED, 450), {{STAT_REPLIES, 1}, {STAT_REPLIES_DEFERRING, 1}, {1190, 1}}},
    {REPLY(SAY_SEND_MESSAGE, 354),
     {{STAT_REPLIES, 1}, {STAT_REPLIES_POSITIVE, 1}, {1100, 1}, {STAT_DATA_ACCEPTED, 1}}},
    {REPLY(100000, 250), {{STAT_REPLIES, 1}, {STAT_REPLIES_POSITIVE, 1}}},
    {EVENT_KIND_mail_started, {.mail_started = {.sender = {"a@b", 3}}}, {{STAT_MAIL_ACCEPTED, 1}}},
    {EVENT_KIND_mail_started,
     {.mail_started = {.transaction = 1}},
     {{STAT_MAIL_ACCEPTED, 1}, {STAT_NULL_SENDER, 1}}},
    {EVENT_KIND_recipient_judged, {.recipient_judged = {.code = 250}}, {{STAT_RCPT_ACCEPTED, 1}}},
    {EVENT_KIND_recipient_judged, {.recipient_judged = {.code = 451}}, {{STAT_RCPT_DEFERRED, 1}}},
    {EVENT_KIND_recipient_judged, {.recipient_judged = {.code = 550}}, {{STAT_RCPT_REFUSED, 1}}},
    {EVENT_KIND_message_received,
     {.message_received = {.octets = 77}},
     {{STAT_MESSAGES, 1}, {STAT_OCTETS_OF_MESSAGES, 77}}},
    {EVENT_KIND_message_received,
     {.message_received = {.octets = 77, .chunks = 2}},
     {{STAT_MESSAGES, 1}, {STAT_OCTETS_OF_MESSAGES, 77}, {STAT_DATA, 1}}},
    {EVENT_KIND_message_stored, {.message_stored = {.took_ms = 3}}, {{STAT_MESSAGE_STORED, 1}}},
    {EVENT_KIND_message_relayed, {.message_relayed = {.code = 250}}, {{STAT_MESSAGE_RELAYED, 1}}},
    {EVENT_KIND_message_relayed, {.message_relayed = {.code = 421}}, {{STAT_MESSAGE_DEFERRED_INNER, 1}}},
    {EVENT_KIND_message_relayed, {.message_relayed = {.code = 554}}, {{STAT_MESSAGE_REFUSED_INNER, 1}}},
    {EVENT_KIND_finding, {.finding = {.finding = FIND_EHLO_NO_HELO}}, {{30, 1}}},
    {EVENT_KIND_finding, {.finding = {.finding = 70000}}, {{0, 0}}},
    {EVENT_KIND_verdict, {.verdict = {.stage = 3, .verdict = 0}}, {{430, 1}}},
    {EVENT_KIND_verdict,
     {.verdict = {.stage = 3, .verdict = 2, .finding = FIND_SPF_FAIL}},
     {{432, 1}, {STATS_REASONS + 2 * 256 + FIND_SPF_FAIL, 1}}},
    {EVENT_KIND_verdict,
     {.verdict = {.stage = 5, .verdict = 1, .observed = 1}},
     {{551, 1}, {STATS_REASONS + 2048 + 256, 1}}},
    {EVENT_KIND_verdict, {.verdict = {.stage = 9, .verdict = 9}}, {{0, 0}}},
    {EVENT_KIND_question_asked,
     {.question_asked = {.kind = ASK_POINTER}},
     {{STAT_QUESTIONS, 1}, {700 + ASK_POINTER, 1}}},
    {EVENT_KIND_question_answered,
     {.question_answered = {.kind = ASK_POINTER, .status = ANSWER_TIMEOUT}},
     {{STAT_ANSWERS_TIMEOUT, 1}}},
    {EVENT_KIND_delivered, {.delivered = {.waited_ms = 9}}, {{STAT_DELIVERIES, 1}, {STAT_DELIVERED, 1}}},
    {EVENT_KIND_delivery_deferred,
     {.delivery_deferred = {.attempts = 1}},
     {{STAT_DELIVERIES, 1}, {STAT_DELIVERY_DEFERRED, 1}}},
    {EVENT_KIND_delivery_failed,
     {.delivery_failed = {.notified = 1}},
     {{STAT_DELIVERIES, 1}, {STAT_DELIVERY_FAILED, 1}}},
    {EVENT_KIND_message_queued,
     {.message_queued = {.octets = 5}},
     {{STAT_QUEUED, 1}, {STAT_OCTETS_QUEUED, 5}}},
    {EVENT_KIND_events_lost, {.events_lost = {.count = 12}}, {{STAT_EVENTS_LOST, 12}}},
    {EVENT_KIND_tls_started, {.tls_started = {.took_ms = 2}}, {{STAT_TLS_STARTED, 1}}},
    {EVENT_KIND_process_crashed, {.process_crashed = {.pid = 1}}, {{STAT_PROCESSES_CRASHED, 1}}},
    {EVENT_KIND_state_changed, {.state_changed = {.to = 1}}, {{0, 0}}},
};

static void each_event_adds_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(commands); i++)
        assert_adds(&commands[i]);
    for (size_t i = 0; i < COUNT(others); i++)
        assert_adds(&others[i]);
}

static uint64_t bucket_of(uint64_t took_ms, unsigned *ret_bucket)
{
    struct event event = {.kind = EVENT_KIND_reply_sent,
                          .body.reply_sent = {.number = 1, .code = 220, .answers = 1, .took_ms = took_ms}};
    struct stats_item items[STATS_ITEMS_MAX];
    size_t count = stats_of(&event, items);
    for (*ret_bucket = 0; *ret_bucket < STATS_BUCKETS; ++*ret_bucket)
        if (count_of(items, count, STATS_HISTOGRAMS + *ret_bucket))
            break;
    return count_of(items, count, STATS_HISTOGRAMS + STATS_BUCKETS);
}

/* A bucket holds what is not above its bound, and the sum is exact. */
static void times_fall_into_buckets(void **state)
{
    (void)state;
    const uint32_t *bounds = stats_bounds(STATS_STAGE_CONNECT);
    unsigned bucket;
    for (unsigned i = 0; i < STATS_BUCKETS - 1; i++) {
        assert_int_equal(bucket_of(bounds[i], &bucket), bounds[i]);
        assert_int_equal(bucket, i);
        assert_int_equal(bucket_of((uint64_t)bounds[i] + 1, &bucket), (uint64_t)bounds[i] + 1);
        assert_int_equal(bucket, i + 1);
        assert_true(!i || bounds[i] > bounds[i - 1]);
    }
    bucket_of(UINT64_MAX, &bucket);
    assert_int_equal(bucket, STATS_BUCKETS - 1);
}

/* --- the columns ---------------------------------------------------------------------------------------- */

static void opened(struct stats *stats, int64_t unix_us, int64_t now_us, unsigned times)
{
    struct event event = {.kind = EVENT_KIND_session_opened, .stamp.unix_us = unix_us};
    while (times--)
        stats_add(stats, &gate, &event, now_us);
}

static void found(struct stats *stats, int64_t unix_us, int64_t now_us, unsigned times)
{
    struct event event = {
        .kind = EVENT_KIND_finding, .stamp.unix_us = unix_us, .body.finding = {.finding = FIND_EHLO_NO_HELO}};
    while (times--)
        stats_add(stats, &gate, &event, now_us);
}

static void assert_columns(const struct stats *stats, int64_t now_us, int zone, uint64_t total, uint64_t hour,
                           uint64_t sixty)
{
    struct stats_view *view = memory_take(sizeof *view);
    stats_look(stats, now_us, zone, view);
    assert_int_equal(view->total[STAT_CLIENTS], total);
    assert_int_equal(view->hour[STAT_CLIENTS], hour);
    assert_int_equal(view->sixty[STAT_CLIENTS], sixty);
    memory_give(view, sizeof *view);
}

/* The line that the seed shows, from as many sessions. */
static void the_seeds_line(void **state)
{
    (void)state;
    struct stats *stats = stats_new();
    struct stats_view *view = memory_take(sizeof *view);
    struct buf out;
    int64_t long_ago = NOW_US - 5 * HOUR_US, window = NOW_US - 40 * MINUTE_US, hour = NOW_US - MINUTE_US;
    opened(stats, long_ago, long_ago, 10938 - 7852);
    found(stats, long_ago, long_ago, 6946 - 4658);
    opened(stats, window, window, 7852 - 5875);
    found(stats, window, window, 4658 - 3436);
    opened(stats, hour, hour, 5875);
    found(stats, hour, hour, 3436);
    stats_look(stats, NOW_US, 0, view);
    buf_init(&out, 4096);
    assert_true(render_stats_line(view, 30, &out));
    assert_slice_equal(buf_slice(&out), "214-2.0.0 030 ehlo-no-helo=6946 63.50%; 3436 58.49%; 4658 59.32%\n");
    buf_clear(&out);
    assert_true(render_stats_line(view, STAT_CLIENTS, &out));
    assert_slice_equal(buf_slice(&out), "214-2.0.0 300 clients=10938 100.00%; 5875 100.00%; 7852 100.00%\n");
    buf_clear(&out);
    assert_true(render_stats_line(view, STAT_MAIL, &out));
    assert_slice_equal(buf_slice(&out), "214-2.0.0 340 mail=0 0.00%; 0 0.00%; 0 0.00%\n");
    buf_clear(&out);
    assert_true(render_stats_json(view, 30, &out));
    assert_slice_equal(buf_slice(&out),
                       "{\"number\":30,\"name\":\"ehlo-no-helo\",\"section\":\"clients\",\"total\":6946,"
                       "\"total_percent\":63.50,\"hour\":3436,\"hour_percent\":58.49,"
                       "\"sixty_minutes\":4658,\"sixty_minutes_percent\":59.32}");
    buf_clear(&out);
    assert_false(render_stats_line(view, 29, &out));
    assert_false(render_stats_json(view, 29, &out));
    assert_int_equal(out.len, 0);
    buf_drop(&out);
    memory_give(view, sizeof *view);
    stats_free(stats);
}

static void the_head_tells_the_age(void **state)
{
    (void)state;
    struct stats *stats = stats_new();
    struct stats_view *view = memory_take(sizeof *view);
    struct buf out;
    buf_init(&out, 4096);
    opened(stats, NOW_US - INT64_C(4562) * 1000000, NOW_US, 1);
    stats_look(stats, NOW_US, 120, view);
    assert_true(render_stats_head(view, SLICE("0.1.0"), &out));
    assert_true(render_stats_end(&out));
    assert_slice_equal(buf_slice(&out), "214-2.0.0 postern/0.1.0\n"
                                        "214-2.0.0 start-time=Sat, 21 Nov 2026 21:13:58 +0200\n"
                                        "214-2.0.0 age=4562 (00 01:16:02)\n"
                                        "214 2.0.0 end\n");
    buf_drop(&out);
    memory_give(view, sizeof *view);
    stats_free(stats);
}

static void minutes_slide(void **state)
{
    (void)state;
    struct stats *stats = stats_new();
    opened(stats, NOW_US, NOW_US, 1);
    for (int64_t minute = 0; minute < 200; minute++) {
        int64_t now = NOW_US + minute * MINUTE_US;
        assert_columns(stats, now, 0, 1, minute < 30, minute < 60);
    }
    stats_free(stats);
}

/* One event a minute for a day: always sixty of them, and in the hour those since it began. */
static void a_day_goes_by(void **state)
{
    (void)state;
    static const int zones[] = {0, 60, -180, 330, 345, -570, 840};
    struct stats *stats = stats_new();
    for (unsigned minute = 0; minute < 24 * 60; minute++) {
        int64_t now = NOW_US + (int64_t)minute * MINUTE_US + 5;
        opened(stats, now, now, 1);
        for (unsigned i = 0; i < COUNT(zones); i++) {
            int local = 20 * 60 + 30 + (int)minute + zones[i];
            uint64_t hour = (uint64_t)((local % 60 + 60) % 60 + 1), most = (uint64_t)minute + 1;
            assert_columns(stats, now, zones[i], most, hour < most ? hour : most, most < 60 ? most : 60);
        }
    }
    stats_free(stats);
}

/* What is read late counts where it happened, and what is too late, in the total alone. */
static void events_count_where_they_happened(void **state)
{
    (void)state;
    struct stats *stats = stats_new();
    opened(stats, NOW_US - 10 * MINUTE_US, NOW_US, 1);
    opened(stats, NOW_US - 45 * MINUTE_US, NOW_US, 10);
    opened(stats, NOW_US - 61 * MINUTE_US, NOW_US, 100);
    opened(stats, NOW_US - 64 * MINUTE_US, NOW_US, 1000);  /* its minute's place is another's */
    opened(stats, NOW_US + 20 * MINUTE_US, NOW_US, 10000); /* the clock was set */
    opened(stats, NOW_US + MINUTE_US / 2, NOW_US, 100000); /* a moment ahead of us */
    assert_columns(stats, NOW_US, 0, 111111, 100001, 100011);
    stats_free(stats);
}

static void the_hour_begins_anew(void **state)
{
    (void)state;
    struct stats *stats = stats_new();
    opened(stats, NOW_US, NOW_US, 5);
    stats_reset_hour(stats, NOW_US, 0);
    assert_columns(stats, NOW_US, 0, 5, 0, 5);
    opened(stats, NOW_US, NOW_US, 2);
    assert_columns(stats, NOW_US, 0, 7, 2, 7);
    opened(stats, NOW_US + 35 * MINUTE_US, NOW_US + 35 * MINUTE_US, 3);
    assert_columns(stats, NOW_US + 35 * MINUTE_US, 0, 10, 3, 10);
    stats_free(stats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_adds_its_own),
        cmocka_unit_test(times_fall_into_buckets),
        cmocka_unit_test(the_seeds_line),
        cmocka_unit_test(the_head_tells_the_age),
        cmocka_unit_test(minutes_slide),
        cmocka_unit_test(a_day_goes_by),
        cmocka_unit_test(events_count_where_they_happened),
        cmocka_unit_test(the_hour_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
