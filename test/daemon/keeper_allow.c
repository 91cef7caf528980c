/* Proves allowances at the keeper as a process of its own: what it says to be done is in the store, and is
 * there after a kill at once; when the store is lost it comes back from the journal, but for what was taken
 * back or is over; and nothing that is no network to be allowed is taken. */
#include "daemon/control.h"
#include "io/own_look.h"
#include "keeper_rig.h"

#define HOUR "3600000"

struct said {
    unsigned lines;
    char last[512];
};

static void line_came(void *data, struct slice json)
{
    struct said *said = data;
    said->lines++;
    snprintf(said->last, sizeof said->last, "%.*s", SLICE_ARGS(json));
}

/* Once somebody listens. 0, or -1 with the error. */
static int ask(const struct world *world, const char *request, struct said *said, struct error *error)
{
    char path[128];
    const int len = snprintf(path, sizeof path, "%s/keeper.sock", world->run);
    const struct control_call call = {.path = slice_of(path, (size_t)len),
                                      .request = slice_text(request),
                                      .wait_ms = 10000,
                                      .line = line_came,
                                      .data = said};
    *said = (struct said){.lines = 0};
    int status;
    for (unsigned i = 0; (status = control_call(&call, error)) < 0 && i < 1000; i++) {
        if (error->number == 0)
            return status;
        pause_ms(10);
    }
    return status;
}

static void add(const struct world *world, const char *prefix, const char *for_ms)
{
    char request[256];
    struct said said;
    struct error error;
    snprintf(
        request, sizeof request,
        "{\"command\":\"allow\",\"do\":\"add\",\"prefix\":\"%s\",\"for_ms\":%s,\"why\":\"a partner\",\"by\":"
        "\"joe\",\"session\":\"028t5cy4tqkff\"}",
        prefix, for_ms);
    if (ask(world, request, &said, &error) < 0)
        fail_msg("%s: %s", prefix, error.text);
    assert_int_equal(said.lines, 1);
    assert_non_null(strstr(said.last, prefix));
    assert_non_null(strstr(said.last, "\"by\":\"joe\""));
}

static void take_back(const struct world *world, const char *prefix)
{
    char request[128];
    struct said said;
    struct error error;
    snprintf(request, sizeof request,
             "{\"command\":\"allow\",\"do\":\"remove\",\"prefix\":\"%s\",\"by\":\"joe\"}", prefix);
    assert_int_equal(ask(world, request, &said, &error), 0);
}

static unsigned count(const struct world *world)
{
    struct said said;
    struct error error;
    assert_int_equal(ask(world, "{\"command\":\"allow\",\"do\":\"list\"}", &said, &error), 0);
    return said.lines;
}

/* What a gate finds for it. */
static void assert_found(const struct world *world, const char *address, const char *wanted)
{
    const struct store_lmdb_settings settings = {.folder = slice_text(world->store)};
    const int64_t now_ms = (int64_t)time(NULL) * 1000;
    struct own_look look = {.version = 0};
    struct own_answer answer;
    struct store *store;
    assert_int_equal(store_lmdb_open(&settings, &store, NULL), 0);
    (void)own_look_any(&look, store, now_ms);
    own_look_answer(&look, store, slice_text(address), now_ms, &answer);
    assert_int_equal(answer.status, wanted ? ANSWER_FOUND : ANSWER_NONE);
    if (wanted && !slice_equal(answer.value, slice_text(wanted)))
        fail_msg("%s: %.*s", address, SLICE_ARGS(answer.value));
    store_close(store);
}

static void store_lose(const struct world *world)
{
    assert_int_equal(nftw(world->store, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* --- the cases ------------------------------------------------------------------------------------------ */

static void test_done_is_stored(void **state)
{
    struct world world;
    (void)state;
    world_make(&world);
    keeper_start(&world);
    add(&world, "192.0.2.7/32", HOUR);
    keeper_kill(&world); /* at once */
    assert_found(&world, "192.0.2.7", "allow 192.0.2.7/32 028t5cy4tqkff a partner");
    keeper_start(&world);
    assert_int_equal(count(&world), 1);
    add(&world, "2001:db8:1:2::/64", HOUR);
    add(&world, "192.0.2.7/32", HOUR); /* anew: one entry */
    assert_int_equal(count(&world), 2);
    take_back(&world, "192.0.2.7/32");
    keeper_kill(&world);
    assert_found(&world, "192.0.2.7", NULL);
    assert_found(&world, "2001:db8:1:2::25", "allow 2001:db8:1:2::/64 028t5cy4tqkff a partner");
    keeper_start(&world);
    assert_int_equal(count(&world), 1);
    keeper_drain(&world);
    world_drop(&world);
}

static void test_a_lost_store(void **state)
{
    struct world world;
    (void)state;
    world_make(&world);
    keeper_start(&world);
    add(&world, "192.0.2.7/32", HOUR);
    add(&world, "192.0.2.8/32", HOUR);
    add(&world, "192.0.2.0/24", "1000");
    take_back(&world, "192.0.2.8/32");
    while (count(&world) > 1)
        pause_ms(20);
    keeper_drain(&world);
    store_lose(&world);
    keeper_start(&world);
    while (count(&world) < 1)
        pause_ms(20);
    keeper_drain(&world);
    assert_found(&world, "192.0.2.7", "allow 192.0.2.7/32 028t5cy4tqkff a partner");
    assert_found(&world, "192.0.2.8", NULL);
    assert_found(&world, "192.0.2.9", NULL);
    world_drop(&world);
}

static void test_refused(void **state)
{
    static const char *const requests[] = {
        "{\"command\":\"allow\"}",
        "{\"command\":\"allow\",\"do\":\"add\"}",
        "{\"command\":\"allow\",\"do\":\"add\",\"prefix\":\"0.0.0.0/0\",\"for_ms\":" HOUR "}",
        "{\"command\":\"allow\",\"do\":\"add\",\"prefix\":\"2001:db8::1/128\",\"for_ms\":" HOUR "}",
        "{\"command\":\"allow\",\"do\":\"add\",\"prefix\":\"192.0.2.7\",\"for_ms\":" HOUR "}",
        "{\"command\":\"allow\",\"do\":\"add\",\"prefix\":\"192.0.2.7/32\"}",
        "{\"command\":\"allow\",\"do\":\"add\",\"prefix\":\"192.0.2.7/32\",\"for_ms\":999}",
        "{\"command\":\"allow\",\"do\":\"add\",\"prefix\":\"192.0.2.7/32\",\"for_ms\":9223372036854775807}",
        "{\"command\":\"allow\",\"do\":\"add\",\"prefix\":\"192.0.2.7/32\",\"for_ms\":" HOUR
        ",\"session\":\"x\"}",
        "{\"command\":\"allow\",\"do\":\"remove\",\"prefix\":\"192.0.2.7/32\"}",
    };
    struct world world;
    (void)state;
    world_make(&world);
    keeper_start(&world);
    for (size_t i = 0; i < COUNT(requests); i++) {
        struct said said;
        struct error error;
        assert_int_equal(ask(&world, requests[i], &said, &error), -1);
        assert_int_equal(said.lines, 0);
    }
    assert_int_equal(count(&world), 0);
    keeper_drain(&world);
    world_drop(&world);
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[0], "keeper") == 0)
        return keeper_main(argv[1], argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_done_is_stored),
        cmocka_unit_test(test_a_lost_store),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
