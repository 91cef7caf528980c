/* Proves that formats come out as the C library has them, whether they are done here or there, and cut. */
#include "base/format.h"
#include "unit.h"

#include <limits.h>
#include <stdio.h>

__attribute__((format(printf, 2, 3))) static void same(size_t size, const char *format, ...)
{
    char ours[200], theirs[200];
    va_list arguments;
    memset(ours, '?', sizeof ours);
    va_start(arguments, format);
    const size_t len = format_into(ours, size, format, arguments);
    va_end(arguments);
    va_start(arguments, format);
    vsnprintf(theirs, size, format, arguments);
    va_end(arguments);
    assert_string_equal(ours, theirs);
    assert_int_equal(len, strlen(theirs));
    assert_int_equal(ours[size], '?');
}

static void text_and_texts(void **state)
{
    (void)state;
    same(100, "plain");
    same(100, "%s", "");
    same(100, "a %s b %s", "one", "two");
    same(100, "%.*s|%.*s", 3, "abcdef", 0, "");
    same(100, "%.*s", 10, "short");
    same(100, "%.*s", -1, "whole");
    same(100, "%c%c%%", 'x', 'y');
}

static void numbers(void **state)
{
    (void)state;
    same(100, "%d %d %d", 0, INT_MAX, INT_MIN);
    same(100, "%u %u", 0u, UINT_MAX);
    same(100, "%ld %lu", LONG_MIN, ULONG_MAX);
    same(100, "%lld %lld %llu", LLONG_MIN, LLONG_MAX, ULLONG_MAX);
    same(100, "%zu %zd", SIZE_MAX, (ssize_t)-5);
}

static void the_rest_is_the_librarys(void **state)
{
    (void)state;
    same(100, "%s %02d:%02d %s", "at", 7, 5, "sharp");
    same(100, "%5u|%-5d|%x", 7u, 5, 255u);
    same(100, "%.3s|%10s", "abcdef", "right");
    same(100, "%hhu %.2f", (unsigned char)200, 1.5);
}

static void what_does_not_fit_is_cut(void **state)
{
    (void)state;
    for (size_t size = 1; size < 20; size++) {
        same(size, "ab%scd%uef%.*s", "one", 12345u, 4, "four");
        same(size, "%d%03d", -77, 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_texts),
        cmocka_unit_test(numbers),
        cmocka_unit_test(the_rest_is_the_librarys),
        cmocka_unit_test(what_does_not_fit_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
