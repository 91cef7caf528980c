/* Proves the log view: the session of seed 001, told in events, reads as that server logged it; every kind of
 * event has its lines; levels leave out what they should; what a peer sent cannot end a line; and the secrets
 * of AUTH never come as far as the journal. */
#include "journal/render_log.h"

#include "base/calendar.h"
#include "base/memory.h"

#include "core/machine.h"
#include "folder.h"
#include "seed.h"
#include "journal/render_json.h"
#include "journal/words.h"
#include "unit.h"

#include <stdio.h>

static const char *golden_folder;

static void render(struct slice records, const struct render_log_settings *settings, struct buf *out)
{
    struct render_log log;
    struct event event;
    render_log_init(&log, settings);
    for (size_t size; records.len; records = slice_from(records, size)) {
        assert_int_equal(event_read(records, &event, &size), EVENT_DONE);
        render_log_event(&log, &event, out);
    }
    render_log_end(&log, out);
    render_log_done(&log);
}

static void seed_reads_as_the_golden_file(void **state)
{
    (void)state;
    struct seed seed;
    struct buf out;
    char path[1024];
    seed_tell(&seed);
    buf_init(&out, 1 << 20);
    render(buf_slice(&seed.records), &(struct render_log_settings){.level = 5}, &out);
    snprintf(path, sizeof path, "%s/seed-001.log", golden_folder);
    struct slice golden = file_take(path);
    if (!slice_equal(buf_slice(&out), golden)) {
        file_put("seed-001.log.now", buf_slice(&out));
        fail_msg("the view is not as in %s: see seed-001.log.now", path);
    }
    file_give(golden);
    buf_drop(&out);
    buf_drop(&seed.records);
}

/* Lines of the seed, letter by letter, in its order. What is missing of it here has no event: its resolver
 * and stream objects, its double states, and the numbers of its annotator; and its line and sequence, 750 and
 * 554, are one number here. */
static const char *const seed_lines[] = {
    "02:35:56 5 SMTP-750() Stream Created\n",
    "02:35:56 4 SMTP Line 750 created for answering\n",
    "02:35:56 4 SMTP-750() Got connection from [36.37.0.13:39891]\n",
    "02:35:56 4 SMTP(tcp) Connection accepted from [36.37.0.13:39891], seq=750, 9/10\n",
    "02:35:56 4 SMTP-750([36.37.0.13]) Sending 220-Stalker Internet Mail Server V.1.8b3 is ready.\\r\\n",
    "02:35:56 5 SMTP-750([36.37.0.13]) *Status=22\n",
    "02:36:51 5 SMTP-750([36.37.0.13]) Received 26 bytes\n",
    "02:36:51 4 SMTP-750([36.37.0.13]) Input Line: HELO Made-Up-Name-desk98\\r\n",
    "02:36:51 5 SMTP-750([36.37.0.13]) *Status=21\n",
    "02:36:51 4 SMTP-750(Made-Up-Name-desk98) Looking for Made-Up-Name-desk98\n",
    "02:36:52 3 SMTP-750(Made-Up-Name-desk98) Failed to verify. Real address is [36.37.0.13:39891]\n",
    "02:36:52 4 SMTP-750(Made-Up-Name-desk98) Sending 250 209.31.44.214 cannot verify "
    "Made-Up-Name-desk98\\r\\n\n",
    "02:36:52 5 SMTP-750(Made-Up-Name-desk98) OT 53 of 53 bytes sent, Flags=0\n",
    "02:36:52 5 SMTP-750([36.37.0.13]) *Status=22\n",
    "02:37:45 5 SMTP-750([36.37.0.13]) Received 50 bytes\n",
    "02:37:45 4 SMTP-750([36.37.0.13]) Input Line: MAIL FROM:<Made-Up-Name-emailplus@321media.com> \\r\n",
    "02:37:45 4 SMTP-750([36.37.0.13]) Sending 250 <Made-Up-Name-emailplus@321media.com> sender "
    "accepted\\r\\n\n",
    "02:37:45 5 SMTP-750([36.37.0.13]) *Status=23\n",
    "02:37:56 5 SMTP-750([36.37.0.13]) Received 36 bytes\n",
    "02:37:56 4 SMTP-750([36.37.0.13]) Input Line: RCPT TO: <recipes@hypertouch.com> \\r\n",
    "02:37:56 4 SMTP-750([36.37.0.13]) Sending 250 <recipes@hypertouch.com> recipient accepted\\r\\n\n",
    "02:38:07 5 SMTP-750([36.37.0.13]) Received 6 bytes\n",
    "02:38:07 4 SMTP-750([36.37.0.13]) Input Line: DATA\\r\n",
    "02:38:07 4 SMTP-750([36.37.0.13]) Sending 354 Enter mail, end with \".\" on a line by itself\\r\\n\n",
    "02:38:07 5 SMTP-750([36.37.0.13]) OT 50 of 50 bytes sent, Flags=0\n",
    "02:38:07 5 SMTP-750([36.37.0.13]) *Status=27\n",
    "02:38:24 5 SMTP-750([36.37.0.13]) Received 53 bytes\n",
    "02:38:24 5 SMTP-750([36.37.0.13]) Received 914 bytes\n",
    "02:38:26 5 SMTP-750([36.37.0.13]) Received 35 bytes\n",
    "02:38:28 5 SMTP-750([36.37.0.13]) Received 3 bytes\n",
    "02:38:28 5 SMTP-750([36.37.0.13]) Writing 1285 byte at 0\n",
    "02:38:28 5 SMTP-750([36.37.0.13]) *Status=28\n",
    "02:38:28 2 SMTP-750([36.37.0.13]) {S.0000014938} received, 1285 bytes\n",
    "02:38:28 4 SMTP-750([36.37.0.13]) Sending 250 S.0000014938 message accepted for delivery\\r\\n\n",
    "02:38:28 5 SMTP-750([36.37.0.13]) OT 48 of 48 bytes sent, Flags=0\n",
    "02:38:28 2 SYSTEM [S.0000014938] <419.436278.39703056-Made-Up-Number-emailplus@321media.com> 0+1 "
    "From:Made-Up-Name-emailplus@321media.com\n",
    "[S.0000014938] delivered to (joepublic)\n",
    "02:38:28 2 SYSTEM [S.0000014938] deleted\n",
    "02:38:38 4 SMTP-750([36.37.0.13]) Input Line: quit\\r\n",
    "02:38:38 5 SMTP-750([36.37.0.13]) *Status=29\n",
    "02:38:38 4 SMTP-750([36.37.0.13]) Sending 221 209.31.44.214 closing connection\\r\\n\n",
    "02:38:38 5 SMTP-750([36.37.0.13]) OT 38 of 38 bytes sent, Flags=0\n",
    "02:38:38 4 SMTP-750([36.37.0.13]) Closing\n",
    "02:38:38 4 SMTP-750([36.37.0.13]) Input Stream ended\n",
    "02:38:38 5 SMTP-750([36.37.0.13]) *Status=2\n",
    "02:38:38 4 SMTP disposing line 750\n",
    "02:38:38 5 SMTP-750([36.37.0.13]) Stream Disposed\n",
};

static void seed_lines_stand_in_order(void **state)
{
    (void)state;
    struct seed seed;
    struct buf out;
    seed_tell(&seed);
    buf_init(&out, 1 << 20);
    render(buf_slice(&seed.records), &(struct render_log_settings){.level = 5}, &out);
    struct slice rest = buf_slice(&out);
    for (size_t i = 0; i < COUNT(seed_lines); i++) {
        size_t found = slice_find_slice(rest, slice_text(seed_lines[i]));
        if (found == SLICE_NOT_FOUND)
            fail_msg("not in its place: %s", seed_lines[i]);
        rest = slice_from(rest, found + strlen(seed_lines[i]));
    }
    buf_drop(&out);
    buf_drop(&seed.records);
}

/* --- levels, colours, escapes -------------------------------------------------------------------------- */

static void levels_leave_out_what_is_above(void **state)
{
    (void)state;
    struct seed seed;
    struct buf out;
    size_t before = 0;
    seed_tell(&seed);
    buf_init(&out, 1 << 20);
    for (int level = 0; level <= 5; level++) {
        buf_clear(&out);
        render(buf_slice(&seed.records), &(struct render_log_settings){.level = level}, &out);
        struct slice rest = buf_slice(&out), line;
        size_t lines = 0;
        while (slice_cut(&rest, '\n', &line)) {
            assert_true(line.at[9] >= '1' && line.at[9] <= '0' + level);
            lines++;
        }
        assert_true(lines >= before);
        before = lines;
    }
    assert_int_equal(before, 64);
    buf_drop(&out);
    buf_drop(&seed.records);
}

static void colours_are_for_terminals(void **state)
{
    (void)state;
    struct seed seed;
    struct buf out;
    seed_tell(&seed);
    buf_init(&out, 1 << 20);
    render(buf_slice(&seed.records), &(struct render_log_settings){.level = 4}, &out);
    assert_int_equal(slice_find(buf_slice(&out), '\033'), SLICE_NOT_FOUND);
    buf_clear(&out);
    render(buf_slice(&seed.records), &(struct render_log_settings){.level = 4, .colour = true}, &out);
    assert_int_not_equal(
        slice_find_slice(buf_slice(&out), SLICE("\033[1;31m02:36:51 4 SMTP-750([36.37.0.13]) Input "
                                                "Line: HELO")),
        SLICE_NOT_FOUND);
    assert_int_not_equal(
        slice_find_slice(buf_slice(&out), SLICE("\033[4;34m02:38:38 4 SMTP-750([36.37.0.13]) "
                                                "Sending 221")),
        SLICE_NOT_FOUND);
    buf_drop(&out);
    buf_drop(&seed.records);
}

static int half_past_five(int64_t unix_seconds)
{
    assert_int_equal(unix_seconds, 1784860556);
    return 330;
}

static void zone_minutes_count(void **state)
{
    (void)state;
    struct seed seed;
    struct buf out;
    seed_tell(&seed);
    buf_init(&out, 1 << 20);
    struct event event;
    size_t size;
    struct render_log log;
    render_log_init(&log, &(struct render_log_settings){.level = 4, .zone_minutes = half_past_five});
    event_read(buf_slice(&seed.records), &event, &size);
    render_log_event(&log, &event, &out);
    assert_true(slice_starts(buf_slice(&out), SLICE("08:05:56 4 SMTP Line 750")));
    render_log_done(&log);
    buf_drop(&out);
    buf_drop(&seed.records);
}

/* --- every kind ---------------------------------------------------------------------------------------- */

#define NASTY "a\r\nb\033[2J\x01\x9b"

/* An event of a kind with every text nasty and every number 1. */
static void fill(struct event *event, enum event_kind kind)
{
    memset(event, 0, sizeof *event);
    event->kind = kind;
    event->info = event_info(kind);
    event->stamp = (struct event_stamp){.session = event_id_make(INT64_C(1784860556000), 2, 3), .unix_us = 1};
    for (size_t i = 0; i < event->info->field_count; i++) {
        const struct event_field *field = &event->info->fields[i];
        void *value = (char *)&event->body + field->offset;
        switch (field->type) {
        case EVENT_TYPE_NUMBER: *(uint64_t *)value = 1; break;
        case EVENT_TYPE_TEXT: *(struct slice *)value = SLICE(NASTY); break;
        case EVENT_TYPE_ADDRESS:
            *(struct address *)value = (struct address){.family = ADDRESS_IPV6,
                                                        .octets = {0x20, 1, 0xd, 0xb8}};
            break;
        }
    }
}

static void every_kind_has_lines(void **state)
{
    (void)state;
    struct buf out;
    unsigned kinds = 0;
    buf_init(&out, 1 << 20);
    for (unsigned kind = 1; kind < EVENT_KIND_LIMIT; kind++) {
        if (!event_info(kind))
            continue;
        struct event event;
        struct render_log log;
        fill(&event, kind);
        render_log_init(&log, &(struct render_log_settings){.level = 5});
        buf_clear(&out);
        render_log_event(&log, &event, &out);
        struct slice rest = buf_slice(&out), line;
        assert_true(rest.len > 0);
        /* Nothing but whole, harmless lines, and none that calls the kind unknown. */
        assert_int_equal(rest.at[rest.len - 1], '\n');
        assert_int_equal(slice_find_slice(rest, SLICE("newer program")), SLICE_NOT_FOUND);
        bool at_its_level = false;
        while (slice_cut(&rest, '\n', &line)) {
            assert_true(line.len > 20 && line.at[2] == ':');
            if (!slice_is_printable(line))
                fail_msg("%s: %.*s", event.info->word, SLICE_ARGS(line));
            at_its_level = at_its_level || line.at[9] - '0' <= event.info->level;
        }
        if (!at_its_level)
            fail_msg("%s has no line at its level", event.info->word);
        render_log_done(&log);
        kinds++;
    }
    assert_true(kinds >= 36);
    buf_drop(&out);
}

static void unknown_kinds_are_named(void **state)
{
    (void)state;
    struct event event = {.kind = 99};
    struct render_log log;
    struct buf out;
    buf_init(&out, 1000);
    render_log_init(&log, &(struct render_log_settings){.level = 5});
    render_log_event(&log, &event, &out);
    assert_slice_equal(buf_slice(&out), "00:00:00 5 SYSTEM Event 99 of a newer program\n");
    buf_clear(&out);
    assert_true(render_json(&event, &out));
    assert_slice_equal(buf_slice(&out),
                       "{\"time\":\"1970-01-01T00:00:00.000Z\",\"event\":\"unknown\",\"number\":99}\n");
    render_log_done(&log);
    buf_drop(&out);
}

static void json_has_every_field(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1 << 20);
    for (unsigned kind = 1; kind < EVENT_KIND_LIMIT; kind++) {
        if (!event_info(kind))
            continue;
        struct event event;
        char key[80];
        fill(&event, kind);
        buf_clear(&out);
        assert_true(render_json(&event, &out));
        assert_true(
            slice_starts(buf_slice(&out), SLICE("{\"time\":\"1970-01-01T00:00:00.000Z\",\"event\":\"")));
        assert_int_equal(slice_find(buf_slice(&out), '\n'), out.len - 1);
        for (size_t i = 0; i < event.info->field_count; i++) {
            snprintf(key, sizeof key, ",\"%s\":", event.info->fields[i].name);
            if (slice_find_slice(buf_slice(&out), slice_text(key)) == SLICE_NOT_FOUND)
                fail_msg("%s lacks %s", event.info->word, key);
        }
    }
    buf_drop(&out);
}

static void words_are_those_of_core(void **state)
{
    (void)state;
    for (unsigned stage = 0; stage < STAGE_COUNT; stage++)
        assert_string_equal(journal_stage_word(stage), stage_word(stage));
    assert_string_equal(journal_stage_word(STAGE_COUNT), "?");
    for (unsigned now = 0; now < STATE_COUNT; now++) {
        struct session session = {.state = (uint8_t)now};
        assert_string_equal(journal_state_word(now), session_state_word(&session));
    }
    assert_string_equal(journal_state_word(STATE_COUNT), "?");
    assert_string_equal(journal_verdict_word(ACTION_NONE), "pass");
    for (unsigned action = ACTION_DEFER; action <= ACTION_TRAP; action++)
        assert_string_equal(journal_verdict_word(action), action_word(action));
    assert_string_equal(journal_verdict_word(ACTION_TRAP + 1), "?");
    assert_string_equal(journal_ending_word(END_QUIT), "quit");
    assert_string_equal(journal_ending_word(END_CLIENT_CLOSED), "client-closed");
    assert_string_equal(journal_ending_word(END_BY_US), "closed-by-us");
    assert_string_equal(journal_ending_word(END_TIMEOUT), "timeout");
    assert_string_equal(journal_ending_word(END_STOPPED), "stopped");
    assert_string_equal(journal_ending_word(END_KILLED), "killed");
    assert_string_equal(journal_ending_word(END_KILLED + 1), "?");
    assert_string_equal(journal_question_word(ASK_RECIPIENT), "recipient");
    assert_string_equal(journal_answer_word(ANSWER_TIMEOUT), "timeout");
    assert_string_equal(journal_finding_word(FIND_RELAY_DENIED), "relay-denied");
    assert_string_equal(journal_finding_word(255), "?");
}

/* --- secrets ------------------------------------------------------------------------------------------- */

static void auth_secrets_never_come_here(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "AUTH PLAIN AGpvZQBzM2NyZXQtczNjcmV0\r\n",
        "auth  login czNjcmV0LXMzY3JldA==\r\n",
        "\tAUTH\tCRAM-MD5 \tczNjcmV0LXMzY3JldA==\r\n",
        "AUTH s3cret-s3cret-s3cret-s3cret-s3cret-s3cret czNjcmV0LXMzY3JldA==\r\n",
    };
    struct site *site = site_new();
    site->set.banner_delay = 0;
    struct session_world world = {.site = site};
    struct outbox outbox;
    struct buf out;
    void *memory = memory_take(session_size());
    struct session *session = session_init(memory, &world, 1, SLICE_NONE);
    outbox_init(&outbox);
    buf_init(&out, 1 << 20);
    session_step(session, &(struct input){.kind = INPUT_OPENED, .now_ms = 1}, &outbox);
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct input input = {.kind = INPUT_BYTES, .now_ms = 2 + i, .bytes = slice_text(lines[i])};
        assert_int_equal(session_step(session, &input, &outbox), strlen(lines[i]));
    }
    render(buf_slice(&outbox.events), &(struct render_log_settings){.level = 5}, &out);
    assert_int_not_equal(slice_find_slice(buf_slice(&out), SLICE("AUTH PLAIN ****")), SLICE_NOT_FOUND);
    assert_int_equal(slice_find_slice(buf_slice(&outbox.events), SLICE("AGpvZQ")), SLICE_NOT_FOUND);
    assert_int_equal(slice_find_slice(buf_slice(&outbox.events), SLICE("czNjcmV0")), SLICE_NOT_FOUND);
    session_done(session);
    memory_give(memory, session_size());
    outbox_done(&outbox);
    site_free(site);
    buf_drop(&out);
}

int main(int argc, char **argv)
{
    golden_folder = argc > 1 ? argv[1] : "golden";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seed_reads_as_the_golden_file),
        cmocka_unit_test(seed_lines_stand_in_order),
        cmocka_unit_test(levels_leave_out_what_is_above),
        cmocka_unit_test(colours_are_for_terminals),
        cmocka_unit_test(zone_minutes_count),
        cmocka_unit_test(every_kind_has_lines),
        cmocka_unit_test(unknown_kinds_are_named),
        cmocka_unit_test(json_has_every_field),
        cmocka_unit_test(words_are_those_of_core),
        cmocka_unit_test(auth_secrets_never_come_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
