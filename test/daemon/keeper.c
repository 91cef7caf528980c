/* Proves the keeper as a process of its own: what sessions tell is in the store once and whole, however often
 * the keeper is killed meanwhile, and the gates that tell it, too; the mail log has every session, also one
 * that began before the keeper did; old journal files go; and when it is told to end, all that was written
 * has been read. */
#include "keeper_gates.h"

#include <sys/time.h>

/* --- sessions ------------------------------------------------------------------------------------------- */

static const struct address peer = {.family = ADDRESS_IPV4, .octets = {192, 0, 2, 7}, .port = 40000};

static void session_begin(struct world *world, uint64_t id, struct journal_mark *mark)
{
    struct event_stamp stamp = {.session = id, .unix_us = START_MS * 1000};
    struct buf buf;
    buf_init(&buf, 1 << 16);
    TELL(world, &buf, &stamp, session_opened, .peer = peer, .sequence = 1);
    TELL(world, &buf, &stamp, line_received, .text = SLICE("EHLO client.example"), .octets = 21);
    TELL(world, &buf, &stamp, mail_started, .transaction = 1, .sender = SLICE("a@example.org"));
    assert_int_equal(journal_writer_add(world->writer, buf_slice(&buf), mark), 0);
    buf_drop(&buf);
}

/* It tells four things: one under a key of its own, and three under keys that all write. */
static void session_finish(struct world *world, uint64_t id, unsigned number, struct journal_mark *mark)
{
    struct event_stamp stamp = {.session = id, .unix_us = START_MS * 1000};
    struct buf buf;
    char text[24];
    snprintf(text, sizeof text, "%u", number);
    buf_init(&buf, 1 << 16);
    TELL(world, &buf, &stamp, told, .verb = STORE_PUT, .key = slice_text(text), .value = slice_text(text));
    TELL(world, &buf, &stamp, told, .verb = STORE_PUT, .key = SLICE("newest"), .value = slice_text(text));
    TELL(world, &buf, &stamp, told, .verb = STORE_ADD, .key = SLICE("count"), .value = SLICE("1"));
    TELL(world, &buf, &stamp, told, .verb = STORE_SEEN, .key = SLICE("seen"), .value = slice_text(text));
    TELL(world, &buf, &stamp, told, .verb = 77, .key = SLICE("count"), .value = SLICE("1"));
    TELL(world, &buf, &stamp, told, .verb = STORE_ADD, .key = SLICE("count"), .value = SLICE("none"));
    TELL(world, &buf, &stamp, message_stored, .transaction = 1, .queue_id = SLICE("x"));
    TELL(world, &buf, &stamp, session_ended, .peer = peer, .accepted = 1, .tried = 1, .why = 1);
    assert_int_equal(journal_writer_add(world->writer, buf_slice(&buf), mark), 0);
    buf_drop(&buf);
}

static uint64_t session_id(unsigned number)
{
    return event_id_make(START_MS + number, 0, 0);
}

static void session(struct world *world, unsigned number)
{
    struct journal_mark mark = {0};
    session_begin(world, session_id(number), &mark);
    session_finish(world, session_id(number), number, &mark);
}

/* --- what came of it ------------------------------------------------------------------------------------ */

/* Another process looks, as gates do. */
static void assert_store(const struct world *world, unsigned count)
{
    pid_t child = fork();
    if (child == 0) {
        struct store_lmdb_settings settings = {.folder = slice_text(world->store)};
        struct store *store;
        struct slice value;
        char text[24];
        if (store_lmdb_open(&settings, &store, NULL) < 0)
            _exit(2);
        for (unsigned i = 0; i < count; i++) {
            snprintf(text, sizeof text, "%u", i);
            if (store_get(store, slice_text(text), START_MS, &value, NULL) != STORE_FOUND ||
                !slice_equal(value, slice_text(text)))
                _exit(3);
        }
        snprintf(text, sizeof text, "%u", count - 1);
        bool newest = store_get(store, SLICE("newest"), START_MS, &value, NULL) == STORE_FOUND &&
                      slice_equal(value, slice_text(text));
        uint64_t added = 0;
        struct store_touches seen = {0};
        store_count(store, SLICE("count"), START_MS, &added, NULL);
        store_seen(store, SLICE("seen"), START_MS, &seen, NULL);
        bool once = added == count && seen.count == count && seen.first_unix_ms == START_MS;
        _exit(newest && once ? 0 : 4);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static struct slice log_take(const struct world *world)
{
    static char text[8 << 20];
    int fd = open(world->log, O_RDONLY);
    ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof text);
    assert_true(len >= 0 && len < (ssize_t)sizeof text);
    if (fd >= 0)
        close(fd);
    return slice_of(text, (size_t)len);
}

static bool log_has(struct slice log, uint64_t session, const char *what)
{
    char id[EVENT_ID_SIZE], line[128];
    event_id_print(session, id);
    snprintf(line, sizeof line, "%s%s", id, what);
    return slice_find_slice(log, slice_text(line)) != SLICE_NOT_FOUND;
}

/* Until the keeper has written this session's end. */
static void wait_for_end(const struct world *world, uint64_t session)
{
    for (unsigned tries = 0; tries < 2000; tries++, pause_ms(10))
        if (log_has(log_take(world), session, " #721 end "))
            return;
    fail_msg("the keeper does not come to it");
}

/* --- tests ---------------------------------------------------------------------------------------------- */

static void draining_reads_all(void **state)
{
    (void)state;
    struct world world;
    world_make(&world);
    writer_begin(&world);
    keeper_start(&world);
    for (unsigned i = 0; i < 5000; i++) {
        session(&world, i);
        if (i % 200 == 0)
            assert_true(journal_writer_flush(world.writer, 10000));
    }
    assert_true(journal_writer_flush(world.writer, 10000));
    keeper_drain(&world);
    assert_store(&world, 5000);
    struct slice log = log_take(&world);
    for (unsigned i = 0; i < 5000; i++)
        assert_true(log_has(log, session_id(i), " #721 end i=192.0.2.7 "));
    world_drop(&world);
}

static void kills_lose_nothing(void **state)
{
    (void)state;
    struct world world;
    unsigned number = 0;
    world_make(&world);
    writer_begin(&world);
    for (unsigned round = 0; round < 15; round++) {
        keeper_start(&world);
        for (unsigned i = 0; i < 300; i++, number++)
            session(&world, number);
        assert_true(journal_writer_flush(world.writer, 10000));
        pause_ms(round * 15); /* killed earlier or later: before it reads, in between, after its commit */
        keeper_kill(&world);
    }
    keeper_start(&world);
    keeper_drain(&world);
    assert_store(&world, number);
    struct slice log = log_take(&world);
    for (unsigned i = 0; i < number; i++)
        assert_true(log_has(log, session_id(i), " #721 end "));
    world_drop(&world);
}

/* --- gates that die, too -------------------------------------------------------------------------------- */

static void told_add(void *data, const struct journal_item *item)
{
    const struct event *event = &item->event;
    *(uint64_t *)data += event->kind == EVENT_KIND_told && event->body.told.verb == STORE_ADD &&
                         slice_equal(event->body.told.value, SLICE("1"));
}

static void assert_counted(const struct world *world, uint64_t told)
{
    struct store_lmdb_settings settings = {.folder = slice_text(world->store)};
    struct store *store;
    struct store_touches seen = {0};
    uint64_t count = 0;
    assert_int_equal(store_lmdb_open(&settings, &store, NULL), 0);
    assert_int_equal(store_count(store, SLICE("count"), START_MS, &count, NULL), STORE_FOUND);
    assert_int_equal(store_seen(store, SLICE("seen"), START_MS, &seen, NULL), STORE_FOUND);
    assert_int_equal(count, told);
    assert_true(seen.count >= told && seen.count <= told + 1); /* told behind it: the gate died in between */
    store_close(store);
}

static void the_store_has_what_the_journal_has(void **state)
{
    (void)state;
    struct world world;
    struct random random = {3};
    uint64_t told = 0; /* and in the journal before the gates died */
    world_make(&world);
    keeper_and_gates_killed(&world, &random, 120, 60);
    journal_walk(&world, told_add, &told);
    assert_true(told > 8 * 20);
    assert_counted(&world, told);
    world_drop(&world);
}

static void a_session_that_began_before_is_known(void **state)
{
    (void)state;
    struct world world;
    struct journal_mark first = {0}, second = {0};
    world_make(&world);
    writer_begin(&world);
    session_begin(&world, session_id(1), &first);
    session_begin(&world, session_id(2), &second);
    session_finish(&world, session_id(2), 0, &second);
    assert_true(journal_writer_flush(world.writer, 10000));
    keeper_start(&world);
    keeper_drain(&world);
    session_finish(&world, session_id(1), 1, &first);
    assert_true(journal_writer_flush(world.writer, 10000));
    keeper_start(&world);
    keeper_drain(&world);
    struct slice log = log_take(&world);
    assert_true(log_has(log, session_id(1),
                        ".1: from=<a@example.org>, size=0, class=0, nrcpts=0, proto=ESMTP, "
                        "daemon=postern, relay=[192.0.2.7]\n"));
    /* What was read before the first end was not read again. */
    size_t at = slice_find_slice(log, SLICE(" #721 end "));
    assert_int_not_equal(at, SLICE_NOT_FOUND);
    char id[EVENT_ID_SIZE];
    event_id_print(session_id(2), id);
    size_t once = slice_find_slice(log, slice_text(id));
    assert_int_not_equal(once, SLICE_NOT_FOUND);
    struct slice rest = slice_from(log, slice_find_slice(log, SLICE(" #721 end ")) + 1);
    assert_int_equal(slice_find_slice(rest, slice_text(id)), SLICE_NOT_FOUND);
    world_drop(&world);
}

static void old_files_go(void **state)
{
    (void)state;
    struct world world;
    struct journal_mark mark = {0};
    char path[256];
    world_make(&world);
    for (unsigned i = 0; i < 2; i++) {
        writer_begin(&world);
        session_begin(&world, session_id(i), &mark);
        session_finish(&world, session_id(i), i, &mark);
        journal_writer_close(world.writer);
    }
    writer_begin(&world);
    snprintf(path, sizeof path, "%s/gate-0.20260724T023556Z.00000001.journal", world.journal);
    struct timeval old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    assert_int_equal(utimes(path, old), 0);
    /* Unread files stay; what the first keeper has read, the second removes. */
    keeper_start(&world);
    wait_for_end(&world, session_id(1));
    keeper_drain(&world);
    assert_int_equal(access(path, F_OK), 0);
    keeper_start(&world);
    struct journal_mark last = {0};
    session_begin(&world, session_id(5), &last);
    session_finish(&world, session_id(5), 5, &last);
    wait_for_end(&world, session_id(5));
    keeper_drain(&world);
    assert_int_not_equal(access(path, F_OK), 0);
    snprintf(path, sizeof path, "%s/gate-0.20260724T023556Z.00000002.journal", world.journal);
    assert_int_equal(access(path, F_OK), 0);
    world_drop(&world);
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return keeper_main(argv[1], argv[2]);
    if (argc == 4)
        return gate_main(argv, session);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draining_reads_all),
        cmocka_unit_test(kills_lose_nothing),
        cmocka_unit_test(the_store_has_what_the_journal_has),
        cmocka_unit_test(a_session_that_began_before_is_known),
        cmocka_unit_test(old_files_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
