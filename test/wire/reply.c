/* Proves that replies of a server are read whole or not at all, and that what we say is well-formed whatever
 * text goes into it. */
#include "split.h"
#include "wire/reply.h"

struct reply_case {
    const char *input;
    enum reply_status status;
    const char *wanted; /* code enhanced taken lines: text|text| */
};

static const struct reply_case cases[] = {
    {"250 ok\r\n", REPLY_DONE, "250 0.0.0 8 1: ok|"},
    {"250\r\n", REPLY_DONE, "250 0.0.0 5 1: |"},
    {"250 \r\n", REPLY_DONE, "250 0.0.0 6 1: |"},
    {"250 ok\n", REPLY_DONE, "250 0.0.0 7 1: ok|"},
    {"220-a\r\n220-\r\n220 b\r\nrest", REPLY_DONE, "220 0.0.0 20 3: a||b|"},
    {"250 2.1.0 fine\r\n", REPLY_DONE, "250 2.1.0 16 1: fine|"},
    {"250 2.1.0\r\n", REPLY_DONE, "250 2.1.0 11 1: |"},
    {"550-5.7.1 a\r\n550 5.7.1 b\r\n", REPLY_DONE, "550 5.7.1 26 2: a|b|"},
    {"550-5.7.1 a\r\n550 b\r\n", REPLY_DONE, "550 5.7.1 20 2: a|b|"},
    {"550 2.7.1 a\r\n", REPLY_DONE, "550 0.0.0 13 1: 2.7.1 a|"},
    {"550 5.7.1234 a\r\n", REPLY_DONE, "550 0.0.0 16 1: 5.7.1234 a|"},
    {"550 5.7 a\r\n", REPLY_DONE, "550 0.0.0 11 1: 5.7 a|"},
    {"450 4.200.999 a\r\n", REPLY_DONE, "450 4.200.999 17 1: a|"},
    {"250 a\rb\r\n", REPLY_DONE, "250 0.0.0 9 1: a\rb|"},
    {"", REPLY_PARTIAL, NULL},
    {"2", REPLY_PARTIAL, NULL},
    {"250 ok", REPLY_PARTIAL, NULL},
    {"250 ok\r", REPLY_PARTIAL, NULL},
    {"250-ok\r\n", REPLY_PARTIAL, NULL},
    {"250-ok\r\n250", REPLY_PARTIAL, NULL},
    {"\r\n", REPLY_BAD, NULL},
    {"25\r\n", REPLY_BAD, NULL},
    {"150 a\r\n", REPLY_BAD, NULL},
    {"650 a\r\n", REPLY_BAD, NULL},
    {"2500 a\r\n", REPLY_BAD, NULL},
    {"250\ta\r\n", REPLY_BAD, NULL},
    {"250+a\r\n", REPLY_BAD, NULL},
    {"250-a\r\n251 b\r\n", REPLY_BAD, NULL},
    {"250-a\r\nb\r\n", REPLY_BAD, NULL},
    {"HTTP/1.0 400\r\n", REPLY_BAD, NULL},
};

static void print_reply(const struct reply *reply, struct buf *seen)
{
    size_t at = 0;
    struct slice text;
    buf_add_format(seen, "%u %u.%u.%u %zu %u: ", reply->code, reply->enhanced.class, reply->enhanced.subject,
                   reply->enhanced.detail, reply->taken, reply->lines);
    while (reply_line(reply, &at, &text))
        buf_add_format(seen, "%.*s|", SLICE_ARGS(text));
    assert_int_equal(reply->whole.len, reply->taken);
}

static void replies_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice input = split_own(slice_text(cases[i].input));
        struct reply reply;
        struct buf seen;
        buf_init(&seen, 1000);
        enum reply_status status = reply_parse(input, &reply);
        if (status == REPLY_DONE)
            print_reply(&reply, &seen);
        if (status != cases[i].status ||
            (cases[i].wanted && !slice_equal(buf_slice(&seen), slice_text(cases[i].wanted))))
            fail_msg("\"%s\": %d %.*s", cases[i].input, (int)status, SLICE_ARGS(buf_slice(&seen)));
        /* Every part of a good reply is a partial one. */
        for (size_t cut = 0; status == REPLY_DONE && cut < reply.taken; cut++)
            assert_int_equal(reply_parse(slice_head(input, cut), &(struct reply){0}), REPLY_PARTIAL);
        buf_drop(&seen);
        split_give(input);
    }
}

static void a_reply_is_bounded(void **state)
{
    struct buf text;
    struct reply reply;
    (void)state;
    buf_init(&text, 1 << 20);
    for (unsigned i = 0; i < REPLY_LINES_MAX - 1; i++)
        buf_add(&text, SLICE("250-a\r\n"));
    assert_int_equal(reply_parse(buf_slice(&text), &reply), REPLY_PARTIAL);
    buf_add(&text, SLICE("250 a\r\n"));
    assert_int_equal(reply_parse(buf_slice(&text), &reply), REPLY_DONE);
    text.len -= 7;
    buf_add(&text, SLICE("250-a\r\n250 a\r\n"));
    assert_int_equal(reply_parse(buf_slice(&text), &reply), REPLY_BAD);
    buf_clear(&text);
    buf_add(&text, SLICE("250 "));
    while (text.len < REPLY_LINE_MAX - 1)
        buf_add_octet(&text, 'a');
    assert_int_equal(reply_parse(buf_slice(&text), &reply), REPLY_PARTIAL);
    buf_add_octet(&text, 'a');
    assert_int_equal(reply_parse(buf_slice(&text), &reply), REPLY_BAD);
    buf_clear(&text);
    while (text.len < REPLY_SIZE_MAX) {
        buf_add(&text, SLICE("250-"));
        for (unsigned i = 0; i < 1018; i++)
            buf_add_octet(&text, 'a');
        buf_add(&text, SLICE("\r\n"));
    }
    assert_int_equal(reply_parse(buf_slice(&text), &reply), REPLY_BAD);
    buf_drop(&text);
}

/* ---- writing ---- */

#define A100                                                                                                 \
    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhiiiiiiiiiijjjjjjjjjj"

static void format(struct buf *buf, struct reply_form form)
{
    buf_init(buf, 10000);
    assert_true(reply_format(buf, &form));
}

static void lines_stand_as_they_should(void **state)
{
    struct buf buf;
    struct slice tail = SLICE("#643 (l9EBY0201453145500)");
    struct enhanced denied = {5, 3, 3};
    (void)state;
    format(&buf, (struct reply_form){.code = 250, .text = SLICE("ok")});
    assert_slice_equal(buf_slice(&buf), "250 ok\r\n");
    buf_drop(&buf);
    format(&buf, (struct reply_form){.code = 354});
    assert_slice_equal(buf_slice(&buf), "354 \r\n");
    buf_drop(&buf);
    format(&buf, (struct reply_form){.code = 250, .enhanced = {2, 0, 0}});
    assert_slice_equal(buf_slice(&buf), "250 2.0.0\r\n");
    buf_drop(&buf);
    format(&buf, (struct reply_form){.code = 550,
                                     .enhanced = denied,
                                     .text = SLICE("pipelining not allowed\nsee us"),
                                     .tail = tail});
    assert_slice_equal(buf_slice(&buf),
                       "550-5.3.3 pipelining not allowed\r\n550 5.3.3 see us #643 (l9EBY0201453145500)\r\n");
    buf_drop(&buf);
    format(&buf, (struct reply_form){.code = 220,
                                     .text = SLICE("Welcome\n\nCopyright\n"),
                                     .tail = SLICE("#633"),
                                     .tail_place = REPLY_TAIL_FIRST});
    assert_slice_equal(buf_slice(&buf), "220-Welcome #633\r\n220-\r\n220 Copyright\r\n");
    buf_drop(&buf);
    format(&buf, (struct reply_form){.code = 220,
                                     .text = SLICE("a\nb"),
                                     .tail = SLICE("#1"),
                                     .tail_place = REPLY_TAIL_EACH,
                                     .more = true});
    assert_slice_equal(buf_slice(&buf), "220-a #1\r\n220-b #1\r\n");
    buf_drop(&buf);
    format(&buf, (struct reply_form){.code = 250, .tail = SLICE("#1")});
    assert_slice_equal(buf_slice(&buf), "250 #1\r\n");
    buf_drop(&buf);
}

static void nothing_ends_a_line_but_us(void **state)
{
    struct buf buf;
    (void)state;
    format(&buf, (struct reply_form){.code = 550,
                                     .text = SLICE("a\r\n250 b\0\x7f\x1b[31m\t\xc3\xbc"),
                                     .tail = SLICE("#1\r\nc\nd")});
    assert_slice_equal(buf_slice(&buf), "550-a?\r\n550 250 b???[31m??? #1??c?d\r\n");
    buf_drop(&buf);
    format(&buf, (struct reply_form){.code = 550, .text = SLICE("\xc3\xbc"), .utf8 = true});
    assert_slice_equal(buf_slice(&buf), "550 \xc3\xbc\r\n");
    buf_drop(&buf);
    format(&buf, (struct reply_form){.code = 550, .text = SLICE("\xc3(\xff"), .utf8 = true});
    assert_slice_equal(buf_slice(&buf), "550 ?(?\r\n");
    buf_drop(&buf);
}

/* Folds a text of the words given, and checks each line and that no octet but blanks was lost. */
static void check_fold(struct slice text, struct slice tail, bool utf8)
{
    struct buf buf, kept;
    struct slice rest, line;
    format(&buf, (struct reply_form){
                     .code = 550, .enhanced = {5, 123, 123}, .text = text, .tail = tail, .utf8 = utf8});
    buf_init(&kept, 10000);
    rest = buf_slice(&buf);
    while (slice_cut(&rest, '\n', &line)) {
        assert_true(line.len + 1 <= 512);
        assert_true(line.at[line.len - 1] == '\r');
        assert_true(slice_starts(line, rest.len ? SLICE("550-5.123.123 ") : SLICE("550 5.123.123 ")));
        line = slice_from(slice_head(line, line.len - 1), 14);
        assert_true(!utf8 || slice_is_utf8(line));
        buf_add(&kept, line);
    }
    size_t at = 0;
    for (size_t i = 0; i < text.len; i++)
        if (at < kept.len && kept.at[at] == text.at[i])
            at++;
        else
            assert_true(text.at[i] == ' ');
    assert_true(slice_ends_fold(buf_slice(&kept), tail));
    buf_drop(&kept);
    buf_drop(&buf);
}

static void long_text_is_folded(void **state)
{
    char text[2000];
    (void)state;
    check_fold(SLICE(A100 A100 A100 A100 A100 A100 A100 A100 A100 A100 A100), SLICE("#1 (x)"), false);
    check_fold(SLICE(A100 " " A100 " " A100 A100 A100 A100 " " A100 A100 A100 A100 A100 A100), SLICE(""),
               false);
    check_fold(SLICE(" " A100 A100 A100 A100 A100 A100), SLICE(A100), false);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "\xe2\x82\xac"[i % 3];
    for (size_t skip = 0; skip < 3; skip++)
        check_fold(slice_of(text, 999), slice_of(A100, skip), true);
    memset(text, 'a', sizeof text);
    for (size_t len = 400; len < 1200; len++)
        check_fold(slice_of(text, len), SLICE("#1"), false);
}

static void nothing_is_added_past_the_maximum(void **state)
{
    struct buf buf;
    (void)state;
    for (size_t max = 0; max < 27; max++) {
        buf_init(&buf, max);
        bool added = reply_format(
            &buf, &(struct reply_form){.code = 250, .text = SLICE("abcd\nefgh"), .tail = SLICE("#1")});
        assert_int_equal(added, max >= 23);
        assert_int_equal(buf.len, added ? 23 : 0);
        buf_drop(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_read),           cmocka_unit_test(a_reply_is_bounded),
        cmocka_unit_test(lines_stand_as_they_should), cmocka_unit_test(nothing_ends_a_line_but_us),
        cmocka_unit_test(long_text_is_folded),        cmocka_unit_test(nothing_is_added_past_the_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
