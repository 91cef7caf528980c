/* Proves that lines end at CRLF or LF, that anything odd in them is flagged, and that a line without an end
 * is skipped in constant memory. */
#include "split.h"
#include "wire/line.h"

#include <stdio.h>

struct line_case {
    struct slice input;
    enum line_status status;
    struct slice text;
    size_t taken;
    const char *flags; /* l: bare LF, r: bare CR, n: NUL, 8: eight bit */
};

static const struct line_case cases[] = {
    {{"", 0}, LINE_PARTIAL, {"", 0}, 0, ""},
    {{"Q", 1}, LINE_PARTIAL, {"", 0}, 0, ""},
    {{"\r", 1}, LINE_PARTIAL, {"", 0}, 0, ""},
    {{"QUIT\r", 5}, LINE_PARTIAL, {"", 0}, 0, ""},
    {{"\r\n", 2}, LINE_DONE, {"", 0}, 2, ""},
    {{"\n", 1}, LINE_DONE, {"", 0}, 1, "l"},
    {{"QUIT\r\n", 6}, LINE_DONE, {"QUIT", 4}, 6, ""},
    {{"QUIT\n", 5}, LINE_DONE, {"QUIT", 4}, 5, "l"},
    {{"QUIT\r\nRSET\r\n", 12}, LINE_DONE, {"QUIT", 4}, 6, ""},
    {{"QUIT\r\r\n", 7}, LINE_DONE, {"QUIT\r", 5}, 7, "r"},
    {{"a\rb\r\n", 5}, LINE_DONE, {"a\rb", 3}, 5, "r"},
    {{"a\0b\r\n", 5}, LINE_DONE, {"a\0b", 3}, 5, "n"},
    {{"\xe9\n", 2}, LINE_DONE, {"\xe9", 1}, 2, "l8"},
    {{"12345678\r\n", 10}, LINE_DONE, {"12345678", 8}, 10, ""},
    {{"123456789\n", 10}, LINE_DONE, {"123456789", 9}, 10, "l"},
    {{"123456789\r\n", 11}, LINE_LONG, {"123456789", 9}, 9, ""},
    {{"1234567890\r\n", 12}, LINE_LONG, {"1234567890", 10}, 10, ""},
    {{"123456789\rx", 11}, LINE_LONG, {"123456789", 9}, 9, ""},
    {{"123456789", 9}, LINE_PARTIAL, {"", 0}, 0, ""},
    {{"1\0"
      "3456\xff"
      "890",
      10},
     LINE_LONG,
     {"1\0"
      "3456\xff"
      "890",
      10},
     10,
     "n8"},
};

static void print_flags(const struct line *line, char text[8])
{
    snprintf(text, 8, "%s%s%s%s", line->bare_lf ? "l" : "", line->bare_cr ? "r" : "", line->nul ? "n" : "",
             line->eight_bit ? "8" : "");
}

static void lines_are_told_by_their_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice input = split_own(cases[i].input);
        struct line line;
        char flags[8];
        assert_int_equal(line_take(input, 10, &line), cases[i].status);
        assert_int_equal(line.taken, cases[i].taken);
        assert_true(slice_equal(line.text, cases[i].text));
        print_flags(&line, flags);
        assert_string_equal(flags, cases[i].flags);
        split_give(input);
    }
}

/* As a session does it: what comes is added to a buffer, and taken off it line by line; the tail of a long
 * line is no line. */
static void run_session(const struct slice *parts, size_t count, struct buf *ret_seen)
{
    struct buf buffer;
    bool skipping = false;
    buf_init(&buffer, 4096);
    for (size_t i = 0; i < count; i++) {
        struct line line;
        enum line_status status;
        assert_true(buf_add(&buffer, parts[i]));
        while ((status = line_take(buf_slice(&buffer), 16, &line)) != LINE_PARTIAL) {
            if (status == LINE_DONE && !skipping)
                buf_add_format(ret_seen, "%.*s%s|", SLICE_ARGS(line.text), line.bare_lf ? "(lf)" : "");
            if (status == LINE_LONG && !skipping)
                buf_add(ret_seen, SLICE("long|"));
            skipping = status == LINE_LONG;
            buf_take_front(&buffer, line.taken);
        }
        assert_true(buffer.len < 16);
    }
    buf_add_format(ret_seen, "rest %u", buffer.len);
    buf_drop(&buffer);
}

static void splits_change_nothing(void **state)
{
    struct buf seen;
    (void)state;
    split_check(run_session,
                SLICE("EHLO a\r\nMAIL\nthis line is far too long for the maximum\r\nRSET\r\n\r\n\rx\r\nQ\r"),
                &seen);
    assert_slice_equal(buf_slice(&seen), "EHLO a|MAIL(lf)|long|RSET||\rx|rest 2");
    buf_drop(&seen);
    split_check(run_session, SLICE("123456789012345\r\nA\r\n123456789012345678901234567890\r\nB\r\n"), &seen);
    assert_slice_equal(buf_slice(&seen), "long|A|long|B|rest 0");
    buf_drop(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_told_by_their_end),
        cmocka_unit_test(splits_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
