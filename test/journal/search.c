/* Proves that sessions are found: all that ended, the newest first, over all gates and files, each with all
 * its events; by its id with what the courier did with its messages; and around damage. */
#include "journal/search.h"

#include "base/memory.h"
#include "folder.h"
#include "unit.h"

#include <stdio.h>

#define START_MS INT64_C(1763719631000)
#define GATES    3
#define SESSIONS 3000

static void record(struct journal_writer *writer, const struct event_stamp *stamp, enum event_kind kind,
                   const void *body, struct journal_mark *mark)
{
    struct buf buf;
    buf_init(&buf, EVENT_SIZE_MAX);
    assert_true(event_add(&buf, stamp, kind, body));
    assert_int_equal(journal_writer_add(writer, buf_slice(&buf), mark), 0);
    buf_drop(&buf);
}

#define RECORD(writer, stamp, mark, name, ...)                                                               \
    record(writer, stamp, EVENT_KIND_##name, &(struct event_##name){__VA_ARGS__}, mark)

static uint64_t session_id(unsigned i)
{
    return event_id_make(START_MS + i, i % GATES, i);
}

/* Ten sessions are open at a time; session i ends at START + i s, with its number in `took_ms`. */
struct run {
    struct journal_writer *writers[GATES];
    struct journal_mark marks[10];
};

static void session_begin(struct run *run, unsigned i)
{
    struct journal_mark *mark = &run->marks[i % 10];
    struct event_stamp stamp = {.session = session_id(i), .unix_us = (START_MS + i) * 1000};
    *mark = (struct journal_mark){0};
    RECORD(run->writers[i % GATES], &stamp, mark, session_opened, .sequence = i);
    RECORD(run->writers[i % GATES], &stamp, mark, line_received, .text = SLICE("EHLO x"), .octets = 8);
}

static void session_finish(struct run *run, unsigned i)
{
    struct event_stamp stamp = {.session = session_id(i), .unix_us = (START_MS + i + 9) * 1000};
    struct buf buf;
    buf_init(&buf, EVENT_SIZE_MAX);
    event_add_session_ended(&buf, &stamp, &(struct event_session_ended){.took_ms = i});
    event_add_state_changed(&buf, &stamp, &(struct event_state_changed){.to = 11});
    assert_int_equal(journal_writer_add(run->writers[i % GATES], buf_slice(&buf), &run->marks[i % 10]), 0);
    buf_drop(&buf);
}

static void write_sessions(const struct folder *folder, uint64_t segment_octets)
{
    struct run run = {0};
    for (unsigned gate = 0; gate < GATES; gate++)
        run.writers[gate] = folder_writer(folder, "gate", gate, segment_octets);
    for (unsigned i = 0; i < SESSIONS; i++) {
        if (i >= 10)
            session_finish(&run, i - 10);
        session_begin(&run, i);
        if (i % 100 == 0)
            for (unsigned gate = 0; gate < GATES; gate++)
                assert_true(journal_writer_flush(run.writers[gate], 10000));
    }
    for (unsigned i = SESSIONS - 10; i < SESSIONS; i++)
        session_finish(&run, i);
    for (unsigned gate = 0; gate < GATES; gate++)
        journal_writer_close(run.writers[gate]);
}

static void assert_all_found(const struct folder *folder)
{
    struct search *search;
    struct event ended;
    unsigned wanted = SESSIONS;
    assert_int_equal(search_open(folder->path, &search, NULL), 0);
    while (search_next(search, &ended)) {
        assert_true(wanted > 0);
        wanted--;
        assert_int_equal(ended.body.session_ended.took_ms, wanted);
        assert_int_equal(ended.stamp.session, session_id(wanted));
        struct history history;
        history_init(&history, ended.stamp.session);
        search_history(search, &history);
        assert_int_equal(history.count, 4);
        assert_true(history.opened && history.ended);
        assert_int_equal(history.events[0].body.session_opened.sequence, wanted);
        assert_slice_equal(history.events[1].body.line_received.text, "EHLO x");
        assert_int_equal(history.events[3].kind, EVENT_KIND_state_changed);
        history_drop(&history);
    }
    assert_int_equal(wanted, 0);
    search_close(search);
}

static void newest_come_first(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    write_sessions(&folder, 64 << 20);
    assert_all_found(&folder);
    folder_remove(&folder);
}

static void across_many_files(void **state)
{
    (void)state;
    struct folder folder;
    struct folder_files files;
    folder_make(&folder);
    write_sessions(&folder, 8192);
    folder_files(&folder, &files);
    assert_true(files.count > 60);
    assert_all_found(&folder);
    folder_remove(&folder);
}

static void every_id_is_found(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    write_sessions(&folder, 100000);
    for (unsigned i = 0; i < SESSIONS; i += 7) {
        struct history history;
        history_init(&history, session_id(i));
        assert_int_equal(history_load(&history, folder.path, NULL), 0);
        assert_int_equal(history.count, 4);
        assert_int_equal(history.events[0].body.session_opened.sequence, i);
        history_drop(&history);
    }
    struct history history;
    history_init(&history, event_id_make(START_MS + 5, 1, 4711));
    assert_int_equal(history_load(&history, folder.path, NULL), 0);
    assert_int_equal(history.count, 0);
    history_drop(&history);
    folder_remove(&folder);
}

/* Spoilt octets hide what shares a block with them, not more. */
static void damage_hides_little(void **state)
{
    (void)state;
    struct folder folder;
    struct folder_files files;
    folder_make(&folder);
    write_sessions(&folder, 64 << 20);
    folder_files(&folder, &files);
    assert_int_equal(files.count, GATES);
    struct slice whole = file_take(files.paths[1]);
    for (size_t at = 1000; at < whole.len; at += whole.len / 23) {
        char *octet = (char *)(uintptr_t)whole.at + at;
        *octet = (char)~*octet;
        file_put(files.paths[1], whole);
        *octet = (char)~*octet;
        struct search *search;
        struct event ended;
        uint64_t before = UINT64_MAX, found = 0;
        assert_int_equal(search_open(folder.path, &search, NULL), 0);
        for (; search_next(search, &ended); found++) {
            assert_true(ended.body.session_ended.took_ms < before);
            before = ended.body.session_ended.took_ms;
        }
        assert_true(found >= SESSIONS - SESSIONS / GATES);
        assert_true(found < SESSIONS || at + 200 > whole.len);
        search_close(search);
    }
    file_give(whole);
    folder_remove(&folder);
}

static void messages_come_with_their_session(void **state)
{
    (void)state;
    struct folder folder;
    struct history history;
    char id[EVENT_ID_SIZE], queue_id[32], other[32];
    folder_make(&folder);
    uint64_t session = event_id_make(START_MS, 0, 750);
    event_id_print(session, id);
    snprintf(queue_id, sizeof queue_id, "%s.1", id);
    snprintf(other, sizeof other, "%s.1", "6ckx2v80q0005");
    struct journal_writer *gate = folder_writer(&folder, "gate", 0, 1 << 20);
    struct journal_writer *courier = folder_writer(&folder, "courier", 0, 4096);
    struct event_stamp stamp = {.session = session, .unix_us = START_MS * 1000};
    RECORD(gate, &stamp, NULL, session_opened, .sequence = 1);
    RECORD(gate, &stamp, NULL, message_stored, .transaction = 1, .queue_id = slice_text(queue_id));
    /* The courier is quicker than the gate's goodbye. */
    struct event_stamp later = {.unix_us = START_MS * 1000 + 5};
    for (unsigned i = 0; i < 100; i++)
        RECORD(courier, &later, NULL, delivered, .queue_id = slice_text(other));
    RECORD(courier, &later, NULL, message_queued, .queue_id = slice_text(queue_id));
    stamp.unix_us += 10;
    RECORD(gate, &stamp, NULL, session_ended, .accepted = 1);
    later.unix_us += INT64_C(86400000000);
    RECORD(courier, &later, NULL, delivered, .queue_id = slice_text(queue_id), .target = SLICE("joepublic"));
    RECORD(courier, &later, NULL, message_removed, .queue_id = slice_text(queue_id));
    journal_writer_close(gate);
    journal_writer_close(courier);
    history_init(&history, session);
    assert_int_equal(history_load(&history, folder.path, NULL), 0);
    const enum event_kind wanted[] = {EVENT_KIND_session_opened, EVENT_KIND_message_stored,
                                      EVENT_KIND_message_queued, EVENT_KIND_session_ended,
                                      EVENT_KIND_delivered,      EVENT_KIND_message_removed};
    assert_int_equal(history.count, COUNT(wanted));
    for (size_t i = 0; i < COUNT(wanted); i++)
        assert_int_equal(history.events[i].kind, wanted[i]);
    assert_slice_equal(history.events[4].body.delivered.target, "joepublic");
    history_drop(&history);
    folder_remove(&folder);
}

static void an_empty_folder_holds_nothing(void **state)
{
    (void)state;
    struct folder folder;
    struct search *search;
    struct event ended;
    struct error error = {0};
    folder_make(&folder);
    assert_int_equal(search_open(folder.path, &search, NULL), 0);
    assert_false(search_next(search, &ended));
    search_close(search);
    folder_remove(&folder);
    assert_int_equal(search_open(folder.path, &search, &error), -1);
    assert_non_null(strstr(error.text, "No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newest_come_first),
        cmocka_unit_test(across_many_files),
        cmocka_unit_test(every_id_is_found),
        cmocka_unit_test(damage_hides_little),
        cmocka_unit_test(messages_come_with_their_session),
        cmocka_unit_test(an_empty_folder_holds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
