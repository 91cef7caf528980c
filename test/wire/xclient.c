/* Proves that XCLIENT's attributes are read, refused where they are wrong, and written so that they read
 * back. */
#include "unit.h"
#include "wire/xclient.h"

struct xclient_case {
    const char *argument;
    enum xclient_status status;
    const char *culprit;
};

static const struct xclient_case cases[] = {
    {"ADDR=192.0.2.1", XCLIENT_DONE, ""},
    {"addr=IPV6:2001:db8::1 port=25", XCLIENT_DONE, ""},
    {"ADDR=2001:db8::1", XCLIENT_DONE, ""},
    {"NAME=[TEMPUNAVAIL] ADDR=[UNAVAILABLE] PORT=[unavailable]", XCLIENT_DONE, ""},
    {"PROTO=ESMTP HELO=a+20b LOGIN=joe DESTADDR=192.0.2.2 DESTPORT=25", XCLIENT_DONE, ""},
    {"", XCLIENT_SYNTAX, ""},
    {"ADDR", XCLIENT_SYNTAX, "ADDR"},
    {"HELO=a+2", XCLIENT_SYNTAX, "HELO=a+2"},
    {"XYZZY=1", XCLIENT_UNKNOWN, "XYZZY=1"},
    {"=1", XCLIENT_UNKNOWN, "=1"},
    {"PORT=1 port=2", XCLIENT_REPEATED, "port=2"},
    {"ADDR=", XCLIENT_VALUE, "ADDR="},
    {"ADDR=mx.example.com", XCLIENT_VALUE, "ADDR=mx.example.com"},
    {"PORT=65536", XCLIENT_VALUE, "PORT=65536"},
    {"PORT=-1", XCLIENT_VALUE, "PORT=-1"},
    {"PROTO=HTTP", XCLIENT_VALUE, "PROTO=HTTP"},
    {"HELO=a+0D+0Ab", XCLIENT_VALUE, "HELO=a+0D+0Ab"},
    {"HELO=a+00", XCLIENT_VALUE, "HELO=a+00"},
    {"NAME=+FF", XCLIENT_VALUE, "NAME=+FF"},
};

static void attributes_are_read(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, NULL, 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct xclient xclient;
        struct slice culprit;
        enum xclient_status status = xclient_parse(slice_text(cases[i].argument), &arena, &xclient, &culprit);
        if (status != cases[i].status || !slice_equal(culprit, slice_text(cases[i].culprit)))
            fail_msg("%s: %d %.*s", cases[i].argument, (int)status, SLICE_ARGS(culprit));
        arena_drop(&arena);
    }
}

static void what_was_read_is_written_again(void **state)
{
    struct slice text = SLICE(
        "NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1 PORT=40000 HELO=a+20b LOGIN=[TEMPUNAVAIL] DESTPORT=25");
    struct arena arena;
    struct xclient xclient;
    struct slice culprit;
    struct buf buf;
    (void)state;
    arena_init(&arena, NULL, 0);
    assert_int_equal(xclient_parse(text, &arena, &xclient, &culprit), XCLIENT_DONE);
    assert_int_equal(xclient.client.family, ADDRESS_IPV6);
    assert_int_equal(xclient.client.port, 40000);
    assert_int_equal(xclient.destination.family, ADDRESS_NONE);
    assert_int_equal(xclient.destination.port, 25);
    assert_slice_equal(xclient.text[XCLIENT_HELO], "a b");
    assert_int_equal(xclient.state[XCLIENT_NAME], XCLIENT_UNAVAILABLE);
    assert_int_equal(xclient.state[XCLIENT_LOGIN], XCLIENT_TEMPUNAVAIL);
    assert_int_equal(xclient.state[XCLIENT_PROTO], XCLIENT_ABSENT);
    buf_init(&buf, text.len);
    assert_true(xclient_format(&buf, &xclient, ~0u));
    assert_true(slice_equal(buf_slice(&buf), text));
    buf_clear(&buf);
    assert_true(xclient_format(&buf, &xclient, 1u << XCLIENT_PORT | 1u << XCLIENT_HELO));
    assert_slice_equal(buf_slice(&buf), "PORT=40000 HELO=a+20b");
    assert_false(xclient_format(&buf, &xclient, ~0u));
    assert_slice_equal(buf_slice(&buf), "PORT=40000 HELO=a+20b");
    buf_drop(&buf);
    arena_drop(&arena);
}

static void a_port_before_its_address_stays(void **state)
{
    struct arena arena;
    struct xclient xclient;
    struct slice culprit;
    (void)state;
    arena_init(&arena, NULL, 0);
    assert_int_equal(xclient_parse(SLICE("PORT=25 ADDR=192.0.2.1"), &arena, &xclient, &culprit),
                     XCLIENT_DONE);
    assert_int_equal(xclient.client.port, 25);
    assert_int_equal(xclient.client.family, ADDRESS_IPV4);
    arena_drop(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_are_read),
        cmocka_unit_test(what_was_read_is_written_again),
        cmocka_unit_test(a_port_before_its_address_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
