/* Names that one program makes up have one shape; names that people give keep their words. */
#include "unit.h"
#include "watch/shape.h"

static void helo_names_have_shapes(void **state)
{
    static const struct {
        const char *helo, *shape;
    } cases[] = {
        {"Amber-Fields-desk98", "[word]-[word]-desk[n]"},
        {"Nora-Swift-desk12", "[word]-[word]-desk[n]"},
        {"friend", "friend"},
        {"FRIEND", "friend"},
        {"x7k2q9p", "[random]"},
        {"123", "[n]"},
        {"mx2.example.org", "mx[n].example.org"},
        {"192-0-2-7.isp.example", "[address]"},
        {"host-192.0.2.7.isp.example", "[address]"},
        {"[192.0.2.7]", "[address]"},
        {"[IPv6:2001:db8::1]", "[address]"},
        {"1-2-3", "[n]-[n]-[n]"},
        {"999-2-3-4.example", "[n]-[n]-[n]-[n].example"},
        {"", ""},
        {"--", "--"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char shape[SHAPE_SIZE];
        const size_t len = shape_helo(slice_text(cases[i].helo), shape);
        assert_printed(len, shape, cases[i].shape);
    }
}

static void long_names_are_cut(void **state)
{
    char name[500], shape[SHAPE_SIZE];
    (void)state;
    memset(name, '-', sizeof name);
    assert_int_equal(shape_helo(slice_of(name, sizeof name), shape), SHAPE_SIZE - 1);
    memset(name, 'x', sizeof name);
    assert_int_equal(shape_local(slice_of(name, sizeof name), shape), SHAPE_SIZE - 1);
}

static void some_shapes_tell_nothing(void **state)
{
    (void)state;
    assert_false(shape_tells(SLICE("[address]")));
    assert_false(shape_tells(SLICE("")));
    assert_true(shape_tells(SLICE("friend")));
}

static void local_parts_have_shapes(void **state)
{
    char shape[SHAPE_SIZE];
    (void)state;
    assert_printed(shape_local(SLICE("5140ghxc"), shape), shape, "[made-up]");
    assert_printed(shape_local(SLICE("Anna.Evans"), shape), shape, "anna.evans");
    assert_printed(shape_local(SLICE("12"), shape), shape, "12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(helo_names_have_shapes),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(some_shapes_tell_nothing),
        cmocka_unit_test(local_parts_have_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
