/* Proves the grammar of SPF's records, domains and explanations, and what macros expand to. */
#include "unit.h"
#include "wire/spf.h"

#include <stdio.h>

/* "a example.org /24 //64": kind's first letters, domain, lengths; how a term was read. */
static size_t term_print(const struct spf_term *term, char *text, size_t size)
{
    static const char *const kinds[] = {"all", "include", "a",        "mx",  "ptr",  "ip4",
                                        "ip6", "exists",  "redirect", "exp", "other"};
    char network[ADDRESS_PORT_TEXT_SIZE] = "";
    if (term->kind == SPF_IP4 || term->kind == SPF_IP6)
        prefix_print(&term->network, network);
    int len = snprintf(text, size, "%s %s [%.*s]%s %u %u;", spf_result_word(term->qualifier),
                       kinds[term->kind], SLICE_ARGS(term->domain), network, term->bits4, term->bits6);
    return (size_t)len;
}

static const struct {
    const char *record;
    const char *terms;
} good[] = {
    {"v=spf1", ""},
    {"V=SPF1   ", ""},
    {"v=spf1 -all", "fail all [] 0 0;"},
    {"v=spf1 ALL ?All ~all", "pass all [] 0 0;neutral all [] 0 0;softfail all [] 0 0;"},
    {"v=spf1 a a/24 a//64 a/24//64", "pass a [] 32 128;pass a [] 24 128;pass a [] 32 64;pass a [] 24 64;"},
    {"v=spf1 mx:%{d1r}/0//0", "pass mx [%{d1r}] 0 0;"},
    {"v=spf1 a:foo:bar/baz.example.com/8", "pass a [foo:bar/baz.example.com] 8 128;"},
    {"v=spf1 ptr ptr:a.b.", "pass ptr [] 0 0;pass ptr [a.b.] 0 0;"},
    {"v=spf1 ip4:192.0.2.77/24 -ip6:2001:DB8::1/32",
     "pass ip4 []192.0.2.77/24 0 0;fail ip6 []2001:db8::1/32 0 0;"},
    {"v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d}", "pass exists [%{ir}.%{l1r+-}._spf.%{d}] 0 0;"},
    {"v=spf1 x-a.b_c=%%%_%- redirect=_spf.example.com exp=%{h}",
     "none other [%%%_%-] 0 0;none redirect [_spf.example.com] 0 0;none exp [%{h}] 0 0;"},
    {"v=spf1 foo=", "none other [] 0 0;"},
};

static void good_records_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct spf_term term;
        char text[512] = "";
        size_t len = 0;
        enum spf_status status;
        assert_true(spf_record_is(slice_text(good[i].record)));
        struct slice terms = spf_record_terms(slice_text(good[i].record));
        while ((status = spf_term_next(&terms, &term)) == SPF_TERM)
            len += term_print(&term, text + len, sizeof text - len);
        assert_int_equal(status, SPF_END);
        assert_string_equal(text, good[i].terms);
    }
}

static const char *const bad[] = {
    "+",
    "moo",
    "all:a.b",
    "all/8",
    "all.",
    "include",
    "include:",
    "include:a",
    "exists",
    "exists:a.b/24",
    "a:",
    "a/33",
    "a//129",
    "a/024",
    "a/24/64",
    "a/",
    "a:a.b/",
    "a:museum",
    "a:museum.",
    "a:abc.123",
    "a:a.-b",
    "a:a.b-",
    "ptr/0",
    "ip4",
    "ip4:",
    "ip4:1.2.3",
    "ip4:1.2.3.4/33",
    "ip4:1.2.3.4/032",
    "ip4:1.2.3.4//32",
    "ip4:1.2.3.4:25",
    "ip4:::1",
    "ip6:1.2.3.4",
    "ip6:::1/129",
    "ip6:::1//64",
    "redirect:a.b",
    "redirect=",
    "redirect=-all",
    "exp=a",
    "1up=a",
    "=all",
    "a.b/c=d",
    "x=%",
    "x=%a",
    "x=%{",
    "x=%{d",
    "x=%{c}",
    "x=%{z}",
    "x=%{}",
    "x=%{d0}",
    "x=%{dd}",
    "x=%{dr1}",
    "x=%{d:}",
    "a:\x80.b",
    "a:a\tb.c",
    "\x80"
    "all",
    "all\r",
};

static void bad_terms_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct spf_term term;
        struct slice terms = slice_text(bad[i]);
        if (spf_term_next(&terms, &term) != SPF_BAD)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_true(slice_equal(term.text, slice_text(bad[i])));
    }
}

static void other_records_are_not_looked_at(void **state)
{
    static const char *const others[] = {"", "v=spf", "v=spf10", "v=spf1\tmx", "spf2.0/pra -all", " v=spf1"};
    (void)state;
    for (size_t i = 0; i < COUNT(others); i++)
        assert_false(spf_record_is(slice_text(others[i])));
}

/* --- macros: the examples of RFC 7208 section 7.4 first --- */

static struct spf_values example(const struct address *address)
{
    return (struct spf_values){.local = SLICE("strong-bad"),
                               .origin = SLICE("email.example.com"),
                               .domain = SLICE("email.example.com"),
                               .helo = SLICE("MX/1.example.org"),
                               .name = SLICE("mx.example.org"),
                               .receiver = SLICE("gate.example.net"),
                               .address = address,
                               .unix_seconds = 1700000000};
}

static const struct {
    const char *text;
    const char *expanded;
} expansions[] = {
    {"%{s}", "strong-bad@email.example.com"},
    {"%{o}", "email.example.com"},
    {"%{d}", "email.example.com"},
    {"%{d4}", "email.example.com"},
    {"%{d3}", "email.example.com"},
    {"%{d2}", "example.com"},
    {"%{d1}", "com"},
    {"%{dr}", "com.example.email"},
    {"%{d2r}", "example.email"},
    {"%{l}", "strong-bad"},
    {"%{l-}", "strong.bad"},
    {"%{lr}", "strong-bad"},
    {"%{lr-}", "bad.strong"},
    {"%{l1r-}", "strong"},
    {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
    {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
    {"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"},
    {"%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"},
    {"%{H}", "MX%2F1.example.org"},
    {"%{h2/.}", "example.org"},
    {"%{p} %{r} %{t} %{c}", "mx.example.org gate.example.net 1700000000 192.0.2.3"},
    {"100%%%_%-", "100% %20"},
    {"%{d99999999999999999999R}", "com.example.email"},
};

static void macros_expand(void **state)
{
    struct address address;
    (void)state;
    address_parse(SLICE("192.0.2.3"), &address);
    struct spf_values values = example(&address);
    for (size_t i = 0; i < COUNT(expansions); i++) {
        char text[256];
        size_t len;
        assert_true(spf_explanation_expand(slice_text(expansions[i].text), &values, text, sizeof text, &len));
        assert_int_equal(len, strlen(expansions[i].expanded));
        assert_memory_equal(text, expansions[i].expanded, len);
    }
}

static void an_ipv6_address_expands_to_nibbles(void **state)
{
    struct address address;
    char name[SPF_NAME_MAX];
    size_t len;
    (void)state;
    address_parse(SLICE("2001:db8::cb01"), &address);
    struct spf_values values = example(&address);
    assert_true(spf_name_expand(SLICE("%{ir}.%{v}._spf.%{D2}"), &values, name, &len));
    assert_slice_equal(slice_of(name, len), "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
                                            ".ip6._spf.example.com");
}

#define L63 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"

static void a_long_name_loses_labels_in_front(void **state)
{
    struct address address;
    char name[SPF_NAME_MAX];
    size_t len;
    (void)state;
    address_parse(SLICE("192.0.2.3"), &address);
    struct spf_values values = example(&address);
    values.domain = SLICE(L63 "." L63 "." L63 ".example");
    assert_true(spf_name_expand(SLICE("x.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.y.z"), &values, name, &len));
    assert_slice_equal(slice_of(name, len), "example." L63 "." L63 "." L63 ".example.y.z");
    assert_true(spf_name_expand(SLICE("A.B."), &values, name, &len));
    assert_slice_equal(slice_of(name, len), "a.b");
}

static void what_is_no_name_is_told(void **state)
{
    static const char *const names[] = {
        "", ".", "..", "a..b", ".a", L63 "d.example", "a\\.b", "a\nb", "\xc3\xa4.example"};
    char name[SPF_NAME_MAX];
    size_t len;
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        assert_false(spf_name_make(slice_text(names[i]), name, &len));
}

static void an_explanation_is_cut_and_clean(void **state)
{
    struct address address;
    char text[8];
    size_t len;
    (void)state;
    address_parse(SLICE("192.0.2.3"), &address);
    struct spf_values values = example(&address);
    values.local = SLICE("a\r\n\xc3\xa4");
    assert_true(spf_explanation_expand(SLICE("%{l}..........."), &values, text, sizeof text, &len));
    assert_slice_equal(slice_of(text, len), "a????...");
    assert_false(spf_explanation_expand(SLICE("a\tb"), &values, text, sizeof text, &len));
    assert_false(spf_explanation_expand(SLICE("%{x}"), &values, text, sizeof text, &len));
}

static void letters_are_found(void **state)
{
    (void)state;
    assert_true(spf_macros_have(SLICE("a.%{P2r}.b"), 'p', false));
    assert_false(spf_macros_have(SLICE("p.%%{p}.%{d}"), 'p', false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_records_are_read),
        cmocka_unit_test(bad_terms_are_named),
        cmocka_unit_test(other_records_are_not_looked_at),
        cmocka_unit_test(macros_expand),
        cmocka_unit_test(an_ipv6_address_expands_to_nibbles),
        cmocka_unit_test(a_long_name_loses_labels_in_front),
        cmocka_unit_test(what_is_no_name_is_told),
        cmocka_unit_test(an_explanation_is_cut_and_clean),
        cmocka_unit_test(letters_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
