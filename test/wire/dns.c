/* Proves that a question is written as RFC 1035 has it, and that each kind of answer is read into its text,
 * whatever a server makes of it. */
#include "dns.h"
#include "unit.h"

struct rig {
    struct arena arena;
    struct buf query, packet;
    struct slice name;
    enum dns_type type;
};

static void begin(struct rig *rig, const char *name, enum dns_type type)
{
    arena_init(&rig->arena, NULL, 0);
    buf_init(&rig->query, 512);
    buf_init(&rig->packet, 65535);
    rig->name = slice_text(name);
    rig->type = type;
    dns_query_write(&rig->query, 0x1234, rig->name, type);
}

static void head(struct rig *rig, unsigned flags, unsigned answers, unsigned authorities)
{
    dns_put_head(&rig->packet, buf_slice(&rig->query), flags, answers, authorities);
}

static struct dns_answer read_back(struct rig *rig)
{
    return dns_answer_read(buf_slice(&rig->packet), rig->name, rig->type, &rig->arena);
}

static void end(struct rig *rig)
{
    buf_drop(&rig->query);
    buf_drop(&rig->packet);
    arena_drop(&rig->arena);
}

#define FOUND(rig, text)                                                                                     \
    do {                                                                                                     \
        struct dns_answer found_answer = read_back(rig);                                                     \
        assert_int_equal(found_answer.status, DNS_FOUND);                                                    \
        assert_slice_equal(found_answer.value, text);                                                        \
        end(rig);                                                                                            \
    } while (0)

static void questions(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig, "mx.example", DNS_MX);
    const struct slice query = buf_slice(&rig.query),
                       wanted = SLICE("\x12\x34\1\0\0\1\0\0\0\0\0\1\2mx\7example\0\0\17\0\1"
                                      "\0\0\51\4\xd0\0\0\0\0\0\0");
    assert_int_equal(query.len, wanted.len);
    assert_memory_equal(query.at, wanted.at, wanted.len);
    end(&rig);
}

static void sound_names(void **state)
{
    static const char *const good[] = {"a", "mx.example", "_spf.example", "a.b.c.d.e", "x--y.example"};
    static const char *const bad[] = {
        "",
        ".",
        ".a",
        "a.",
        "a..b",
        "a b",
        "a\\b",
        "a\n",
        "b\xc3\xbc.example",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(dns_name_is_sound(slice_text(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(dns_name_is_sound(slice_text(bad[i])));
}

static void reverse_names(void **state)
{
    struct arena arena;
    struct address address;
    (void)state;
    arena_init(&arena, NULL, 0);
    address_parse(SLICE("192.0.2.7"), &address);
    assert_slice_equal(dns_pointer_name(&arena, &address), "7.2.0.192.in-addr.arpa");
    assert_slice_equal(dns_reverse(&arena, &address, SLICE("list.example")), "7.2.0.192.list.example");
    address_parse(SLICE("2001:db8::567:89ab"), &address); /* RFC 3596 section 2.5's own, moved */
    assert_slice_equal(dns_pointer_name(&arena, &address),
                       "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
    arena_drop(&arena);
}

static void addresses(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig, "mx.example", DNS_A);
    head(&rig, 0, 3, 0);
    dns_put_record(&rig.packet, NULL, DNS_A, 300, SLICE("\300\0\2\1"));
    dns_put_record(&rig.packet, "other.example", DNS_A, 300, SLICE("\300\0\2\77"));
    dns_put_record(&rig.packet, "MX.Example", DNS_A, 60, SLICE("\300\0\2\2"));
    assert_int_equal(read_back(&rig).ttl, 60);
    FOUND(&rig, "192.0.2.1 192.0.2.2");
    begin(&rig, "mx.example", DNS_AAAA);
    head(&rig, 0, 1, 0);
    dns_put_record(&rig.packet, NULL, DNS_AAAA, 0x80000001, SLICE("\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1"));
    assert_int_equal(read_back(&rig).ttl, 0);
    FOUND(&rig, "2001:db8::1");
}

static void aliases(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig, "a.example", DNS_A);
    head(&rig, 0, 3, 0);
    dns_put_record(&rig.packet, "c.example", DNS_A, 300, SLICE("\300\0\2\1"));
    dns_put_record(&rig.packet, "b.example", DNS_CNAME, 10, SLICE("\1c\7example\0"));
    dns_put_record(&rig.packet, NULL, DNS_CNAME, 20, SLICE("\1b\7example\0"));
    assert_int_equal(read_back(&rig).ttl, 10);
    FOUND(&rig, "192.0.2.1");
    begin(&rig, "a.example", DNS_A);
    head(&rig, 0, 2, 0);
    dns_put_record(&rig.packet, NULL, DNS_CNAME, 20, SLICE("\1b\7example\0"));
    dns_put_record(&rig.packet, "b.example", DNS_CNAME, 20, SLICE("\1a\7example\0"));
    assert_int_equal(read_back(&rig).status, DNS_BAD);
    end(&rig);
}

static void names(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig, "7.2.0.192.in-addr.arpa", DNS_PTR);
    head(&rig, 0, 3, 0);
    dns_put_record(&rig.packet, NULL, DNS_PTR, 300, SLICE("\2MX\7Example\0"));
    dns_put_record(&rig.packet, NULL, DNS_PTR, 300, SLICE("\3m x\7example\0"));
    dns_put_record(&rig.packet, NULL, DNS_PTR, 300, SLICE("\3m.x\7example\0"));
    FOUND(&rig, "mx.example");
}

static void exchanges(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig, "example", DNS_MX);
    head(&rig, 0, 3, 0);
    dns_put_record(&rig.packet, NULL, DNS_MX, 300, SLICE("\0\24\3mx2\300\14"));
    dns_put_record(&rig.packet, NULL, DNS_MX, 300, SLICE("\0\12\3mx1\300\14"));
    dns_put_record(&rig.packet, NULL, DNS_MX, 300, SLICE("\1\0\3mx3\300\14"));
    FOUND(&rig, "10 mx1.example 20 mx2.example 256 mx3.example");
    begin(&rig, "example", DNS_MX);
    head(&rig, 0, 1, 0);
    dns_put_record(&rig.packet, NULL, DNS_MX, 300, SLICE("\0\0\0"));
    FOUND(&rig, "0 .");
}

static void texts(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig, "example", DNS_TXT);
    head(&rig, 0, 2, 0);
    dns_put_record(&rig.packet, NULL, DNS_TXT, 300, SLICE("\6v=spf1\5 -all"));
    dns_put_record(&rig.packet, NULL, DNS_TXT, 300, SLICE("\0"));
    FOUND(&rig, "11:v=spf1 -all,0:,");
}

static void nothing(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig, "none.example", DNS_A);
    head(&rig, 3, 0, 1);
    dns_put_soa(&rig.packet, 900, 300);
    assert_int_equal(read_back(&rig).status, DNS_NO_NAME);
    assert_int_equal(read_back(&rig).ttl, 300);
    end(&rig);
    begin(&rig, "none.example", DNS_A);
    head(&rig, 0, 0, 1);
    dns_put_soa(&rig.packet, 100000, 200000);
    assert_int_equal(read_back(&rig).status, DNS_NO_DATA);
    assert_int_equal(read_back(&rig).ttl, DNS_NEGATIVE_MAX);
    end(&rig);
    begin(&rig, "none.example", DNS_A);
    head(&rig, 0, 1, 0);
    dns_put_record(&rig.packet, NULL, DNS_CNAME, 20, SLICE("\1b\7example\0"));
    assert_int_equal(read_back(&rig).status, DNS_NO_DATA);
    assert_false(read_back(&rig).has_ttl);
    end(&rig);
}

static enum dns_status with_flags(unsigned flags)
{
    struct rig rig;
    begin(&rig, "mx.example", DNS_A);
    head(&rig, flags, 0, 0);
    const enum dns_status status = read_back(&rig).status;
    end(&rig);
    return status;
}

static void refusals(void **state)
{
    (void)state;
    assert_int_equal(with_flags(2), DNS_REFUSED);
    assert_int_equal(with_flags(5), DNS_REFUSED);
    assert_int_equal(with_flags(0x0200), DNS_CUT);
    assert_string_equal(dns_code_words(2), "server failure");
    assert_string_equal(dns_code_words(99), "an unknown error");
}

static void wrong_questions(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig, "mx.example", DNS_A);
    head(&rig, 0, 0, 0);
    assert_int_equal(read_back(&rig).status, DNS_NO_DATA);
    rig.name = SLICE("my.example");
    assert_int_equal(read_back(&rig).status, DNS_BAD);
    rig.name = SLICE("mx.example");
    rig.type = DNS_MX;
    assert_int_equal(read_back(&rig).status, DNS_BAD);
    end(&rig);
}

/* Each answer cut at each octet is bad or says less; it never says something else. */
static void cut_anywhere(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig, "example", DNS_MX);
    head(&rig, 0, 2, 0);
    dns_put_record(&rig.packet, NULL, DNS_MX, 300, SLICE("\0\12\3mx1\300\14"));
    dns_put_record(&rig.packet, NULL, DNS_MX, 300, SLICE("\0\24\3mx2\300\14"));
    const struct slice whole = buf_slice(&rig.packet);
    for (size_t len = 0; len < whole.len; len++)
        assert_int_equal(dns_answer_read(slice_head(whole, len), rig.name, rig.type, &rig.arena).status,
                         DNS_BAD);
    end(&rig);
}

static void endless_names(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig, "example", DNS_PTR);
    head(&rig, 0, 1, 0);
    const unsigned at = rig.packet.len + 12; /* of the record's data */
    const char self[] = {(char)(0xc0 | at >> 8), (char)at};
    dns_put_record(&rig.packet, NULL, DNS_PTR, 300, slice_of(self, 2));
    assert_int_equal(read_back(&rig).status, DNS_BAD);
    end(&rig);
    begin(&rig, "example", DNS_PTR);
    head(&rig, 0, 1, 0);
    dns_put_record(&rig.packet, NULL, DNS_PTR, 300, SLICE("\200\14"));
    assert_int_equal(read_back(&rig).status, DNS_BAD);
    end(&rig);
}

static void questions_are_told_apart(void **state)
{
    static const struct {
        const char *name;
        enum dns_type type;
        bool same;
    } rows[] = {{"mx.example.org", DNS_A, true},     {"mx.example.org", DNS_AAAA, false},
                {"mx.example.com", DNS_A, false},    {"mx.example.or", DNS_A, false},
                {"mx.example.org.uk", DNS_A, false}, {"mxe.xample.org", DNS_A, false},
                {"mx.example", DNS_A, false},        {"example.org", DNS_A, false}};
    struct buf packet;
    (void)state;
    buf_init(&packet, 600);
    dns_query_write(&packet, 7, SLICE("MX.Example.ORG"), DNS_A);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct slice name = slice_text(rows[i].name);
        assert_int_equal(dns_question_is(buf_slice(&packet), name, rows[i].type), rows[i].same);
    }
    for (size_t len = 0; len < 12 + 16 + 4; len++) /* the OPT behind the question is of no interest */
        assert_false(dns_question_is(slice_head(buf_slice(&packet), len), SLICE("mx.example.org"), DNS_A));
    assert_true(dns_question_is(slice_head(buf_slice(&packet), 12 + 16 + 4), SLICE("mx.example.org"), DNS_A));
    packet.at[5] = 2;
    assert_false(dns_question_is(buf_slice(&packet), SLICE("mx.example.org"), DNS_A));
    buf_drop(&packet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions),       cmocka_unit_test(sound_names),
        cmocka_unit_test(reverse_names),   cmocka_unit_test(addresses),
        cmocka_unit_test(aliases),         cmocka_unit_test(names),
        cmocka_unit_test(exchanges),       cmocka_unit_test(texts),
        cmocka_unit_test(nothing),         cmocka_unit_test(refusals),
        cmocka_unit_test(wrong_questions), cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(endless_names),   cmocka_unit_test(questions_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
