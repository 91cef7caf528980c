/* Keys, values and lengths of the own block list read back as they were printed, and nothing else is read: a
 * store that holds what it should not makes nothing match. */
#include "unit.h"

#include "core/event.h"
#include "core/own_list.h"

static struct prefix prefix_of(const char *text)
{
    struct prefix prefix;
    assert_true(prefix_parse(slice_text(text), &prefix));
    return prefix;
}

static struct address address_of(const char *text)
{
    struct address address;
    assert_true(address_parse(slice_text(text), &address));
    return address;
}

static void test_prefixes_of_hosts(void **state)
{
    (void)state;
    static const struct {
        const char *host, *prefix;
    } cases[] = {
        {"192.0.2.7", "192.0.2.7/32"},
        {"::ffff:192.0.2.7", "192.0.2.7/32"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
        {"2001:db8::1", "2001:db8::/64"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[ADDRESS_PORT_TEXT_SIZE];
        const struct address host = address_of(cases[i].host);
        const struct prefix prefix = own_prefix_of_host(&host);
        assert_printed(prefix_print(&prefix, text), text, cases[i].prefix);
        assert_true(own_prefix_is_sound(&prefix));
    }
}

static void test_lengths_that_no_entry_has(void **state)
{
    (void)state;
    static const char *const fine[] = {"192.0.2.7/32", "10.0.0.0/8", "2001:db8::/64", "2001::/16"};
    static const char *const none[] = {"10.0.0.0/7", "0.0.0.0/0",     "2000::/15",
                                       "::/0",       "2001:db8::/65", "2001:db8::1/128"};
    for (size_t i = 0; i < COUNT(fine); i++) {
        const struct prefix prefix = prefix_of(fine[i]);
        assert_true(own_prefix_is_sound(&prefix));
    }
    for (size_t i = 0; i < COUNT(none); i++) {
        const struct prefix prefix = i == 0 ? (struct prefix){address_of("10.0.0.0"), 7} : prefix_of(none[i]);
        assert_false(own_prefix_is_sound(&prefix));
    }
    assert_false(own_prefix_is_sound(&(struct prefix){address_of("192.0.2.7"), 24}));
    assert_false(own_prefix_is_sound(&(struct prefix){{ADDRESS_NONE, {0}, 0}, 32}));
}

static void test_prefixes_that_a_person_names(void **state)
{
    (void)state;
    char text[ADDRESS_PORT_TEXT_SIZE];
    struct prefix named = prefix_of("2001:db8:1:2:3:4:5:6"), fitted;
    assert_true(own_prefix_fit(&named, &fitted));
    assert_printed(prefix_print(&fitted, text), text, "2001:db8:1:2::/64");
    named = prefix_of("192.0.2.0/24");
    assert_true(own_prefix_fit(&named, &fitted));
    assert_printed(prefix_print(&fitted, text), text, "192.0.2.0/24");
    named = prefix_of("0.0.0.0/0");
    assert_false(own_prefix_fit(&named, &fitted));
    const struct address host = address_of("192.0.2.7");
    assert_true(own_prefix_of(&host, 24, &fitted));
    assert_printed(prefix_print(&fitted, text), text, "192.0.2.0/24");
    assert_false(own_prefix_of(&host, 33, &fitted));
    assert_false(own_prefix_of(&host, 7, &fitted));
}

static void test_keys(void **state)
{
    (void)state;
    static const char *const keys[] = {"block 192.0.2.7/32", "allow 192.0.2.0/24", "block 2001:db8:1:2::/64",
                                       "allow 2001:db8::/32"};
    for (size_t i = 0; i < COUNT(keys); i++) {
        char text[OWN_KEY_SIZE];
        enum own_list list;
        struct prefix prefix;
        assert_true(own_key_parse(slice_text(keys[i]), &list, &prefix));
        assert_int_equal(list, keys[i][0] == 'a' ? OWN_ALLOW : OWN_BLOCK);
        assert_printed(own_key_print(list, &prefix, text), text, keys[i]);
        assert_true(slice_starts(slice_text(text), own_key_start(list)));
        assert_true(slice_starts(slice_text(text), slice_text(own_list_word(list))));
    }
}

static void test_keys_that_are_none(void **state)
{
    (void)state;
    static const char *const none[] = {"",
                                       "block",
                                       "block ",
                                       "block 192.0.2.7",
                                       "block 192.0.2.7/24",
                                       "block 192.0.2.7/032",
                                       "block  192.0.2.7/32",
                                       "block 192.0.2.7/32 ",
                                       "Block 192.0.2.7/32",
                                       "deny 192.0.2.7/32",
                                       "block 0.0.0.0/0",
                                       "block ::ffff:192.0.2.7/128",
                                       "block 2001:DB8::/64",
                                       "block 2001:db8:0::/64",
                                       "block 2001:db8::1/128",
                                       "own lengths"};
    for (size_t i = 0; i < COUNT(none); i++) {
        enum own_list list;
        struct prefix prefix;
        assert_false(own_key_parse(slice_text(none[i]), &list, &prefix));
    }
}

static void test_values(void **state)
{
    (void)state;
    char text[OWN_VALUE_SIZE], id[EVENT_ID_SIZE];
    struct own_value value = {SLICE_NONE, SLICE("Apparent open relay")}, read;
    assert_printed(own_value_print(OWN_BLOCK, &value, text), text, "- Apparent open relay");
    assert_true(own_value_parse(slice_text(text), &read));
    assert_int_equal(read.id.len, 0);
    assert_slice_equal(read.reason, "Apparent open relay");
    event_id_print(event_id_make(1763600000000, 1, 2), id);
    value.id = slice_text(id);
    const size_t len = own_value_print(OWN_BLOCK, &value, text);
    assert_true(own_value_parse(slice_of(text, len), &read));
    assert_true(slice_equal(read.id, slice_text(id)));
    assert_slice_equal(read.reason, "Apparent open relay");
}

static void test_reasons_are_made_fit(void **state)
{
    (void)state;
    char text[OWN_VALUE_SIZE], much[300];
    struct own_value value = {SLICE("not an id"), SLICE(" a\r\n\tb\x80 ")}, read;
    assert_printed(own_value_print(OWN_BLOCK, &value, text), text, "- a?? b?");
    value.reason = SLICE(" \t ");
    assert_printed(own_value_print(OWN_BLOCK, &value, text), text, "- blocked");
    assert_printed(own_value_print(OWN_ALLOW, &value, text), text, "- allowed");
    memset(much, 'x', sizeof much);
    much[OWN_REASON_MAX - 1] = ' ';
    value.reason = slice_of(much, sizeof much);
    const size_t len = own_value_print(OWN_BLOCK, &value, text);
    assert_int_equal(len, 2 + OWN_REASON_MAX - 1);
    assert_true(own_value_parse(slice_of(text, len), &read));
}

static void test_values_that_are_none(void **state)
{
    (void)state;
    static const char *const none[] = {"",
                                       "-",
                                       "- ",
                                       " -",
                                       "-  open relay",
                                       "- open relay ",
                                       "- open\nrelay",
                                       "- open\x7frelay",
                                       "open relay",
                                       "0123456789abi open relay",
                                       "0123456789ABC open relay",
                                       "0123456789ab open relay",
                                       "0123456789abcd open relay"};
    char much[2 + OWN_REASON_MAX + 1];
    struct own_value value;
    for (size_t i = 0; i < COUNT(none); i++)
        assert_false(own_value_parse(slice_text(none[i]), &value));
    assert_false(own_value_parse(SLICE("- open\0relay"), &value));
    memset(much, 'x', sizeof much);
    memcpy(much, "- ", 2);
    assert_false(own_value_parse(slice_of(much, sizeof much), &value));
    assert_true(own_value_parse(slice_of(much, sizeof much - 1), &value));
}

static void test_lengths(void **state)
{
    (void)state;
    static const char *const texts[] = {"4:32", "4:32,24", "6:64", "4:32,24,8 6:64,56,16", "4:9 6:20"};
    struct own_lengths lengths = {0, 0};
    char text[OWN_LENGTHS_SIZE];
    assert_int_equal(own_lengths_print(&lengths, text), 0);
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_true(own_lengths_parse(slice_text(texts[i]), &lengths));
        assert_printed(own_lengths_print(&lengths, text), text, texts[i]);
    }
}

static void test_all_lengths_have_room(void **state)
{
    (void)state;
    struct own_lengths lengths = {0, 0}, read;
    char text[OWN_LENGTHS_SIZE];
    const struct address four = address_of("192.0.2.7"), six = address_of("2001:db8:1:2::");
    struct prefix prefix;
    for (unsigned bits = 0; bits <= 128; bits++) {
        if (own_prefix_of(&four, bits, &prefix))
            own_lengths_add(&lengths, &prefix);
        if (own_prefix_of(&six, bits, &prefix))
            own_lengths_add(&lengths, &prefix);
    }
    const size_t len = own_lengths_print(&lengths, text);
    assert_true(len < sizeof text);
    assert_true(own_lengths_parse(slice_of(text, len), &read));
    assert_true(read.ipv4 == lengths.ipv4 && read.ipv6 == lengths.ipv6);
}

static void test_lengths_come_longest_first(void **state)
{
    (void)state;
    struct own_lengths lengths;
    assert_true(own_lengths_parse(SLICE("4:32,24 6:64"), &lengths));
    uint64_t set = own_lengths_of(&lengths, ADDRESS_IPV4);
    assert_int_equal(own_lengths_take(&set), 32);
    assert_int_equal(own_lengths_take(&set), 24);
    assert_int_equal(own_lengths_take(&set), 0);
    set = own_lengths_of(&lengths, ADDRESS_IPV6);
    assert_int_equal(own_lengths_take(&set), 64);
    assert_int_equal(own_lengths_take(&set), 0);
    assert_true(own_lengths_of(&lengths, ADDRESS_NONE) == 0);
}

static void test_lengths_that_are_none(void **state)
{
    (void)state;
    static const char *const none[] = {
        "",        " ",         "4:",         "4:33",      "4:7",
        "4:24,32", "4:32,32",   "4:32,",      "4:,32",     "4:032",
        "4:32 ",   " 4:32",     "4:32  6:64", "6:64 4:32", "6:65",
        "6:15",    "4:32 4:24", "4:32 6:64 ", "6:64 6:56", "5:32",
        "32",      "4:32 6:",   "4:-1",       "4:32;24",   "4:99999999999999999999"};
    struct own_lengths lengths;
    for (size_t i = 0; i < COUNT(none); i++) {
        assert_false(own_lengths_parse(slice_text(none[i]), &lengths));
        assert_true(!lengths.ipv4 && !lengths.ipv6);
    }
}

static void test_entries(void **state)
{
    (void)state;
    static const char *const texts[] = {"block 192.0.2.0/24 - Apparent open relay",
                                        "allow 2001:db8:1:2::/64 0123456789abc one wronged sender"};
    static const char *const none[] = {"",
                                       "block",
                                       "block 192.0.2.0/24",
                                       "block 192.0.2.0/24 -",
                                       "block 192.0.2.0 - Apparent open relay",
                                       "block - Apparent open relay"};
    struct own_entry entry;
    char text[OWN_ENTRY_SIZE];
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_true(own_entry_parse(slice_text(texts[i]), &entry));
        assert_printed(own_entry_print(&entry, text), text, texts[i]);
    }
    for (size_t i = 0; i < COUNT(none); i++)
        assert_false(own_entry_parse(slice_text(none[i]), &entry));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefixes_of_hosts),
        cmocka_unit_test(test_lengths_that_no_entry_has),
        cmocka_unit_test(test_prefixes_that_a_person_names),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_keys_that_are_none),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_reasons_are_made_fit),
        cmocka_unit_test(test_values_that_are_none),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_all_lengths_have_room),
        cmocka_unit_test(test_lengths_come_longest_first),
        cmocka_unit_test(test_lengths_that_are_none),
        cmocka_unit_test(test_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
