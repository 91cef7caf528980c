/* Proves what is believed of a zone of origins: fields in their order, the longest netblock that holds the
 * address; that anything else is passed over; and that an origin reads back as it was written. */
#include "unit.h"
#include "wire/origin.h"

struct rig {
    struct arena arena;
    struct origin origin;
};

static void begin(struct rig *rig)
{
    *rig = (struct rig){.origin = {.as_count = 0}};
    arena_init(&rig->arena, NULL, 0);
}

static struct slice netstrings(struct rig *rig, const char *const *texts)
{
    struct slice all = SLICE_NONE;
    for (; *texts; texts++)
        all = arena_format(&rig->arena, "%.*s%zu:%s,", SLICE_ARGS(all), strlen(*texts), *texts);
    return all;
}

static bool zone_says(struct rig *rig, const char *address_text, const char *const *texts)
{
    struct address address;
    assert_true(address_parse(slice_text(address_text), &address));
    return origin_zone_read(&rig->origin, netstrings(rig, texts), &address);
}

static void assert_words(struct rig *rig, const char *words)
{
    const struct slice shown = origin_words(&rig->origin, &rig->arena);
    if (!slice_equal(shown, slice_text(words)))
        fail_msg("\"%.*s\" is not \"%s\"", SLICE_ARGS(shown), words);
}

static void a_zone_is_read(void **state)
{
    static const struct {
        const char *address, *texts[4], *words;
    } cases[] = {
        {"192.0.2.7", {"64500 | 192.0.2.0/24 | NZ | apnic | 2004-01-01"}, "AS64500, 192.0.2.0/24, NZ"},
        {"192.0.2.7", {"64500|192.0.2.0/24|NZ"}, "AS64500, 192.0.2.0/24, NZ"},
        {"192.0.2.7", {"64500 AS64501 64500 | 192.0.2.0/24 | |"}, "AS64500 AS64501, 192.0.2.0/24"},
        {"192.0.2.7", {"NA | 192.0.2.0/24 | nz | apnic |"}, "192.0.2.0/24"},
        {"2001:db8::7", {"4294967295 | 2001:db8::/32 | NZ | apnic |"}, "AS4294967295, 2001:db8::/32, NZ"},
        {"192.0.2.7",
         {"64500 | 192.0.0.0/16 | NZ |", "64501 | 192.0.2.0/25 | FJ |", "64502 | 192.0.2.128/25 | TO |"},
         "AS64501, 192.0.2.0/25, FJ"},
        {"192.0.2.7", {"1 2 3 4 5 6 | 192.0.2.7 | NZ"}, "AS1 AS2 AS3 AS4, 192.0.2.7/32, NZ"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rig rig;
        begin(&rig);
        assert_true(zone_says(&rig, cases[i].address, cases[i].texts));
        assert_words(&rig, cases[i].words);
        arena_drop(&rig.arena);
    }
}

static void what_is_no_origin_is_passed_over(void **state)
{
    static const char *const texts[][2] = {
        {""},
        {"v=spf1 -all"},
        {"64500"},
        {"64500 | | NZ"},
        {"64500 192.0.2.0/24 NZ"},
        {"64500 | 198.51.100.0/24 | NZ | apnic |"}, /* of somebody else */
        {"64500 | 2001:db8::/32 | NZ | apnic |"},
        {"64500 | 192.0.2.1/24 | NZ | apnic |"},
        {"64500 | 0.0.0.0/0 | NZ | apnic |"},
        {"\377\376\001|\200|\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct rig rig;
        begin(&rig);
        assert_false(zone_says(&rig, "192.0.2.7", texts[i]));
        assert_true(origin_is_empty(&rig.origin));
        arena_drop(&rig.arena);
    }
}

static void what_is_known_stays(void **state)
{
    static const char *const texts[] = {"64500 | 192.0.2.0/24 | NZ | apnic |", NULL};
    struct rig rig;
    (void)state;
    begin(&rig);
    origin_set_country(&rig.origin, SLICE("FJ"));
    origin_set_country_name(&rig.origin, SLICE("Fiji"), &rig.arena);
    assert_true(zone_says(&rig, "192.0.2.7", texts));
    assert_words(&rig, "AS64500, 192.0.2.0/24, Fiji");
    arena_drop(&rig.arena);
}

static void a_description_is_found(void **state)
{
    static const struct {
        const char *texts[3], *name;
    } cases[] = {
        {{"64500 | NZ | apnic | 1996-01-01 | EXAMPLE-AS Example Telecom, NZ"}, "EXAMPLE-AS Example Telecom"},
        {{"64500 | NZ | apnic | 1996-01-01 | Example, Ltd."}, "Example, Ltd."},
        {{"nothing", "64500 | | | | A|B"}, "A|B"},
        {{"64500 | NZ | apnic | 1996-01-01 | Ex\tam\033[2Jple\302\233"}, "Ex am?[2Jple??"},
        {{"64500 | NZ | apnic | 1996-01-01 | Telef\303\263nica \377"}, "Telef\303\263nica ?"},
        {{"64500 | NZ | apnic | 1996-01-01 |"}, ""},
        {{"64500 | NZ"}, ""},
        {{""}, ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rig rig;
        begin(&rig);
        const struct slice name = origin_description(netstrings(&rig, cases[i].texts), &rig.arena);
        if (!slice_equal(name, slice_text(cases[i].name)))
            fail_msg("\"%.*s\" is not \"%s\"", SLICE_ARGS(name), cases[i].name);
        arena_drop(&rig.arena);
    }
}

/* Cut between characters, at the end of what is kept. */
static void a_long_name_is_cut(void **state)
{
    char text[2 * ORIGIN_NAME_MAX + 2] = "a";
    struct rig rig;
    (void)state;
    begin(&rig);
    for (size_t i = 0; i < ORIGIN_NAME_MAX; i++)
        memcpy(text + 1 + 2 * i, "\303\263", 2);
    origin_set_name(&rig.origin, slice_of(text, sizeof text - 1), &rig.arena);
    assert_int_equal(rig.origin.name.len, ORIGIN_NAME_MAX - 1);
    assert_true(slice_is_utf8(rig.origin.name));
    arena_drop(&rig.arena);
}

static void the_largest_has_room(void **state)
{
    char name[ORIGIN_NAME_MAX], text[ORIGIN_TEXT_MAX];
    struct origin again;
    struct rig rig;
    (void)state;
    begin(&rig);
    memset(name, 'n', sizeof name);
    for (uint64_t i = 0; i <= ORIGIN_AS_MAX; i++)
        origin_add_as(&rig.origin, 4294967295u - i);
    origin_add_as(&rig.origin, 0);
    assert_true(prefix_parse(SLICE("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/128"), &rig.origin.netblock));
    origin_set_country(&rig.origin, SLICE("NZ"));
    origin_set_name(&rig.origin, slice_of(name, sizeof name), &rig.arena);
    origin_set_country_name(&rig.origin, slice_of(name, sizeof name), &rig.arena);
    const size_t len = origin_print(&rig.origin, text);
    assert_true(origin_parse(slice_of(text, len), &rig.arena, &again));
    assert_int_equal(again.as_count, ORIGIN_AS_MAX);
    assert_int_equal(again.as[ORIGIN_AS_MAX - 1], 4294967292u);
    assert_int_equal(again.netblock.bits, 128);
    assert_int_equal(again.name.len, sizeof name);
    assert_int_equal(again.country_name.len, sizeof name);
    assert_memory_equal(again.country, "NZ", 2);
    arena_drop(&rig.arena);
}

static void parts_are_written_in_their_order(void **state)
{
    static const char text[] = "AS64500 AS64501\t192.0.2.0/24\tNZ\tExample Telecom\tNew Zealand";
    char again[ORIGIN_TEXT_MAX];
    struct rig rig;
    (void)state;
    begin(&rig);
    assert_true(origin_parse(slice_text(text), &rig.arena, &rig.origin));
    assert_words(&rig, "AS64500 AS64501 Example Telecom, 192.0.2.0/24, New Zealand");
    assert_printed(origin_print(&rig.origin, again), again, text);
    assert_true(origin_parse(SLICE("\t\t\t\tNew Zealand"), &rig.arena, &rig.origin));
    assert_words(&rig, "New Zealand");
    assert_true(origin_parse(SLICE("\t192.0.2.0/24"), &rig.arena, &rig.origin));
    assert_printed(origin_print(&rig.origin, again), again, "\t192.0.2.0/24\t\t\t");
    assert_false(origin_parse(SLICE(""), &rig.arena, &rig.origin));
    assert_false(origin_parse(SLICE("AS0\tnone\tnz\t\t"), &rig.arena, &rig.origin));
    arena_drop(&rig.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_is_read),
        cmocka_unit_test(what_is_no_origin_is_passed_over),
        cmocka_unit_test(what_is_known_stays),
        cmocka_unit_test(a_description_is_found),
        cmocka_unit_test(a_long_name_is_cut),
        cmocka_unit_test(the_largest_has_room),
        cmocka_unit_test(parts_are_written_in_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
