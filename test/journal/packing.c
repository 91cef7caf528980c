/* A packed journal file reads as the plain one did, octet by octet and place by place; packing it loses
 * nothing whenever it is interrupted; damage in it costs what stands there and no more. */
#include "journal/packing.h"

#include "crowd.h"
#include "folder.h"
#include "journal/packed.h"
#include "journal/reader.h"
#include "journal/retention.h"
#include "journal/search.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define START_US INT64_C(1784860556000000)

static void crowd_write(const struct folder *folder, uint64_t sessions)
{
    struct crowd_settings settings = {.folder = folder->path,
                                      .gates = 2,
                                      .open = 10,
                                      .sessions = sessions,
                                      .begin_us = START_US,
                                      .span_us = INT64_C(7200000000),
                                      .seed = 11,
                                      .segment_octets = 1 << 20,
                                      .hosts = 300};
    struct crowd *crowd;
    struct crowd_session session;
    assert_int_equal(crowd_open(&settings, &crowd, NULL), 0);
    while (!crowd_is_over(crowd))
        (void)crowd_step(crowd, &session);
    crowd_flush(crowd, 10000);
    crowd_close(crowd);
}

/* All that is closed; returns how many files. `now` far ahead: plain forms go at the next look. */
static uint64_t pack_all(const struct folder *folder, int64_t idle_seconds)
{
    struct packing *packing = packing_new(folder->path, 3);
    struct packing_counts counts;
    struct error error;
    int more = 1;
    int64_t now = INT64_C(4000000000);
    assert_int_equal(packing_look(packing, now, idle_seconds, 0, &error), 0);
    while (more > 0)
        more = packing_turn(packing, 300000, &error);
    assert_int_equal(more, 0);
    assert_int_equal(packing_look(packing, now, idle_seconds, 0, &error), 0);
    packing_counts(packing, &counts);
    assert_true(counts.before < 100000 || counts.after * 3 < counts.before);
    packing_free(packing);
    return counts.files;
}

static unsigned files_ending(const struct folder *folder, const char *end)
{
    unsigned count = 0;
    DIR *dir = opendir(folder->path);
    for (const struct dirent *entry; (entry = readdir(dir));)
        count += slice_ends_fold(slice_text(entry->d_name), slice_text(end));
    closedir(dir);
    return count;
}

struct digest {
    uint64_t events, sum, places;
    uint64_t damaged;
};

/* What a reader gives, in the order in which it gives it. */
static struct digest read_all(const struct folder *folder)
{
    struct journal_reader_settings settings = {.folder = folder->path, .unwatched = true};
    struct journal_reader_counts counts;
    struct journal_reader *reader;
    struct journal_item item;
    struct digest digest = {0};
    assert_int_equal(journal_reader_open(&settings, &reader, NULL), 0);
    while (journal_reader_next(reader, &item)) {
        digest.events++;
        digest.sum = digest.sum * 31 + item.event.stamp.session + (uint64_t)item.event.kind;
        digest.places = digest.places * 31 + ((uint64_t)item.at.sequence << 32) + item.at.offset;
    }
    journal_reader_counts(reader, &counts);
    digest.damaged = counts.damaged;
    assert_int_equal(counts.missing, 0);
    journal_reader_close(reader);
    return digest;
}

static void same(struct digest a, struct digest b)
{
    assert_int_equal(a.events, b.events);
    assert_true(a.sum == b.sum && a.places == b.places);
    assert_int_equal(a.damaged, b.damaged);
}

/* Backwards, by milestones, with the events of each session. */
static struct digest search_all(const struct folder *folder)
{
    struct digest digest = {0};
    struct search *search;
    struct event ended;
    struct history history;
    assert_int_equal(search_open(folder->path, &search, NULL), 0);
    while (search_next(search, &ended)) {
        digest.events++;
        digest.sum = digest.sum * 31 + ended.stamp.session;
        history_init(&history, ended.stamp.session);
        search_history(search, &history);
        assert_true(history.opened && history.ended);
        digest.places = digest.places * 31 + history.count;
        history_drop(&history);
    }
    search_close(search);
    return digest;
}

static void test_packed_reads_as_plain(void **state)
{
    struct folder folder;
    struct history history;
    struct search *search;
    struct event ended;
    (void)state;
    folder_make(&folder);
    crowd_write(&folder, 1500);
    struct digest forwards = read_all(&folder), backwards = search_all(&folder);
    unsigned files = files_ending(&folder, ".journal");
    assert_int_equal(pack_all(&folder, INT64_MAX), files - 2); /* the last one of each gate stays */
    assert_int_equal(files_ending(&folder, ".journal"), 2);
    assert_int_equal(files_ending(&folder, ".journal.zst"), files - 2);
    same(read_all(&folder), forwards);
    same(search_all(&folder), backwards);
    assert_int_equal(pack_all(&folder, 0), 2); /* nobody writes them */
    assert_int_equal(files_ending(&folder, ".journal"), 0);
    assert_int_equal(pack_all(&folder, 0), 0);
    same(read_all(&folder), forwards);
    same(search_all(&folder), backwards);
    assert_int_equal(search_open(folder.path, &search, NULL), 0);
    for (int i = 0; i < 50; i++)
        assert_true(search_next(search, &ended));
    history_init(&history, ended.stamp.session);
    assert_int_equal(history_load(&history, folder.path, NULL), 0);
    assert_true(history.opened && history.ended); /* by its id alone */
    history_drop(&history);
    search_close(search);
    folder_remove(&folder);
}

/* Every octet is that of the plain file. */
static void test_octets_are_the_same(void **state)
{
    struct folder folder;
    struct folder_files plain;
    struct packed *packed;
    char path[256];
    (void)state;
    folder_make(&folder);
    crowd_write(&folder, 400);
    folder_files(&folder, &plain);
    struct slice before = file_take(plain.paths[0]);
    assert_true(pack_all(&folder, 0) > 0);
    snprintf(path, sizeof path, "%s.zst", plain.paths[0]);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(packed_open(fd, &packed, NULL), 0);
    assert_int_equal(packed_size(packed), before.len);
    static char octets[2 * PACKED_FRAME];
    for (uint64_t at = 0; at < before.len;) {
        size_t n = packed_read(packed, packed_frame_start(packed, at), octets, sizeof octets);
        assert_true(n > 0 && memcmp(octets, before.at + at, n) == 0);
        at += n;
    }
    assert_int_equal(packed_read(packed, before.len, octets, sizeof octets), 0);
    packed_close(packed);
    close(fd);
    file_give(before);
    folder_remove(&folder);
}

/* Whoever has the plain file open reads on in it; whoever comes later finds the other. */
static void test_reader_goes_on(void **state)
{
    struct folder folder;
    struct journal_reader_settings settings;
    struct journal_reader *reader;
    struct journal_item item;
    uint64_t events = 0;
    (void)state;
    folder_make(&folder);
    settings = (struct journal_reader_settings){.folder = folder.path};
    crowd_write(&folder, 1000);
    struct digest all = read_all(&folder);
    assert_int_equal(journal_reader_open(&settings, &reader, NULL), 0);
    for (; events < 2000 && journal_reader_next(reader, &item); events++)
        continue;
    assert_true(pack_all(&folder, 0) > 0);
    journal_reader_look(reader);
    while (journal_reader_next(reader, &item))
        events++;
    assert_int_equal(events, all.events);
    journal_reader_close(reader);
    folder_remove(&folder);
}

/* Given up at each point: what is there is whole, and what is unfinished goes at the next start. */
static void test_interrupted(void **state)
{
    struct folder folder;
    struct error error;
    (void)state;
    folder_make(&folder);
    crowd_write(&folder, 1000);
    struct digest all = read_all(&folder);
    for (int turns = 0; turns < 12; turns++) {
        struct packing *packing = packing_new(folder.path, 1);
        assert_int_equal(packing_look(packing, INT64_C(4000000000), 0, INT64_MAX, &error), 0);
        for (int i = 0; i < turns; i++)
            assert_true(packing_turn(packing, 200000, &error) >= 0);
        same(read_all(&folder), all); /* plain, unfinished and packed ones stand side by side */
        packing_free(packing);
        same(read_all(&folder), all);
    }
    char path[4200];
    snprintf(path, sizeof path, "%s/gate-0.20260724T023556Z.00000001.journal.zst.new", folder.path);
    file_put(path, SLICE("torn"));
    (void)pack_all(&folder, 0);
    assert_int_equal(files_ending(&folder, ".new"), 0);
    assert_int_equal(files_ending(&folder, ".journal"), 0);
    same(read_all(&folder), all);
    folder_remove(&folder);
}

static void packed_path(const struct folder *folder, char path[4096])
{
    struct segment_listing listing;
    assert_int_equal(segment_list(folder->path, &listing, NULL), 0);
    segment_path(folder->path, &listing.names[0], true, path);
    segment_listing_drop(&listing);
}

/* A spoilt frame hides its own records, and what is left of the milestone's block behind it. */
static void test_spoilt_frame(void **state)
{
    struct folder folder;
    char path[4096];
    (void)state;
    folder_make(&folder);
    crowd_write(&folder, 1500);
    struct digest all = read_all(&folder);
    pack_all(&folder, 0);
    packed_path(&folder, path);
    struct slice octets = file_take(path);
    ((char *)(uintptr_t)octets.at)[octets.len / 2] ^= 1;
    file_put(path, octets);
    file_give(octets);
    struct digest rest = read_all(&folder);
    assert_true(rest.events < all.events);
    assert_true(rest.damaged > 0 && rest.damaged <= PACKED_FRAME + 2 * SEGMENT_BLOCK);
    folder_remove(&folder);
}

/* Without its table, or with a wrong one, a file is read by its frames; cut off in one, up to there. */
static void test_spoilt_table(void **state)
{
    struct folder folder;
    char path[4096];
    (void)state;
    folder_make(&folder);
    crowd_write(&folder, 1500);
    struct digest all = read_all(&folder);
    pack_all(&folder, 0);
    packed_path(&folder, path);
    struct slice octets = file_take(path);
    for (size_t cut = 1; cut < 40; cut += 3) {
        file_put(path, slice_head(octets, octets.len - cut));
        same(read_all(&folder), all);
    }
    for (size_t at = 1; at < 40; at++) {
        char *octet = (char *)(uintptr_t)octets.at + octets.len - at;
        *octet ^= 0x5a;
        file_put(path, octets);
        *octet ^= 0x5a;
        struct digest rest = read_all(&folder);
        assert_true(rest.events == all.events || rest.damaged > 0);
    }
    file_put(path, slice_head(octets, octets.len / 2));
    assert_true(read_all(&folder).events > all.events / 4);
    file_give(octets);
    folder_remove(&folder);
}

static void test_retention_takes_both_forms(void **state)
{
    struct folder folder;
    struct retention_counts counts;
    struct error error;
    (void)state;
    folder_make(&folder);
    crowd_write(&folder, 1000);
    struct packing *packing = packing_new(folder.path, 3);
    assert_int_equal(packing_look(packing, INT64_C(4000000000), 0, INT64_MAX, &error), 0);
    while (packing_turn(packing, 1 << 20, &error) > 0)
        continue;
    packing_free(packing);
    assert_true(files_ending(&folder, ".zst") > 0 && files_ending(&folder, ".journal") > 0);
    struct retention retention = {.folder = folder.path, .now_unix = INT64_C(4000000000), .octets_max = 1};
    assert_int_equal(retention_run(&retention, &counts, &error), 0);
    assert_int_equal(counts.left, 0);
    assert_int_equal(files_ending(&folder, ".zst") + files_ending(&folder, ".journal"), 0);
    folder_remove(&folder);
}

/* Retention may take a file at any moment while it is packed: then it comes back in neither form, and that is
 * no trouble. */
static void test_removed_stays_removed(void **state)
{
    struct folder folder;
    struct retention_counts counts;
    struct error error;
    int more;
    (void)state;
    folder_make(&folder);
    crowd_write(&folder, 1000);
    struct packing *packing = packing_new(folder.path, 3);
    struct retention retention = {.folder = folder.path, .now_unix = INT64_C(4000000000), .octets_max = 1};
    assert_int_equal(packing_look(packing, INT64_C(4000000000), 0, INT64_MAX, &error), 0);
    assert_int_equal(packing_turn(packing, 1, &error), 1);
    assert_int_equal(retention_run(&retention, &counts, &error), 0);
    while ((more = packing_turn(packing, 1 << 20, &error)) > 0)
        continue;
    assert_int_equal(more, 0);
    packing_free(packing);
    assert_int_equal(files_ending(&folder, ".new") + files_ending(&folder, ".zst"), 0);
    assert_int_equal(files_ending(&folder, ".journal"), 0);
    folder_remove(&folder);
}

/* The packed file keeps the time of its last record: by that its age is told. */
static void test_age_stays(void **state)
{
    struct folder folder;
    struct folder_files files;
    struct stat before, after;
    char path[4096];
    (void)state;
    folder_make(&folder);
    crowd_write(&folder, 100);
    folder_files(&folder, &files);
    const struct timespec times[2] = {{.tv_sec = 1784860556}, {.tv_sec = 1784860999}};
    assert_int_equal(utimensat(AT_FDCWD, files.paths[0], times, 0), 0);
    assert_int_equal(stat(files.paths[0], &before), 0);
    pack_all(&folder, 0);
    packed_path(&folder, path);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_mtime, after.st_mtime);
    folder_remove(&folder);
}

/* A stream whose last file was packed goes on behind its number. */
static void test_writer_follows(void **state)
{
    struct folder folder;
    struct segment_listing listing;
    (void)state;
    folder_make(&folder);
    struct journal_writer *writer = folder_writer(&folder, "gate", 0, 1 << 20);
    folder_add(writer, 1, START_US, SLICE("one"), NULL);
    journal_writer_close(writer);
    assert_int_equal(pack_all(&folder, 0), 1);
    writer = folder_writer(&folder, "gate", 0, 1 << 20);
    folder_add(writer, 2, START_US + 1, SLICE("two"), NULL);
    assert_true(journal_writer_flush(writer, 10000));
    assert_int_equal(pack_all(&folder, 0), 0); /* its last file has a writer */
    journal_writer_close(writer);
    assert_int_equal(segment_list(folder.path, &listing, NULL), 0);
    assert_int_equal(listing.count, 2);
    assert_int_equal(listing.names[1].sequence, 2);
    segment_listing_drop(&listing);
    assert_int_equal(read_all(&folder).events, 2);
    folder_remove(&folder);
}

/* A file that is older than its limit is closed by the next event. */
static void test_files_have_an_age(void **state)
{
    struct folder folder;
    struct journal_writer *writer;
    (void)state;
    folder_make(&folder);
    struct journal_writer_settings settings = {.folder = slice_text(folder.path),
                                               .role = SLICE("gate"),
                                               .segment_octets = 1 << 20,
                                               .segment_age_ms = 60000};
    assert_int_equal(journal_writer_open(&settings, &writer, NULL), 0);
    for (int i = 0; i < 10; i++)
        folder_add(writer, 1, START_US + i * INT64_C(20000000), SLICE("text"), NULL);
    journal_writer_close(writer);
    assert_int_equal(files_ending(&folder, ".journal"), 4); /* 0 to 40, 60 to 100, 120 to 160, 180 s */
    assert_int_equal(read_all(&folder).events, 10);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packed_reads_as_plain),
        cmocka_unit_test(test_octets_are_the_same),
        cmocka_unit_test(test_reader_goes_on),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_spoilt_frame),
        cmocka_unit_test(test_spoilt_table),
        cmocka_unit_test(test_retention_takes_both_forms),
        cmocka_unit_test(test_removed_stays_removed),
        cmocka_unit_test(test_age_stays),
        cmocka_unit_test(test_writer_follows),
        cmocka_unit_test(test_files_have_an_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
