/* Proves that the writer of a store may die before or after any of its system calls that change a file, and
 * that every tell is then counted once when its successor goes on from the position that it finds. */
#include "base/text.h"
#include "store_rig.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define TELLS 24
#define BATCH 5

/* LMDB's calls come by here, for a program's own functions come before the system's: the process dies at the
 * one whose turn it is. The labels are the names under which LMDB calls them, whatever the headers make of
 * them. */
static long calls_left = -1;
static bool dies_behind; /* when the call has been made, not before */

static void count_down(void)
{
    if (calls_left > 0 && --calls_left == 0)
        raise(SIGKILL);
}

static long counted(long number, long first, long second, long third, long fourth)
{
    if (!dies_behind)
        count_down();
    long result = syscall(number, first, second, third, fourth);
    if (dies_behind)
        count_down();
    return result;
}

ssize_t call_write(int fd, const void *octets, size_t size) __asm__("write");
ssize_t call_writev(int fd, const struct iovec *parts, int count) __asm__("writev");
ssize_t call_pwrite(int fd, const void *octets, size_t size, off_t offset) __asm__("pwrite");
int call_fdatasync(int fd) __asm__("fdatasync");
int call_fsync(int fd) __asm__("fsync");
int call_ftruncate(int fd, off_t size) __asm__("ftruncate");

ssize_t call_write(int fd, const void *octets, size_t size)
{
    return counted(SYS_write, fd, (long)octets, (long)size, 0);
}

ssize_t call_writev(int fd, const struct iovec *parts, int count)
{
    return counted(SYS_writev, fd, (long)parts, count, 0);
}

ssize_t call_pwrite(int fd, const void *octets, size_t size, off_t offset)
{
    return counted(SYS_pwrite64, fd, (long)octets, (long)size, offset);
}

int call_fdatasync(int fd)
{
    return (int)counted(SYS_fdatasync, fd, 0, 0, 0);
}

int call_fsync(int fd)
{
    return (int)counted(SYS_fsync, fd, 0, 0, 0);
}

int call_ftruncate(int fd, off_t size)
{
    return (int)counted(SYS_ftruncate, fd, size, 0, 0);
}

/* The journal has TELLS tells at the places 0, 1, 2 …: each adds one to "count", touches "seen" with its own
 * number, and puts it under "newest". A keeper reads them in batches from where the store says. */
static void keeper(const struct folder *folder)
{
    struct store *store = lmdb(folder, true, 1 << 20);
    struct store_position position = {1, 0};
    store_position(store, SLICE("gate-0"), &position, NULL);
    while (position.offset < TELLS) {
        struct store_write writes[3 * BATCH];
        char numbers[BATCH][TEXT_UNIT_SIZE];
        size_t count = 0;
        for (unsigned i = 0; i < BATCH && position.offset < TELLS; i++, position.offset++) {
            struct slice number = slice_of(numbers[i], text_print_u64(position.offset, numbers[i]));
            int64_t at = NOW + position.offset;
            writes[count++] = (struct store_write){STORE_ADD, SLICE("count"), SLICE("1"), 0, at};
            writes[count++] = (struct store_write){STORE_SEEN, SLICE("seen"), number, 0, at};
            writes[count++] = (struct store_write){STORE_PUT, SLICE("newest"), number, 0, at};
        }
        struct store_stream stream = {SLICE("gate-0"), position};
        if (store_apply(store, &(struct store_batch){writes, count, &stream, 1}, NULL) < 0)
            _exit(1);
    }
    store_close(store);
}

/* True: it died. */
static bool keeper_dies(const struct folder *folder, long at, bool behind)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        calls_left = at;
        dies_behind = behind;
        keeper(folder);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return true;
    }
    assert_int_equal(status, 0);
    return false;
}

/* Whatever was applied, all of it tells the same story as the position. */
static void assert_whole(const struct folder *folder, uint32_t *ret_applied)
{
    struct store *store = lmdb(folder, true, 1 << 20);
    struct store_position position = {1, 0};
    struct store_touches seen = {0};
    struct slice newest = SLICE("-");
    uint64_t count = 0;
    store_position(store, SLICE("gate-0"), &position, NULL);
    store_count(store, SLICE("count"), NOW, &count, NULL);
    store_seen(store, SLICE("seen"), NOW, &seen, NULL);
    assert_int_equal(count, position.offset);
    assert_int_equal(seen.count, position.offset);
    assert_int_equal(seen.distinct, position.offset);
    store_get(store, SLICE("newest"), NOW, &newest, NULL);
    char text[TEXT_UNIT_SIZE];
    size_t len = text_print_u64(position.offset - 1, text);
    assert_true(position.offset ? slice_equal(newest, slice_of(text, len)) : slice_equal(newest, SLICE("-")));
    *ret_applied = position.offset;
    store_close(store);
}

static void every_death_is_survived(bool behind)
{
    uint32_t applied = 0, before = 0;
    unsigned deaths = 0;
    bool died = true;
    for (long at = 1; died; at++) {
        struct folder folder;
        folder_make(&folder);
        died = keeper_dies(&folder, at, behind);
        deaths += died;
        assert_whole(&folder, &applied);
        assert_true(applied >= before); /* it got further than one that died earlier */
        assert_true(died || applied == TELLS);
        before = applied;
        assert_false(keeper_dies(&folder, -1, false));
        assert_whole(&folder, &applied);
        assert_int_equal(applied, TELLS);
        folder_remove(&folder);
    }
    assert_true(deaths > 2 * TELLS / BATCH);
}

static void death_before_any_call(void **state)
{
    (void)state;
    every_death_is_survived(false);
}

static void death_behind_any_call(void **state)
{
    (void)state;
    every_death_is_survived(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(death_before_any_call),
        cmocka_unit_test(death_behind_any_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
