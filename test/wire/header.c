/* Proves that the header section is read alike at every split, that its values are unfolded and bounded, and
 * that each thing that is wrong with it has its flag. */
#include "split.h"
#include "wire/header.h"

#include <stdio.h>

static void print_header(const struct header *header, size_t taken, struct buf *seen)
{
    static const char letters[] = "NJ8UMLzb9c"; /* one for each HEADER_… bit */
    buf_add_format(seen, "%u %llu ", header->count, (unsigned long long)header->size);
    for (unsigned bit = 0; letters[bit]; bit++)
        if (header->flags & 1u << bit)
            buf_add_octet(seen, letters[bit]);
    buf_add_format(seen, " taken=%zu", taken);
    for (enum header_kind kind = 0; kind < HEADER_KIND_COUNT; kind++) {
        if (header->counts[kind] == 0)
            continue;
        buf_add_format(seen, " %.*s=%u", SLICE_ARGS(header_kind_name(kind)), header->counts[kind]);
        if (kind < HEADER_KEEP_COUNT)
            buf_add_format(seen, "(%.*s%s)", SLICE_ARGS(header->value[kind]),
                           header->value_cut[kind] ? "…" : "");
    }
    for (uint32_t i = 0; i < header->received_count; i++)
        buf_add_format(seen, " [%.*s]", SLICE_ARGS(header->received[i]));
}

static void run_header(const struct slice *parts, size_t count, struct buf *ret_seen)
{
    struct header_limits limits = {.count_max = 6, .size_max = 300, .value_max = 20, .received_max = 2};
    struct header header;
    struct arena arena;
    size_t taken = 0;
    arena_init(&arena, NULL, 0);
    header_init(&header, limits, &arena);
    for (size_t i = 0; i < count; i++) {
        size_t now = header_feed(&header, parts[i]);
        assert_true(now == parts[i].len || header.done);
        taken += now;
    }
    header_end(&header);
    header_end(&header);
    assert_true(header.done);
    print_header(&header, taken, ret_seen);
    header_drop(&header);
    arena_drop(&arena);
}

struct header_case {
    struct slice content;
    const char *wanted;
};

#define CASE(content, wanted)                                                                                \
    {                                                                                                        \
        {"" content, sizeof(content) - 1}, wanted                                                            \
    }
#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct header_case cases[] = {
    CASE("", "0 0 N taken=0"),
    CASE("\r\n", "0 2  taken=2"),
    CASE("\r\nbody", "0 2  taken=2"),
    CASE("From: a@b.example\r\nTo: c\r\n\r\nbody\r\n", "2 28  taken=28 From=1(a@b.example) To=1(c)"),
    CASE("from:a\nDATE: b\n\nbody", "2 16  taken=16 From=1(a) Date=1(b)"),
    CASE("Subject:\r\n\r\n", "1 12  taken=12 Subject=1()"),
    CASE("Subject: a\r\n b\r\n\tc \r\n\r\n", "1 23  taken=23 Subject=1(a b\tc)"),
    CASE("Message-ID:\r\n <1@b.example>\r\n\r\n", "1 31  taken=31 Message-ID=1(<1@b.example>)"),
    CASE("Subject: a\r\nSubject: b\r\n\r\n", "2 26  taken=26 Subject=2(a)"),
    CASE("Subject: 12345678901234567890\r\n\r\n", "1 33  taken=33 Subject=1(12345678901234567890)"),
    CASE("Subject: 123456789012345678901\r\n\r\n", "1 34  taken=34 Subject=1(12345678901234567890…)"),
    CASE("Received: a\r\n b\r\nReceived: c\r\nX-A: b\r\n\r\n", "3 40  taken=40 Received=2 other=1 [a b] [c]"),
    CASE("Received: a\r\nReceived: b\r\nReceived: c\r\n\r\n", "3 41  taken=41 Received=3 [a] [b]"),
    CASE("Received: 123456789012345678901\r\nTo: 123456789012345678901\r\n\r\n",
         "2 62  taken=62 To=1(12345678901234567890…) Received=1 [123456789012345678901]"),
    CASE("a: 1\r\nb: 2\r\nc: 3\r\nd: 4\r\ne: 5\r\nf: 6\r\nFrom: g\r\n\r\n",
         "7 47 M taken=47 From=1() other=6"),
    CASE("X: " A50 A50 A50 A50 A50 A50 "\r\nFrom: g\r\n\r\n", "2 316 L taken=316 From=1() other=1"),
    CASE("Subject: a\r\nbody without a blank line\r\n", "1 39 NJ taken=39 Subject=1(a)"),
    CASE("From me Thu Jul 24\r\nTo: a\r\n\r\n", "1 29 J taken=29 To=1(a)"),
    CASE(" a\r\nTo: a\r\n\r\n", "1 13 J taken=13 To=1(a)"),
    CASE("junk\r\n goes on\r\nTo: a\r\n b\r\n\r\n", "1 29 J taken=29 To=1(a b)"),
    CASE("To: a\r\njunk\r\n b\r\n\r\n", "1 19 J taken=19 To=1(a)"),
    CASE(": a\r\n\r\n", "0 7 J taken=7"),
    CASE("To : a\r\n\r\n", "1 10 b taken=10 To=1(a)"),
    CASE("To\t: a\r\n\r\n", "1 10 b taken=10 To=1(a)"),
    CASE("T\xe9: a\r\n\r\n", "0 9 J8U taken=9"),
    CASE("To: \xc3\xa9\r\n\r\n", "1 10 8 taken=10 To=1(\xc3\xa9)"),
    CASE("To: \xf0\x9f\x93\xa7 \xe2\x82\xac\r\n\r\n", "1 16 8 taken=16 To=1(\xf0\x9f\x93\xa7 \xe2\x82\xac)"),
    CASE("To: \xc3\r\n \xa9\r\n\r\n", "1 13 8U taken=13 To=1(\xc3 \xa9)"),
    CASE("To: \xed\xa0\x80\r\n\r\n", "1 11 8U taken=11 To=1(\xed\xa0\x80)"),
    CASE("To: \xc3", "1 5 N8U taken=5 To=1(\xc3)"),
    CASE("To: a\0b\r\n\r\n", "1 11 z taken=11 To=1(a?b)"),
    CASE("To: a\rb\x1b\r\n\r\n", "1 12 c taken=12 To=1(a?b?)"),
    CASE("To: a\r\r\n\r\n", "1 10 c taken=10 To=1(a?)"),
    CASE("To: a\r", "1 6 Nc taken=6 To=1(a?)"),
    CASE("To: a\r\n", "1 7 N taken=7 To=1(a)"),
    CASE("To: a", "1 5 N taken=5 To=1(a)"),
    CASE("To", "0 2 NJ taken=2"),
    CASE("\rTo: a\r\n\r\n", "0 10 Jc taken=10"),
};

static void sections_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf seen;
        split_check(run_header, cases[i].content, &seen);
        if (!slice_equal(buf_slice(&seen), slice_text(cases[i].wanted)))
            fail_msg("row %zu: \"%.*s\" is not \"%s\"", i, SLICE_ARGS(buf_slice(&seen)), cases[i].wanted);
        buf_drop(&seen);
    }
}

static void long_lines_and_names_are_bounded(void **state)
{
    static char text[3000] = "To: ";
    struct header header;
    struct arena arena;
    (void)state;
    arena_init(&arena, NULL, 0);
    memset(text + 4, 'a', sizeof text - 4);
    header_init(&header, HEADER_LIMITS_DEFAULT, &arena);
    header_feed(&header, slice_of(text, 998));
    assert_int_equal(header.flags, 0);
    header_feed(&header, SLICE("\r\n "));
    header_feed(&header, slice_of(text, 998));
    assert_int_equal(header.flags, HEADER_LONG_LINE);
    header_end(&header);
    assert_int_equal(header.value[HEADER_TO].len, 994 + 1 + 998);
    header_drop(&header);
    header_init(&header, HEADER_LIMITS_DEFAULT, &arena);
    header_feed(&header, slice_of(text + 10, 2500));
    header_feed(&header, SLICE(": a\r\n\r\n"));
    assert_int_equal(header.counts[HEADER_OTHER], 1);
    assert_true(header.done);
    header_drop(&header);
    header_drop(NULL);
    arena_drop(&arena);
}

static void received_fields_are_bounded(void **state)
{
    static char text[HEADER_RECEIVED_VALUE_MAX + 100];
    struct header_limits limits = HEADER_LIMITS_DEFAULT;
    struct header header;
    struct arena arena;
    (void)state;
    arena_init(&arena, NULL, 0);
    memset(text, 'a', sizeof text);
    limits.received_max = 1;
    header_init(&header, limits, &arena);
    header_feed(&header, SLICE("Received:"));
    header_feed(&header, slice_of(text, sizeof text));
    header_feed(&header, SLICE("\r\nTo: b\r\n\r\n"));
    assert_int_equal(header.received_count, 1);
    assert_int_equal(header.received[0].len, HEADER_RECEIVED_VALUE_MAX);
    assert_slice_equal(header.value[HEADER_TO], "b");
    header_drop(&header);
    header_init(&header, HEADER_LIMITS_DEFAULT, &arena);
    header_feed(&header, SLICE("Received: a\r\n\r\n"));
    assert_int_equal(header.received_count, 0);
    header_drop(&header);
    arena_drop(&arena);
}

static void names_go_both_ways(void **state)
{
    (void)state;
    for (enum header_kind kind = 0; kind < HEADER_OTHER; kind++)
        assert_int_equal(header_kind_of(header_kind_name(kind)), kind);
    assert_int_equal(header_kind_of(SLICE("MESSAGE-id")), HEADER_MESSAGE_ID);
    assert_int_equal(header_kind_of(SLICE("Message")), HEADER_OTHER);
    assert_int_equal(header_kind_of(SLICE("other")), HEADER_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_are_read),
        cmocka_unit_test(long_lines_and_names_are_bounded),
        cmocka_unit_test(received_fields_are_bounded),
        cmocka_unit_test(names_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
