/* Proves that memory comes zeroed, keeps its content when it is resized, and is counted to the octet. */
#include "base/memory.h"
#include "unit.h"

#include <string.h>

static void counts(void **state)
{
    const size_t before = memory_in_use();

    (void)state;
    void *a = memory_take(1000);
    void *b = memory_take(0);
    assert_non_null(b);
    assert_int_equal(memory_in_use(), before + 1000);
    a = memory_resize(a, 1000, 5000);
    assert_int_equal(memory_in_use(), before + 5000);
    a = memory_resize(a, 5000, 10);
    assert_int_equal(memory_in_use(), before + 10);
    assert_null(memory_resize(a, 10, 0));
    memory_give(b, 0);
    memory_give(NULL, 7);
    assert_int_equal(memory_in_use(), before);
}

static void zeroes(void **state)
{
    (void)state;
    for (size_t size = 1; size < 100000; size *= 3) {
        unsigned char *at = memory_take(size);

        for (size_t i = 0; i < size; i++)
            assert_int_equal(at[i], 0);
        memset(at, 0xaa, size);
        memory_give(at, size);
    }
}

static void keeps_content(void **state)
{
    char *at = memory_resize(NULL, 0, 4);

    (void)state;
    memcpy(at, "abcd", 4);
    at = memory_resize(at, 4, 100000);
    assert_memory_equal(at, "abcd", 4);
    at = memory_resize(at, 100000, 2);
    assert_memory_equal(at, "ab", 2);
    memory_give(at, 2);
}

static int number_order(const void *left, const void *right)
{
    const int *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

static void sorts_also_nothing(void **state)
{
    int numbers[] = {3, 1, 2};
    (void)state;
    memory_sort(numbers, 3, sizeof *numbers, number_order);
    assert_true(numbers[0] == 1 && numbers[1] == 2 && numbers[2] == 3);
    memory_sort(NULL, 0, sizeof *numbers, number_order);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(zeroes),
        cmocka_unit_test(keeps_content),
        cmocka_unit_test(sorts_also_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
