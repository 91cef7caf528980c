/* Proves for every class that lasts that the writer may die before or after any of its system calls that
 * change a file, or at any moment, that readers may die in the middle of reading, and that every tell is then
 * counted once when the writer's successor goes on from the position that it finds. */
#include "base/random.h"
#include "base/text.h"
#include "store_rig.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define TELLS 24
#define BATCH 5

/* Its calls come by here, for a program's own functions come before the system's: the process dies at the
 * one whose turn it is. The labels are the names under which libraries call them, whatever the headers make
 * of them. */
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
static void keeper(const struct class *class, const struct folder *folder)
{
    struct store *store = class->open(folder, true);
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
static bool keeper_dies(const struct class *class, const struct folder *folder, long at, bool behind)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        calls_left = at;
        dies_behind = behind;
        keeper(class, folder);
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
static void assert_whole(const struct class *class, const struct folder *folder, uint32_t *ret_applied)
{
    struct store *store = class->open(folder, true);
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

static void every_death_is_survived(const struct class *class, bool behind)
{
    uint32_t applied = 0, before = 0;
    unsigned deaths = 0;
    bool died = true;
    for (long at = 1; died; at++) {
        struct folder folder;
        folder_make(&folder);
        died = keeper_dies(class, &folder, at, behind);
        deaths += died;
        assert_whole(class, &folder, &applied);
        assert_true(applied >= before); /* it got further than one that died earlier */
        assert_true(died || applied == TELLS);
        before = applied;
        assert_false(keeper_dies(class, &folder, -1, false));
        assert_whole(class, &folder, &applied);
        assert_int_equal(applied, TELLS);
        folder_remove(&folder);
    }
    assert_true(deaths > 2 * TELLS / BATCH);
}

static void before_any_call(const struct class *class)
{
    every_death_is_survived(class, false);
}

static void behind_any_call(const struct class *class)
{
    every_death_is_survived(class, true);
}

/* --- at any moment -------------------------------------------------------------------------------------- */

static void keep_on(const struct class *class, const struct folder *folder, int out)
{
    struct store *store = class->open(folder, true);
    struct store_position position = {1, 0};
    alarm(60);
    store_position(store, SLICE("gate-0"), &position, NULL);
    for (uint32_t i = position.offset + 1;; i++) {
        char text[TEXT_UNIT_SIZE];
        struct slice number = slice_of(text, text_print_u64(i, text));
        const struct store_write writes[] = {
            {STORE_PUT, number, number, 0, NOW},
            {STORE_PUT, SLICE("newest"), number, 0, NOW},
            {STORE_ADD, SLICE("count"), SLICE("1"), 0, NOW},
        };
        struct store_stream stream = {SLICE("gate-0"), {1, i}};
        if (store_apply(store, &(struct store_batch){writes, COUNT(writes), &stream, 1}, NULL) < 0)
            _exit(1);
        if (write(out, &i, sizeof i) != sizeof i)
            _exit(1);
    }
}

/* Reads what there is, over and over. */
static void look_on(const struct class *class, const struct folder *folder)
{
    struct store *store = class->open(folder, false);
    struct slice value;
    alarm(60);
    for (;;)
        store_get(store, SLICE("newest"), NOW, &value, NULL);
}

static pid_t look_on_start(const struct class *class, const struct folder *folder)
{
    pid_t child = fork();
    if (child == 0)
        look_on(class, folder);
    return child;
}

static void end(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* Number, value and count tell the same story as the position, and no more has been applied. */
static void assert_same_story(struct store *store, uint32_t told)
{
    struct store_position position;
    uint64_t count = 0;
    char text[24];
    assert_int_equal(store_position(store, SLICE("gate-0"), &position, NULL), STORE_FOUND);
    assert_true(position.offset >= told);
    snprintf(text, sizeof text, "%u", position.offset);
    assert_value(store, SLICE("newest"), NOW, text);
    assert_value(store, slice_text(text), NOW, text);
    assert_int_equal(store_count(store, SLICE("count"), NOW, &count, NULL), STORE_FOUND);
    assert_int_equal(count, position.offset);
    snprintf(text, sizeof text, "%u", position.offset + 1);
    assert_value(store, slice_text(text), NOW, NULL);
}

static void at_any_moment(const struct class *class)
{
    struct folder folder;
    struct random random = {7};
    folder_make(&folder);
    store_close(class->open(&folder, true));
    uint32_t told = 0;
    for (unsigned round = 0; round < 10; round++) {
        int pipes[2];
        assert_int_equal(pipe(pipes), 0);
        pid_t reader = look_on_start(class, &folder), writer = fork();
        if (writer == 0)
            keep_on(class, &folder, pipes[1]);
        for (uint64_t n = 1 + random_below(&random, 20); n; n--)
            assert_int_equal(read(pipes[0], &told, sizeof told), sizeof told);
        if (round % 2)
            end(reader); /* and the writer goes on */
        for (uint64_t n = random_below(&random, 5); n; n--)
            assert_int_equal(read(pipes[0], &told, sizeof told), sizeof told);
        end(writer);
        if (round % 2 == 0)
            end(reader); /* it has outlived the writer */
        close(pipes[0]);
        close(pipes[1]);
        struct store *store = class->open(&folder, true);
        assert_same_story(store, told);
        store_close(store);
    }
    folder_remove(&folder);
}

static void death_before_any_call(void **state)
{
    (void)state;
    for_classes(before_any_call, true);
}

static void death_behind_any_call(void **state)
{
    (void)state;
    for_classes(behind_any_call, true);
}

static void death_at_any_moment(void **state)
{
    (void)state;
    for_classes(at_any_moment, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(death_before_any_call),
        cmocka_unit_test(death_behind_any_call),
        cmocka_unit_test(death_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
