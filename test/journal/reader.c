/* Proves the reader: it follows files as they grow, takes up a stored place, passes damage over and counts
 * it, misses no file that is there, and is never taken in by records that a client hid in its own lines. */
#include "base/memory.h"
#include "base/random.h"
#include "folder.h"
#include "journal/reader.h"
#include "unit.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define START_US INT64_C(1763719631000000)

struct places {
    struct journal_mark mark;
    unsigned asked;
};

static bool place(void *data, struct slice stream, struct journal_mark *ret_place)
{
    struct places *places = data;
    assert_slice_equal(stream, "gate-0");
    places->asked++;
    *ret_place = places->mark;
    return places->mark.sequence != 0;
}

static struct journal_reader *reader_open(const struct folder *folder, enum journal_from from,
                                          struct places *places)
{
    struct journal_reader_settings settings = {
        .folder = folder->path, .from = from, .place = places ? place : NULL, .data = places};
    struct journal_reader *reader = NULL;
    assert_int_equal(journal_reader_open(&settings, &reader, NULL), 0);
    return reader;
}

static void add_numbers(struct journal_writer *writer, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        char text[24];
        snprintf(text, sizeof text, "%u", i);
        assert_int_equal(folder_add(writer, 1, START_US + i, slice_text(text), NULL), 0);
    }
}

static uint64_t number_of(const struct journal_item *item)
{
    uint64_t number = 0;
    assert_int_equal(item->event.kind, EVENT_KIND_finding);
    for (size_t i = 0; i < item->event.body.finding.evidence.len; i++)
        number = number * 10 + (uint64_t)(item->event.body.finding.evidence.at[i] - '0');
    return number;
}

static void assert_counts(struct journal_reader *reader, unsigned from, unsigned to)
{
    struct journal_item item;
    for (unsigned i = from; i < to; i++) {
        assert_true(journal_reader_next(reader, &item));
        assert_int_equal(number_of(&item), i);
    }
    assert_false(journal_reader_next(reader, &item));
}

static void it_follows_as_files_grow(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    struct journal_reader *reader = reader_open(&folder, JOURNAL_FROM_START, NULL);
    struct journal_writer *writer = folder_writer(&folder, "gate", 0, 4096);
    assert_counts(reader, 0, 0);
    for (unsigned round = 0; round < 20; round++) {
        add_numbers(writer, round * 50, round * 50 + 50);
        assert_true(journal_writer_flush(writer, 10000));
        struct pollfd wait = {.fd = journal_reader_fd(reader), .events = POLLIN};
        assert_int_equal(poll(&wait, 1, 10000), 1);
        journal_reader_look(reader);
        assert_counts(reader, round * 50, round * 50 + 50);
    }
    struct folder_files files;
    folder_files(&folder, &files);
    assert_true(files.count > 5);
    journal_reader_close(reader);
    journal_writer_close(writer);
    folder_remove(&folder);
}

static void it_takes_up_a_stored_place(void **state)
{
    (void)state;
    struct folder folder;
    struct journal_item item;
    struct places places = {0};
    folder_make(&folder);
    struct journal_writer *writer = folder_writer(&folder, "gate", 0, 4096);
    add_numbers(writer, 0, 300);
    assert_true(journal_writer_flush(writer, 10000));
    for (unsigned i = 0; i < 300; i++) {
        struct journal_reader *reader = reader_open(&folder, JOURNAL_FROM_END, &places);
        if (i == 0) /* nothing is stored, and from the end there is nothing */
            assert_false(journal_reader_next(reader, &item));
        journal_reader_close(reader);
        reader = reader_open(&folder, JOURNAL_FROM_START, &places);
        assert_true(journal_reader_next(reader, &item));
        assert_int_equal(number_of(&item), i);
        places.mark = item.next;
        journal_reader_close(reader);
    }
    assert_int_equal(places.asked, 600);
    /* The file of the place is gone: the next one follows, and nothing comes twice. */
    struct folder_files files;
    folder_files(&folder, &files);
    places.mark = (struct journal_mark){1, 1000};
    unlink(files.paths[0]);
    struct journal_reader *reader = reader_open(&folder, JOURNAL_FROM_START, &places);
    assert_true(journal_reader_next(reader, &item));
    assert_int_equal(item.at.sequence, 2);
    journal_reader_close(reader);
    journal_writer_close(writer);
    folder_remove(&folder);
}

static void from_the_end_only_new_things_come(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    struct journal_writer *writer = folder_writer(&folder, "gate", 0, 1 << 20);
    add_numbers(writer, 0, 100);
    assert_true(journal_writer_flush(writer, 10000));
    struct journal_reader *reader = reader_open(&folder, JOURNAL_FROM_END, NULL);
    assert_counts(reader, 0, 0);
    add_numbers(writer, 100, 110);
    /* A stream that is new is read from its start. */
    struct journal_writer *other = folder_writer(&folder, "gate", 1, 1 << 20);
    assert_true(journal_writer_flush(writer, 10000));
    assert_counts(reader, 100, 110);
    add_numbers(other, 0, 5);
    journal_writer_close(other);
    journal_reader_look(reader);
    assert_counts(reader, 0, 5);
    journal_reader_close(reader);
    journal_writer_close(writer);
    folder_remove(&folder);
}

/* Some octets of the first of two files are spoilt. Everything that comes is true and in order, everything
 * behind the next milestone comes, and what was passed over is counted. */
static void damage_is_passed_over(void **state)
{
    (void)state;
    struct folder folder;
    struct folder_files files;
    struct random random = {3};
    folder_make(&folder);
    struct journal_writer *writer = folder_writer(&folder, "gate", 0, 1 << 20);
    add_numbers(writer, 0, 10000);
    journal_writer_close(writer);
    writer = folder_writer(&folder, "gate", 0, 1 << 20);
    add_numbers(writer, 10000, 10010);
    journal_writer_close(writer);
    folder_files(&folder, &files);
    struct slice whole = file_take(files.paths[0]);
    assert_true(whole.len > 5 * SEGMENT_BLOCK);
    for (unsigned round = 0; round < 200; round++) {
        char *spoilt = memory_take(whole.len);
        memcpy(spoilt, whole.at, whole.len);
        size_t at = 200 + (size_t)random_below(&random, whole.len - 300);
        for (size_t i = 0; i < 1 + random_below(&random, 40); i++)
            spoilt[at + i] = (char)~spoilt[at + i];
        file_put(files.paths[0], slice_of(spoilt, whole.len));
        memory_give(spoilt, whole.len);

        struct journal_reader *reader = reader_open(&folder, JOURNAL_FROM_START, NULL);
        struct journal_item item;
        struct journal_reader_counts counts;
        uint64_t next = 0, came = 0;
        while (journal_reader_next(reader, &item)) {
            uint64_t number = number_of(&item);
            assert_true(number >= next);
            next = number + 1;
            came++;
        }
        journal_reader_counts(reader, &counts);
        assert_int_equal(next, 10010);
        assert_true(came < 10010 && counts.damaged > 0);
        assert_true(counts.damaged <= 2 * SEGMENT_BLOCK + EVENT_SIZE_MAX);
        journal_reader_close(reader);
    }
    file_give(whole);
    folder_remove(&folder);
}

/* A client's line holds whole records with sound checksums; then the record that holds it is damaged, so that
 * the reader has to find its way again. */
static void hidden_records_are_not_believed(void **state)
{
    (void)state;
    struct folder folder;
    struct folder_files files;
    struct buf forged;
    folder_make(&folder);
    buf_init(&forged, 1 << 20);
    struct event_stamp stamp = {.session = 99, .unix_us = START_US};
    for (unsigned i = 0; i < 10; i++)
        event_add_finding(&forged, &stamp, &(struct event_finding){.evidence = SLICE("777777")});
    segment_milestone_add(&forged, "what can it know", &stamp);
    struct journal_writer *writer = folder_writer(&folder, "gate", 0, 1 << 20);
    add_numbers(writer, 0, 10);
    folder_add(writer, 1, START_US, buf_slice(&forged), NULL);
    add_numbers(writer, 10, 3000);
    journal_writer_close(writer);
    folder_files(&folder, &files);
    struct slice whole = file_take(files.paths[0]);
    size_t inside = slice_find_slice(whole, SLICE("777777"));
    assert_int_not_equal(inside, SLICE_NOT_FOUND);
    /* The octet before the hidden records: the length of the evidence, in a record whose checksum breaks. */
    char *at = (char *)(uintptr_t)whole.at + inside - EVENT_HEAD_SIZE - 3;
    *at = (char)~*at;
    file_put(files.paths[0], whole);
    struct journal_reader *reader = reader_open(&folder, JOURNAL_FROM_START, NULL);
    struct journal_item item;
    uint64_t came = 0;
    for (; journal_reader_next(reader, &item); came++)
        assert_true(item.event.stamp.session == 1 && number_of(&item) < 3000);
    assert_true(came > 10 && came < 3000);
    journal_reader_close(reader);
    file_give(whole);
    buf_drop(&forged);
    folder_remove(&folder);
}

static void foreign_files_are_passed_over(void **state)
{
    (void)state;
    struct folder folder;
    struct folder_files files;
    char path[128];
    folder_make(&folder);
    struct journal_writer *writer = folder_writer(&folder, "gate", 0, 4096);
    add_numbers(writer, 0, 200);
    journal_writer_close(writer);
    folder_files(&folder, &files);
    snprintf(path, sizeof path, "%s/notes.journal", folder.path);
    file_put(path, SLICE("no journal"));
    /* A file with the right name and other content: missed, and the next is read. */
    struct slice whole = file_take(files.paths[0]);
    file_put(files.paths[0], SLICE("no journal either, but long enough to have a header of its own"));
    struct journal_reader *reader = reader_open(&folder, JOURNAL_FROM_START, NULL);
    struct journal_item item;
    struct journal_reader_counts counts;
    assert_true(journal_reader_next(reader, &item));
    assert_int_equal(item.at.sequence, 2);
    journal_reader_counts(reader, &counts);
    assert_int_equal(counts.missing, 1);
    assert_non_null(strstr(counts.error.text, "does not begin as a journal file"));
    journal_reader_close(reader);
    file_give(whole);
    folder_remove(&folder);
}

static void names_read_back(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "gate-0.journal",
        "gate-0.20261121T100711Z.00000000.journal",
        "gate.20261121T100711Z.00000001.journal",
        "-0.20261121T100711Z.00000001.journal",
        "gate-x.20261121T100711Z.00000001.journal",
        "gate-0.20261121T10071.00000001.journal",
        "gate-0.20261121T100711Z.4294967296.journal",
        "gate-0.20261121T100711Z.00000001.journal.gz",
        "gate-0.20261121T100711Z.00000001.x.journal",
        "aaaaaaaaaaaaaaaaaaaaa-0.20261121T100711Z.00000001.journal",
    };
    struct segment_name name = {"courier", 12, 1763719631, 4294967295}, back;
    char text[SEGMENT_NAME_SIZE];
    size_t len = segment_name_print(&name, text);
    assert_string_equal(text, "courier-12.20251121T100711Z.4294967295.journal");
    assert_true(segment_name_parse(slice_of(text, len), &back));
    assert_string_equal(back.role, "courier");
    assert_true(back.number == 12 && back.sequence == 4294967295 && back.started_unix == 1763719631);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (segment_name_parse(slice_text(bad[i]), &back))
            fail_msg("%s is taken", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_follows_as_files_grow),
        cmocka_unit_test(it_takes_up_a_stored_place),
        cmocka_unit_test(from_the_end_only_new_things_come),
        cmocka_unit_test(damage_is_passed_over),
        cmocka_unit_test(hidden_records_are_not_believed),
        cmocka_unit_test(foreign_files_are_passed_over),
        cmocka_unit_test(names_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
