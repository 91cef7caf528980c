/* Proves that a gate has room for the descriptors of all its connections before the first of them comes, as
 * far as the system lets it, and that it refuses in time where they run out. */
#include "daemon/guard.h"
#include "unit.h"

#include <sys/resource.h>
#include <unistd.h>

static unsigned long table_size(void)
{
    char line[128];
    unsigned long size = 0;
    FILE *status = fopen("/proc/self/status", "r");
    assert_non_null(status);
    while (fgets(line, sizeof line, status)) {
        if (strncmp(line, "FDSize:", 7) == 0)
            size = strtoul(line + 7, NULL, 10);
    }
    fclose(status);
    return size;
}

static void the_table_has_room(void **state)
{
    (void)state;
    struct guard guard = {.descriptors_max = 700};
    const int before = dup(STDIN_FILENO);
    close(before);
    guard_room(&guard, 500);
    assert_true(table_size() >= 500 + GUARD_DESCRIPTORS_RESERVED);
    const int after = dup(STDIN_FILENO);
    close(after);
    assert_int_equal(before, after); /* nothing was left open */
}

static void more_than_may_be_had(void **state)
{
    (void)state;
    const struct rlimit few = {600, 600};
    struct guard guard;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    guard_init(&guard, 1 << 20);
    assert_int_equal(guard.descriptors_max, 600 - GUARD_DESCRIPTORS_RESERVED);
    guard_room(&guard, 1000000);
    assert_false(guard_is_short(&guard, 600 - GUARD_DESCRIPTORS_RESERVED - GUARD_POLITE));
    assert_true(guard_is_short(&guard, 601 - GUARD_DESCRIPTORS_RESERVED - GUARD_POLITE));
    assert_false(guard_is_full(&guard, 599 - GUARD_DESCRIPTORS_RESERVED));
    assert_true(guard_is_full(&guard, 600 - GUARD_DESCRIPTORS_RESERVED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_has_room),
        cmocka_unit_test(more_than_may_be_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
