/* Proves numbers and units there and back, with their overflows, the distance of words, and that escaped text
 * steers no terminal. */
#include "base/random.h"
#include "base/text.h"
#include "unit.h"

#include <string.h>

static void reads_numbers(void **state)
{
    uint64_t u = 42;
    int64_t i = 42;

    (void)state;
    assert_true(text_parse_u64(SLICE("18446744073709551615"), &u) && u == UINT64_MAX);
    assert_true(text_parse_u64(SLICE("0007"), &u) && u == 7);
    assert_true(text_parse_i64(SLICE("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_true(text_parse_i64(SLICE("9223372036854775807"), &i) && i == INT64_MAX);
    assert_true(text_parse_i64(SLICE("-0"), &i) && i == 0);
    assert_true(text_parse_hex(SLICE("fFffFFffffffffff"), &u) && u == UINT64_MAX);
    assert_true(text_parse_hex(SLICE("00000000000000000000a"), &u) && u == 10);
}

static void refuses_numbers(void **state)
{
    static const char *const texts[] = {
        "",    "-", "+1", " 1", "1 ", "1a", "--1", "0x1", "18446744073709551616", "99999999999999999999999",
        "\xb2"};
    uint64_t u = 42;
    int64_t i = 42;

    (void)state;
    for (size_t n = 0; n < COUNT(texts); n++)
        if (text_parse_u64(slice_text(texts[n]), &u) || text_parse_i64(slice_text(texts[n]), &i))
            fail_msg("%s is taken", texts[n]);
    assert_false(text_parse_u64(SLICE("-1"), &u));
    assert_false(text_parse_u64(SLICE("1\0"), &u));
    assert_false(text_parse_i64(SLICE("9223372036854775808"), &i));
    assert_false(text_parse_i64(SLICE("-9223372036854775809"), &i));
    assert_false(text_parse_hex(SLICE("10000000000000000"), &u));
    assert_false(text_parse_hex(SLICE(""), &u));
    assert_false(text_parse_hex(SLICE("g"), &u));
    assert_true(u == 42 && i == 42);
}

static void reads_durations(void **state)
{
    static const struct {
        const char *text;
        uint64_t ms;
    } rows[] = {
        {"0", 0},           {"0s", 0},
        {"250ms", 250},     {"30s", 30000},
        {"10m", 600000},    {"2h", 7200000},
        {"7d", 604800000},  {"4w", UINT64_C(2419200000)},
        {"1h30m", 5400000}, {"1w1d1h1m1s1ms", 694861001},
        {"90m", 5400000},   {"18446744073709551615ms", UINT64_MAX},
    };
    static const char *const bad[] = {"",
                                      "1",
                                      "00",
                                      "s",
                                      "1x",
                                      "1 s",
                                      "-1s",
                                      "1s1h",
                                      "1s1s",
                                      "1.5h",
                                      "1S",
                                      "1h30",
                                      "30500568905w",
                                      "18446744073709551615ms1s",
                                      "18446744073709551616ms"};
    uint64_t ms = 42;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (!text_parse_duration(slice_text(rows[i].text), &ms) || ms != rows[i].ms)
            fail_msg("%s is read as %ju", rows[i].text, (uintmax_t)ms);
    ms = 42;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (text_parse_duration(slice_text(bad[i]), &ms) || ms != 42)
            fail_msg("%s is taken", bad[i]);
    assert_false(text_parse_duration(SLICE("18446744073709551s616ms"), &ms));
}

static void reads_sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t octets;
    } rows[] = {
        {"0", 0},
        {"512", 512},
        {"512B", 512},
        {"64KiB", 65536},
        {"25MiB", 26214400},
        {"1GiB", 1 << 30},
        {"10kB", 10000},
        {"5MB", 5000000},
        {"2GB", 2000000000},
        {"1TiB", UINT64_C(1) << 40},
        {"16777215TiB", UINT64_C(16777215) << 40},
    };
    static const char *const bad[] = {"",      "KiB", "1k",     "1K",          "1KB",   "1kiB",
                                      "1 KiB", "-1",  "1.5MiB", "16777216TiB", "1KiB1", "1KiB1KiB"};
    uint64_t octets = 42;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (!text_parse_size(slice_text(rows[i].text), &octets) || octets != rows[i].octets)
            fail_msg("%s is read as %ju", rows[i].text, (uintmax_t)octets);
    octets = 42;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (text_parse_size(slice_text(bad[i]), &octets) || octets != 42)
            fail_msg("%s is taken", bad[i]);
}

static void reads_bools(void **state)
{
    bool value = false;

    (void)state;
    assert_true(text_parse_bool(SLICE("Yes"), &value) && value);
    assert_true(text_parse_bool(SLICE("no"), &value) && !value);
    assert_true(text_parse_bool(SLICE("on"), &value) && value);
    assert_true(text_parse_bool(SLICE("OFF"), &value) && !value);
    assert_true(text_parse_bool(SLICE("true"), &value) && value);
    assert_true(text_parse_bool(SLICE("false"), &value) && !value);
    assert_false(text_parse_bool(SLICE("1"), &value));
    assert_false(text_parse_bool(SLICE(""), &value));
    assert_false(text_parse_bool(SLICE("yes "), &value));
}

static void prints_units(void **state)
{
    static const struct {
        uint64_t number;
        const char *duration, *size;
    } rows[] = {
        {0, "0", "0"},
        {1, "1ms", "1"},
        {1000, "1s", "1kB"},
        {1024, "1s24ms", "1KiB"},
        {1500, "1500ms", "1500"},
        {5400000, "90m", "5400kB"},
        {3661000, "3661s", "3661kB"},
        {86461000, "1d1m1s", "86461kB"},
        {604800000, "1w", "604800kB"},
        {26214400, "26214400ms", "25MiB"},
        {65536, "65536ms", "64KiB"},
        {UINT64_C(1) << 40, "1099511627776ms", "1TiB"},
        {UINT64_MAX, "18446744073709551615ms", "18446744073709551615"},
    };
    char text[TEXT_UNIT_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_printed(text_print_duration(rows[i].number, text), text, rows[i].duration);
        assert_printed(text_print_size(rows[i].number, text), text, rows[i].size);
    }
}

static void reads_back_what_it_prints(void **state)
{
    static const uint64_t factors[] = {1,         1000, 60000,   3600000, 86400000,
                                       604800000, 1024, 1 << 20, 1 << 30, 1000000};
    struct random random = {2};
    char text[TEXT_UNIT_SIZE];
    uint64_t back;

    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        const uint64_t factor = factors[random_below(&random, COUNT(factors))];
        const uint64_t drawn = random_next(&random) >> random_below(&random, 64);
        const uint64_t number = drawn / factor * factor;

        assert_printed(text_print_duration(number, text), text, text);
        assert_true(text_parse_duration(slice_text(text), &back) && back == number);
        assert_printed(text_print_size(number, text), text, text);
        assert_true(text_parse_size(slice_text(text), &back) && back == number);
        assert_printed(text_print_u64(number, text), text, text);
        assert_true(text_parse_u64(slice_text(text), &back) && back == number);
    }
}

static void knows_octets(void **state)
{
    static const char alphas[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    (void)state;
    for (int octet = 0; octet < 256; octet++) {
        const char *alpha = octet ? strchr(alphas, octet) : NULL;
        const bool digit = octet >= '0' && octet <= '9';

        assert_int_equal(text_is_alpha((char)octet), alpha != NULL);
        assert_int_equal(text_is_digit((char)octet), digit);
        assert_int_equal(text_is_alnum((char)octet), digit || alpha);
        assert_int_equal(text_lower((char)octet), alpha ? alphas[(alpha - alphas) % 26] : (char)octet);
        const bool letter = alpha && (alpha - alphas) % 26 < 6;
        assert_int_equal(text_hex_digit((char)octet), digit    ? octet - '0'
                                                      : letter ? (alpha - alphas) % 26 + 10
                                                               : -1);
    }
}

static void measures_distance(void **state)
{
    static const struct {
        struct slice a, b;
        unsigned most, distance;
    } rows[] = {
        {{"", 0}, {"", 0}, 3, 0},
        {{"abc", 3}, {"", 0}, 9, 3},
        {{"", 0}, {"abc", 3}, 2, 3},
        {{"Greylist", 8}, {"greylist", 8}, 3, 0},
        {{"graylist", 8}, {"greylist", 8}, 3, 1},
        {{"kitten", 6}, {"sitting", 7}, 9, 3},
        {{"kitten", 6}, {"sitting", 7}, 1, 2},
        {{"listen", 6}, {"lsiten", 6}, 9, 2},
        {{"abcd", 4}, {"xabcd", 5}, 9, 1},
        {{"abcd", 4}, {"abcdefg", 7}, 2, 3},
        {{"abcdefgh", 8}, {"hgfedcba", 8}, 2, 3},
        {{"abcdefgh", 8}, {"habcdefg", 8}, 2, 2},
    };
    char longest[65];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(text_distance(rows[i].a, rows[i].b, rows[i].most), rows[i].distance);
        assert_int_equal(text_distance(rows[i].b, rows[i].a, rows[i].most), rows[i].distance);
    }
    memset(longest, 'a', sizeof(longest));
    assert_int_equal(text_distance(slice_of(longest, 64), slice_of(longest, 64), 3), 0);
    assert_int_equal(text_distance(slice_of(longest, 65), slice_of(longest, 65), 3), 4);
}

static void expect_escaped(struct slice s, bool keep_utf8, const char *wanted)
{
    struct buf buf;

    buf_init(&buf, 1000);
    assert_true(text_escape(&buf, s, keep_utf8));
    assert_int_equal(buf.len, strlen(wanted));
    assert_memory_equal(buf.len ? buf.at : "", wanted, buf.len);
    buf_drop(&buf);
}

static void escapes(void **state)
{
    (void)state;
    expect_escaped(SLICE_NONE, false, "");
    expect_escaped(SLICE("a b~"), false, "a b~");
    expect_escaped(SLICE("a\r\n\t\\\0\x7f\x1b"), false, "a\\r\\n\\t\\\\\\x00\\x7f\\x1b");
    expect_escaped(SLICE("gr\xc3\xbc\xc3\x9f"), false, "gr\\xc3\\xbc\\xc3\\x9f");
    expect_escaped(SLICE("gr\xc3\xbc\xc3\x9f"), true, "gr\xc3\xbc\xc3\x9f");
    expect_escaped(SLICE("\xc3\xbc\xc3"), true, "\xc3\xbc\\xc3");
    expect_escaped(SLICE("\xff\xc0\x80\xed\xa0\x80"), true, "\\xff\\xc0\\x80\\xed\\xa0\\x80");
    /* CSI as a C1 control, RIGHT-TO-LEFT OVERRIDE, FIRST STRONG ISOLATE, LINE SEPARATOR; then their
     * neighbours. */
    expect_escaped(SLICE("\xc2\x9b"), true, "\\xc2\\x9b");
    expect_escaped(SLICE("\xe2\x80\xae\xe2\x81\xa8"), true, "\\xe2\\x80\\xae\\xe2\\x81\\xa8");
    expect_escaped(SLICE("\xe2\x80\xa8"), true, "\\xe2\\x80\\xa8");
    expect_escaped(SLICE("\xc2\xa0\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa"), true,
                   "\xc2\xa0\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa");
}

static void escapes_all_or_nothing(void **state)
{
    struct buf buf;

    (void)state;
    for (size_t max = 0; max < 12; max++) {
        buf_init(&buf, max + 2);
        assert_true(buf_add(&buf, SLICE("ab")));
        assert_int_equal(text_escape(&buf, SLICE("x\n\x01\xc3\xbc"), true), max >= 9);
        assert_int_equal(buf.len, max >= 9 ? 11 : 2);
        buf_drop(&buf);
    }
}

static void matches_patterns(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } rows[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"a", "a", true},
        {"a*", "abc", true},
        {"*c", "abc", true},
        {"a*c", "abcbc", true},
        {"a*c", "abcb", false},
        {"*b*", "abc", true},
        {"**", "x", true},
        {"a*b*c", "aXbYc", true},
        {"a*b*c", "acb", false},
        {"220 *", "220-x", false},
        {"a**", "a", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (text_match(slice_text(rows[i].pattern), slice_text(rows[i].text)) != rows[i].matches)
            fail_msg("%s and %s", rows[i].pattern, rows[i].text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(refuses_numbers),
        cmocka_unit_test(reads_durations),
        cmocka_unit_test(reads_sizes),
        cmocka_unit_test(reads_bools),
        cmocka_unit_test(prints_units),
        cmocka_unit_test(reads_back_what_it_prints),
        cmocka_unit_test(knows_octets),
        cmocka_unit_test(measures_distance),
        cmocka_unit_test(escapes),
        cmocka_unit_test(escapes_all_or_nothing),
        cmocka_unit_test(matches_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
