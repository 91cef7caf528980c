/* Proves the keeper's part in the block list: what a spam trap shows is suggested once, and hits are counted
 * once, however often the keeper is killed meanwhile; what a person wants is in the store, for the gates,
 * when the answer comes; who may never be blocked is refused, with the reason; and an allowance ends a block.
 */
#include "core/finding.h"
#include "core/own_list.h"
#include "daemon/control.h"
#include "daemon/keeper_blocks.h"
#include "keeper_rig.h"

#include <errno.h>

#define LINES_MAX 300u

/* What the keeper answers. */
struct heard {
    unsigned count;
    char lines[LINES_MAX][1200];
    char error[400];
};

static void line_came(void *data, struct slice json)
{
    struct heard *heard = data;
    assert_true(heard->count < LINES_MAX);
    snprintf(heard->lines[heard->count++], sizeof heard->lines[0], "%.*s", SLICE_ARGS(json));
}

/* Once the keeper listens. */
static bool ask(const struct world *world, struct heard *heard, const char *request)
{
    char path[96];
    struct error error = {0};
    const int len = snprintf(path, sizeof path, "%s/keeper.sock", world->run);
    const struct control_call call = {.path = slice_of(path, (size_t)len),
                                      .request = slice_text(request),
                                      .wait_ms = 20000,
                                      .line = line_came,
                                      .data = heard};
    heard->count = 0;
    heard->error[0] = 0;
    for (unsigned tries = 0; tries < 2000; tries++, pause_ms(10)) {
        const int status = control_call(&call, &error);
        if (status == 0)
            return true;
        if (error.number != ENOENT && error.number != ECONNREFUSED)
            break;
    }
    snprintf(heard->error, sizeof heard->error, "%s", error.text);
    return false;
}

#define assert_has(text, part)                                                                               \
    do {                                                                                                     \
        if (!strstr(text, part))                                                                             \
            fail_msg("\"%s\" has no \"%s\"", text, part);                                                    \
    } while (0)

static void assert_refused(const struct world *world, const char *request, const char *why)
{
    static struct heard heard;
    assert_false(ask(world, &heard, request));
    assert_has(heard.error, why);
}

/* --- what another process sees in the store, as gates do ---------------------------------------------------
 */

/* want: the value under the key; NULL: nothing stands there. */
static bool store_has(const struct world *world, const char *key, const char *want)
{
    const pid_t child = fork();
    if (child == 0) {
        const struct store_lmdb_settings settings = {.folder = slice_text(world->store)};
        struct store *store;
        struct slice value;
        if (store_lmdb_open(&settings, &store, NULL) < 0)
            _exit(2);
        const enum store_status status = store_get(store, slice_text(key), (int64_t)time(NULL) * 1000, &value,
                                                   NULL);
        const bool good = want ? status == STORE_FOUND && slice_equal(value, slice_text(want))
                               : status == STORE_NONE;
        _exit(good ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#define wait_for(condition)                                                                                  \
    do {                                                                                                     \
        unsigned tries = 0;                                                                                  \
        while (!(condition) && tries++ < 2000)                                                               \
            pause_ms(10);                                                                                    \
        assert_true(condition);                                                                              \
    } while (0)

/* --- sessions ------------------------------------------------------------------------------------------- */

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static void records_write(struct world *world, struct buf *buf)
{
    assert_int_equal(journal_writer_add(world->writer, buf_slice(buf), NULL), 0);
    assert_true(journal_writer_flush(world->writer, 10000));
    buf_drop(buf);
}

/* One that writes to a trap; the null sender's is a bounce. */
static void trap_session(struct world *world, unsigned number, struct slice sender)
{
    const struct address peer = {
        .family = ADDRESS_IPV4, .octets = {203, 0, (uint8_t)(number >> 8), (uint8_t)number}, .port = 4000};
    const struct event_stamp stamp = {.session = event_id_make(START_MS + number, 0, 0), .unix_us = now_us()};
    struct buf buf;
    buf_init(&buf, 1 << 16);
    TELL(world, &buf, &stamp, session_opened, .peer = peer, .sequence = 1);
    TELL(world, &buf, &stamp, mail_started, .transaction = 1, .sender = sender);
    TELL(world, &buf, &stamp, finding, .finding = FIND_TRAP, .evidence = SLICE("trap@example.org"),
         .mode = 2);
    TELL(world, &buf, &stamp, session_ended, .peer = peer, .flags = SLICE("trap"), .accepted = 1, .tried = 1,
         .why = 1);
    records_write(world, &buf);
}

/* Each turns away so many clients of it. */
static void hits_write(struct world *world, const char *const *prefixes, size_t count, unsigned times)
{
    struct event_stamp stamp = {.unix_us = now_us()};
    struct buf buf;
    char text[100];
    buf_init(&buf, 1 << 20);
    for (unsigned i = 0; i < times; i++)
        for (size_t k = 0; k < count; k++) {
            stamp.session = event_id_make(START_MS + i, 0, (unsigned)k);
            snprintf(text, sizeof text, "%s: Apparent open relay", prefixes[k]);
            TELL(world, &buf, &stamp, finding, .finding = FIND_BLOCKED, .evidence = slice_text(text),
                 .mode = 2);
        }
    records_write(world, &buf);
}

/* --- tests ---------------------------------------------------------------------------------------------- */

/* Of 240.0.0.0/4, which no host has, whatever network the test runs in. */
#define ADD(prefix)                                                                                          \
    "{\"command\":\"blocks\",\"do\":\"add\",\"prefix\":\"" prefix                                            \
    "\",\"reason\":\"Apparent open relay\",\"by\":\"joe\"}"
#define SAY(verb, what) "{\"command\":\"blocks\",\"do\":\"" verb "\",\"what\":\"" what "\",\"by\":\"joe\"}"
#define LIST(state)     "{\"command\":\"blocks\",\"do\":\"list\",\"state\":\"" state "\"}"

static void hits_are_counted_once_over_kills(void **state)
{
    static const char *const prefixes[] = {"240.1.2.7/32", "240.9.100.0/24", "2001:db8:1:2::/64",
                                           "10.9.8.7/32"};
    static struct heard heard;
    struct world world;
    (void)state;
    world_make(&world);
    writer_begin(&world);
    keeper_start(&world);
    assert_true(ask(&world, &heard, ADD("240.1.2.7")));
    assert_true(ask(&world, &heard, ADD("240.9.100.0/24")));
    assert_true(ask(&world, &heard, ADD("2001:db8:1:2::7/128")));
    keeper_kill(&world);
    unsigned round = 0;
    for (; round < 8; round++) {
        keeper_start(&world);
        hits_write(&world, prefixes, COUNT(prefixes), 50);
        trap_session(&world, round, SLICE("a@b.example"));
        trap_session(&world, 1000 + round, SLICE_NONE);
        pause_ms(round * 15); /* killed earlier or later: before it reads, in between, after its commit */
        keeper_kill(&world);
    }
    keeper_start(&world);
    keeper_drain(&world);
    keeper_start(&world);
    assert_true(ask(&world, &heard, LIST("in-force")));
    assert_int_equal(heard.count, 3);
    for (unsigned i = 0; i < heard.count; i++)
        assert_has(heard.lines[i], "\"hits\":400,");
    assert_true(ask(&world, &heard, LIST("suggested")));
    assert_int_equal(heard.count, round); /* and none for the bounces */
    assert_has(heard.lines[0], "Wrote to a spam trap");
    keeper_drain(&world);
    world_drop(&world);
}

static void what_a_person_wants_is_there_for_the_gates(void **state)
{
    static struct heard heard;
    struct world world;
    (void)state;
    world_make(&world);
    writer_begin(&world);
    keeper_start(&world);
    assert_true(ask(&world, &heard, ADD("240.1.2.7")));
    assert_has(heard.lines[0], "\"address\":\"240.1.2.7\",\"reason\":\"Apparent open relay\"");
    assert_has(heard.lines[0], "\"by\":\"joe\"");
    assert_true(store_has(&world, "block 240.1.2.7/32", "- Apparent open relay"));
    assert_true(store_has(&world, "own lengths", "4:32"));
    assert_true(ask(&world, &heard, ADD("2001:db8:1::/48")));
    assert_true(store_has(&world, "own lengths", "4:32 6:48"));
    assert_true(ask(&world, &heard, SAY("remove", "240.1.2.7")));
    assert_has(heard.lines[0], "\"state\":\"declined\"");
    assert_true(store_has(&world, "block 240.1.2.7/32", NULL));
    assert_refused(&world, SAY("remove", "240.1.2.7"), "neither blocked nor suggested");
    assert_true(ask(&world, &heard, SAY("undo", "2001:db8:1::/48")));
    assert_true(store_has(&world, "own lengths", NULL));
    keeper_drain(&world);
    world_drop(&world);
}

static void a_suggestion_waits_for_a_yes(void **state)
{
    static struct heard heard;
    struct world world;
    char id[EVENT_ID_SIZE], want[64], request[200];
    (void)state;
    world_make(&world);
    writer_begin(&world);
    keeper_start(&world);
    trap_session(&world, 5, SLICE("a@b.example"));
    trap_session(&world, 6, SLICE("a@b.example"));
    wait_for(ask(&world, &heard, LIST("suggested")) && heard.count == 2);
    assert_true(store_has(&world, "block 203.0.0.5/32", NULL));
    event_id_print(event_id_make(START_MS + 5, 0, 0), id);
    snprintf(request, sizeof request,
             "{\"command\":\"blocks\",\"do\":\"approve\",\"what\":\"%s\",\"by\":\"joe\"}", id);
    assert_true(ask(&world, &heard, request)); /* by the session that shows it */
    assert_int_equal(heard.count, 1);
    snprintf(want, sizeof want, "%s Wrote to a spam trap", id);
    assert_true(store_has(&world, "block 203.0.0.5/32", want));
    assert_true(ask(&world, &heard, SAY("decline", "203.0.0.6")));
    assert_refused(&world, SAY("approve", "203.0.0.6"), "not suggested");
    assert_refused(&world, SAY("approve", "0000000000001"), "nothing of it is there");
    keeper_drain(&world);
    world_drop(&world);
}

/* As the configuration of keeper_main has it: nothing but loopback is ours; the store knows the rest. */
static void tell(struct world *world, const char *key, const char *value)
{
    const struct event_stamp stamp = {.unix_us = now_us()};
    struct buf buf;
    buf_init(&buf, 1 << 16);
    TELL(world, &buf, &stamp, told, .verb = STORE_PUT, .key = slice_text(key), .value = slice_text(value));
    records_write(world, &buf);
}

static void who_may_never_be_blocked_is_refused(void **state)
{
    static struct heard heard;
    struct world world;
    (void)state;
    world_make(&world);
    writer_begin(&world);
    tell(&world, "known host 240.1.2.7", "+20000 example.org");
    tell(&world, "known pool example.org", "20000");
    tell(&world, "known host 240.1.2.9", "-20000 example.org");
    keeper_start(&world);
    wait_for(store_has(&world, "known host 240.1.2.9", "-20000 example.org"));
    assert_refused(&world, ADD("127.0.0.5"), "127.0.0.0/8 is an address of this host");
    assert_refused(&world, ADD("126.0.0.0/7"), "/8 to /32");
    assert_refused(&world, ADD("::1"), "::1 is an address of this host");
    assert_refused(&world, ADD("240.1.2.7"), "240.1.2.7 is known");
    assert_refused(&world, ADD("240.1.2.0/24"), "240.1.2.7 is known");
    assert_true(ask(&world, &heard, ADD("240.1.2.9"))); /* it has lost that */
    assert_true(ask(
        &world, &heard,
        "{\"command\":\"blocks\",\"do\":\"add\",\"prefix\":\"240.1.2.7\",\"reason\":\"x\",\"force\":true}"));
    assert_refused(&world, ADD("240.1.2.300"), "expected an address or a network");
    assert_refused(&world,
                   "{\"command\":\"blocks\",\"do\":\"add\",\"prefix\":\"240.1.2.8\",\"reason\":\" \"}",
                   "wants a reason");
    assert_refused(&world, "{\"command\":\"blocks\",\"do\":\"list\",\"state\":\"x\"}", "no state");
    assert_refused(&world, "{\"command\":\"blocks\",\"do\":\"x\"}", "blocks knows");
    keeper_drain(&world);
    world_drop(&world);
}

static void an_allowance_ends_a_block(void **state)
{
    static struct heard heard;
    struct world world;
    (void)state;
    world_make(&world);
    writer_begin(&world);
    keeper_start(&world);
    assert_true(ask(&world, &heard, ADD("240.1.2.7")));
    assert_true(ask(&world, &heard, ADD("240.9.100.0/24")));
    tell(&world, "allow 240.1.2.0/24", "- wronged");
    tell(&world, "allow 240.9.100.9/32", "- wronged");
    wait_for(store_has(&world, "block 240.1.2.7/32", NULL));
    assert_refused(&world, ADD("240.1.2.7"), "240.1.2.0/24 is allowed for the time being");
    assert_refused(&world, ADD("240.9.0.0/16"), "240.9.100.9 is allowed");
    assert_true(ask(&world, &heard, LIST("in-force"))); /* around an allowance a person's own stays */
    assert_int_equal(heard.count, 1);
    keeper_drain(&world);
    world_drop(&world);
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return keeper_main(argv[1], argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hits_are_counted_once_over_kills),
        cmocka_unit_test(what_a_person_wants_is_there_for_the_gates),
        cmocka_unit_test(a_suggestion_waits_for_a_yes),
        cmocka_unit_test(who_may_never_be_blocked_is_refused),
        cmocka_unit_test(an_allowance_ends_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
