/* Proves that counts of several processes add up, by host and by network; that a host is never counted too
 * low; that a minute's connections count for a minute; and that clearing a slot keeps what only grows. */
#include "base/random.h"
#include "io/counters.h"
#include "unit.h"

#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 4u
#define ROUNDS    20000u
#define HOSTS     64u

static struct counters *counters_new(void)
{
    struct error error;
    struct counters *counters = counters_open(42, &error);
    assert_non_null(counters);
    return counters;
}

static struct address host_address(unsigned number)
{
    uint8_t octets[16] = {192, 0, 2, (uint8_t)number};
    return address_from_octets(ADDRESS_IPV4, octets, 0);
}

/* Opens and closes at random, and leaves one connection of each host. */
static void child(struct counters *counters, unsigned slot)
{
    unsigned open[HOSTS] = {0};
    struct random random = {slot};
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned host = (unsigned)random_below(&random, HOSTS);
        struct address address = host_address(host);
        uint64_t key = counters_host_key(&address);
        if (open[host] && random_below(&random, 2)) {
            counters_disconnected(counters, slot, key);
            open[host]--;
        } else {
            counters_connected(counters, slot, key, 0);
            open[host]++;
        }
        if (counters_host(counters, key) < open[host])
            _exit(1);
    }
    for (unsigned host = 0; host < HOSTS; host++) {
        struct address address = host_address(host);
        for (; open[host] > 1; open[host]--)
            counters_disconnected(counters, slot, counters_host_key(&address));
        if (!open[host])
            counters_connected(counters, slot, counters_host_key(&address), 0);
    }
    _exit(0);
}

static void processes_add_up(void **state)
{
    (void)state;
    struct counters *counters = counters_new();
    pid_t children[PROCESSES];
    for (unsigned i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (!children[i])
            child(counters, i);
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_int_equal(counters_sum(counters, COUNTER_CONNECTIONS), PROCESSES * HOSTS);
    for (unsigned host = 0; host < HOSTS; host++) {
        struct address address = host_address(host);
        assert_int_equal(counters_host(counters, counters_host_key(&address)), PROCESSES);
    }
    uint64_t accepted = counters_sum(counters, COUNTER_ACCEPTED);
    counters_clear(counters, 1);
    assert_int_equal(counters_sum(counters, COUNTER_CONNECTIONS), (PROCESSES - 1) * HOSTS);
    assert_int_equal(counters_sum(counters, COUNTER_ACCEPTED), accepted);
    struct address address = host_address(3);
    assert_int_equal(counters_host(counters, counters_host_key(&address)), PROCESSES - 1);
    counters_close(counters);
}

/* More hosts than the table holds: counts may be shared, but none is too low, and all goes back to nothing.
 */
static void overflow_is_never_too_low(void **state)
{
    (void)state;
    enum { MANY = 120000 };
    struct counters *counters = counters_new();
    for (unsigned i = 1; i <= MANY; i++)
        counters_connected(counters, 0, i * UINT64_C(0x100000001), 0);
    for (unsigned i = 1; i <= MANY; i++)
        assert_true(counters_host(counters, i * UINT64_C(0x100000001)) >= 1);
    assert_int_equal(counters_sum(counters, COUNTER_CONNECTIONS), MANY);
    for (unsigned i = MANY; i >= 1; i--)
        counters_disconnected(counters, 0, i * UINT64_C(0x100000001));
    for (unsigned i = 1; i <= MANY; i++)
        assert_int_equal(counters_host(counters, i * UINT64_C(0x100000001)), 0);
    assert_int_equal(counters_sum(counters, COUNTER_CONNECTIONS), 0);
    counters_close(counters);
}

static struct counters_place look(const struct counters *counters, const char *text, uint64_t now_ms)
{
    struct address address;
    struct counters_place place;
    assert_true(address_parse(slice_text(text), &address));
    counters_look(counters, counters_host_key(&address), now_ms, &place);
    return place;
}

static void connect_from(struct counters *counters, unsigned slot, const char *text, uint64_t now_ms)
{
    struct address address;
    assert_true(address_parse(slice_text(text), &address));
    counters_connected(counters, slot, counters_host_key(&address), now_ms);
}

#define assert_place(place, host, network, by_host, by_network)                                              \
    do {                                                                                                     \
        struct counters_place seen = place;                                                                  \
        assert_int_equal(seen.host_used, host);                                                              \
        assert_int_equal(seen.network_used, network);                                                        \
        assert_int_equal(seen.host_rate, by_host);                                                           \
        assert_int_equal(seen.network_rate, by_network);                                                     \
    } while (0)

/* Two gates, one network; and what is a network of its own. */
static void networks_and_minutes(void **state)
{
    (void)state;
    struct counters *counters = counters_new();
    uint64_t start = UINT64_C(0xfffffff0); /* the clock's low half runs over */
    connect_from(counters, 0, "192.0.2.7", start);
    connect_from(counters, 1, "192.0.2.7", start + 10000);
    connect_from(counters, 1, "192.0.2.8", start + 20000);
    connect_from(counters, 0, "192.0.3.7", start + 20000);
    assert_place(look(counters, "192.0.2.7", start + 20000), 2, 3, 2, 3);
    struct address gone = host_address(8);
    counters_disconnected(counters, 1, counters_host_key(&gone));
    assert_place(look(counters, "192.0.2.7", start + 59999), 2, 2, 2, 3);
    assert_place(look(counters, "192.0.2.7", start + 60000), 2, 2, 1, 2);
    assert_place(look(counters, "192.0.2.8", start + 60000), 0, 2, 1, 2);
    connect_from(counters, 0, "192.0.2.7", start + 60000); /* another minute of that gate */
    assert_place(look(counters, "192.0.2.7", start + 60001), 3, 3, 2, 3);
    connect_from(counters, 0, "127.0.0.9", start);
    connect_from(counters, 0, "127.0.0.10", start);
    assert_place(look(counters, "127.0.0.9", start), 1, 1, 1, 1);
    connect_from(counters, 0, "2001:db8:0:1::1", start);
    connect_from(counters, 0, "2001:db8:0:1::2", start);
    assert_place(look(counters, "2001:db8:0:1::3", start), 2, 2, 2, 2);
    counters_close(counters);
}

/* A front's connection counts for whom it names, one after the other. */
static void a_connection_moves(void **state)
{
    (void)state;
    struct counters *counters = counters_new();
    struct address front = host_address(1), client, other;
    assert_true(address_parse(SLICE("203.0.113.7"), &client));
    assert_true(address_parse(SLICE("2001:db8::7"), &other));
    connect_from(counters, 0, "203.0.113.8", 0);
    counters_connected(counters, 0, counters_host_key(&front), 0);
    counters_moved(counters, 0, counters_host_key(&front), counters_host_key(&client), 10);
    assert_place(look(counters, "192.0.2.1", 20), 0, 0, 0, 0);
    assert_place(look(counters, "203.0.113.7", 20), 1, 2, 1, 2);
    counters_moved(counters, 0, counters_host_key(&client), counters_host_key(&other), 20);
    assert_place(look(counters, "203.0.113.7", 20), 0, 1, 0, 1);
    assert_place(look(counters, "2001:db8::7", 20), 1, 1, 1, 1);
    assert_int_equal(counters_sum(counters, COUNTER_CONNECTIONS), 2);
    assert_int_equal(counters_sum(counters, COUNTER_ACCEPTED), 2);
    counters_disconnected(counters, 0, counters_host_key(&other));
    assert_place(look(counters, "2001:db8::7", 20), 0, 0, 1, 1);
    counters_close(counters);
}

/* Who comes often is not pushed out by any number of others who come once. */
static void the_busy_ones_stay(void **state)
{
    (void)state;
    struct counters *counters = counters_new();
    for (unsigned i = 0; i < 5; i++)
        connect_from(counters, 0, "192.0.2.7", i);
    for (uint32_t i = 0; i < 300000; i++) {
        uint8_t octets[16] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        struct address address = address_from_octets(ADDRESS_IPV4, octets, 0);
        counters_connected(counters, 0, counters_host_key(&address), 10);
    }
    assert_int_equal(look(counters, "192.0.2.7", 20).host_rate, 5);
    counters_close(counters);
}

static void hosts_and_networks(void **state)
{
    (void)state;
    struct address a, b, c, d;
    assert_true(address_parse(SLICE("2001:db8:1:2::1"), &a));
    assert_true(address_parse(SLICE("2001:db8:1:2:ffff::9"), &b));
    assert_true(address_parse(SLICE("2001:db8:1:3::1"), &c));
    assert_true(address_parse(SLICE("::1"), &d));
    assert_true(counters_host_key(&a) == counters_host_key(&b));
    assert_true(counters_host_key(&a) != counters_host_key(&c));
    assert_true(counters_host_key(&d) != 0);
    struct address e = host_address(1), f = host_address(2);
    assert_true(counters_host_key(&e) != counters_host_key(&f));
    for (unsigned i = 0; i < COUNTER_LIMIT; i++)
        assert_non_null(counter_word((enum counter)i));
}

static void lag_is_read_from_its_classes(void **state)
{
    (void)state;
    struct counters *counters = counters_new();
    assert_int_equal(counters_lag_us(counters, 0, 99), 0);
    counters_set(counters, 0, COUNTER_LAG, 98);
    counters_set(counters, 0, COUNTER_LAG + 5, 1);
    counters_set(counters, 0, COUNTER_LAG + LOOP_LAG_CLASSES - 1, 1);
    assert_int_equal(counters_lag_us(counters, 0, 98), 50);
    assert_int_equal(counters_lag_us(counters, 0, 99), loop_lag_bounds_us[5]);
    assert_int_equal(counters_lag_us(counters, 0, 100), 10000000);
    assert_int_equal(counters_lag_us(counters, 1, 99), 0);
    for (unsigned i = COUNTER_LAG; i < COUNTER_LIMIT; i++)
        assert_non_null(counter_word((enum counter)i));
    counters_close(counters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lag_is_read_from_its_classes), cmocka_unit_test(processes_add_up),
        cmocka_unit_test(overflow_is_never_too_low),    cmocka_unit_test(networks_and_minutes),
        cmocka_unit_test(a_connection_moves),           cmocka_unit_test(the_busy_ones_stay),
        cmocka_unit_test(hosts_and_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
