/* Proves what counts as one host and as one network, on loopback, too, and that text is lowered and cut. */
#include "checks/place.h"
#include "rig.h"

static void hosts_and_networks(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"192.0.2.7", "192.0.2.7", "192.0.2.0/24"},
        {"::ffff:192.0.2.7", "192.0.2.7", "192.0.2.0/24"},
        {"127.0.0.9", "127.0.0.9", "127.0.0.9"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1:2::/64"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig rig;
        rig_begin(&rig);
        rig_peer(&rig, rows[i][0]);
        assert_true(slice_equal(place_host(&rig.turn), slice_text(rows[i][1])));
        assert_true(slice_equal(place_network(&rig.turn), slice_text(rows[i][2])));
        rig_end(&rig);
    }
}

static void text_is_lowered_and_cut(void **state)
{
    (void)state;
    struct rig rig;
    char text[1000];
    rig_begin(&rig);
    assert_slice_equal(place_lower(&rig.turn, SLICE("Joe@Example.ORG")), "joe@example.org");
    assert_int_equal(place_lower(&rig.turn, SLICE_NONE).len, 0);
    memset(text, 'A', sizeof text);
    assert_int_equal(place_lower(&rig.turn, slice_of(text, sizeof text)).len, 400);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_and_networks),
        cmocka_unit_test(text_is_lowered_and_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
