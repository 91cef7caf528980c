/* Proves retention: old files go, but for those that are being written to or were not read; and over the
 * limit of octets the oldest go first, until it is kept. */
#include "journal/retention.h"

#include "folder.h"
#include "journal/day.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define NOW INT64_C(1784860556)
#define DAY INT64_C(86400)

/* Ten files of gate-0 and five of gate-1; file i of a stream was changed i days ago. */
struct world {
    struct folder folder;
    uint64_t octets; /* of one file, about */
};

static void write_files(const struct folder *folder, unsigned gate, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct journal_writer *writer = folder_writer(folder, "gate", gate, 1 << 20);
        folder_add(writer, 1, (NOW - (int64_t)(count - i) * DAY) * 1000000, SLICE("x"), NULL);
        journal_writer_close(writer);
    }
}

static void age_files(const struct folder *folder)
{
    struct folder_files files;
    folder_files(folder, &files);
    for (size_t i = 0; i < files.count; i++) {
        struct segment_name name;
        const char *file = strrchr(files.paths[i], '/') + 1;
        assert_true(segment_name_parse(slice_text(file), &name));
        struct timeval times[2] = {{.tv_sec = name.started_unix}, {.tv_sec = name.started_unix}};
        assert_int_equal(utimes(files.paths[i], times), 0);
    }
}

static void world_make(struct world *world)
{
    struct folder_files files;
    struct stat stat_of;
    folder_make(&world->folder);
    write_files(&world->folder, 0, 10);
    write_files(&world->folder, 1, 5);
    age_files(&world->folder);
    folder_files(&world->folder, &files);
    assert_int_equal(files.count, 15);
    assert_int_equal(stat(files.paths[0], &stat_of), 0);
    world->octets = (uint64_t)stat_of.st_size;
}

static size_t count_files(const struct world *world)
{
    struct folder_files files;
    folder_files(&world->folder, &files);
    return files.count;
}

static void old_files_go(void **state)
{
    (void)state;
    struct world world;
    struct retention_counts counts;
    world_make(&world);
    struct retention retention = {.folder = world.folder.path, .now_unix = NOW, .keep_seconds = 7 * DAY + 1};
    assert_int_equal(retention_run(&retention, &counts, NULL), 0);
    assert_int_equal(counts.files, 3);
    assert_int_equal(counts.octets, 3 * world.octets);
    assert_int_equal(counts.left, 12 * world.octets);
    assert_int_equal(count_files(&world), 12);
    assert_int_equal(retention_run(&retention, &counts, NULL), 0);
    assert_int_equal(counts.files, 0);
    retention.keep_seconds = 0;
    assert_int_equal(retention_run(&retention, &counts, NULL), 0);
    assert_int_equal(counts.files, 0);
    /* A stream that nobody writes any more goes whole. */
    retention.keep_seconds = 1;
    assert_int_equal(retention_run(&retention, &counts, NULL), 0);
    assert_int_equal(count_files(&world), 0);
    folder_remove(&world.folder);
}

static void the_file_of_a_writer_stays(void **state)
{
    (void)state;
    struct world world;
    struct retention_counts counts;
    world_make(&world);
    struct journal_writer *writer = folder_writer(&world.folder, "gate", 0, 1 << 20);
    folder_add(writer, 1, NOW * 1000000, SLICE("x"), NULL);
    assert_true(journal_writer_flush(writer, 10000));
    struct retention retention = {
        .folder = world.folder.path, .now_unix = NOW + 100 * 365 * DAY, .keep_seconds = 1, .octets_max = 1};
    assert_int_equal(retention_run(&retention, &counts, NULL), 0);
    assert_int_equal(counts.files, 15);
    assert_int_equal(count_files(&world), 1);
    journal_writer_close(writer);
    folder_remove(&world.folder);
}

static bool only_the_first_two(void *data, const struct segment_name *name)
{
    assert_string_equal(data, "data");
    return name->number == 0 && name->sequence <= 2;
}

static void what_was_not_read_stays_while_there_is_room(void **state)
{
    (void)state;
    struct world world;
    struct retention_counts counts;
    world_make(&world);
    struct retention retention = {.folder = world.folder.path,
                                  .now_unix = NOW,
                                  .keep_seconds = 7 * DAY + 1,
                                  .was_read = only_the_first_two,
                                  .data = (void *)(uintptr_t) "data"};
    assert_int_equal(retention_run(&retention, &counts, NULL), 0);
    assert_int_equal(counts.files, 2);
    assert_int_equal(counts.unread, 0);
    retention.octets_max = 10 * world.octets;
    assert_int_equal(retention_run(&retention, &counts, NULL), 0);
    assert_int_equal(counts.files, 3);
    assert_int_equal(counts.unread, 3);
    assert_int_equal(counts.left, 10 * world.octets);
    folder_remove(&world.folder);
}

static void over_the_limit_the_oldest_go(void **state)
{
    (void)state;
    struct world world;
    struct retention_counts counts;
    struct folder_files files;
    world_make(&world);
    struct retention retention = {
        .folder = world.folder.path, .now_unix = NOW, .octets_max = 4 * world.octets + 1};
    assert_int_equal(retention_run(&retention, &counts, NULL), 0);
    assert_int_equal(counts.files, 11);
    folder_files(&world.folder, &files);
    assert_int_equal(files.count, 4);
    /* Two days' files of each stream. */
    assert_non_null(strstr(files.paths[0], "gate-0.20260722"));
    assert_non_null(strstr(files.paths[2], "gate-1.20260722"));
    folder_remove(&world.folder);
}

/* A day of the history, of so many octets in its two files, for each day that has journal files. */
static void history_make(const struct folder *folder, uint64_t octets)
{
    for (int64_t i = 1; i <= 10; i++) {
        char path[4096], name[DAY_NAME_SIZE];
        day_path(folder->path, day_of((NOW - i * DAY) * 1000000), path);
        assert_int_equal(close(open(path, O_WRONLY | O_CREAT, 0600)), 0);
        assert_int_equal(truncate(path, (off_t)(octets - octets / 5)), 0);
        day_name_print(day_of((NOW - i * DAY) * 1000000), name);
        snprintf(path, sizeof path, "%s/%.10s.keys", folder->path, name);
        assert_int_equal(close(open(path, O_WRONLY | O_CREAT, 0600)), 0);
        assert_int_equal(truncate(path, (off_t)(octets / 5)), 0);
    }
}

/* Each day of the history goes with the oldest of the files that it was made from, and leaves their share. */
static void the_history_counts(void **state)
{
    (void)state;
    struct world world;
    struct folder history;
    struct retention_counts counts;
    world_make(&world);
    folder_make(&history);
    history_make(&history, 5 * world.octets);
    struct retention retention = {.folder = world.folder.path,
                                  .now_unix = NOW,
                                  .octets_max = 15 * world.octets + 50 * world.octets,
                                  .history = history.path};
    assert_int_equal(retention_run(&retention, &counts, NULL), 0);
    assert_int_equal(counts.files, 0); /* all of it has just room */
    assert_int_equal(counts.days, 50 * world.octets);
    retention.octets_max = 4 * world.octets + 10 * world.octets;
    assert_int_equal(retention_run(&retention, &counts, NULL), 0);
    assert_int_equal(count_files(&world), 4); /* two days' files of each stream */
    assert_int_equal(counts.left, 4 * world.octets);
    assert_int_equal(counts.days, 10 * world.octets);
    assert_int_equal(retention_run(&retention, &counts, NULL), 0);
    assert_int_equal(counts.files, 0); /* days that are still to be removed do not count again */
    folder_remove(&history);
    folder_remove(&world.folder);
}

static void shares_are_of_the_disk(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    uint64_t all = retention_share(folder.path, 100), tenth = retention_share(folder.path, 10);
    assert_true(all > 0 && tenth <= all / 10 && tenth > all / 11);
    assert_int_equal(retention_share("/nowhere", 10), 0);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_files_go),
        cmocka_unit_test(the_file_of_a_writer_stays),
        cmocka_unit_test(what_was_not_read_stays_while_there_is_room),
        cmocka_unit_test(over_the_limit_the_oldest_go),
        cmocka_unit_test(the_history_counts),
        cmocka_unit_test(shares_are_of_the_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
