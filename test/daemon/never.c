/* Who may never be blocked: each kind that the configuration or the store has is refused with its reason,
 * also where it is only a part of a network; who is known is told apart from who is forbidden; others may be.
 */
#include "loaded.h"

#include "daemon/never.h"
#include "io/store.h"
#include "wire/access.h"

#define NOW_MS INT64_C(1784860556000)

/* Addresses that no host has, whatever network the test runs in. */
static const char text[] = QUIET
    "listen 240.0.0.25:25 { proxy 240.0.1.0/24 }\n"
    "route example.org { relay 240.0.2.1:25 }\n"
    "networks { own 240.1.0.0/16 2001:db8:77::/48\n trusted 240.2.0.9\n xclient 240.3.0.1 }\n"
    "override { network 240.4.0.0/24\n sender joe@example.net\n allow }\n"
    "override { network 240.5.0.0/24\n known }\n"
    "override { ptr .friends.example\n allow }\n"
    "override { as 64500\n known }\n";

struct rig {
    struct loaded loaded;
    struct store *store;
    struct never *never;
};

static void access_add(struct rig *rig, const char *key, enum access_action action)
{
    const struct access_rule rule = {.action = (uint8_t)action};
    assert_true(site_add_access(rig->loaded.site, ACCESS_CONNECT, slice_text(key), &rule));
}

static void put(struct rig *rig, const char *key, const char *value)
{
    const struct store_write write = {
        .verb = STORE_PUT, .key = slice_text(key), .value = slice_text(value), .at_unix_ms = NOW_MS};
    const struct store_batch batch = {.writes = &write, .write_count = 1};
    assert_int_equal(store_apply(rig->store, &batch, NULL), 0);
}

static void begin(struct rig *rig)
{
    *rig = (struct rig){.loaded = load(slice_text(text), CONF_CARE_TEXT), .store = store_memory_new()};
    assert_non_null(rig->loaded.site);
    access_add(rig, "240.6.1", ACCESS_OK);
    access_add(rig, "240.6.2.7", ACCESS_REJECT);
    access_add(rig, "ipv6:2001:db8:5", ACCESS_OK);
    access_add(rig, "partner.example", ACCESS_OK);
    rig->never = never_new(rig->loaded.site, rig->store);
}

static void end(struct rig *rig)
{
    never_free(rig->never);
    store_close(rig->store);
    drop(&rig->loaded);
}

static enum never_answer ask(struct rig *rig, const char *prefix, const char *name, uint32_t as_number,
                             char why[NEVER_WHY_SIZE])
{
    struct never_subject subject = {.name = slice_text(name), .as_number = as_number};
    assert_true(prefix_parse(slice_text(prefix), &subject.prefix));
    return never_ask(rig->never, &subject, NOW_MS, why);
}

static void assert_answer(struct rig *rig, const char *prefix, enum never_answer answer, const char *part)
{
    char why[NEVER_WHY_SIZE];
    if (ask(rig, prefix, "", 0, why) != answer)
        fail_msg("%s: \"%s\"", prefix, why);
    if (!strstr(why, part))
        fail_msg("%s: \"%s\" has no \"%s\"", prefix, why, part);
}

static void what_the_configuration_says(void **state)
{
    static const struct {
        const char *prefix, *part;
    } forbidden[] = {
        {"240.1.2.3", "240.1.0.0/16 is one of our own networks"},
        {"240.0.0.0/8", "one of our own networks"}, /* it is a part of it */
        {"2001:db8:77:8::/64", "2001:db8:77::/48 is one of our own"},
        {"2001:db8::/32", "2001:db8:77::/48 is one of our own"},
        {"240.2.0.9", "240.2.0.9 is a trusted forwarder"},
        {"240.2.0.0/24", "trusted forwarder"},
        {"240.3.0.1", "a proxy in front"},
        {"240.0.1.77", "240.0.1.0/24 is a proxy in front"},
        {"240.0.2.1", "an inner server"},
        {"240.0.0.25", "an address of this host"},
        {"127.0.0.1", "an address of this host"},
        {"127.9.9.9", "127.0.0.0/8 is an address of this host"},
        {"240.4.0.7", "allowed by an override"}, /* whatever else it wants */
        {"240.6.1.200", "240.6.1.0/24 is allowed by the access table"},
        {"2001:db8:5:6::/64", "2001:db8:5::/48 is allowed by the access table"},
    };
    struct rig rig;
    (void)state;
    begin(&rig);
    for (size_t i = 0; i < COUNT(forbidden); i++)
        assert_answer(&rig, forbidden[i].prefix, NEVER_FORBIDDEN, forbidden[i].part);
    assert_answer(&rig, "240.5.0.7", NEVER_KNOWN, "240.5.0.0/24 is known by an override");
    assert_answer(&rig, "240.6.2.7", NEVER_MAY, "");
    assert_answer(&rig, "240.7.0.0/24", NEVER_MAY, "");
    assert_answer(&rig, "2001:db8:9:9::/64", NEVER_MAY, "");
    end(&rig);
}

static void a_loopback_address_of_a_demonstration(void **state)
{
    struct rig rig;
    (void)state;
    begin(&rig);
    rig.loaded.site->set.blocks_loopback = true;
    never_free(rig.never);
    rig.never = never_new(rig.loaded.site, rig.store);
    assert_answer(&rig, "127.9.9.9", NEVER_MAY, "");
    assert_answer(&rig, "127.0.0.1", NEVER_FORBIDDEN, "127.0.0.1 is an address of this host");
    end(&rig);
}

static void names_and_as_numbers(void **state)
{
    struct rig rig;
    char why[NEVER_WHY_SIZE];
    (void)state;
    begin(&rig);
    assert_int_equal(ask(&rig, "240.9.0.1", "mx.friends.example", 0, why), NEVER_FORBIDDEN);
    assert_non_null(strstr(why, "allowed by the override at t.conf"));
    assert_int_equal(ask(&rig, "240.9.0.1", "mx7.partner.example", 0, why), NEVER_FORBIDDEN);
    assert_non_null(strstr(why, "allowed by the access table"));
    assert_int_equal(ask(&rig, "240.9.0.1", "mx.stranger.example", 64500, why), NEVER_KNOWN);
    assert_int_equal(ask(&rig, "240.9.0.1", "mx.stranger.example", 64501, why), NEVER_MAY);
    end(&rig);
}

static void what_the_store_says(void **state)
{
    struct rig rig;
    char why[NEVER_WHY_SIZE];
    (void)state;
    begin(&rig);
    put(&rig, "known pool example.org", "20000");
    put(&rig, "known pool 240.11.0.0/24", "20000");
    put(&rig, "known host 240.10.0.1", "+20000 example.org");
    put(&rig, "known host 240.10.1.1", "-20000 example.org");
    put(&rig, "known host 240.10.2.1", "+20000 gone.example");
    put(&rig, "known host 2001:db8:1:2::/64", "+20000 example.org");
    assert_answer(&rig, "240.10.0.1", NEVER_KNOWN, "240.10.0.1 is known");
    assert_answer(&rig, "240.10.0.0/24", NEVER_KNOWN, "240.10.0.1 is known");
    assert_answer(&rig, "240.8.0.0/13", NEVER_KNOWN, "is known");
    assert_answer(&rig, "240.10.1.1", NEVER_MAY, ""); /* it has lost that */
    assert_answer(&rig, "240.10.1.0/24", NEVER_MAY, "");
    assert_answer(&rig, "240.10.2.1", NEVER_MAY, ""); /* its pool is not known any more */
    assert_answer(&rig, "240.11.0.9", NEVER_KNOWN, "240.11.0.9 is known");
    assert_answer(&rig, "2001:db8:1:2::/64", NEVER_KNOWN, "2001:db8:1:2::/64 is known");
    assert_answer(&rig, "2001:db8:1::/48", NEVER_KNOWN, "2001:db8:1:2::/64 is known");
    assert_answer(&rig, "2001:db8:2::/48", NEVER_MAY, "");
    assert_int_equal(ask(&rig, "240.12.0.1", "mx9.example.org", 0, why), NEVER_KNOWN);
    end(&rig);
}

static void allowances_come_and_go(void **state)
{
    struct rig rig;
    struct prefix around;
    char why[NEVER_WHY_SIZE];
    (void)state;
    begin(&rig);
    assert_false(never_look(rig.never, NOW_MS));
    put(&rig, "allow 240.13.0.7/32", "- wronged");
    put(&rig, "allow nonsense", "- wronged");
    assert_true(never_look(rig.never, NOW_MS));
    assert_false(never_look(rig.never, NOW_MS));
    assert_answer(&rig, "240.13.0.7", NEVER_FORBIDDEN, "240.13.0.7 is allowed for the time being");
    assert_answer(&rig, "240.13.0.0/24", NEVER_FORBIDDEN, "240.13.0.7 is allowed for the time being");
    assert_true(prefix_parse(SLICE("240.13.0.0/24"), &around));
    assert_true(never_forbids(rig.never, &around, false, why));
    assert_false(never_forbids(rig.never, &around, true, why)); /* a person's block stays round it */
    const struct store_write gone = {.verb = STORE_REMOVE, .key = SLICE("allow 240.13.0.7/32")};
    const struct store_batch batch = {.writes = &gone, .write_count = 1};
    assert_int_equal(store_apply(rig.store, &batch, NULL), 0);
    assert_true(never_look(rig.never, NOW_MS));
    assert_answer(&rig, "240.13.0.7", NEVER_MAY, "");
    end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_configuration_says),
        cmocka_unit_test(a_loopback_address_of_a_demonstration),
        cmocka_unit_test(names_and_as_numbers),
        cmocka_unit_test(what_the_store_says),
        cmocka_unit_test(allowances_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
