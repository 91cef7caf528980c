/* Proves the keeper's statistics as a process of its own: whatever is killed and whenever, what the store has
 * of them is what the journal gives when it is counted again; and they outlive the journal's files, also when
 * somebody empties its folder and the numbers of the files begin anew. */
#include "journal/stats.h"
#include "keeper_gates.h"

static const struct address peer = {.family = ADDRESS_IPV4, .octets = {192, 0, 2, 7}, .port = 40000};

/* A session of six events, which count eleven times. */
static void session(struct world *world, unsigned number)
{
    struct event_stamp stamp = {.session = event_id_make(START_MS + number, 0, 0),
                                .unix_us = (START_MS + number) * 1000};
    struct journal_mark mark = {0};
    struct buf buf;
    buf_init(&buf, 1 << 16);
    TELL(world, &buf, &stamp, session_opened, .peer = peer, .sequence = number);
    TELL(world, &buf, &stamp, line_received, .text = SLICE("EHLO client.example"), .octets = 21);
    TELL(world, &buf, &stamp, finding, .finding = 30 + number % 2);
    TELL(world, &buf, &stamp, reply_sent, .number = 51, .code = 250, .answers = 2, .took_ms = number % 3000);
    TELL(world, &buf, &stamp, told, .verb = STORE_ADD, .key = SLICE("count"), .value = SLICE("1"));
    TELL(world, &buf, &stamp, session_ended, .peer = peer, .why = 1, .octets_in = number, .took_ms = number);
    assert_int_equal(journal_writer_add(world->writer, buf_slice(&buf), &mark), 0);
    buf_drop(&buf);
}

static void sessions(struct world *world, unsigned count)
{
    writer_begin(world);
    for (unsigned i = 0; i < count; i++)
        session(world, i);
    assert_true(journal_writer_flush(world->writer, 10000));
    journal_writer_close(world->writer);
    world->writer = NULL;
}

/* --- what the store has, and what the journal gives ----------------------------------------------------- */

static void record_load(void *data, const struct store_item *item)
{
    assert_true(stats_load(data, item->key, item->value));
}

static void gone_load(void *data, const struct store_item *item)
{
    if (slice_equal(item->key, SLICE(STATS_GONE)))
        assert_true(stats_load(data, item->key, item->value));
}

static void store_read(const struct world *world, struct stats *stats,
                       void (*visit)(void *data, const struct store_item *item))
{
    struct store_lmdb_settings settings = {.folder = slice_text(world->store)};
    struct store_walk walk = {.prefix = SLICE(STATS_PREFIX), .most = 100000};
    struct store *store;
    assert_int_equal(store_lmdb_open(&settings, &store, NULL), 0);
    assert_int_equal(store_walk(store, &walk, 0, visit, stats, NULL), 0);
    store_close(store);
}

static void count(void *data, const struct journal_item *item)
{
    struct stats_file file = {item->stream, item->at.sequence};
    stats_add(data, &file, &item->event, START_MS * 1000);
}

/* But for the beginning of the last keeper: it ended before it had read of that. Returns how many clients
 * were counted. */
static uint64_t assert_exact(const struct world *world)
{
    struct stats *kept = stats_new(), *recount = stats_new();
    struct stats_view *left = malloc(sizeof *left), *right = malloc(sizeof *right);
    store_read(world, kept, record_load);
    store_read(world, recount, gone_load);
    journal_walk(world, count, recount);
    stats_look(kept, START_MS * 1000, 0, left);
    stats_look(recount, START_MS * 1000, 0, right);
    left->total[STAT_PROCESSES_STARTED] = right->total[STAT_PROCESSES_STARTED] = 0;
    assert_memory_equal(left->total, right->total, sizeof left->total);
    assert_int_equal(left->since_us, right->since_us);
    uint64_t clients = left->total[STAT_CLIENTS];
    free(left);
    free(right);
    stats_free(kept);
    stats_free(recount);
    return clients;
}

/* --- tests ---------------------------------------------------------------------------------------------- */

static void kills_count_all_once(void **state)
{
    (void)state;
    struct world world;
    struct random random = {7};
    world_make(&world);
    keeper_and_gates_killed(&world, &random, 150, 120);
    assert_true(assert_exact(&world) > 8 * 20);
    world_drop(&world);
}

static void files_empty(const struct world *world)
{
    nftw(world->journal, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(mkdir(world->journal, 0750), 0);
}

/* Each time there are fewer files than the keeper has read before, and they have the numbers of those. */
static void an_emptied_folder_takes_nothing_away(void **state)
{
    (void)state;
    struct world world;
    unsigned all = 0;
    world_make(&world);
    for (unsigned files = 4; files; files--) {
        for (unsigned i = 0; i < files; i++, all += 100)
            sessions(&world, 100);
        keeper_start(&world);
        keeper_drain(&world);
        assert_int_equal(assert_exact(&world), all);
        files_empty(&world);
    }
    world_drop(&world);
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return keeper_main(argv[1], argv[2]);
    if (argc == 4)
        return gate_main(argv, session);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kills_count_all_once),
        cmocka_unit_test(an_emptied_folder_takes_nothing_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
