/* Proves that the block list stands in every file that is named, from the start and after each change, and in
 * none that is not; that a long list holds nobody up; that a file which cannot be written costs the others
 * nothing, is told once, and is written when it can be. */
#include "unit.h"

#include "base/memory.h"
#include "core/event.h"
#include "daemon/keeper_exports.h"
#include "journal/reader.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LONG_LIST 100000u
#define PATIENCE  30 /* seconds */
#define PATH_SIZE 160

/* A list as the keeper has one. */
struct list {
    uint32_t count; /* of addresses from 192.0.2.0 on */
    uint64_t generation;
};

struct rig {
    char folder[FOLDER_SIZE], journal[PATH_SIZE];
    struct site *site;
    struct loop *loop;
    struct journal_writer *writer;
    struct list list;
    struct keeper_exports *exports;
    uint64_t turns; /* of the loop */
    struct loop_hook hook;
};

static bool list_next(void *data, size_t *at, struct export_entry *ret_entry)
{
    const struct list *list = data;
    const uint32_t number = 0xc0000200u + (uint32_t)*at;
    static char reason[40]; /* good for the call */

    if (*at == list->count)
        return false;
    const uint8_t octets[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                               (uint8_t)number};
    (void)snprintf(reason, sizeof reason, "entry %zu", *at);
    *ret_entry = (struct export_entry){.address = {address_from_octets(ADDRESS_IPV4, octets, 0), 32},
                                       .reason = slice_text(reason),
                                       .evidence = SLICE("00000yt8xt3ag"),
                                       .made_ms = 1000};
    ++*at;
    return true;
}

static uint64_t list_generation(void *data)
{
    return ((const struct list *)data)->generation;
}

static void turned(struct loop_hook *hook)
{
    LIST_OF(hook, struct rig, hook)->turns++;
}

static void path_of(const struct rig *rig, const char *name, char path[PATH_SIZE])
{
    (void)snprintf(path, PATH_SIZE, "%s/%s", rig->folder, name);
}

static void rig_make(struct rig *rig)
{
    *rig = (struct rig){.hook.run = turned};
    assert_int_equal(folder_new(rig->folder, "exports"), 0);
    path_of(rig, "journal", rig->journal);
    const struct journal_writer_settings settings = {.folder = slice_text(rig->journal),
                                                     .role = SLICE("keeper"),
                                                     .version = SLICE("0.1.0"),
                                                     .segment_octets = 1 << 20};
    assert_int_equal(journal_writer_open(&settings, &rig->writer, NULL), 0);
    rig->site = site_new();
    rig->site->set.state_directory = slice_text(rig->folder);
    rig->loop = loop_open(NULL);
    assert_non_null(rig->loop);
    loop_hook_add(rig->loop, &rig->hook);
}

static void rig_begin(struct rig *rig)
{
    const struct keeper_exports_settings settings = {
        rig->site, rig->loop, rig->writer, {list_next, list_generation, NULL, &rig->list}};

    assert_int_equal(keeper_exports_open(&settings, &rig->exports, NULL), 0);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static void rig_drop(struct rig *rig)
{
    keeper_exports_close(rig->exports);
    loop_hook_remove(rig->loop, &rig->hook);
    loop_close(rig->loop);
    journal_writer_close(rig->writer);
    site_free(rig->site);
    assert_int_equal(nftw(rig->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* The status of one file, or all; in `status`, which is the caller's. */
static struct slice status_of(const struct rig *rig, struct buf *status)
{
    struct json json;

    buf_clear(status);
    json_begin(&json, status);
    json_object_open(&json);
    keeper_exports_status(rig->exports, &json);
    json_object_close(&json);
    assert_true(json_end(&json));
    return buf_slice(status);
}

static size_t said_in(struct slice text, const char *words)
{
    size_t count = 0, at;

    while ((at = slice_find_slice(text, slice_text(words))) != SLICE_NOT_FOUND) {
        text = slice_from(text, at + 1);
        count++;
    }
    return count;
}

/* Ticks until the status has those words so often. */
static void until_said(struct rig *rig, const char *words, size_t times)
{
    const time_t end = time(NULL) + PATIENCE;
    struct buf status;

    buf_init(&status, 65536);
    do {
        keeper_exports_tick(rig->exports);
        loop_turn(rig->loop, 10);
        if (time(NULL) > end)
            fail_msg("not within %d s: %zu times %s in %.*s", PATIENCE, times, words,
                     SLICE_ARGS(status_of(rig, &status)));
    } while (said_in(status_of(rig, &status), words) != times);
    buf_drop(&status);
}

static void text_of(const char *path, struct buf *ret_text)
{
    char block[4096];
    const int fd = open(path, O_RDONLY);
    ssize_t got;

    assert_true(fd >= 0);
    buf_init(ret_text, 64u << 20);
    while ((got = read(fd, block, sizeof block)) > 0)
        assert_true(buf_add(ret_text, slice_of(block, (size_t)got)));
    (void)close(fd);
}

static size_t lines_with(const struct rig *rig, const char *name, const char *words)
{
    char path[PATH_SIZE];
    struct buf text;

    path_of(rig, name, path);
    text_of(path, &text);
    const size_t count = said_in(buf_slice(&text), words);
    buf_drop(&text);
    return count;
}

static ino_t file_number(const struct rig *rig, const char *name)
{
    char path[PATH_SIZE];
    struct stat status;

    path_of(rig, name, path);
    assert_int_equal(stat(path, &status), 0);
    return status.st_ino;
}

static size_t troubles(struct rig *rig)
{
    const struct journal_reader_settings settings = {
        .folder = rig->journal, .from = JOURNAL_FROM_START, .unwatched = true};
    struct journal_reader *reader;
    struct journal_item item;
    size_t count = 0;

    assert_true(journal_writer_flush(rig->writer, 10000));
    assert_int_equal(journal_reader_open(&settings, &reader, NULL), 0);
    while (journal_reader_next(reader, &item))
        count += item.event.kind == EVENT_KIND_trouble;
    journal_reader_close(reader);
    return count;
}

/* --- the tests ----------------------------------------------------------------------------------------- */

static void each_file_follows_the_list(void **state)
{
    struct rig rig;
    char path[PATH_SIZE];

    (void)state;
    rig_make(&rig);
    path_of(&rig, "elsewhere", path);
    rig.site->set.export_access = SLICE("access");
    rig.site->set.export_cidr = slice_text(path);
    rig.site->set.export_nftables = SLICE("nft");
    rig.site->set.export_rbldnsd = SLICE("zone");
    rig_begin(&rig);
    until_said(&rig, "\"entries\":0,\"written\":\"", 4);
    assert_int_equal(lines_with(&rig, "access", "entry"), 0);

    rig.list = (struct list){.count = 3, .generation = 1};
    until_said(&rig, "\"entries\":3", 4);
    assert_int_equal(lines_with(&rig, "access", "Connect:192.0.2."), 3);
    assert_int_equal(lines_with(&rig, "elsewhere", "REJECT 5.7.1 entry "), 3);
    assert_int_equal(lines_with(&rig, "nft", "add element"), 3);
    assert_int_equal(lines_with(&rig, "zone", ":127.0.0.2:entry "), 3);

    /* What does not change is not written again, and what no file is named for not at all. */
    const ino_t before = file_number(&rig, "access");
    keeper_exports_close(rig.exports);
    rig.site->set.export_nftables = SLICE_NONE;
    rig_begin(&rig);
    until_said(&rig, "\"entries\":3", 3);
    const ino_t after = file_number(&rig, "access");
    assert_int_not_equal(before, after);
    rig.list.generation = 2;
    rig.list.count = 2;
    until_said(&rig, "\"entries\":2", 3);
    assert_int_equal(lines_with(&rig, "nft", "add element"), 3);
    rig_drop(&rig);
}

static void a_long_list_holds_nobody_up(void **state)
{
    struct rig rig;

    (void)state;
    rig_make(&rig);
    rig.site->set.export_json = SLICE("json");
    rig.list = (struct list){.count = LONG_LIST, .generation = 7};
    rig_begin(&rig);
    until_said(&rig, "\"entries\":100000", 1);
    assert_true(rig.turns >= 100);
    assert_int_equal(lines_with(&rig, "json", "\"address\":\"192.0.2.1\""), 1);
    assert_int_equal(lines_with(&rig, "json", "\"reason\":\"entry "), LONG_LIST);
    rig_drop(&rig);
}

static void what_cannot_be_written_is_told_once(void **state)
{
    struct rig rig;
    char path[PATH_SIZE];

    (void)state;
    rig_make(&rig);
    rig.site->set.export_cidr = SLICE("missing/cidr");
    rig.site->set.export_json = SLICE("json");
    rig.list = (struct list){.count = 1, .generation = 1};
    rig_begin(&rig);
    until_said(&rig, "\"failing\":\"", 1);
    until_said(&rig, "\"entries\":1", 1);
    const ino_t json = file_number(&rig, "json");
    assert_int_equal(troubles(&rig), 1);
    rig.list = (struct list){.count = 2, .generation = 2};
    until_said(&rig, "\"entries\":2", 1);
    assert_int_not_equal(file_number(&rig, "json"), json);
    assert_int_equal(troubles(&rig), 1);

    path_of(&rig, "missing", path);
    assert_int_equal(mkdir(path, 0700), 0);
    rig.list.generation = 3;
    until_said(&rig, "\"failing\":\"", 0);
    assert_int_equal(lines_with(&rig, "missing/cidr", "REJECT"), 2);
    assert_int_equal(troubles(&rig), 1);
    rig_drop(&rig);
}

static void without_files_there_is_nothing(void **state)
{
    struct rig rig;

    (void)state;
    rig_make(&rig);
    rig_begin(&rig);
    keeper_exports_tick(rig.exports);
    until_said(&rig, "{\"exports\":[]}", 1);
    rig_drop(&rig);
}

/* It ends while the thread still writes. */
static void the_end_may_come_at_any_time(void **state)
{
    (void)state;
    for (unsigned turns = 0; turns < 200; turns += 20) {
        struct rig rig;
        rig_make(&rig);
        rig.site->set.export_cidr = SLICE("cidr");
        rig.list = (struct list){.count = LONG_LIST / 2, .generation = 1};
        rig_begin(&rig);
        keeper_exports_tick(rig.exports);
        for (unsigned i = 0; i < turns; i++)
            loop_turn(rig.loop, 0);
        rig_drop(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file_follows_the_list),
        cmocka_unit_test(a_long_list_holds_nobody_up),
        cmocka_unit_test(what_cannot_be_written_is_told_once),
        cmocka_unit_test(without_files_there_is_nothing),
        cmocka_unit_test(the_end_may_come_at_any_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
