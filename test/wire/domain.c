/* Proves what counts as a domain and an address literal, and that each kind of HELO argument is told. */
#include "unit.h"
#include "wire/domain.h"

#include <stdio.h>

#define L63 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"

struct domain_case {
    const char *domain;
    enum domain_status status;
    const char *facts; /* . more than one label, t dot at the end, _ underscore, u UTF-8, n numeric */
};

static const struct domain_case cases[] = {
    {"mx.example.com", DOMAIN_DONE, "."},
    {"localhost", DOMAIN_DONE, ""},
    {"a", DOMAIN_DONE, ""},
    {"example.com.", DOMAIN_DONE, ".t"},
    {"my_pc.example", DOMAIN_DONE, "._"},
    {"3com.example", DOMAIN_DONE, "."},
    {"192.0.2.1", DOMAIN_DONE, ".n"},
    {"12345", DOMAIN_DONE, "n"},
    {"xn--bcher-kva.example", DOMAIN_DONE, "."},
    {"b\xc3\xbc"
     "cher.example",
     DOMAIN_DONE, ".u"},
    {L63 ".example", DOMAIN_DONE, "."},
    {"", DOMAIN_EMPTY, ""},
    {".", DOMAIN_LABEL_NONE, "t"},
    {"..", DOMAIN_LABEL_NONE, "t"},
    {".example", DOMAIN_LABEL_NONE, ""},
    {"a..b", DOMAIN_LABEL_NONE, "."},
    {"a.b..", DOMAIN_LABEL_NONE, ".t"},
    {L63 "x.example", DOMAIN_LABEL_LONG, ""},
    {"-a.example", DOMAIN_HYPHEN, ""},
    {"a-.example", DOMAIN_HYPHEN, ""},
    {"a.-", DOMAIN_HYPHEN, "."},
    {"a b", DOMAIN_OCTET, ""},
    {"a\rb", DOMAIN_OCTET, ""},
    {"a@b", DOMAIN_OCTET, ""},
    {"[]", DOMAIN_OCTET, ""},
    {"b\xc3.example", DOMAIN_UTF8, ".u"},
    {"\xff", DOMAIN_UTF8, "u"},
    {L63 "." L63 "." L63 "." L63, DOMAIN_DONE, "."},
    {L63 "." L63 "." L63 "." L63 ".", DOMAIN_LONG, ""},
};

static void domains_are_told_from_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct domain_facts facts;
        char text[8];
        enum domain_status status = domain_check(slice_text(cases[i].domain), true, &facts);
        snprintf(text, sizeof text, "%s%s%s%s%s", facts.dot ? "." : "", facts.dot_last ? "t" : "",
                 facts.underscore ? "_" : "", facts.utf8 ? "u" : "",
                 status == DOMAIN_DONE && facts.numeric ? "n" : "");
        if (status != cases[i].status || strcmp(text, cases[i].facts) != 0)
            fail_msg("\"%s\": %d \"%s\"", cases[i].domain, (int)status, text);
        if (facts.utf8)
            assert_int_equal(domain_check(slice_text(cases[i].domain), false, NULL), DOMAIN_UTF8);
    }
    assert_int_equal(domain_check(SLICE("a\0b"), true, NULL), DOMAIN_OCTET);
}

static void literals_hold_an_address(void **state)
{
    static const char *const bad[] = {"",      "[",           "[]",      "192.0.2.1",        "[192.0.2.1",
                                      "[a]",   "[192.0.2]",   "[IPv6:]", "[IPv6:192.0.2.1]", "[ 192.0.2.1]",
                                      "[x:y]", "[192.0.2.1]]"};
    struct address address;
    bool tagged;
    (void)state;
    assert_true(domain_literal_parse(SLICE("[192.0.2.1]"), &address, &tagged));
    assert_int_equal(address.family, ADDRESS_IPV4);
    assert_false(tagged);
    assert_true(domain_literal_parse(SLICE("[ipv6:2001:db8::1]"), &address, &tagged));
    assert_int_equal(address.family, ADDRESS_IPV6);
    assert_true(tagged);
    assert_true(domain_literal_parse(SLICE("[2001:db8::1]"), &address, &tagged));
    assert_false(tagged);
    assert_true(domain_literal_parse(SLICE("[IPv6:::ffff:192.0.2.1]"), &address, NULL));
    assert_int_equal(address.family, ADDRESS_IPV4);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (domain_literal_parse(slice_text(bad[i]), &address, &tagged))
            fail_msg("\"%s\" is taken for a literal", bad[i]);
}

struct helo_case {
    const char *argument;
    enum helo_kind kind;
};

static const struct helo_case helo_cases[] = {
    {"mail.gotnet.net", HELO_DOMAIN},
    {"mail.gotnet.net.", HELO_DOMAIN},
    {"my_pc.example", HELO_DOMAIN},
    {"[192.0.2.1]", HELO_LITERAL},
    {"[IPv6:2001:db8::1]", HELO_LITERAL},
    {"192.0.2.1", HELO_BARE_IP},
    {"2001:db8::1", HELO_BARE_IP},
    {"Made-Up-Name-desk98", HELO_NO_DOT},
    {"QAPVBYXA", HELO_NO_DOT},
    {"[]", HELO_BAD},
    {"192.0.2.300", HELO_BAD},
    {"192.0.2", HELO_BAD},
    {"a b", HELO_BAD},
    {"<a@b.example>", HELO_BAD},
    {"b\xc3\xbc"
     "cher.example",
     HELO_BAD},
    {"-", HELO_BAD},
    {"", HELO_EMPTY},
};

static void helo_arguments_are_sorted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(helo_cases); i++) {
        struct address address;
        enum helo_kind kind = helo_classify(slice_text(helo_cases[i].argument), &address);
        if (kind != helo_cases[i].kind)
            fail_msg("\"%s\" is %.*s", helo_cases[i].argument, SLICE_ARGS(helo_kind_name(kind)));
        bool has_address = kind == HELO_LITERAL || kind == HELO_BARE_IP;
        assert_int_equal(address.family != ADDRESS_NONE, has_address);
        assert_int_equal(helo_classify(slice_text(helo_cases[i].argument), NULL), kind);
    }
    assert_slice_equal(helo_kind_name(HELO_BARE_IP), "bare-ip");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domains_are_told_from_others),
        cmocka_unit_test(literals_hold_an_address),
        cmocka_unit_test(helo_arguments_are_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
