/* An attempt printed as a line reads back the same; what is absent stays absent; what is no such line is
 * refused. */
#include "unit.h"
#include "watch/attempt.h"

struct rig {
    struct arena arena;
    struct buf buf;
    struct attempt attempt;
};

static void rig_begin(struct rig *rig)
{
    *rig = (struct rig){0};
    arena_init(&rig->arena, NULL, 0);
    buf_init(&rig->buf, ATTEMPT_LINE_MAX);
}

static void rig_end(struct rig *rig)
{
    arena_drop(&rig->arena);
    buf_drop(&rig->buf);
}

/* Reads the line and prints it again. */
static void assert_same(struct slice line)
{
    struct rig rig;
    rig_begin(&rig);
    assert_true(attempt_parse(line, &rig.arena, &rig.attempt));
    assert_true(attempt_print(&rig.attempt, &rig.buf));
    if (!slice_equal(buf_slice(&rig.buf), line))
        fail_msg("\"%.*s\" is not \"%.*s\"", SLICE_ARGS(buf_slice(&rig.buf)), SLICE_ARGS(line));
    rig_end(&rig);
}

static void lines_read_back(void **state)
{
    (void)state;
    assert_same(SLICE("address=192.0.2.1 time=1069034305000"));
    assert_same(
        SLICE("address=2001:db8::1 time=-5 id=77 envelope=2 name=mx.example.org pool=example.org helo=friend "
              "tcp=4:64:0:1460:mss*20%2c7:mss:df:0 as=64500 net=192.0.2.0/24 country=NZ owner=Example%20Net "
              "from=a@b.example to=c@d.example to=%20%25%00@d.example tried=40 unknown=38 spf=b.example "
              "size=1762 octets=1800 body=00000000000000ff message-id=no verdict=refused code=553 "
              "found=56,96,110 all-found=yes took=1200 gave-up=yes"));
    assert_same(SLICE(
        "address=192.0.2.1 time=0 noname= pool= helo= as=0 from= tried=0 unknown=0 spf= size=0 octets=0"));
    assert_same(
        SLICE("address=192.0.2.1 time=0 unconfirmed=h1.example generic=yes verdict=left code=0 gave-up=no"));
}

static void what_a_line_lacks_is_absent(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    assert_true(attempt_parse(SLICE("address=192.0.2.1 time=1 to=a@b.example to=c@b.example newer=word"),
                              &rig.arena, &rig.attempt));
    assert_int_equal(rig.attempt.has, ATTEMPT_HAS_RECIPIENTS);
    assert_int_equal(rig.attempt.recipient_count, 2);
    assert_int_equal(rig.attempt.recipients_tried, 2);
    assert_slice_equal(rig.attempt.recipients[1], "c@b.example");
    rig_end(&rig);
}

static void other_lines_are_refused(void **state)
{
    static const char *const lines[] = {
        "",
        "time=1 address=192.0.2.1",
        "address=192.0.2",
        "address=192.0.2.1 time=x",
        "address=192.0.2.1 helo=%4",
        "address=192.0.2.1 helo=%zz",
        "address=192.0.2.1 country=NZL",
        "address=192.0.2.1 net=192.0.2.1/24",
        "address=192.0.2.1 body=0",
        "address=192.0.2.1 found=256",
        "address=192.0.2.1 found=1,,2",
        "address=192.0.2.1 took=4294967296",
        "address=192.0.2.1 verdict=kept",
        "address=192.0.2.1 gave-up=",
        "address=192.0.2.1 noname=x",
    };
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    for (size_t i = 0; i < COUNT(lines); i++)
        if (attempt_parse(slice_text(lines[i]), &rig.arena, &rig.attempt))
            fail_msg("\"%s\" was read", lines[i]);
    rig_end(&rig);
}

static void long_texts_are_cut(void **state)
{
    static char text[2000];
    const struct slice recipients[] = {slice_of(text, sizeof text)};
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    memset(text, 'x', sizeof text);
    rig.attempt.has = ATTEMPT_HAS_RECIPIENTS;
    rig.attempt.recipients = recipients;
    rig.attempt.recipient_count = 1;
    assert_true(attempt_print(&rig.attempt, &rig.buf));
    assert_true(rig.buf.len < ATTEMPT_TEXT_MAX + 64);
    struct buf small;
    buf_init(&small, 64);
    assert_false(attempt_print(&rig.attempt, &small));
    assert_int_equal(small.len, 0);
    buf_drop(&small);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_read_back),
        cmocka_unit_test(what_a_line_lacks_is_absent),
        cmocka_unit_test(other_lines_are_refused),
        cmocka_unit_test(long_texts_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
