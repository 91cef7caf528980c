/* Proves which names lists are asked for, which codes a pattern holds, which answers are no listings, and
 * that a reason holds nothing that could harm. */
#include "unit.h"
#include "wire/dnsbl.h"

static struct address address_of(const char *text)
{
    struct address address;
    assert_true(address_parse(slice_text(text), &address));
    return address;
}

static void names_are_turned_round(void **state)
{
    static const struct {
        const char *address, *name;
    } cases[] = {
        {"192.0.2.7", "7.2.0.192.list.example"},
        {"127.0.0.2", "2.0.0.127.list.example"},
        {"203.0.113.100", "100.113.0.203.list.example"},
        {"2001:db8::7", "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.list.example"},
        {"2001:db8:a1:b2::c3d4",
         "4.d.3.c.0.0.0.0.0.0.0.0.0.0.0.0.2.b.0.0.1.a.0.0.8.b.d.0.1.0.0.2.list.example"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct address address = address_of(cases[i].address);
        char room[DNSBL_NAME_MAX];
        assert_true(
            slice_equal(dnsbl_name(&address, SLICE("list.example"), room), slice_text(cases[i].name)));
    }
}

static void the_longest_zone_has_room(void **state)
{
    char zone[DNSBL_ZONE_MAX], room[DNSBL_NAME_MAX];
    const struct address address = address_of("2001:db8::7");
    (void)state;
    memset(zone, 'z', sizeof zone);
    assert_int_equal(dnsbl_name(&address, slice_of(zone, sizeof zone), room).len, 64 + DNSBL_ZONE_MAX);
}

static void patterns_hold_their_codes(void **state)
{
    static const struct {
        const char *pattern, *code;
        bool matches;
    } cases[] = {
        {"127.0.0.2", "127.0.0.2", true},    {"127.0.0.2", "127.0.0.3", false},
        {"127.0.0.4-7", "127.0.0.4", true},  {"127.0.0.4-7", "127.0.0.7", true},
        {"127.0.0.4-7", "127.0.0.8", false}, {"127.0.0.4-7", "127.0.0.3", false},
        {"127.0.*.3", "127.0.10.3", true},   {"127.0.*.3", "127.0.255.3", true},
        {"127.0.*.3", "127.1.10.3", false},  {"127.0.*.1-2", "127.0.5.2", true},
        {"127.*.*.*", "127.255.9.9", true},  {"127.0.0.0-255", "127.0.0.255", true},
        {"127.0.0.2", "2001:db8::2", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct address code = address_of(cases[i].code);
        struct dnsbl_pattern pattern;
        assert_true(dnsbl_pattern_parse(slice_text(cases[i].pattern), &pattern));
        assert_int_equal(dnsbl_pattern_matches(&pattern, &code), cases[i].matches);
    }
}

static void anything_else_is_no_pattern(void **state)
{
    static const char *const texts[] = {"",           "127",           "127.0.0",     "127.0.0.",
                                        "127.0.0.2.", "127.0.0.2.3",   ".127.0.0.2",  "128.0.0.2",
                                        "*.0.0.2",    "126-127.0.0.2", "127.0.0.256", "127.0.0.7-4",
                                        "127.0.0.4-", "127.0.0.-4",    "127.0.0.**",  "127.0.0.1-*",
                                        "127.0.0.a",  "127.0.0.0002",  "127..0.2",    "127.0.0.2/32"};
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct dnsbl_pattern pattern;
        assert_false(dnsbl_pattern_parse(slice_text(texts[i]), &pattern));
    }
}

static void errors_are_told_from_listings(void **state)
{
    static const struct {
        const char *codes, *odd;
        enum dnsbl_answer answer;
    } cases[] = {
        {"127.0.0.2", NULL, DNSBL_LISTED},
        {"127.0.0.2 127.0.0.4", NULL, DNSBL_LISTED},
        {"127.255.0.1", NULL, DNSBL_LISTED},
        {"127.255.255.254", "127.255.255.254", DNSBL_ERROR},
        {"127.0.0.2 127.255.255.255", "127.255.255.255", DNSBL_ERROR},
        {"192.0.2.1", "192.0.2.1", DNSBL_OUTSIDE},
        {"127.0.0.2 198.51.100.9", "198.51.100.9", DNSBL_OUTSIDE},
        {"2001:db8::1", "2001:db8::1", DNSBL_OUTSIDE},
        {"junk", "none", DNSBL_OUTSIDE},
        {"", "none", DNSBL_OUTSIDE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct address odd;
        char text[ADDRESS_TEXT_SIZE] = "";
        assert_int_equal(dnsbl_answer_read(slice_text(cases[i].codes), &odd), cases[i].answer);
        if (!cases[i].odd)
            continue;
        address_print(&odd, text);
        assert_string_equal(text, cases[i].odd);
        assert_true(dnsbl_error_words(&odd)[0]);
    }
}

static void reasons_are_harmless(void **state)
{
    static const struct {
        struct slice records;
        const char *reason;
    } cases[] = {
        {{"12:see the page,", 16}, "see the page"},
        {{"0:,3:two,", 9}, "two"},
        {{"3:one,3:two,", 12}, "one"},
        {{"7: a\tb\r\n ,", 10}, "a b??"},
        {{"6:\033[2J\0x,", 9}, "?[2J?x"},
        {{"3:\303\244z,", 6}, "??z"},
        {{"4:  \t ,", 7}, ""},
        {{"9:cut,", 6}, ""},
        {{NULL, 0}, ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char room[DNSBL_REASON_MAX];
        const struct slice reason = dnsbl_reason(cases[i].records, room);
        assert_true(slice_equal(reason, slice_text(cases[i].reason)));
        assert_true(slice_is_printable(reason));
    }
}

static void reasons_are_bounded(void **state)
{
    char records[305], room[DNSBL_REASON_MAX];
    (void)state;
    memcpy(records, "300:", 4);
    memset(records + 4, 'x', 300);
    records[304] = ',';
    assert_int_equal(dnsbl_reason(slice_of(records, sizeof records), room).len, DNSBL_REASON_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_turned_round),        cmocka_unit_test(the_longest_zone_has_room),
        cmocka_unit_test(patterns_hold_their_codes),     cmocka_unit_test(anything_else_is_no_pattern),
        cmocka_unit_test(errors_are_told_from_listings), cmocka_unit_test(reasons_are_harmless),
        cmocka_unit_test(reasons_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
