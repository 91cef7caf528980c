/* Proves which domain of a name somebody has registered, whether it is looked up or kept. */
#include "io/suffix.h"
#include "unit.h"

static void domains_are_found(void **state)
{
    static const struct {
        const char *name, *domain;
    } rows[] = {
        {"mx.example.org", "example.org"},
        {"example.org", "example.org"},
        {"a.b.c.example.co.uk", "example.co.uk"},
        {"org", ""},
        {"co.uk", ""},
        {"customer.blogspot.com", "customer.blogspot.com"}, /* of the private part */
        {"192.0.2.7", ""},
        {"no name", ""},
        {"mx.example.org.", ""}, /* a name comes without its last dot */
        {"", ""},
        {"a23456789.b23456789.c23456789.d23456789.e23456789.f23456789.g23456789.h23456789.example.org",
         "example.org"},
    };
    struct suffix *suffix = suffix_open();
    (void)state;
    assert_non_null(suffix);
    for (unsigned round = 0; round < 2; round++)
        for (size_t i = 0; i < COUNT(rows); i++) {
            struct arena arena;
            arena_init(&arena, NULL, 0);
            const struct slice domain = suffix_registered(suffix, slice_text(rows[i].name), &arena);
            assert_true(slice_equal(domain, slice_text(rows[i].domain)));
            arena_drop(&arena);
        }
    suffix_close(suffix);
}

/* More names than there is room for push each other out, and are found all the same. */
static void many_names_are_found(void **state)
{
    struct suffix *suffix = suffix_open();
    (void)state;
    for (unsigned i = 0; i < 3000; i++) {
        char name[40], domain[40], room[200];
        struct arena arena;
        snprintf(name, sizeof name, "host%u.far%u.example", i % 7, i % 1000);
        snprintf(domain, sizeof domain, "far%u.example", i % 1000);
        arena_init(&arena, room, sizeof room);
        assert_true(slice_equal(suffix_registered(suffix, slice_text(name), &arena), slice_text(domain)));
        arena_drop(&arena);
    }
    suffix_close(suffix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domains_are_found),
        cmocka_unit_test(many_names_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
