/* Proves that an error says what was tried and what the system meant, and never passes its room. */
#include "base/error.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

static void says_what_and_why(void **state)
{
    struct error error;

    (void)state;
    assert_int_equal(error_set(&error, ENOENT, "cannot open %s", "x.conf"), -1);
    assert_string_equal(error.text, "cannot open x.conf: No such file or directory");
    assert_int_equal(error.number, ENOENT);
    assert_int_equal(error_set(&error, 0, "line %d is too long", 7), -1);
    assert_string_equal(error.text, "line 7 is too long");
    assert_int_equal(error.number, 0);
    error_set(&error, 99999, "odd");
    assert_string_equal(error.text, "odd: error 99999");
    assert_int_equal(error_set(NULL, EIO, "nobody listens"), -1);
}

static void stays_in_its_room(void **state)
{
    char text[400];
    struct error error;

    (void)state;
    for (size_t len = 200; len < sizeof(text); len++) {
        memset(text, 'a', len);
        text[len] = '\0';
        error_set(&error, ENOENT, "%s", text);
        const size_t shown = strlen(error.text);
        assert_true(shown == (len + 27 < sizeof(error.text) ? len + 27 : sizeof(error.text) - 1));
        assert_true(strncmp(error.text, text, len < shown ? len : shown) == 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_and_why),
        cmocka_unit_test(stays_in_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
