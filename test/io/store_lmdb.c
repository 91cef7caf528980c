/* Proves what is LMDB's own: its map grows under readers, one that came before the store finds it, and the
 * places of readers that died are given back. */
#include "store_rig.h"

#include <sys/wait.h>

static void readers_follow_a_growing_map(void **state)
{
    (void)state;
    struct folder folder;
    static char value[10000];
    folder_make(&folder);
    struct store *reader = lmdb(&folder, false, 0);
    assert_value(reader, SLICE("0"), NOW, NULL); /* there is no store yet */
    struct store *writer = lmdb(&folder, true, 1 << 20);
    store_close(reader);
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork(); /* LMDB wants one environment a process */
    if (child == 0) {
        char octet;
        struct store *other = lmdb(&folder, false, 0);
        assert_value(other, SLICE("0"), NOW, NULL);
        assert_int_equal(write(pipes[1], "r", 1), 1);
        while (store_get(other, SLICE("last"), NOW, &(struct slice){0}, NULL) == STORE_NONE)
            usleep(1000);
        struct slice got;
        enum store_status status = store_get(other, SLICE("999"), NOW, &got, NULL);
        octet = status == STORE_FOUND && got.len == sizeof value ? 'y' : 'n';
        store_close(other);
        _exit(octet == 'y' ? 0 : 1);
    }
    char ready;
    assert_int_equal(read(pipes[0], &ready, 1), 1);
    for (unsigned i = 0; i < 1000; i++) {
        char key[24];
        snprintf(key, sizeof key, "%u", i);
        put(writer, slice_text(key), slice_of(value, sizeof value), 0);
    }
    put(writer, SLICE("last"), SLICE("1"), 0);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    struct store_counts counts;
    assert_int_equal(store_counts(writer, &counts, NULL), 0);
    assert_true(counts.octets > 10000000);
    close(pipes[0]);
    close(pipes[1]);
    store_close(writer);
    folder_remove(&folder);
}

static void reader_that_came_first_finds_the_store(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    pid_t child = fork();
    if (child == 0) {
        struct slice value;
        struct store *reader = lmdb(&folder, false, 0);
        for (unsigned tries = 0; tries < 10000; tries++, usleep(1000))
            if (store_get(reader, SLICE("a"), NOW, &value, NULL) == STORE_FOUND)
                break;
        for (unsigned tries = 0; tries < 10000; tries++, usleep(1000))
            if (store_version(reader) > 3) /* without a look into it */
                _exit(0);
        _exit(1);
    }
    struct store *writer = lmdb(&folder, true, 0);
    for (unsigned i = 0; i < 3; i++)
        put(writer, SLICE("a"), SLICE("1"), 0);
    assert_true(store_version(writer) > 3);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    store_close(writer);
    folder_remove(&folder);
}

static void dead_readers_are_cleared(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    struct store *writer = lmdb(&folder, true, 0);
    put(writer, SLICE("a"), SLICE("1"), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store *reader = lmdb(&folder, false, 0);
        assert_value(reader, SLICE("a"), NOW, "1");
        _exit(0); /* without closing */
    }
    waitpid(child, NULL, 0);
    assert_int_equal(store_lmdb_clear_dead(writer, NULL), 1);
    assert_int_equal(store_lmdb_clear_dead(writer, NULL), 0);
    store_close(writer);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_follow_a_growing_map),
        cmocka_unit_test(reader_that_came_first_finds_the_store),
        cmocka_unit_test(dead_readers_are_cleared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
