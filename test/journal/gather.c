/* Proves that sessions are gathered whole and once: over several files and gates, and that those that have no
 * end, no begin, or a hole are counted and never given out. */
#include "base/memory.h"
#include "folder.h"
#include "journal/gather.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define START_US INT64_C(1763719631000000)

struct gate {
    struct journal_writer *writer;
    int64_t unix_us;
};

static uint64_t id_of(unsigned number)
{
    return event_id_make(START_US / 1000 + number, 0, number);
}

static void add(struct gate *gate, unsigned session, struct journal_mark *mark, enum event_kind kind)
{
    struct event_stamp stamp = {.session = session ? id_of(session) : 0, .unix_us = gate->unix_us += 1000};
    struct buf buf;
    union event_body body;
    memset(&body, 0, sizeof body);
    buf_init(&buf, EVENT_SIZE_MAX);
    assert_true(event_add(&buf, &stamp, kind, &body));
    assert_int_equal(journal_writer_add(gate->writer, buf_slice(&buf), mark), 0);
    buf_drop(&buf);
}

static void session_begin(struct gate *gate, unsigned session, struct journal_mark *mark)
{
    *mark = (struct journal_mark){0};
    add(gate, session, mark, EVENT_KIND_session_opened);
}

static void session_whole(struct gate *gate, unsigned session)
{
    struct journal_mark mark;
    session_begin(gate, session, &mark);
    add(gate, session, &mark, EVENT_KIND_line_received);
    add(gate, session, &mark, EVENT_KIND_session_ended);
}

static struct gate gate_open(const struct folder *folder, unsigned number, uint64_t segment_octets)
{
    return (struct gate){folder_writer(folder, "gate", number, segment_octets), START_US};
}

static void gate_close(struct gate *gate)
{
    assert_true(journal_writer_flush(gate->writer, 10000));
    journal_writer_close(gate->writer);
}

static struct gather_counts gather_all(const struct folder *folder, int64_t since_us, unsigned *ret_records)
{
    struct gather_settings settings = {.folder = folder->path, .since_us = since_us, .until_us = INT64_MAX};
    struct gather *gather = NULL;
    struct gathered gathered;
    struct gather_counts counts;
    struct event event;
    size_t size;
    *ret_records = 0;
    assert_int_equal(gather_open(&settings, &gather, NULL), 0);
    while (gather_next(gather, &gathered)) {
        struct slice records = gathered.records;
        bool first = true;
        assert_slice_equal(slice_text(gathered.header->configuration), "00ff");
        for (; event_read(records, &event, &size) == EVENT_DONE; records = slice_from(records, size)) {
            assert_int_equal(event.stamp.session, gathered.session);
            assert_true(!first || event.kind == EVENT_KIND_session_opened);
            first = false;
            ++*ret_records;
        }
        assert_int_equal(records.len, 0);
        assert_int_equal(event.kind, EVENT_KIND_session_ended);
    }
    gather_counts(gather, &counts);
    gather_close(gather);
    return counts;
}

static void sessions_are_whole_over_files_and_gates(void **state)
{
    (void)state;
    struct folder folder;
    struct journal_mark marks[40];
    unsigned records;
    size_t memory = memory_in_use();
    folder_make(&folder);
    struct gate a = gate_open(&folder, 0, 4096), b = gate_open(&folder, 1, 4096);
    for (unsigned i = 1; i < 40; i++)
        session_begin(i % 2 ? &a : &b, i, &marks[i]);
    for (unsigned round = 0; round < 10; round++)
        for (unsigned i = 1; i < 40; i++)
            add(i % 2 ? &a : &b, i, &marks[i], EVENT_KIND_line_received);
    for (unsigned i = 39; i; i--)
        add(i % 2 ? &a : &b, i, &marks[i], EVENT_KIND_session_ended);
    gate_close(&a);
    gate_close(&b);
    struct gather_counts counts = gather_all(&folder, INT64_MIN, &records);
    assert_int_equal(counts.sessions, 39);
    assert_int_equal(records, 39 * 12);
    assert_int_equal(counts.open + counts.headless + counts.lost + counts.damaged + counts.unreadable, 0);
    assert_int_equal(counts.done, counts.total);
    assert_int_equal(memory_in_use(), memory);
    folder_remove(&folder);
}

static void what_has_no_end_or_no_begin_is_counted(void **state)
{
    (void)state;
    struct folder folder;
    struct journal_mark mark;
    unsigned records;
    folder_make(&folder);
    struct gate gate = gate_open(&folder, 0, 1 << 20);
    session_whole(&gate, 1);
    session_begin(&gate, 2, &mark);
    mark = (struct journal_mark){0};
    add(&gate, 3, &mark, EVENT_KIND_session_ended);
    gate_close(&gate);
    struct gather_counts counts = gather_all(&folder, INT64_MIN, &records);
    assert_int_equal(counts.sessions, 1);
    assert_int_equal(counts.open, 1);
    assert_int_equal(counts.headless, 1);
    folder_remove(&folder);
}

/* A gate that crashed leaves sessions open; the next one begins with its own process-started. */
static void a_gate_that_begins_anew_ends_what_was_open(void **state)
{
    (void)state;
    struct folder folder;
    struct journal_mark mark;
    unsigned records;
    folder_make(&folder);
    struct gate gate = gate_open(&folder, 0, 1 << 20);
    session_begin(&gate, 1, &mark);
    gate_close(&gate);
    gate = gate_open(&folder, 0, 1 << 20);
    add(&gate, 0, NULL, EVENT_KIND_process_started);
    session_whole(&gate, 2);
    gate_close(&gate);
    struct gather_counts counts = gather_all(&folder, INT64_MIN, &records);
    assert_int_equal(counts.sessions, 1);
    assert_int_equal(counts.open, 1);
    folder_remove(&folder);
}

static void lost_records_make_sessions_incomplete(void **state)
{
    (void)state;
    struct folder folder;
    struct journal_mark mark;
    unsigned records;
    folder_make(&folder);
    struct gate gate = gate_open(&folder, 0, 1 << 20);
    session_begin(&gate, 1, &mark);
    add(&gate, 0, NULL, EVENT_KIND_events_lost);
    add(&gate, 1, &mark, EVENT_KIND_session_ended);
    session_whole(&gate, 2);
    gate_close(&gate);
    struct gather_counts counts = gather_all(&folder, INT64_MIN, &records);
    assert_int_equal(counts.sessions, 1);
    assert_int_equal(counts.lost, 1);
    folder_remove(&folder);
}

/* Octets in the middle of a file are overwritten: the sessions there are incomplete, those behind the next
 * milestone are whole. */
static void damage_is_passed_over(void **state)
{
    (void)state;
    struct folder folder;
    struct folder_files files;
    unsigned records;
    folder_make(&folder);
    struct gate gate = gate_open(&folder, 0, 8 << 20);
    for (unsigned i = 1; i <= 3000; i++)
        session_whole(&gate, i);
    gate_close(&gate);
    folder_files(&folder, &files);
    assert_int_equal(files.count, 1);
    int fd = open(files.paths[0], O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "damage damage damage damage damage damage", 41, 100000), 41);
    close(fd);
    struct gather_counts counts = gather_all(&folder, INT64_MIN, &records);
    assert_true(counts.sessions > 2000 && counts.sessions < 3000);
    assert_true(counts.damaged > 0);
    assert_int_equal(records, counts.sessions * 3);
    folder_remove(&folder);
}

/* The end of a file is cut at every octet: what is whole before it is given out, and nothing else. */
static void a_torn_end_gives_what_is_whole(void **state)
{
    (void)state;
    struct folder folder;
    struct folder_files files;
    struct stat stat_now;
    unsigned records;
    folder_make(&folder);
    struct gate gate = gate_open(&folder, 0, 1 << 20);
    session_whole(&gate, 1);
    session_whole(&gate, 2);
    gate_close(&gate);
    folder_files(&folder, &files);
    assert_int_equal(stat(files.paths[0], &stat_now), 0);
    for (off_t size = stat_now.st_size - 1; size > stat_now.st_size - 120; size--) {
        assert_int_equal(truncate(files.paths[0], size), 0);
        struct gather_counts counts = gather_all(&folder, INT64_MIN, &records);
        assert_int_equal(counts.sessions, 1);
        assert_int_equal(records, 3);
    }
    folder_remove(&folder);
}

static void since_leaves_out_what_began_before(void **state)
{
    (void)state;
    struct folder folder;
    unsigned records;
    folder_make(&folder);
    struct gate gate = gate_open(&folder, 0, 1 << 20);
    session_whole(&gate, 1);
    gate.unix_us += INT64_C(3600000000);
    int64_t since_us = gate.unix_us;
    struct journal_mark mark = {0};
    add(&gate, 4000000, &mark, EVENT_KIND_session_opened);
    add(&gate, 4000000, &mark, EVENT_KIND_session_ended);
    gate_close(&gate);
    struct gather_counts counts = gather_all(&folder, since_us, &records);
    assert_int_equal(counts.sessions, 1);
    assert_int_equal(records, 2);
    assert_int_equal(counts.headless, 0);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_are_whole_over_files_and_gates),
        cmocka_unit_test(what_has_no_end_or_no_begin_is_counted),
        cmocka_unit_test(a_gate_that_begins_anew_ends_what_was_open),
        cmocka_unit_test(lost_records_make_sessions_incomplete),
        cmocka_unit_test(damage_is_passed_over),
        cmocka_unit_test(a_torn_end_gives_what_is_whole),
        cmocka_unit_test(since_leaves_out_what_began_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
