/* Sessions that a gate was killed over get one end each, by what their records tell: also where the next gate
 * is killed while it gives them, where they began some files before, and never where the gate stopped as it
 * should. */
#include "journal/unended.h"

#include "folder.h"
#include "journal/history.h"
#include "journal/reader.h"

#define SESSIONS 60u
#define BEGIN_US INT64_C(1784932200000000)
#define HOUR_US  INT64_C(3600000000)

struct world {
    struct folder folder;
    struct journal_writer *writer;
    struct journal_mark marks[SESSIONS];
    int64_t now_us;
};

static int world_make(void **state)
{
    static struct world world;
    world = (struct world){.now_us = BEGIN_US};
    folder_make(&world.folder);
    *state = &world;
    return 0;
}

static int world_drop(void **state)
{
    struct world *world = *state;
    folder_remove(&world->folder);
    return 0;
}

static uint64_t id_of(unsigned i)
{
    return event_id_make(BEGIN_US / 1000 + i, 0, i);
}

#define TELL(world, i, name, ...)                                                                            \
    do {                                                                                                     \
        struct buf buf;                                                                                      \
        buf_init(&buf, EVENT_SIZE_MAX);                                                                      \
        event_add_##name(&buf,                                                                               \
                         &(struct event_stamp){.session = id_of(i), .unix_us = (world)->now_us += 1000},     \
                         &(struct event_##name){__VA_ARGS__});                                               \
        assert_int_equal(journal_writer_add((world)->writer, buf_slice(&buf), &(world)->marks[i]), 0);       \
        buf_drop(&buf);                                                                                      \
    } while (0)

#define TELL_OF_PROCESS(world, name, ...)                                                                    \
    do {                                                                                                     \
        struct buf buf;                                                                                      \
        buf_init(&buf, EVENT_SIZE_MAX);                                                                      \
        event_add_##name(&buf, &(struct event_stamp){.unix_us = (world)->now_us += 1000},                    \
                         &(struct event_##name){__VA_ARGS__});                                               \
        assert_int_equal(journal_writer_add((world)->writer, buf_slice(&buf), NULL), 0);                     \
        buf_drop(&buf);                                                                                      \
    } while (0)

static void gate_begin(struct world *world)
{
    world->writer = folder_writer(&world->folder, "gate", 0,
                                  1 << 16); /* files are small: sessions span some */
    TELL_OF_PROCESS(world, process_started, .role = SLICE("gate"));
}

/* All that it has recorded is in the files: as after a kill, 50 ms later. */
static void gate_kill(struct world *world)
{
    assert_true(journal_writer_flush(world->writer, 10000));
    journal_writer_close(world->writer);
}

static struct address peer_of(unsigned i)
{
    uint8_t four[4] = {192, 0, 2, (uint8_t)i};
    return address_from_octets(ADDRESS_IPV4, four, 4000);
}

/* Sixty sessions in turns; every third ends, and is told of behind its end. */
static void sessions_tell(struct world *world)
{
    static const char filler[] =
        "a line that takes its room, so that a file is soon full, and another begins";
    char address[ADDRESS_TEXT_SIZE];
    for (unsigned i = 0; i < SESSIONS; i++) {
        struct address peer = peer_of(i);
        address_print(&peer, address);
        TELL(world, i, session_opened, .peer = peer, .fingerprint = SLICE("4:64"));
        TELL(world, i, question_answered, .kind = 12, .key = slice_text(address), .status = 1,
             .value = SLICE("other.example mx.example"));
        TELL(world, i, question_answered, .kind = 10, .key = SLICE("mx.example"), .status = 1,
             .value = slice_text(address));
        TELL(world, i, finding, .finding = 30, .mode = 2);
    }
    for (unsigned round = 0; round < 10; round++)
        for (unsigned i = 0; i < SESSIONS; i++) {
            TELL(world, i, octets_received, .count = 100);
            TELL(world, i, line_received, .text = SLICE("EHLO client.example"), .rest = slice_text(filler));
            TELL(world, i, reply_sent, .code = round ? 250 : 550, .number = 80, .text = SLICE("550 no"));
        }
    for (unsigned i = 0; i < SESSIONS; i += 3) {
        TELL(world, i, session_ended, .peer = peer_of(i), .why = END_QUIT);
        TELL(world, i, told, .verb = 1, .key = SLICE("a"), .value = SLICE("b"));
    }
}

/* What the next gate gives; its first `most` ends reach the journal before it, too, is killed. */
static unsigned ends_give(struct world *world, unsigned most)
{
    struct unended_settings settings = {world->folder.path, 0, 2 * HOUR_US};
    struct unended *unended = unended_new(&settings);
    struct buf records;
    struct event event;
    unsigned given = 0;
    size_t size;
    buf_init(&records, 16 << 20);
    gate_begin(world);
    while (unended && unended_turn(unended, world->now_us, &records))
        continue;
    for (struct slice rest = buf_slice(&records); event_read(rest, &event, &size) == EVENT_DONE;
         rest = slice_from(rest, size), given++)
        if (given < most)
            assert_int_equal(journal_writer_add(world->writer, slice_head(rest, size), NULL), 0);
    unended_free(unended);
    buf_drop(&records);
    return given;
}

/* How many ends each session has. */
static void ends_count(const struct world *world, unsigned counts[SESSIONS])
{
    struct journal_reader_settings settings = {
        .folder = world->folder.path, .from = JOURNAL_FROM_START, .unwatched = true};
    struct journal_reader *reader;
    struct journal_item item;
    memset(counts, 0, SESSIONS * sizeof *counts);
    assert_int_equal(journal_reader_open(&settings, &reader, NULL), 0);
    while (journal_reader_next(reader, &item))
        for (unsigned i = 0; i < SESSIONS; i++)
            counts[i] += item.event.kind == EVENT_KIND_session_ended && item.event.stamp.session == id_of(i);
    journal_reader_close(reader);
}

static void test_each_gets_its_end(void **state)
{
    struct world *world = *state;
    unsigned counts[SESSIONS];
    gate_begin(world);
    sessions_tell(world);
    gate_kill(world);
    assert_int_equal(ends_give(world, SESSIONS), 40);
    gate_kill(world);
    ends_count(world, counts);
    for (unsigned i = 0; i < SESSIONS; i++)
        assert_int_equal(counts[i], 1);
    assert_int_equal(ends_give(world, SESSIONS), 0);
    gate_kill(world);
}

/* At every point of the giving, and again at every point of what is left. */
static void test_killed_while_it_gives_them(void **state)
{
    struct world *world = *state;
    unsigned counts[SESSIONS], left = 40;
    gate_begin(world);
    sessions_tell(world);
    gate_kill(world);
    for (unsigned most = 0; left; most++) {
        assert_int_equal(ends_give(world, most), left);
        left -= most < left ? most : left;
        gate_kill(world);
    }
    ends_count(world, counts);
    for (unsigned i = 0; i < SESSIONS; i++)
        assert_int_equal(counts[i], 1);
}

static void test_what_it_tells(void **state)
{
    struct world *world = *state;
    struct history history;
    gate_begin(world);
    sessions_tell(world);
    gate_kill(world);
    assert_int_equal(ends_give(world, SESSIONS), 40);
    gate_kill(world);
    history_init(&history, id_of(1));
    assert_int_equal(history_load(&history, world->folder.path, NULL), 0);
    assert_true(history.opened && history.ended);
    const struct event_session_ended *ended = &history.events[history.count - 1].body.session_ended;
    struct address peer = peer_of(1);
    assert_int_equal(history.events[history.count - 1].kind, EVENT_KIND_session_ended);
    assert_int_equal(ended->why, END_KILLED);
    assert_true(address_equal_host(&ended->peer, &peer));
    assert_slice_equal(ended->ptr, "mx.example");
    assert_slice_equal(ended->helo, "client.example");
    assert_slice_equal(ended->flags, "ehlo-no-helo,killed");
    assert_slice_equal(ended->last_negative, "550 no");
    assert_slice_equal(ended->fingerprint, "4:64");
    assert_int_equal(ended->octets_in, 1000);
    assert_int_equal(ended->octets_out, 80);
    assert_int_equal(ended->negative, 1);
    history_drop(&history);
}

static void test_nothing_behind_a_stop(void **state)
{
    struct world *world = *state;
    struct unended_settings settings = {world->folder.path, 0, 2 * HOUR_US};
    assert_null(unended_new(&settings)); /* there is no journal */
    gate_begin(world);
    sessions_tell(world);
    TELL_OF_PROCESS(world, process_stopped, .role = SLICE("gate"));
    gate_kill(world);
    assert_null(unended_new(&settings));
    settings.gate = 1;
    assert_null(unended_new(&settings));
}

/* What began longer ago than a session may take is not looked at, but where its gate was killed then. */
static void test_long_ago(void **state)
{
    struct world *world = *state;
    gate_begin(world);
    sessions_tell(world);
    gate_kill(world);
    world->now_us += 100 * HOUR_US; /* the machine was off */
    assert_int_equal(ends_give(world, 1), 40);
    gate_kill(world);
    world->now_us += 100 * HOUR_US;
    assert_int_equal(ends_give(world, 0), 39);
    gate_kill(world);
    assert_int_equal(ends_give(world, SESSIONS), 39);
    world->now_us += 100 * HOUR_US; /* this one lived long: it has given them all */
    TELL_OF_PROCESS(world, process_started, .role = SLICE("other"));
    gate_kill(world);
    assert_int_equal(ends_give(world, SESSIONS), 0);
    gate_kill(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_gets_its_end, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_killed_while_it_gives_them, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_what_it_tells, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_nothing_behind_a_stop, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_long_ago, world_make, world_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
