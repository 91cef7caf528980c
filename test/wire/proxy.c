/* Proves that PROXY headers of both versions are read, that each part of a good one is a partial one, and
 * that nothing malformed is believed. */
#include "base/checksum.h"
#include "split.h"
#include "wire/proxy.h"

#define MARK "\r\n\r\n\0\r\nQUIT\n"
#define V4   "\xc0\x00\x02\x01\xc6\x33\x64\x02\x9c\x40\x00\x19"
#define V6                                                                                                   \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"                                                             \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x9c\x40\x00\x19"

struct proxy_case {
    struct slice input;
    enum proxy_status status;
    size_t taken;
    const char *wanted; /* source destination, or "local" */
};

#define DONE(input, taken, wanted)                                                                           \
    {                                                                                                        \
        {"" input, sizeof(input) - 1}, PROXY_DONE, taken, wanted                                             \
    }
#define BAD(input)                                                                                           \
    {                                                                                                        \
        {"" input, sizeof(input) - 1}, PROXY_BAD, 0, ""                                                      \
    }
#define PARTIAL(input)                                                                                       \
    {                                                                                                        \
        {"" input, sizeof(input) - 1}, PROXY_PARTIAL, 0, ""                                                  \
    }

static const struct proxy_case cases[] = {
    DONE("PROXY TCP4 192.0.2.1 198.51.100.2 40000 25\r\nEHLO", 44, "192.0.2.1:40000 198.51.100.2:25"),
    DONE("PROXY TCP6 2001:db8::1 2001:db8::2 40000 25\r\n", 45, "[2001:db8::1]:40000 [2001:db8::2]:25"),
    DONE("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.2 1 0\r\n", 53, "192.0.2.1:1 198.51.100.2:0"),
    DONE("PROXY UNKNOWN\r\n", 15, "local"),
    DONE("PROXY UNKNOWN any thing \x01\r\nEHLO", 27, "local"),
    PARTIAL(""),
    PARTIAL("P"),
    PARTIAL("PROXY "),
    PARTIAL("PROXY TCP4 192.0.2.1"),
    BAD("EHLO a\r\n"),
    BAD("PROXYTCP4"),
    BAD("PRO\n"),
    BAD("PROXY \r\n"),
    BAD("PROXY\r\n"),
    BAD("PROXY UNKNOWNX\r\n"),
    BAD("PROXY UNKNOWN\n"),
    BAD("PROXY TCP4 192.0.2.1 198.51.100.2 40000 25\n"),
    BAD("PROXY TCP4 192.0.2.1 198.51.100.2 40000\r\n"),
    BAD("PROXY TCP4 192.0.2.1 198.51.100.2 40000 25 \r\n"),
    BAD("PROXY TCP4 192.0.2.1 198.51.100.2 40000 25 1\r\n"),
    BAD("PROXY TCP4  192.0.2.1 198.51.100.2 40000 25\r\n"),
    BAD("PROXY TCP4 192.0.2.1 198.51.100.2 65536 25\r\n"),
    BAD("PROXY TCP4 192.0.2.1 198.51.100.2 040 25\r\n"),
    BAD("PROXY TCP4 192.0.2.1 198.51.100.2 -1 25\r\n"),
    BAD("PROXY TCP4 2001:db8::1 2001:db8::2 40000 25\r\n"),
    BAD("PROXY TCP6 192.0.2.1 198.51.100.2 40000 25\r\n"),
    BAD("PROXY TCP5 192.0.2.1 198.51.100.2 40000 25\r\n"),
    BAD("PROXY tcp4 192.0.2.1 198.51.100.2 40000 25\r\n"),
    BAD("PROXY UNKNOWN "
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),

    DONE(MARK "\x21\x11\x00\x0c" V4 "EHLO", 28, "192.0.2.1:40000 198.51.100.2:25"),
    DONE(MARK "\x21\x21\x00\x24" V6, 52, "[2001:db8::1]:40000 [2001:db8::2]:25"),
    DONE(MARK "\x21\x11\x00\x13" V4 "\x04\x00\x04\0\0\0\0", 35, "192.0.2.1:40000 198.51.100.2:25"),
    DONE(MARK "\x20\x00\x00\x00", 16, "local"),
    DONE(MARK "\x20\x11\x00\x03\xff\xff\xff", 19, "local"),
    DONE(MARK "\x21\x00\x00\x00", 16, "local"),
    DONE(MARK "\x21\x00\x00\x03\x04\x00\x00", 19, "local"),
    PARTIAL(MARK),
    PARTIAL(MARK "\x21\x11\x00\x0c\xc0"),
    PARTIAL("\r\n\r\n\0\r\nQUIT"),
    BAD("\r\n\r\nQ"),
    BAD(MARK "\x11\x11\x00\x0c" V4),
    BAD(MARK "\x22\x11\x00\x0c" V4),
    BAD(MARK "\x21\x12\x00\x0c" V4),
    BAD(MARK "\x21\x13\x00\x0c" V4),
    BAD(MARK "\x21\x41\x00\x0c" V4),
    BAD(MARK "\x21\x21\x00\x0c" V4),
    BAD(MARK "\x21\x11\x00\x0b\xc0\x00\x02\x01\xc6\x33\x64\x02\x9c\x40\x00"),
    BAD(MARK "\x21\x11\x00\x0e" V4 "\x04\x00"),
    BAD(MARK "\x21\x11\x00\x10" V4 "\x04\x00\x02\x00"),
    BAD(MARK "\x21\x11\xff\xff"),
    BAD(MARK "\x21\x11\x00\x13" V4 "\x03\x00\x04\0\0\0\0"),
    BAD(MARK "\x21\x11\x00\x11" V4 "\x03\x00\x02\0\0"),
};

static void print_proxy(const struct proxy *proxy, char *text, size_t size)
{
    char source[ADDRESS_PORT_TEXT_SIZE] = "", destination[ADDRESS_PORT_TEXT_SIZE] = "";
    if (proxy->source.family != ADDRESS_NONE)
        address_port_print(&proxy->source, source);
    if (proxy->destination.family != ADDRESS_NONE)
        address_port_print(&proxy->destination, destination);
    struct buf buf;
    buf_init(&buf, size - 1);
    if (proxy->local)
        buf_add(&buf, SLICE("local"));
    else if (source[0])
        buf_add_format(&buf, "%s %s", source, destination);
    if (buf.len)
        memcpy(text, buf.at, buf.len);
    text[buf.len] = '\0';
    buf_drop(&buf);
}

static void headers_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice input = split_own(cases[i].input);
        struct proxy proxy;
        char text[160];
        enum proxy_status status = proxy_parse(input, &proxy);
        print_proxy(&proxy, text, sizeof text);
        if (status != cases[i].status || proxy.taken != cases[i].taken || strcmp(text, cases[i].wanted) != 0)
            fail_msg("row %zu: %d %zu %s", i, (int)status, proxy.taken, text);
        for (size_t cut = 0; status == PROXY_DONE && cut < proxy.taken; cut++) {
            struct slice part = split_own(slice_head(input, cut));
            assert_int_equal(proxy_parse(part, &(struct proxy){0}), PROXY_PARTIAL);
            split_give(part);
        }
        split_give(input);
    }
}

static void a_checksum_is_checked(void **state)
{
    char text[] = MARK "\x21\x11\x00\x1b" V4 "\x02\x00\x05"
                       "a.b.c"
                       "\x03\x00\x04\0\0\0\0";
    struct slice input = slice_of(text, sizeof text - 1);
    struct proxy proxy;
    (void)state;
    uint32_t sum = checksum_add(0, input);
    for (int i = 0; i < 4; i++)
        text[input.len - 4 + (size_t)i] = (char)(sum >> (24 - 8 * i));
    assert_int_equal(proxy_parse(input, &proxy), PROXY_DONE);
    assert_true(proxy.checked);
    assert_slice_equal(proxy.authority, "a.b.c");
    text[17] ^= 1;
    assert_int_equal(proxy_parse(input, &proxy), PROXY_BAD);
    assert_int_equal(proxy.source.family, ADDRESS_NONE);
}

static void a_unix_socket_is_local(void **state)
{
    char text[16 + 216] = MARK "\x21\x31\x00\xd8";
    struct proxy proxy;
    (void)state;
    assert_int_equal(proxy_parse(slice_of(text, sizeof text), &proxy), PROXY_DONE);
    assert_true(proxy.local);
    assert_int_equal(proxy.taken, sizeof text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_read),
        cmocka_unit_test(a_checksum_is_checked),
        cmocka_unit_test(a_unix_socket_is_local),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
