/* Proves that slices compare, find, cut and walk as their header says, empty and with NUL inside, too. */
#include "unit.h"

static void compares(void **state)
{
    static const struct {
        struct slice a, b;
        int order;
        bool fold;
    } rows[] = {
        {{NULL, 0}, {"", 0}, 0, true},     {{"a", 1}, {NULL, 0}, 1, false},
        {{"ab", 2}, {"ab", 2}, 0, true},   {{"ab", 2}, {"abc", 3}, -1, false},
        {{"aB", 2}, {"Ab", 2}, 1, true},   {{"a\0b", 3}, {"a\0c", 3}, -1, false},
        {{"\x80", 1}, {"a", 1}, 1, false}, {{"[", 1}, {"{", 1}, -1, false},
        {{"@", 1}, {"`", 1}, -1, false},   {{"\xe4", 1}, {"\xc4", 1}, 1, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const int order = slice_compare(rows[i].a, rows[i].b);

        assert_int_equal((order > 0) - (order < 0), rows[i].order);
        assert_int_equal(slice_equal(rows[i].a, rows[i].b), rows[i].order == 0);
        assert_int_equal(slice_equal_fold(rows[i].a, rows[i].b), rows[i].fold);
    }
}

static void starts_and_ends(void **state)
{
    (void)state;
    assert_true(slice_starts(SLICE("MAIL FROM"), SLICE("MAIL")));
    assert_false(slice_starts(SLICE("mail from"), SLICE("MAIL")));
    assert_true(slice_starts_fold(SLICE("mail from"), SLICE("MAIL")));
    assert_false(slice_starts(SLICE("MAI"), SLICE("MAIL")));
    assert_true(slice_starts(SLICE_NONE, SLICE_NONE));
    assert_true(slice_ends_fold(SLICE("a.Example"), SLICE(".exaMPLE")));
    assert_false(slice_ends_fold(SLICE("example"), SLICE(".example")));
    assert_true(slice_ends_fold(SLICE("x"), SLICE_NONE));
}

static void finds(void **state)
{
    (void)state;
    assert_int_equal(slice_find(SLICE("a@b@c"), '@'), 1);
    assert_int_equal(slice_find_last(SLICE("a@b@c"), '@'), 3);
    assert_int_equal(slice_find(SLICE("abc"), '@'), SLICE_NOT_FOUND);
    assert_int_equal(slice_find(SLICE_NONE, '@'), SLICE_NOT_FOUND);
    assert_int_equal(slice_find_last(SLICE_NONE, '@'), SLICE_NOT_FOUND);
    assert_int_equal(slice_find(SLICE("a\0b"), '\0'), 1);
    assert_int_equal(slice_find(SLICE("\xff"), '\xff'), 0);
    assert_int_equal(slice_find_slice(SLICE("a::b"), SLICE("::")), 1);
    assert_int_equal(slice_find_slice(SLICE("a:b"), SLICE("::")), SLICE_NOT_FOUND);
    assert_int_equal(slice_find_slice(SLICE("abc"), SLICE_NONE), 0);
    assert_int_equal(slice_find_slice(SLICE_NONE, SLICE("a")), SLICE_NOT_FOUND);
    assert_int_equal(slice_find_slice(SLICE("a"), SLICE("ab")), SLICE_NOT_FOUND);
}

static void takes_parts(void **state)
{
    (void)state;
    assert_slice_equal(slice_head(SLICE("abc"), 2), "ab");
    assert_slice_equal(slice_head(SLICE("abc"), SIZE_MAX), "abc");
    assert_slice_equal(slice_from(SLICE("abc"), 2), "c");
    assert_slice_equal(slice_from(SLICE("abc"), SIZE_MAX), "");
    assert_slice_equal(slice_from(SLICE_NONE, 1), "");
    assert_slice_equal(slice_trim(SLICE("\t a b \t ")), "a b");
    assert_slice_equal(slice_trim(SLICE(" \t ")), "");
    assert_slice_equal(slice_trim(SLICE("\r ")), "\r");
    assert_slice_equal(slice_text(NULL), "");
    assert_slice_equal(slice_text("ab"), "ab");
}

static void cuts(void **state)
{
    struct slice rest = SLICE("a,,bc,");
    struct slice part;

    (void)state;
    assert_true(slice_cut(&rest, ',', &part));
    assert_slice_equal(part, "a");
    assert_true(slice_cut(&rest, ',', &part));
    assert_slice_equal(part, "");
    assert_true(slice_cut(&rest, ',', &part));
    assert_slice_equal(part, "bc");
    assert_false(slice_cut(&rest, ',', &part));
    assert_slice_equal(part, "bc");
    rest = SLICE("whole");
    assert_true(slice_cut(&rest, ',', &part));
    assert_slice_equal(part, "whole");
    assert_int_equal(rest.len, 0);
}

static void walks_words(void **state)
{
    struct slice rest = SLICE("  MAIL\tFROM:<a b> ");
    struct slice word;

    (void)state;
    assert_true(slice_word(&rest, &word));
    assert_slice_equal(word, "MAIL");
    assert_true(slice_word(&rest, &word));
    assert_slice_equal(word, "FROM:<a");
    assert_true(slice_word(&rest, &word));
    assert_slice_equal(word, "b>");
    assert_false(slice_word(&rest, &word));
    assert_false(slice_word(&rest, &word));
}

static void knows_printable(void **state)
{
    (void)state;
    for (int octet = 0; octet < 256; octet++) {
        const char text[] = {'a', (char)octet};

        assert_int_equal(slice_is_printable(slice_of(text, 2)), octet >= 0x20 && octet <= 0x7e);
    }
    assert_true(slice_is_printable(SLICE_NONE));
}

/* Encodes a number as UTF-8 would, whether or not it may. */
static struct slice encode(uint32_t number, unsigned size, char at[4])
{
    static const unsigned char marks[5] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (unsigned i = size; i-- > 1; number >>= 6)
        at[i] = (char)(0x80 | (number & 0x3f));
    at[0] = (char)(marks[size] | number);
    return slice_of(at, size);
}

static unsigned size_needed(uint32_t number)
{
    return number < 0x80 ? 1 : number < 0x800 ? 2 : number < 0x10000 ? 3 : 4;
}

static void knows_utf8(void **state)
{
    char at[4];

    (void)state;
    for (uint32_t number = 1; number < 0x1fffff; number += number < 0x11000 ? 1 : 61) {
        const bool surrogate = number >= 0xd800 && number <= 0xdfff;
        const bool good = !surrogate && number <= 0x10ffff;

        for (unsigned size = size_needed(number); size <= 4; size++) {
            const struct slice s = encode(number, size, at);
            const bool wanted = good && size == size_needed(number);

            assert_int_equal(slice_is_utf8(s), wanted);
            assert_int_equal(slice_utf8_size(s), wanted ? size : 0);
            if (size > 1)
                assert_false(slice_is_utf8(slice_head(s, size - 1)));
        }
    }
    assert_true(slice_is_utf8(SLICE("Gr\xc3\xbc\xc3\x9f"
                                    "e")));
    assert_true(slice_is_utf8(SLICE_NONE));
    assert_false(slice_is_utf8(SLICE("a\0b")));
    assert_false(slice_is_utf8(SLICE("\x80")));
    assert_false(slice_is_utf8(SLICE("\xc3"
                                     "a")));
    assert_false(slice_is_utf8(SLICE("\xf5\x80\x80\x80")));
    assert_int_equal(slice_utf8_size(SLICE_NONE), 0);
}

/* Vectors of the FNV authors' own test suite. */
static void hashes(void **state)
{
    (void)state;
    assert_true(slice_hash(SLICE_NONE, 0) == UINT64_C(0xcbf29ce484222325));
    assert_true(slice_hash(SLICE("a"), 0) == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(slice_hash(SLICE("foobar"), 0) == UINT64_C(0x85944171f73967e8));
    assert_true(slice_hash(SLICE("foobar"), 1) != slice_hash(SLICE("foobar"), 0));
    assert_true(slice_hash_fold(SLICE("FooBar"), 5) == slice_hash(SLICE("foobar"), 5));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),
        cmocka_unit_test(starts_and_ends),
        cmocka_unit_test(finds),
        cmocka_unit_test(takes_parts),
        cmocka_unit_test(cuts),
        cmocka_unit_test(walks_words),
        cmocka_unit_test(knows_printable),
        cmocka_unit_test(knows_utf8),
        cmocka_unit_test(hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
