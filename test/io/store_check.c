/* Proves that a store which its writer did not close is looked at as a whole: one cut short, or with garbage
 * for pages, is found damaged; that a reader of a torn one lives, and takes up the one that comes in its
 * place. */
#include "store_rig.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define PAGE 4096
#define KEYS 3000

/* In a process of its own, as the supervisor does. */
static bool is_sound(const struct folder *folder)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct error error;
        signal(SIGSEGV, SIG_DFL); /* cmocka's handlers would go on in the wrong process */
        signal(SIGBUS, SIG_DFL);
        _exit(store_lmdb_check(slice_text(folder->path), &error) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void fill(struct store *store)
{
    static char value[200];
    struct store_write writes[100];
    char keys[100][24];
    for (unsigned i = 0; i < KEYS; i += 100) {
        for (unsigned j = 0; j < 100; j++) {
            int len = snprintf(keys[j], sizeof keys[j], "key %u", i + j);
            writes[j] = (struct store_write){.verb = STORE_PUT,
                                             .key = slice_of(keys[j], (size_t)len),
                                             .value = slice_of(value, sizeof value)};
        }
        assert_int_equal(
            store_apply(store, &(struct store_batch){.writes = writes, .write_count = 100}, NULL), 0);
    }
}

/* A process that writes and is killed. */
static void make(const struct folder *folder, bool closed)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct store *store = lmdb(folder, true, 0);
        fill(store);
        if (closed)
            store_close(store);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static int data_open(const struct folder *folder)
{
    char path[FOLDER_SIZE + 16];
    snprintf(path, sizeof path, "%s/data.mdb", folder->path);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    return fd;
}

static void tear(const struct folder *folder)
{
    int fd = data_open(folder);
    struct stat file;
    assert_int_equal(fstat(fd, &file), 0);
    assert_int_equal(ftruncate(fd, file.st_size / 2), 0);
    close(fd);
}

/* All but the two pages that say where the rest is. */
static void garble(const struct folder *folder)
{
    int fd = data_open(folder);
    struct stat file;
    char page[PAGE];
    assert_int_equal(fstat(fd, &file), 0);
    for (size_t i = 0; i < sizeof page; i++)
        page[i] = (char)(i * 37 + i / 256);
    for (off_t at = 2 * PAGE; at < file.st_size; at += PAGE)
        assert_int_equal(pwrite(fd, page, sizeof page, at), sizeof page);
    close(fd);
}

static void whole_ones_are_sound(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    assert_true(is_sound(&folder)); /* nothing there */
    make(&folder, true);
    assert_true(is_sound(&folder));
    make(&folder, false);
    assert_true(is_sound(&folder));
    folder_remove(&folder);
}

static void torn_ones_are_found(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    make(&folder, true); /* that is seen at once, closed or not */
    tear(&folder);
    assert_false(is_sound(&folder));
    folder_remove(&folder);
}

static void garbage_is_found(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    make(&folder, false);
    garble(&folder);
    assert_false(is_sound(&folder));
    folder_remove(&folder);
}

static void what_is_no_store_is_found(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    make(&folder, true);
    int fd = data_open(&folder);
    static const char zeros[3 * PAGE];
    assert_int_equal(pwrite(fd, zeros, sizeof zeros, 0), sizeof zeros);
    close(fd);
    assert_false(is_sound(&folder));
    folder_remove(&folder);
}

static void readers_outlive_a_torn_store(void **state)
{
    (void)state;
    struct folder folder;
    struct slice value;
    struct error error;
    char from[FOLDER_SIZE + 16], to[FOLDER_SIZE + 16];
    folder_make(&folder);
    make(&folder, true);
    tear(&folder);
    struct store *reader = lmdb(&folder, false, 0);
    assert_int_equal(store_get(reader, SLICE("key 1"), NOW, &value, &error), STORE_FAILED);
    assert_int_equal(store_get(reader, SLICE("key 1"), NOW, &value, &error), STORE_FAILED);
    snprintf(from, sizeof from, "%s/data.mdb", folder.path);
    snprintf(to, sizeof to, "%s/data.torn", folder.path);
    assert_int_equal(rename(from, to), 0);
    make(&folder, true);
    enum store_status status = STORE_FAILED;
    for (unsigned tries = 0; tries < 10000 && status != STORE_FOUND; tries++, usleep(1000))
        status = store_get(reader, SLICE("key 1"), NOW, &value, &error);
    assert_int_equal(status, STORE_FOUND);
    assert_int_equal(value.len, 200);
    store_close(reader);
    folder_remove(&folder);
}

static void readers_take_up_another_store(void **state)
{
    (void)state;
    struct folder folder;
    struct slice value;
    char from[FOLDER_SIZE + 16], to[FOLDER_SIZE + 16];
    folder_make(&folder);
    make(&folder, true);
    struct store *reader = lmdb(&folder, false, 0);
    assert_int_equal(store_get(reader, SLICE("key 1"), NOW, &value, NULL), STORE_FOUND);
    snprintf(from, sizeof from, "%s/data.mdb", folder.path);
    snprintf(to, sizeof to, "%s/data.old", folder.path);
    assert_int_equal(rename(from, to), 0);
    enum store_status status = STORE_FOUND;
    for (unsigned tries = 0; tries < 10000 && status != STORE_NONE; tries++, usleep(1000))
        status = store_get(reader, SLICE("key 1"), NOW, &value, NULL);
    assert_int_equal(status, STORE_NONE);
    store_close(reader);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_ones_are_sound),
        cmocka_unit_test(torn_ones_are_found),
        cmocka_unit_test(garbage_is_found),
        cmocka_unit_test(what_is_no_store_is_found),
        cmocka_unit_test(readers_outlive_a_torn_store),
        cmocka_unit_test(readers_take_up_another_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
