/* Settings read back what they print, know their bounds and say what was expected; networks and routes are
 * found whatever their number and order. */
#include "unit.h"

#include "core/site.h"
#include "wire/access.h"

#include <string.h>

static const struct setting_info *info_of(const char *name)
{
    const struct setting_info *info = setting_find(slice_text(name));

    assert_non_null(info);
    return info;
}

static void test_defaults_print_and_read_back(void **state)
{
    struct site *site = site_new();

    (void)state;
    assert_true(setting_count > 50);
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting_info *info = &setting_infos[i];
        struct settings again = site->set;
        struct slice expected;
        const struct slice text = setting_print(&site->set, info, &site->arena);
        assert_ptr_equal(setting_find(slice_text(info->name)), info);
        if (info->type == SETTING_TEXT)
            continue; /* may have quotes, which are the file's */
        assert_true(setting_set(&again, info, text, &site->arena, &expected));
        assert_memory_equal(&again, &site->set, sizeof again);
    }
    assert_int_equal(site->set.limit_recipients, 100);
    assert_int_equal(site->set.limit_message, 25 * 1024 * 1024);
    assert_int_equal(site->set.limit_idle, 300000);
    assert_int_equal(site->set.reply_number, REPLY_NUMBER_NEGATIVE);
    assert_true(site->set.offer_chunking);
    assert_slice_equal(site->set.postmaster, "postmaster");
    site_free(site);
}

static void test_set(void **state)
{
    static const struct {
        const char *name, *text, *printed;
    } rows[] = {
        {"limits.recipients", "200", "200"},
        {"limits.message", "1GiB", "1GiB"},
        {"limits.idle-time", "1h30m", "90m"},
        {"retry.warn", "0", "0"},
        {"offer.dsn", "off", "no"},
        {"log.to", "journald", "journald"},
        {"message.bare-newline", "reject", "reject"},
        {"host-name", "mx.example.net", "mx.example.net"},
        {"log.file", "/var/log/my mail", "\"/var/log/my mail\""},
        {"policy-url", "https://example.org/?a=\"\\", "\"https://example.org/?a=\\\"\\\\\""},
        {"postmaster", "", "\"\""},
    };
    struct site *site = site_new();
    struct slice expected;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct setting_info *info = info_of(rows[i].name);
        assert_true(setting_set(&site->set, info, slice_text(rows[i].text), &site->arena, &expected));
        const struct slice printed = setting_print(&site->set, info, &site->arena);
        if (!slice_equal(printed, slice_text(rows[i].printed)))
            fail_msg("%s %s prints as %.*s", rows[i].name, rows[i].text, SLICE_ARGS(printed));
    }
    site_free(site);
}

static void test_refused(void **state)
{
    static const struct {
        const char *name, *text, *expected;
    } rows[] = {
        {"limits.recipients", "99", "a whole number, from 100 to 100000"},
        {"limits.recipients", "100001", "a whole number, from 100 to 100000"},
        {"limits.recipients", "many", "a whole number, from 100 to 100000"},
        {"limits.recipients", "-100", "a whole number, from 100 to 100000"},
        {"limits.recipients", "", "a whole number, from 100 to 100000"},
        {"limits.message", "1KiB", "a size such as 25MiB, from 64KiB to 4294967295"},
        {"limits.message", "25 MiB", "a size such as 25MiB, from 64KiB to 4294967295"},
        {"limits.memory", "1KiB", "a size such as 25MiB, at least 1MiB"},
        {"limits.disk-free", "much", "a size such as 25MiB"},
        {"limits.idle-time", "5", "a duration such as 30s or 1h30m, from 1s to 1d"},
        {"limits.idle-time", "2d", "a duration such as 30s or 1h30m, from 1s to 1d"},
        {"offer.dsn", "maybe", "yes or no"},
        {"log.to", "Syslog", "syslog, journald, file or none"},
        {"reply-number", "some", "negative or all"},
        {"host-name", "a\nb", "text without control characters, at most 1024 octets"},
        {"host-name", "\xff", "text without control characters, at most 1024 octets"},
    };
    struct site *site = site_new();
    const struct settings before = site->set;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice expected = SLICE_NONE;
        assert_false(setting_set(&site->set, info_of(rows[i].name), slice_text(rows[i].text), &site->arena,
                                 &expected));
        if (!slice_equal(expected, slice_text(rows[i].expected)))
            fail_msg("%s %s expects %.*s", rows[i].name, rows[i].text, SLICE_ARGS(expected));
    }
    assert_memory_equal(&before, &site->set, sizeof before);
    assert_null(setting_find(SLICE("limits.recipient")));
    assert_null(setting_find(SLICE("")));
    site_free(site);
}

static struct address address_of(const char *text)
{
    struct address address;

    assert_true(address_parse(slice_text(text), &address));
    return address;
}

static void test_networks_few(void **state)
{
    struct prefix items[2];
    struct networks networks = {items, 2};

    (void)state;
    assert_true(prefix_parse(SLICE("2001:db8::/32"), &items[0]));
    assert_true(prefix_parse(SLICE("192.0.2.0/24"), &items[1]));
    assert_true(
        networks_contain(&networks, &(struct address){.family = ADDRESS_IPV4, .octets = {192, 0, 2, 9}}));
    const struct address inside = address_of("2001:db8:1::1"), outside = address_of("198.51.100.1");
    assert_true(networks_contain(&networks, &inside));
    assert_false(networks_contain(&networks, &outside));
    networks.count = 0;
    assert_false(networks_contain(&networks, &inside));
}

/* Many networks, some within others, in no order: after sorting each address is found exactly where a walk
 * over all of them had found it. */
static void test_networks_many(void **state)
{
    struct prefix items[400], sorted[400];
    struct networks networks = {sorted, COUNT(items)};
    uint32_t seed = 1;

    (void)state;
    for (size_t i = 0; i < COUNT(items); i++) {
        seed = seed * 1664525u + 1013904223u;
        const uint8_t octets[4] = {10, (uint8_t)(seed >> 28), (uint8_t)(seed >> 20), (uint8_t)(seed >> 12)};
        const unsigned bits = 16 + (seed >> 8) % 17;
        const struct address address = address_from_octets(ADDRESS_IPV4, octets, 0);
        items[i] = (struct prefix){address_network(&address, bits), (uint8_t)bits};
        if (i % 7 == 0)
            assert_true(prefix_parse(SLICE("2001:db8::/48"), &items[i]));
        sorted[i] = items[i];
    }
    networks_sort(&networks);
    assert_true(networks.count > NETWORKS_UNSORTED_MAX && networks.count < COUNT(items));
    unsigned hits = 0;
    for (unsigned n = 0; n < 20000; n++) {
        seed = seed * 1664525u + 1013904223u;
        const uint8_t octets[4] = {(uint8_t)(9 + (seed >> 8) % 3), (uint8_t)(seed >> 28),
                                   (uint8_t)(seed >> 20), (uint8_t)(seed >> 12)};
        const struct address address = address_from_octets(ADDRESS_IPV4, octets, 25);
        bool wanted = false;
        for (size_t i = 0; i < COUNT(items); i++)
            wanted = wanted || prefix_contains(&items[i], &address);
        hits += wanted;
        assert_int_equal(networks_contain(&networks, &address), wanted);
    }
    assert_true(hits > 100 && hits < 19900);
    const struct address six = address_of("2001:db8::9"), other = address_of("2001:db8:1::9");
    assert_true(networks_contain(&networks, &six));
    assert_false(networks_contain(&networks, &other));
}

static void test_routes(void **state)
{
    struct site *site = site_new();
    struct route exact = {.name = SLICE("example.org")}, below = {.name = SLICE(".example.org")};
    struct route deeper = {.name = SLICE(".b.example.org")}, rest = {.name = SLICE("*")};

    (void)state;
    assert_null(site_add_domain(site, &exact, exact.name));
    assert_null(site_add_domain(site, &below, below.name));
    assert_null(site_add_domain(site, &deeper, deeper.name));
    assert_ptr_equal(site_add_domain(site, &rest, exact.name), &exact);
    assert_ptr_equal(site_route(site, SLICE("Example.ORG"), false), &exact);
    assert_ptr_equal(site_route(site, SLICE("example.org."), false), &exact);
    assert_ptr_equal(site_route(site, SLICE("a.example.org"), false), &below);
    assert_ptr_equal(site_route(site, SLICE("b.example.org"), false), &below);
    assert_ptr_equal(site_route(site, SLICE("x.a.b.example.org"), false), &deeper);
    assert_null(site_route(site, SLICE("example.com"), false));
    assert_null(site_route(site, SLICE("example.com"), true));
    assert_null(site_route(site, SLICE("badexample.org"), false));
    assert_null(site_route(site, SLICE(".example.org"), false));
    assert_null(site_route(site, SLICE(""), true));
    assert_null(site_route(site, SLICE("."), true));

    assert_null(site_add_domain(site, &rest, rest.name));
    assert_ptr_equal(site_route(site, SLICE("example.com"), true), &rest);
    assert_null(site_route(site, SLICE("example.com"), false));
    assert_null(site_route(site, SLICE("*"), false));
    assert_ptr_equal(site_route(site, SLICE("a.example.org"), true), &below);
    char long_name[300];
    memset(long_name, 'a', sizeof long_name);
    assert_null(site_route(site, slice_of(long_name, sizeof long_name), true));
    site_free(site);
    site_free(NULL);
}

static void rule_add(struct site *site, unsigned tags, const char *key, enum access_action action)
{
    assert_true(
        site_add_access(site, tags, slice_text(key), &(struct access_rule){.action = (uint8_t)action}));
}

/* The most specific key decides, SKIP hides the wider ones, and a tag does not see another's entries. */
static void test_access(void **state)
{
    static const struct {
        unsigned tag;
        const char *key, *wanted; /* NULL: nothing */
    } rows[] = {
        {ACCESS_CONNECT, "192.0.2.7", "connect:192.0.2.7"},
        {ACCESS_CONNECT, "192.0.2.8", "connect:192.0.2"},
        {ACCESS_CONNECT, "192.0.20.8", NULL},
        {ACCESS_CONNECT, "198.51.100.1", NULL},
        {ACCESS_CONNECT, "ipv6:2001:db8:5:0:0:0:0:1", "connect:ipv6:2001:db8"},
        {ACCESS_CONNECT, "mx.far.example", "connect:far.example"},
        {ACCESS_CONNECT, "notfar.example", NULL},
        {ACCESS_FROM, "joe@far.example", "from:joe@far.example"},
        {ACCESS_FROM, "joe@near.example", "from:joe@"},
        {ACCESS_FROM, "jill@mx.far.example", "from:far.example"},
        {ACCESS_FROM, "192.0.2.7", NULL},
        {ACCESS_TO, "joe@far.example", NULL},
        {ACCESS_FROM, "", NULL},
    };
    struct site *site = site_new();

    (void)state;
    rule_add(site, ACCESS_CONNECT, "192.0.2.7", ACCESS_OK);
    rule_add(site, ACCESS_CONNECT, "192.0.2", ACCESS_REJECT);
    rule_add(site, ACCESS_CONNECT, "198.51.100.1", ACCESS_SKIP);
    rule_add(site, ACCESS_CONNECT, "198.51", ACCESS_REJECT);
    rule_add(site, ACCESS_CONNECT, "ipv6:2001:db8", ACCESS_REJECT);
    rule_add(site, ACCESS_CONNECT | ACCESS_FROM, "far.example", ACCESS_REJECT);
    rule_add(site, ACCESS_FROM, "joe@far.example", ACCESS_OK);
    rule_add(site, ACCESS_FROM, "joe@", ACCESS_DISCARD);
    assert_false(site_add_access(site, ACCESS_FROM, SLICE("joe@"), &(struct access_rule){0}));
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct access_rule *rule = site_access(site, rows[i].tag, slice_text(rows[i].key));
        if (!rule ? rows[i].wanted != NULL
                  : !rows[i].wanted || !slice_equal(rule->key, slice_text(rows[i].wanted)))
            fail_msg("%s", rows[i].key);
    }
    site_free(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_print_and_read_back),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_networks_few),
        cmocka_unit_test(test_networks_many),
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_access),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
