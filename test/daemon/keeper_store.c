/* Proves that the keeper tells what is in the store, in parts where it is much, and takes out what it is told
 * to. */
#include "base/text.h"
#include "daemon/control.h"
#include "keeper_rig.h"

#include <errno.h>

#define HOSTS 2300u

struct listing {
    unsigned seen[HOSTS], others;
    char cursor[1200];
    char last[512];
};

static void listed(void *data, struct slice json)
{
    struct listing *listing = data;
    struct slice key = SLICE("\"key\":\"known host "), cursor = SLICE("{\"cursor\":\"");
    size_t at = slice_find_slice(json, key);
    uint64_t number;
    snprintf(listing->last, sizeof listing->last, "%.*s", SLICE_ARGS(json));
    if (slice_starts(json, cursor)) {
        struct slice rest = slice_from(json, cursor.len), digits;
        assert_true(slice_cut(&rest, '"', &digits));
        snprintf(listing->cursor, sizeof listing->cursor, "%.*s", SLICE_ARGS(digits));
        return;
    }
    struct slice rest = slice_from(json, at == SLICE_NOT_FOUND ? json.len : at + key.len), digits;
    if (slice_cut(&rest, '"', &digits) && text_parse_u64(digits, &number) && number < HOSTS)
        listing->seen[number]++;
    else
        listing->others++;
}

/* Once the keeper listens. */
static int store_ask(const struct world *world, const char *request, struct listing *listing)
{
    char path[96];
    struct error error = {0};
    int len = snprintf(path, sizeof path, "%s/keeper.sock", world->run);
    struct control_call call = {.path = slice_of(path, (size_t)len),
                                .request = slice_text(request),
                                .wait_ms = 10000,
                                .line = listed,
                                .data = listing};
    for (unsigned tries = 0; tries < 1000; tries++, pause_ms(10)) {
        int status = control_call(&call, &error);
        if (status == 0 || (error.number != ENOENT && error.number != ECONNREFUSED))
            return status;
    }
    return -1;
}

static void list_all(const struct world *world, struct listing *listing)
{
    char request[1400];
    *listing = (struct listing){.others = 0};
    unsigned parts = 0;
    do {
        snprintf(request, sizeof request,
                 "{\"command\":\"store\",\"do\":\"list\",\"prefix\":\"known \",\"cursor\":\"%s\"}",
                 listing->cursor);
        listing->cursor[0] = 0;
        assert_int_equal(store_ask(world, request, listing), 0);
        parts++;
    } while (listing->cursor[0]);
    assert_int_equal(listing->others, 0);
    assert_int_equal(parts, HOSTS / 1000 + 1);
}

static void hosts_tell(struct world *world)
{
    struct event_stamp stamp = {.unix_us = START_MS * 1000};
    struct buf buf;
    buf_init(&buf, 1 << 20);
    for (unsigned i = 0; i < HOSTS; i++) {
        char key[40];
        snprintf(key, sizeof key, "known host %u", i);
        TELL(world, &buf, &stamp, told, .verb = STORE_PUT, .key = slice_text(key), .value = SLICE("+1 x"));
    }
    TELL(world, &buf, &stamp, told, .verb = STORE_PUT, .key = SLICE("unknown"), .value = SLICE("x"));
    assert_int_equal(journal_writer_add(world->writer, buf_slice(&buf), NULL), 0);
    assert_true(journal_writer_flush(world->writer, 10000));
    buf_drop(&buf);
}

static void the_store_is_told_in_parts(void **state)
{
    (void)state;
    static struct listing listing;
    struct world world;
    world_make(&world);
    writer_begin(&world);
    hosts_tell(&world);
    keeper_start(&world);
    keeper_drain(&world);
    keeper_start(&world);
    list_all(&world, &listing);
    for (unsigned i = 0; i < HOSTS; i++)
        assert_int_equal(listing.seen[i], 1);
    const char *get = "{\"command\":\"store\",\"do\":\"get\",\"key\":\"known host 7\"}";
    assert_int_equal(store_ask(&world, get, &listing), 0);
    assert_int_equal(listing.seen[7], 2);
    assert_string_equal(listing.last, "{\"key\":\"known host 7\",\"value\":\"+1 x\"}");
    const char *take = "{\"command\":\"store\",\"do\":\"remove\",\"key\":\"known host 7\"}";
    assert_int_equal(store_ask(&world, take, &listing), 0);
    keeper_drain(&world); /* it is in the journal, and reading ends with it */
    keeper_start(&world);
    keeper_drain(&world);
    keeper_start(&world);
    list_all(&world, &listing);
    assert_int_equal(listing.seen[7], 0);
    assert_int_equal(listing.seen[8], 1);
    static const char *const refused[] = {
        "{\"command\":\"store\"}",
        "{\"command\":\"store\",\"do\":\"list\",\"cursor\":\"zz\"}",
        "{\"command\":\"store\",\"do\":\"list\",\"cursor\":\"6\"}",
        "{\"command\":\"store\",\"do\":\"get\"}",
        "{\"command\":\"store\",\"do\":\"remove\",\"key\":\"\"}",
    };
    for (size_t i = 0; i < COUNT(refused); i++)
        assert_int_equal(store_ask(&world, refused[i], &listing), -1);
    keeper_drain(&world);
    world_drop(&world);
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return keeper_main(argv[1], argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_store_is_told_in_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
