/* Proves which names are taken for names of access lines, and which are left alone. */
#include "unit.h"

#include "checks/generic_name.h"

struct sample {
    const char *address, *name;
    enum generic expected;
};

static void assert_samples(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct address address;
        assert_true(address_parse(slice_text(samples[i].address), &address));
        enum generic got = generic_name(slice_text(samples[i].name), &address, NULL);
        if (got != samples[i].expected)
            fail_msg("%s of %s: expected %d, got %d", samples[i].name, samples[i].address,
                     samples[i].expected, got);
    }
}

static void the_address_in_decimal_digits_is_found(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"203.0.113.45", "203-0-113-45.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "203-0-113-45.example", GENERIC_ADDRESS},
        {"203.0.113.45", "203.0.113.45.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "ip-203-0-113-45.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "host203-0-113-45.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "c-203-0-113-45.hsd1.ca.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "static_203_0_113_45.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "h203x0x113x45.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "203-0-113-45-static.city.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "cpc1-203-0-113-45.cust.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "IP-203-0-113-45.Provider.Example.", GENERIC_ADDRESS},
        {"203.0.113.45", "203-000-113-045.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "h203000113045.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "c203011345.provider.example", GENERIC_ADDRESS},
        {"198.51.100.7", "client-198-51-100-7.net.provider.example", GENERIC_ADDRESS},
        {"198.51.100.7", "n3325256711.provider.example", GENERIC_ADDRESS},
        {"198.51.100.7", "n3325256707.provider.example", GENERIC_NO},
        {"192.0.2.1", "user-192-0-2-1.knology.example", GENERIC_ADDRESS},
    };
    assert_samples(samples, COUNT(samples));
}

static void the_address_turned_round_is_found(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"203.0.113.45", "45.113.0.203.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "45-113-0-203.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "dsl-45-113-0-203.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "45.113-0-203.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "113-45.0-203.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "045113000203.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "host45-113-0.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "host-0-113-45.provider.example", GENERIC_ADDRESS},
    };
    assert_samples(samples, COUNT(samples));
}

static void the_address_in_hexadecimal_digits_is_found(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"203.0.113.45", "cb00712d.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "pCB00712D.dip0.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "2d7100cb.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "x-cb-00-71-2d.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "cb007.12d.provider.example", GENERIC_ADDRESS},
        {"203.0.113.45", "cb00712e.provider.example", GENERIC_NO},
    };
    assert_samples(samples, COUNT(samples));
}

static void an_ipv6_address_is_found(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"2001:db8::7", "2001-db8--7.provider.example", GENERIC_ADDRESS},
        {"2001:db8::7", "2001-db8-0-0-0-0-0-7.provider.example", GENERIC_ADDRESS},
        {"2001:db8::7", "h20010db8000000000000000000000007.provider.example", GENERIC_ADDRESS},
        {"2001:db8::7", "2001-0db8-0000-0000-0000-0000-0000-0007.provider.example", GENERIC_ADDRESS},
        {"2001:db8::7", "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.provider.example",
         GENERIC_ADDRESS},
        {"2001:db8:1:2:a1b2:c3d4:e5f6:789", "a1b2c3d4e5f60789.provider.example", GENERIC_ADDRESS},
        {"2001:db8:1:2:a1b2:c3d4:e5f6:789", "net-20010db800010002.provider.example", GENERIC_ADDRESS},
        {"2001:db8::7", "host7.provider.example", GENERIC_NO},
        {"2001:db8::7", "mail.example.org", GENERIC_NO},
        {"2001:db8::7", "dyn-7.provider.example", GENERIC_WORD},
    };
    assert_samples(samples, COUNT(samples));
}

static void words_of_access_lines_count_beside_a_number(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"203.0.113.45", "dsl-4711.provider.example", GENERIC_WORD},
        {"203.0.113.45", "adsl-113-45.provider.example", GENERIC_WORD},
        {"203.0.113.45", "pool-12.city.provider.example", GENERIC_WORD},
        {"203.0.113.45", "dyn17.provider.example", GENERIC_WORD},
        {"203.0.113.45", "a17.dynamic.provider.example", GENERIC_WORD},
        {"203.0.113.45", "ppp5.dialup.provider.example", GENERIC_WORD},
        {"203.0.113.45", "dhcp-3.campus.provider.example", GENERIC_WORD},
        {"203.0.113.45", "cable-modem-9.provider.example", GENERIC_WORD},
        {"203.0.113.45", "mail3.dsl.provider.example",
         GENERIC_WORD},                                       /* the word stands against the mail host */
        {"203.0.113.45", "dsl.provider.example", GENERIC_NO}, /* no number */
        {"203.0.113.45", "pool.example.org", GENERIC_NO},
        {"203.0.113.45", "relay7.pool.example", GENERIC_NO}, /* the provider's own name says nothing */
        {"203.0.113.45", "liverpool12.example.org", GENERIC_NO},
        {"203.0.113.45", "dynamics12.example.org", GENERIC_NO},
    };
    assert_samples(samples, COUNT(samples));
}

static void half_an_address_counts_beside_a_word(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"203.0.113.45", "host-113-45.provider.example", GENERIC_PART},
        {"203.0.113.45", "45-113.static.provider.example", GENERIC_PART},
        {"203.0.113.45", "client113-45.provider.example", GENERIC_PART},
        {"203.0.113.45", "srv-113-45.provider.example", GENERIC_NO},
        {"203.0.113.45", "host45.provider.example", GENERIC_NO},
        {"203.0.113.45", "static.provider.example", GENERIC_NO},
    };
    assert_samples(samples, COUNT(samples));
}

/* Shapes that large senders and small houses give to their mail hosts. */
static void mail_hosts_are_left_alone(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"203.0.113.45", "mail.example.org", GENERIC_NO},
        {"203.0.113.45", "mx1.example.org", GENERIC_NO},
        {"203.0.113.45", "example.org", GENERIC_NO},
        {"203.0.113.45", "example", GENERIC_NO},
        {"203.0.113.45", "", GENERIC_NO},
        {"203.0.113.45", "a113-45.smtp-out.sender.example", GENERIC_NO},
        {"203.0.113.45", "a113-45.smtp-out.eu-west-1.sender.example", GENERIC_NO},
        {"203.0.113.45", "mail-sor-f45.sender.example", GENERIC_NO},
        {"203.0.113.45", "mail-wr1-f45.sender.example", GENERIC_NO},
        {"203.0.113.45", "mail-eopbgr113045.outbound.protection.sender.example", GENERIC_NO},
        {"203.0.113.45", "mta-203-0-113-45.sender.example", GENERIC_NO},
        {"203.0.113.45", "o113-45.mailer.sender.example", GENERIC_NO},
        {"203.0.113.45", "smtp45.example.net", GENERIC_NO},
        {"203.0.113.45", "out45.example.net", GENERIC_NO},
        {"203.0.113.45", "relay113.45.example.net", GENERIC_NO},
        {"203.0.113.45", "server45.example.net", GENERIC_NO},
        {"203.0.113.45", "vm-20481.example.net", GENERIC_NO},
        {"203.0.113.45", "www2.example.com", GENERIC_NO},
        {"203.0.113.45", "lists.example.com", GENERIC_NO},
        {"203.0.113.45", "mobile.example.com", GENERIC_NO},
        {"203.0.113.45", "client.example.com", GENERIC_NO},
        {"203.0.113.45", "cb1.example.com", GENERIC_NO},
        {"192.0.2.1", "node1-2.example.com", GENERIC_NO},
        {"192.0.2.1", "h1.r2.example.com", GENERIC_NO},
        {"192.0.2.1", "web-0-2-9.example.com", GENERIC_NO},
        {"192.0.2.1", "web-0-2-1.example.com", GENERIC_NO},
    };
    assert_samples(samples, COUNT(samples));
}

static void the_word_that_told_is_given(void **state)
{
    (void)state;
    struct address address;
    struct slice word;
    assert_true(address_parse(SLICE("203.0.113.45"), &address));
    assert_int_equal(generic_name(SLICE("a.DSL-9.provider.example"), &address, &word), GENERIC_WORD);
    assert_slice_equal(word, "DSL");
    assert_int_equal(generic_name(SLICE("static-113-45.provider.example"), &address, &word), GENERIC_PART);
    assert_slice_equal(word, "static");
    assert_int_equal(generic_name(SLICE("203-0-113-45.provider.example"), &address, &word), GENERIC_ADDRESS);
    assert_int_equal(word.len, 0);
}

/* 255 octets and more, digits without end, nothing but dots. */
static void odd_names_are_no_trouble(void **state)
{
    (void)state;
    char name[400];
    struct address address;
    assert_true(address_parse(SLICE("203.0.113.45"), &address));
    static const char fill[] = {'1', '.', '-', 'a', '\0'};
    for (size_t i = 0; i < sizeof fill; i++) {
        memset(name, fill[i], sizeof name);
        assert_int_equal(generic_name(slice_of(name, sizeof name), &address, NULL), GENERIC_NO);
    }
    for (size_t i = 0; i < sizeof name; i++)
        name[i] = i % 2 ? '-' : '1';
    assert_int_equal(generic_name(slice_of(name, sizeof name), &address, NULL), GENERIC_NO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_address_in_decimal_digits_is_found),
        cmocka_unit_test(the_address_turned_round_is_found),
        cmocka_unit_test(the_address_in_hexadecimal_digits_is_found),
        cmocka_unit_test(an_ipv6_address_is_found),
        cmocka_unit_test(words_of_access_lines_count_beside_a_number),
        cmocka_unit_test(half_an_address_counts_beside_a_word),
        cmocka_unit_test(mail_hosts_are_left_alone),
        cmocka_unit_test(the_word_that_told_is_given),
        cmocka_unit_test(odd_names_are_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
