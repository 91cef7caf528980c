/* Proves that what a writer was given is in its files: all of it, in order, chained, in files of the size
 * that was asked for; that nothing is left behind a torn end; and that what found no room is counted and
 * told. */
#include "base/memory.h"
#include "base/random.h"
#include "folder.h"
#include "journal/reader.h"
#include "journal/segment.h"
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_US INT64_C(1763719631000000)

static struct journal_reader *reader_of(const struct folder *folder)
{
    struct journal_reader_settings settings = {.folder = folder->path};
    struct journal_reader *reader = NULL;
    assert_int_equal(journal_reader_open(&settings, &reader, NULL), 0);
    return reader;
}

/* Reads everything; evidence is a number which counts up from 0. Returns how many there were. */
static uint64_t count_up(struct journal_reader *reader, uint64_t *ret_lost)
{
    struct journal_item item;
    uint64_t wanted = 0, lost = 0;
    while (journal_reader_next(reader, &item)) {
        char text[24];
        if (item.event.kind == EVENT_KIND_events_lost)
            lost += item.event.body.events_lost.count;
        if (item.event.kind != EVENT_KIND_finding)
            continue;
        snprintf(text, sizeof text, "%llu", (unsigned long long)wanted++);
        struct slice evidence = slice_head(item.event.body.finding.evidence, strlen(text));
        assert_true(slice_equal(evidence, slice_text(text)));
    }
    if (ret_lost)
        *ret_lost = lost;
    return wanted;
}

static void all_comes_back_in_order(void **state)
{
    (void)state;
    struct folder folder;
    struct random random = {1};
    char text[3000];
    folder_make(&folder);
    struct journal_writer *writer = folder_writer(&folder, "gate", 0, 1 << 20);
    struct journal_mark mark = {0};
    for (unsigned i = 0; i < 5000; i++) {
        memset(text, 'x', sizeof text);
        text[snprintf(text, 24, "%u", i)] = ' ';
        size_t len = 24 + (size_t)random_below(&random, sizeof text - 24);
        assert_int_equal(folder_add(writer, 7, START_US + i, slice_of(text, len), &mark), 0);
        if (i % 100 == 0)
            assert_true(journal_writer_flush(writer, 10000));
    }
    assert_true(journal_writer_flush(writer, 10000));
    struct journal_reader *reader = reader_of(&folder);
    assert_int_equal(count_up(reader, NULL), 5000);
    struct journal_reader_counts counts;
    journal_reader_counts(reader, &counts);
    assert_int_equal(counts.damaged, 0);
    assert_int_equal(counts.missing, 0);
    assert_int_equal(counts.behind, 0);
    journal_reader_close(reader);
    journal_writer_close(writer);

    struct folder_files files;
    folder_files(&folder, &files);
    assert_true(files.count > 5);
    for (size_t i = 0; i < files.count; i++) {
        struct stat stat_of;
        assert_int_equal(stat(files.paths[i], &stat_of), 0);
        assert_true(stat_of.st_size <= 1 << 20);
    }
    folder_remove(&folder);
}

/* Follows a chain back from the mark; returns how many records it has in this file. */
static unsigned chain_length(struct segment_file *file, struct journal_mark mark, uint64_t session)
{
    struct event event;
    size_t size;
    for (unsigned length = 1;; length++) {
        assert_int_equal(segment_file_read(file, mark.offset, &event, &size), SEGMENT_RECORD);
        assert_int_equal(event.stamp.session, session);
        if (!event.stamp.previous)
            return length;
        mark.offset -= event.stamp.previous;
    }
}

static void sessions_are_chained(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    struct journal_writer *writer = folder_writer(&folder, "gate", 3, 1 << 20);
    struct journal_mark marks[7] = {0};
    for (unsigned i = 0; i < 700; i++)
        folder_add(writer, i % 7 + 1, START_US + i, SLICE("something"), &marks[i % 7]);
    folder_add(writer, 0, START_US, SLICE("no session's"), NULL);
    assert_true(journal_writer_flush(writer, 10000));
    struct segment_listing listing;
    struct segment_file file;
    assert_int_equal(segment_list(folder.path, &listing, NULL), 0);
    assert_int_equal(listing.count, 1);
    assert_int_equal(segment_file_open(folder.path, &listing.names[0], &file, NULL), 0);
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(chain_length(&file, marks[i], i + 1), 100);
    segment_file_close(&file);

    /* In a new file every chain begins anew. */
    journal_writer_configure(writer, SLICE("01"));
    folder_add(writer, 1, START_US, SLICE("later"), &marks[0]);
    journal_writer_close(writer);
    segment_listing_drop(&listing);
    assert_int_equal(segment_list(folder.path, &listing, NULL), 0);
    assert_int_equal(listing.count, 2);
    assert_int_equal(marks[0].sequence, listing.names[1].sequence);
    assert_int_equal(segment_file_open(folder.path, &listing.names[1], &file, NULL), 0);
    assert_int_equal(chain_length(&file, marks[0], 1), 1);
    assert_string_equal(file.header.configuration, "01");
    assert_string_equal(file.header.version, "0.1.0");
    segment_file_close(&file);
    segment_listing_drop(&listing);
    folder_remove(&folder);
}

/* A step's records, as the session machine leaves them: without checksums where `unsealed`. Their evidence
 * counts on from `first`. */
static void step_make(struct buf *buf, struct random *random, unsigned first, unsigned count, bool unsealed)
{
    char text[3000];
    struct event_stamp stamp = {.session = first % 5 + 1, .unix_us = START_US + first, .unsealed = unsealed};
    memset(text, 'x', sizeof text);
    buf_clear(buf);
    for (unsigned i = 0; i < count; i++) {
        text[snprintf(text, 24, "%u", first + i)] = ' ';
        size_t len = 24 + (size_t)random_below(random, random_below(random, 8) ? 60 : sizeof text - 24);
        struct event_finding finding = {.finding = 1, .evidence = slice_of(text, len)};
        assert_true(event_add_finding(buf, &stamp, &finding));
    }
}

/* Adds the same steps to a writer, each in one piece or record by record, until there are `most` records. */
static void steps_add(struct journal_writer *writer, bool whole, unsigned most, struct journal_mark *marks)
{
    struct random random = {7};
    struct buf buf;
    buf_init(&buf, 1 << 20);
    for (unsigned first = 0, count; first < most; first += count) {
        count = 1 + (unsigned)random_below(&random, 60);
        step_make(&buf, &random, first, count, whole);
        struct slice records = buf_slice(&buf);
        for (size_t size; records.len; records = slice_from(records, size)) {
            assert_int_equal(event_first(records, &size), EVENT_KIND_finding);
            size = whole ? records.len : size;
            assert_int_equal(journal_writer_add(writer, slice_head(records, size), &marks[first % 5]), 0);
        }
        if (first % 16 == 0)
            assert_true(journal_writer_flush(writer, 10000));
    }
    assert_true(journal_writer_flush(writer, 10000));
    buf_drop(&buf);
}

static void a_step_in_one_piece_is_as_its_records_one_by_one(void **state)
{
    (void)state;
    struct folder folders[2];
    struct slice octets[2];
    struct segment_header header;
    for (unsigned whole = 0; whole < 2; whole++) {
        folder_make(&folders[whole]);
        struct journal_mark marks[5] = {0};
        struct journal_writer *writer = folder_writer(&folders[whole], "gate", 0, 64 << 20);
        steps_add(writer, whole, 9000, marks);
        journal_writer_close(writer);
        struct journal_reader *reader = reader_of(&folders[whole]);
        assert_true(count_up(reader, NULL) >= 9000);
        journal_reader_close(reader);
        struct folder_files files;
        folder_files(&folders[whole], &files);
        assert_int_equal(files.count, 1);
        octets[whole] = file_take(files.paths[0]);
    }
    assert_int_equal(octets[0].len, octets[1].len);
    assert_true(octets[0].len > 20 * SEGMENT_BLOCK);
    assert_int_equal(segment_header_read(octets[0], &header), EVENT_DONE);
    for (size_t at = header.size, size; at < octets[0].len; at += size) {
        bool milestone = event_first(slice_from(octets[0], at), &size) == EVENT_NONE;
        assert_memory_equal(octets[0].at + at, octets[1].at + at, milestone ? 4 : size);
    }
    for (unsigned whole = 0; whole < 2; whole++) {
        file_give(octets[whole]);
        folder_remove(&folders[whole]);
    }
}

static struct slice file_in(const struct folder *folder, size_t index)
{
    struct folder_files files;
    folder_files(folder, &files);
    assert_true(index < files.count);
    return file_take(files.paths[index]);
}

/* Where each record of the file ends; returns how many there are. */
static size_t record_ends(struct slice octets, size_t *ends, size_t most)
{
    struct segment_header header;
    struct event event;
    size_t count = 0, size;
    assert_int_equal(segment_header_read(octets, &header), EVENT_DONE);
    for (size_t at = header.size; at < octets.len; at += size) {
        assert_int_equal(event_read(slice_from(octets, at), &event, &size), EVENT_DONE);
        assert_true(count < most);
        ends[count++] = at + size;
    }
    return count;
}

static void every_torn_end_is_cut_off(void **state)
{
    (void)state;
    struct folder folder;
    struct folder_files files;
    size_t ends[64];
    folder_make(&folder);
    struct journal_writer *writer = folder_writer(&folder, "gate", 0, 1 << 20);
    for (unsigned i = 0; i < 10; i++) {
        char text[24];
        snprintf(text, sizeof text, "%u", i);
        folder_add(writer, 1, START_US + i, slice_text(text), NULL);
    }
    journal_writer_close(writer);
    folder_files(&folder, &files);
    struct slice whole = file_in(&folder, 0);
    size_t count = record_ends(whole, ends, COUNT(ends));
    assert_int_equal(count, 11); /* the milestone is the first */
    size_t head = ends[0] - SEGMENT_MILESTONE;

    for (size_t len = head; len <= whole.len; len++) {
        size_t good = head, records = 0;
        for (size_t i = 0; i < count && ends[i] <= len; i++)
            good = ends[i], records = i;
        file_put(files.paths[0], slice_head(whole, len));
        /* A reader that finds the end torn waits; behind a new file it goes on. */
        struct journal_reader *reader = reader_of(&folder);
        assert_int_equal(count_up(reader, NULL), records);
        writer = folder_writer(&folder, "gate", 0, 1 << 20);
        struct stat stat_of;
        assert_int_equal(stat(files.paths[0], &stat_of), 0);
        assert_int_equal(stat_of.st_size, good);
        char next[24];
        snprintf(next, sizeof next, "%zu", records);
        folder_add(writer, 1, START_US, slice_text(next), NULL);
        journal_writer_close(writer);
        journal_reader_close(reader);
        reader = reader_of(&folder);
        assert_int_equal(count_up(reader, NULL), records + 1);
        journal_reader_close(reader);
        struct folder_files now;
        folder_files(&folder, &now);
        assert_int_equal(now.count, 2);
        unlink(now.paths[1]);
    }
    file_give(whole);
    folder_remove(&folder);
}

/* Blocks the disk truly: no file may grow beyond the limit. */
static void limit_files(rlim_t octets)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = octets;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void what_finds_no_room_is_counted_and_told(void **state)
{
    (void)state;
    struct folder folder;
    struct journal_counts counts;
    struct journal_writer_settings settings = {.role = SLICE("gate"), .segment_octets = 64 << 20};
    struct journal_writer *writer;
    char text[1000];
    uint64_t added = 0, lost = 0, told = 0;
    folder_make(&folder);
    settings.folder = slice_text(folder.path);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(journal_writer_open(&settings, &writer, NULL), 0);
    memset(text, 'x', sizeof text);
    limit_files(100000);
    for (unsigned i = 0; i < 2000; i++) {
        text[snprintf(text, 24, "%llu", (unsigned long long)added)] = ' ';
        if (folder_add(writer, 1, START_US + i, slice_of(text, sizeof text), NULL))
            lost++;
        else
            added++;
    }
    assert_true(lost > 0 && added > 0);
    assert_false(journal_writer_flush(writer, 100));
    journal_writer_counts(writer, &counts);
    assert_int_equal(counts.lost, lost);
    assert_true(counts.errors > 0);
    assert_int_equal(counts.error.number, EFBIG);
    limit_files(RLIM_INFINITY);
    assert_true(journal_writer_flush(writer, 10000));
    journal_writer_counts(writer, &counts);
    assert_int_equal(counts.lost, lost);
    assert_string_equal(counts.error.text, "");
    journal_writer_close(writer);
    struct journal_reader *reader = reader_of(&folder);
    assert_int_equal(count_up(reader, &told), added);
    assert_int_equal(told, lost);
    journal_reader_close(reader);
    folder_remove(&folder);
}

/* A writer whose process is killed loses nothing that it had written. */
static void killed_writer_leaves_whole_records(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 5; round++) {
        struct folder folder;
        folder_make(&folder);
        int pipes[2];
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        if (child == 0) {
            struct journal_writer *writer = folder_writer(&folder, "gate", 0, 1 << 20);
            for (uint64_t i = 0;; i++) {
                char text[24];
                snprintf(text, sizeof text, "%llu", (unsigned long long)i);
                folder_add(writer, 1, START_US + (int64_t)i, slice_text(text), NULL);
                if (i % 1000 == 999 && (!journal_writer_flush(writer, 10000) || write(pipes[1], &i, 8) != 8))
                    _exit(1);
            }
        }
        uint64_t written = 0;
        for (unsigned i = 0; i <= round; i++)
            assert_int_equal(read(pipes[0], &written, 8), 8);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        struct journal_writer *writer = folder_writer(&folder, "gate", 0, 1 << 20);
        journal_writer_close(writer);
        struct journal_reader *reader = reader_of(&folder);
        assert_true(count_up(reader, NULL) > written);
        journal_reader_close(reader);
        close(pipes[0]);
        close(pipes[1]);
        folder_remove(&folder);
    }
}

static void a_stream_has_one_writer(void **state)
{
    (void)state;
    struct folder folder;
    struct error error = {0};
    folder_make(&folder);
    struct journal_writer *writer = folder_writer(&folder, "gate", 0, 1 << 20), *second = NULL;
    struct journal_writer_settings settings = {.folder = slice_text(folder.path), .role = SLICE("gate")};
    assert_int_equal(journal_writer_open(&settings, &second, &error), -1);
    assert_non_null(strstr(error.text, "another process"));
    settings.number = 1;
    assert_int_equal(journal_writer_open(&settings, &second, &error), 0);
    journal_writer_close(second);
    journal_writer_close(writer);
    folder_remove(&folder);
}

static void a_removed_file_is_followed_by_a_new_one(void **state)
{
    (void)state;
    struct folder folder;
    struct folder_files files;
    folder_make(&folder);
    struct journal_writer *writer = folder_writer(&folder, "gate", 0, 1 << 20);
    folder_add(writer, 1, START_US, SLICE("lost"), NULL);
    assert_true(journal_writer_flush(writer, 10000));
    folder_files(&folder, &files);
    assert_int_equal(files.count, 1);
    unlink(files.paths[0]);
    folder_add(writer, 1, START_US, SLICE("lost, too"), NULL);
    assert_true(journal_writer_flush(writer, 10000));
    folder_add(writer, 1, START_US, SLICE("0"), NULL);
    journal_writer_close(writer);
    struct journal_reader *reader = reader_of(&folder);
    assert_int_equal(count_up(reader, NULL), 1);
    journal_reader_close(reader);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_comes_back_in_order),
        cmocka_unit_test(sessions_are_chained),
        cmocka_unit_test(a_step_in_one_piece_is_as_its_records_one_by_one),
        cmocka_unit_test(every_torn_end_is_cut_off),
        cmocka_unit_test(what_finds_no_room_is_counted_and_told),
        cmocka_unit_test(killed_writer_leaves_whole_records),
        cmocka_unit_test(a_stream_has_one_writer),
        cmocka_unit_test(a_removed_file_is_followed_by_a_new_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
