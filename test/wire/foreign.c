/* Proves that other protocols are named from their first octets, that SMTP and bad typing are not taken for
 * them, and that a beginning is named no sooner than it can be. */
#include "unit.h"
#include "wire/foreign.h"

struct foreign_case {
    struct slice first;
    enum foreign_kind kind;
    const char *evidence;
};

#define CASE(first, kind, evidence)                                                                          \
    {                                                                                                        \
        {"" first, sizeof(first) - 1}, FOREIGN_##kind, evidence                                              \
    }

static const struct foreign_case cases[] = {
    CASE("POST / HTTP/1.0\r\nContent-Type: text/plain\r\n", HTTP, "POST / HTTP/1.0"),
    CASE("GET /\r\n", HTTP, "GET /"),
    CASE("get http://mx.example/ \n", HTTP, "get http://mx.example/ "),
    CASE("CONNECT mx.example:25 HTTP/1.1\r\n", HTTP, "CONNECT mx.example:25 HTTP/1.1"),
    CASE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HTTP, "PRI * HTTP/2.0"),
    CASE("BREW /pot http/1.0\r\n", HTTP, "BREW /pot http/1.0"),
    CASE("OPTIONS sip:nm SIP/2.0\r\n", SIP, "OPTIONS sip:nm SIP/2.0"),
    CASE("SSH-2.0-Go\r\n", SSH, "SSH-2.0-Go"),
    CASE("\x16\x03\x01\x02\x00\x01\x00\x01\xfc", TLS, "a ClientHello of 512 octets, record version 3.1"),
    CASE("\x03\x00\x00\x2b\x26\xe0\x00\x00\x00\x00\x00"
         "Cookie: mstshash=hello\r\n\x01\x00\x08\x00\x03\x00\x00\x00",
         RDP, "Cookie: mstshash=hello"),
    CASE("\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00", RDP,
         "a connection request without a cookie"),
    CASE("\x04\x01\x00\x19\xc0\x00\x02\x19user\0", SOCKS, "version 4, connect to 192.0.2.25:25"),
    CASE("\x04\x02\x00\x50\xc0\x00\x02\x19\0", SOCKS, "version 4, bind 192.0.2.25:80"),
    CASE("\x05\x02\x00\x02", SOCKS, "version 5, methods offered: 2"),
    CASE("\x00\x00\x00\x54\xffSMB", BINARY, "octets 00 00 00 54 ff 53 4d 42"),
    CASE("\x16\x03\x01\x02\x00\x02", BINARY, "octets 16 03 01 02 00 02"),
    CASE("\x03\x00\x00\x00", BINARY, "octets 03 00 00 00"),
    CASE("\x05\x00", BINARY, "octets 05 00"),
    CASE("\xff\xfb\x1f", BINARY, "octets ff fb 1f"),
    CASE("\x7f", BINARY, "octets 7f"),
    CASE("\xc3(", BINARY, "octets c3 28"),
    CASE("EHLO mx.example\r\n", NONE, ""),
    CASE("ehlo post / http\r\n", NONE, ""),
    CASE("HELO get /\r\n", NONE, ""),
    CASE("MAIL FROM:<a@b.example> HTTP=1\r\n", NONE, ""),
    CASE("POST\r\n", NONE, ""),
    CASE("GET well soon\r\n", NONE, ""),
    CASE("\r\n", NONE, ""),
    CASE("\tEHLO mx.example\r\n", NONE, ""),
    CASE("\xc3\xa4HLO mx.example\r\n", NONE, ""),
    CASE("", NONE, ""),
};

static void protocols_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct foreign foreign;
        assert_true(foreign_parse(cases[i].first, true, &foreign));
        assert_string_equal(foreign_name(foreign.kind), foreign_name(cases[i].kind));
        assert_printed(foreign.evidence_len, foreign.evidence, cases[i].evidence);
    }
}

/* Octet by octet: once there is an answer about octets it stays; about a line it comes with its end. */
static void beginnings_are_not_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum foreign_kind kind = FOREIGN_NONE;
        for (size_t cut = 0; cut <= cases[i].first.len; cut++) {
            struct foreign foreign;
            if (!foreign_parse(slice_head(cases[i].first, cut), false, &foreign))
                continue;
            assert_true(kind == FOREIGN_NONE || kind == foreign.kind);
            kind = foreign.kind;
            assert_true(kind == FOREIGN_NONE || kind == cases[i].kind);
        }
        assert_true(kind == cases[i].kind || cases[i].kind == FOREIGN_BINARY);
    }
}

static void a_long_line_is_named_without_its_end(void **state)
{
    (void)state;
    char text[FOREIGN_NEED];
    struct foreign foreign;
    memset(text, 'a', sizeof text);
    memcpy(text, "GET /", 5);
    assert_true(foreign_parse(slice_of(text, sizeof text - 1), false, &foreign));
    assert_int_equal(foreign.kind, FOREIGN_NONE);
    assert_true(foreign_parse(slice_of(text, sizeof text), false, &foreign));
    assert_int_equal(foreign.kind, FOREIGN_HTTP);
    assert_int_equal(foreign.evidence_len, FOREIGN_TEXT - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protocols_are_named),
        cmocka_unit_test(beginnings_are_not_named),
        cmocka_unit_test(a_long_line_is_named_without_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
