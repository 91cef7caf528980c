/* Proves address and prefix texts there and back, against the C library where it reads the same language, and
 * prefixes at every bit. */
#include "base/address.h"
#include "base/random.h"
#include "unit.h"

#include <arpa/inet.h>
#include <string.h>

static void prints_as_rfc_5952_wants(void **state)
{
    static const char *const rows[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:0DB8::0001", "2001:db8::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"0:0:1:0:0:0:0:0", "0:0:1::"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::ffff:c000:201", "192.0.2.1"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {"1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };
    char text[ADDRESS_TEXT_SIZE];
    struct address address;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!address_parse(slice_text(rows[i][0]), &address))
            fail_msg("%s is refused", rows[i][0]);
        assert_printed(address_print(&address, text), text, rows[i][1]);
    }
    address = (struct address){0};
    assert_printed(address_print(&address, text), text, "none");
}

static void refuses_other_texts(void **state)
{
    static const char *const texts[] = {
        "",
        ".",
        ":",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3.04",
        "1.2.3.",
        ".1.2.3",
        "1..2.3",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.-4",
        "0x1.2.3.4",
        "1.2.3.4/32",
        ":::",
        "::1::",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4::5:6:7:8",
        "::1:2:3:4:5:6:7:8",
        ":1::",
        "1:",
        "::1:",
        "12345::",
        "g::",
        "::1.2.3",
        "::1.2.3.4:5",
        "1.2.3.4::",
        "1:2:3:4:5:6:7:1.2.3.4",
        "fe80::1%1",
        "[::1]",
        "::1 ",
        "::ffff:1.2.3.256",
        "1:2:3:4:5:6:7:8::",
    };
    struct address address;

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        if (address_parse(slice_text(texts[i]), &address))
            fail_msg("%s is taken", texts[i]);
    assert_false(address_parse(SLICE("1.2.3.4\0"), &address));
}

/* Octets with many zeros and ones, so that gaps occur. */
static void draw_octets(struct random *random, uint8_t octets[16])
{
    for (unsigned i = 0; i < 16; i += 2) {
        const uint64_t kind = random_below(random, 4);

        octets[i] = kind < 2 ? 0 : (uint8_t)random_next(random);
        octets[i + 1] = kind < 1 ? 0 : kind == 2 ? 0 : (uint8_t)random_next(random);
    }
}

static void agrees_with_the_c_library(void **state)
{
    struct random random = {6};
    char text[ADDRESS_PORT_TEXT_SIZE];
    char theirs[INET6_ADDRSTRLEN];

    (void)state;
    for (unsigned i = 0; i < 50000; i++) {
        uint8_t octets[16];
        uint8_t read[16];
        struct address back;
        const enum address_family family = i % 2 ? ADDRESS_IPV4 : ADDRESS_IPV6;
        const int af = i % 2 ? AF_INET : AF_INET6;

        draw_octets(&random, octets);
        const struct address address = address_from_octets(family, octets, (uint16_t)random_next(&random));
        address_print(&address, text);
        assert_int_equal(inet_pton(af, text, read), 1);
        assert_memory_equal(read, octets, family == ADDRESS_IPV4 ? 4 : 16);
        assert_non_null(inet_ntop(af, octets, theirs, sizeof(theirs)));
        assert_true(address_parse(slice_text(theirs), &back));
        assert_true(address_equal_host(&back, &address));
        address_port_print(&address, text);
        assert_true(address_port_parse(slice_text(text), 0, &back));
        assert_true(address_equal(&back, &address));
    }
}

/* Texts that are nearly addresses: both must take or refuse them alike. */
static void refuses_what_the_c_library_refuses(void **state)
{
    static const char letters[] = "01f:.:1:";
    struct random random = {9};
    struct address address;

    (void)state;
    for (unsigned i = 0; i < 300000; i++) {
        char text[24];
        uint8_t octets[16];
        const size_t len = (size_t)random_below(&random, sizeof(text) - 1) + 1;

        for (size_t n = 0; n < len; n++)
            text[n] = letters[random_below(&random, sizeof(letters) - 1)];
        text[len] = '\0';
        const bool theirs = inet_pton(AF_INET, text, octets) == 1 || inet_pton(AF_INET6, text, octets) == 1;
        if (address_parse(slice_of(text, len), &address) != theirs)
            fail_msg("%s", text);
    }
}

static void reads_ports(void **state)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", 25},
        {"192.0.2.1:0", "192.0.2.1", 0},
        {"192.0.2.1:65535", "192.0.2.1", 65535},
        {"[2001:db8::1]:587", "2001:db8::1", 587},
        {"[2001:db8::1]", "2001:db8::1", 25},
        {"2001:db8::1", "2001:db8::1", 25},
        {"::", "::", 25},
        {"[::ffff:192.0.2.1]:26", "192.0.2.1", 26},
    };
    static const char *const bad[] = {"",
                                      ":25",
                                      "192.0.2.1:",
                                      "192.0.2.1:65536",
                                      "192.0.2.1:000025",
                                      "192.0.2.1:+25",
                                      "[192.0.2.1]:25",
                                      "[::1",
                                      "[::1]25",
                                      "[::1]:",
                                      "[]:25",
                                      "[::1]:2:5",
                                      "::1]:25",
                                      "[[::1]]:25",
                                      "[::1] :25"};
    struct address address;
    struct address host;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!address_port_parse(slice_text(rows[i].text), 25, &address))
            fail_msg("%s is refused", rows[i].text);
        assert_int_equal(address.port, rows[i].port);
        assert_true(address_parse(slice_text(rows[i].host), &host) && address_equal_host(&address, &host));
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        if (address_port_parse(slice_text(bad[i]), 25, &address))
            fail_msg("%s is taken", bad[i]);
}

static struct address parsed(const char *text)
{
    struct address address;

    assert_true(address_parse(slice_text(text), &address));
    return address;
}

static void compares_and_knows_kinds(void **state)
{
    struct address a = parsed("192.0.2.1");
    const struct address b = parsed("::ffff:192.0.2.1");
    const struct address loopbacks[] = {parsed("127.0.0.1"), parsed("127.255.0.9"), parsed("::1"),
                                        parsed("::ffff:127.0.0.1")};
    const struct address none = {0};

    (void)state;
    assert_true(address_equal(&a, &b));
    a.port = 25;
    assert_false(address_equal(&a, &b));
    assert_true(address_equal_host(&a, &b));
    const struct address zero4 = parsed("0.0.0.0");
    const struct address zero6 = parsed("::");
    assert_false(address_equal_host(&zero4, &zero6));
    assert_true(address_is_unspecified(&zero4) && address_is_unspecified(&zero6));
    assert_false(address_is_unspecified(&none) || address_is_unspecified(&a) || address_is_loopback(&zero6));
    for (size_t i = 0; i < COUNT(loopbacks); i++)
        assert_true(address_is_loopback(&loopbacks[i]));
    assert_false(address_is_loopback(&a) || address_is_loopback(&none));
}

static void knows_private_ones(void **state)
{
    static const struct {
        const char *text;
        bool is_private, is_special;
    } kinds[] = {
        {"10.1.2.3", true, true},    {"172.31.255.255", true, true}, {"172.32.0.0", false, false},
        {"192.168.1.1", true, true}, {"100.64.0.1", true, true},     {"169.254.1.1", true, true},
        {"fd00::1", true, true},     {"fe80::1", true, true},        {"127.0.0.1", false, true},
        {"192.0.2.1", false, true},  {"::1", false, true},           {"2001:db8::1", false, true},
        {"8.8.8.8", false, false},   {"2a00::1", false, false},      {"::ffff:10.0.0.1", true, true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct address address;
        assert_true(address_parse(slice_text(kinds[i].text), &address));
        assert_int_equal(address_is_private(&address), kinds[i].is_private);
        assert_int_equal(address_is_special(&address), kinds[i].is_special);
    }
}

static void makes_keys(void **state)
{
    static const uint8_t mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
    const struct address a = parsed("192.0.2.1");
    const struct address b = parsed("2001:db8::1");
    const struct address none = {0};
    uint8_t key[16];

    (void)state;
    address_key(&a, key);
    assert_memory_equal(key, mapped, 16);
    address_key(&b, key);
    assert_memory_equal(key, b.octets, 16);
    address_key(&none, key);
    assert_memory_equal(key, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}

static bool bit_at(const struct address *address, unsigned bit)
{
    return address->octets[bit / 8] >> (7 - bit % 8) & 1;
}

/* For each length: the address itself is inside; with a bit of the prefix turned it is not; with one behind
 * it turned it still is. */
static void knows_each_bit(void **state)
{
    struct random random = {10};

    (void)state;
    for (unsigned round = 0; round < 40; round++) {
        uint8_t octets[16];
        const enum address_family family = round % 2 ? ADDRESS_IPV4 : ADDRESS_IPV6;
        const unsigned all = round % 2 ? 32 : 128;

        for (unsigned i = 0; i < 16; i++)
            octets[i] = (uint8_t)random_next(&random);
        const struct address address = address_from_octets(family, octets, 25);
        for (unsigned bits = 0; bits <= all; bits++) {
            const struct prefix prefix = {address_network(&address, bits), (uint8_t)bits};

            assert_true(prefix_contains(&prefix, &address));
            assert_int_equal(prefix.network.port, 0);
            for (unsigned bit = 0; bit < all; bit++) {
                struct address other = address;

                other.octets[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
                assert_int_equal(prefix_contains(&prefix, &other), bit >= bits);
                assert_int_equal(bit_at(&prefix.network, bit), bit < bits && bit_at(&address, bit));
            }
        }
        const struct address beyond = address_network(&address, 999);
        assert_true(address_equal_host(&beyond, &address));
    }
}

static void reads_prefixes(void **state)
{
    static const char *const rows[][2] = {
        {"192.0.2.0/24", "192.0.2.0/24"},
        {"192.0.2.1", "192.0.2.1/32"},
        {"192.0.2.1/32", "192.0.2.1/32"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"2001:db8::/32", "2001:db8::/32"},
        {"::/0", "::/0"},
        {"::1", "::1/128"},
        {"::ffff:192.0.2.0/120", "192.0.2.0/24"},
        {"::ffff:0:0/96", "0.0.0.0/0"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127"},
    };
    static const char *const bad[] = {"",
                                      "/24",
                                      "192.0.2.0/",
                                      "192.0.2.0/33",
                                      "192.0.2.1/24",
                                      "192.0.2.0/024",
                                      "192.0.2.0/ 24",
                                      "192.0.2.0/24/24",
                                      "2001:db8::/129",
                                      "2001:db8::1/32",
                                      "192.0.2/24",
                                      "::ffff:192.0.2.0/24",
                                      "::ffff:0:0/95",
                                      "192.0.2.0/-1",
                                      "192.0.2.0/256"};
    char text[ADDRESS_PORT_TEXT_SIZE];
    struct prefix prefix;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!prefix_parse(slice_text(rows[i][0]), &prefix))
            fail_msg("%s is refused", rows[i][0]);
        assert_printed(prefix_print(&prefix, text), text, rows[i][1]);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        if (prefix_parse(slice_text(bad[i]), &prefix))
            fail_msg("%s is taken", bad[i]);
}

static void keeps_families_apart(void **state)
{
    const struct prefix all4 = {parsed("0.0.0.0"), 0};
    const struct prefix all6 = {parsed("::"), 0};
    const struct address a = parsed("192.0.2.1");
    const struct address b = parsed("2001:db8::1");
    const struct address none = {0};
    const struct prefix nothing = {none, 0};

    (void)state;
    assert_true(prefix_contains(&all4, &a) && prefix_contains(&all6, &b));
    assert_false(prefix_contains(&all4, &b) || prefix_contains(&all6, &a));
    assert_false(prefix_contains(&all4, &none) || prefix_contains(&nothing, &none));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_as_rfc_5952_wants),
        cmocka_unit_test(refuses_other_texts),
        cmocka_unit_test(agrees_with_the_c_library),
        cmocka_unit_test(refuses_what_the_c_library_refuses),
        cmocka_unit_test(reads_ports),
        cmocka_unit_test(compares_and_knows_kinds),
        cmocka_unit_test(knows_private_ones),
        cmocka_unit_test(makes_keys),
        cmocka_unit_test(knows_each_bit),
        cmocka_unit_test(reads_prefixes),
        cmocka_unit_test(keeps_families_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
