/* Proves that the checkpoint of the statistics is exact: a journal that is cut at any event and gone on with
 * from the last commit, read in another order, or partly removed, gives the same counts to the last one; and
 * that damaged records do no harm. */
#include "journal/stats.h"

#include "base/memory.h"
#include "base/random.h"
#include "unit.h"

#define MINUTE_US (INT64_C(60) * 1000000)
/* 2026-11-21 20:30:00 UTC */
#define NOW_US (INT64_C(1795293000) * 1000000)

static const struct stats_file gate = {{"gate-0", 6}, 1};

/* --- a store: keys and values --------------------------------------------------------------------------- */

struct entry {
    char key[80];
    char *value;
    size_t len;
};

struct shelf {
    struct entry entries[256];
    size_t count;
};

static void shelf_put(void *data, struct slice key, struct slice value)
{
    struct shelf *shelf = data;
    size_t i = 0;
    while (i < shelf->count && !slice_equal(key, slice_text(shelf->entries[i].key)))
        i++;
    assert_true(i < COUNT(shelf->entries) && key.len < sizeof shelf->entries->key);
    struct entry *entry = &shelf->entries[i];
    if (i == shelf->count)
        shelf->count++;
    free(entry->value);
    snprintf(entry->key, sizeof entry->key, "%.*s", SLICE_ARGS(key));
    entry->value = malloc(value.len);
    memcpy(entry->value, value.at, value.len);
    entry->len = value.len;
}

static void shelf_drop(struct shelf *shelf)
{
    for (size_t i = 0; i < shelf->count; i++)
        free(shelf->entries[i].value);
    shelf->count = 0;
}

static struct stats *shelf_load(const struct shelf *shelf)
{
    struct stats *stats = stats_new();
    for (size_t i = 0; i < shelf->count; i++)
        assert_true(stats_load(stats, slice_text(shelf->entries[i].key),
                               slice_of(shelf->entries[i].value, shelf->entries[i].len)));
    return stats;
}

static void commit(struct stats *stats, struct shelf *shelf)
{
    stats_save(stats, shelf_put, shelf);
    stats_saved(stats);
}

/* --- counting ------------------------------------------------------------------------------------------ */

static void opened(struct stats *stats, int64_t unix_us, int64_t now_us, unsigned times)
{
    struct event event = {.kind = EVENT_KIND_session_opened, .stamp.unix_us = unix_us};
    while (times--)
        stats_add(stats, &gate, &event, now_us);
}

/* --- a journal that is cut ------------------------------------------------------------------------------ */

#define EVENTS  300
#define STREAMS 3

struct written {
    struct stats_file file;
    struct event event;
    int64_t read_us; /* when the keeper comes to it */
};

struct journal {
    struct written all[EVENTS];
};

static const struct slice stream_names[STREAMS] = {{"gate-0", 6}, {"gate-1", 6}, {"courier-0", 9}};

static void event_make(struct random *random, struct event *event)
{
    static const enum event_kind kinds[] = {EVENT_KIND_session_opened, EVENT_KIND_finding,
                                            EVENT_KIND_verdict,        EVENT_KIND_reply_sent,
                                            EVENT_KIND_session_ended,  EVENT_KIND_question_answered};
    event->kind = kinds[random_below(random, COUNT(kinds))];
    if (event->kind == EVENT_KIND_finding)
        event->body.finding.finding = random_below(random, 40);
    if (event->kind == EVENT_KIND_verdict)
        event->body.verdict = (struct event_verdict){.stage = random_below(random, 6),
                                                     .verdict = random_below(random, 7),
                                                     .finding = random_below(random, 256),
                                                     .observed = random_below(random, 2)};
    if (event->kind == EVENT_KIND_reply_sent)
        event->body.reply_sent = (struct event_reply_sent){.number = random_below(random, 200),
                                                           .code = 250 + 100 * random_below(random, 4),
                                                           .answers = random_below(random, 7),
                                                           .took_ms = random_below(random, 40000)};
    if (event->kind == EVENT_KIND_session_ended)
        event->body.session_ended.octets_in = random_below(random, 1000000);
}

/* Three streams, each in the order of its own time, with files that follow each other; the keeper is up to an
 * hour behind, and takes from any of them. */
static void journal_make(struct journal *journal, uint64_t seed)
{
    struct random random = {seed};
    uint32_t sequence[STREAMS] = {1, 7, 3};
    int64_t times[STREAMS], clock = NOW_US;
    for (unsigned i = 0; i < STREAMS; i++)
        times[i] = NOW_US - (int64_t)random_below(&random, 60) * MINUTE_US;
    for (unsigned i = 0; i < EVENTS; i++) {
        struct written *written = &journal->all[i];
        unsigned stream = (unsigned)random_below(&random, STREAMS);
        memset(written, 0, sizeof *written);
        sequence[stream] += random_below(&random, 12) == 0;
        times[stream] += (int64_t)random_below(&random, 2 * 60 * 1000000);
        clock = times[stream] > clock ? times[stream] : clock;
        written->file = (struct stats_file){stream_names[stream], sequence[stream]};
        event_make(&random, &written->event);
        written->event.stamp.unix_us = times[stream];
        written->read_us = clock;
    }
}

static void journal_read(const struct journal *journal, struct stats *stats, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        stats_add(stats, &journal->all[i].file, &journal->all[i].event, journal->all[i].read_us);
}

static int64_t last_us(const struct journal *journal)
{
    return journal->all[EVENTS - 1].read_us;
}

static void assert_same(const struct stats *a, const struct stats *b, int64_t now_us)
{
    struct stats_view *left = memory_take(sizeof *left), *right = memory_take(sizeof *right);
    stats_look(a, now_us, 0, left);
    stats_look(b, now_us, 0, right);
    assert_int_equal(left->since_us, right->since_us);
    assert_memory_equal(left->total, right->total, sizeof left->total);
    assert_memory_equal(left->hour, right->hour, sizeof left->hour);
    assert_memory_equal(left->sixty, right->sixty, sizeof left->sixty);
    memory_give(left, sizeof *left);
    memory_give(right, sizeof *right);
}

/* The keeper commits at `committed`, reads on to `killed`, and is killed; its successor goes on from the
 * commit. */
static void killed_at(const struct journal *journal, const struct stats *whole, size_t committed,
                      size_t killed)
{
    struct shelf shelf = {.count = 0};
    struct stats *first = stats_new();
    journal_read(journal, first, 0, committed / 2);
    commit(first, &shelf);
    journal_read(journal, first, committed / 2, committed);
    commit(first, &shelf);
    journal_read(journal, first, committed, killed);
    stats_free(first);
    struct stats *second = shelf_load(&shelf);
    journal_read(journal, second, committed, EVENTS);
    assert_same(whole, second, last_us(journal));
    commit(second, &shelf);
    struct stats *third = shelf_load(&shelf);
    assert_same(whole, third, last_us(journal));
    stats_free(second);
    stats_free(third);
    shelf_drop(&shelf);
}

static void a_cut_at_any_event_counts_all_once(void **state)
{
    (void)state;
    struct journal *journal = memory_take(sizeof *journal);
    struct stats *whole = stats_new();
    struct random random = {11};
    journal_make(journal, 5);
    journal_read(journal, whole, 0, EVENTS);
    for (size_t i = 0; i <= EVENTS; i++)
        killed_at(journal, whole, i, i + random_below(&random, EVENTS - i + 1));
    stats_free(whole);
    memory_give(journal, sizeof *journal);
}

/* A recount reads stream by stream, all at one time. */
static void another_order_counts_the_same(void **state)
{
    (void)state;
    struct journal *journal = memory_take(sizeof *journal);
    for (uint64_t seed = 1; seed < 20; seed++) {
        struct stats *live = stats_new(), *recount = stats_new();
        journal_make(journal, seed);
        journal_read(journal, live, 0, EVENTS);
        for (unsigned stream = STREAMS; stream--;)
            for (size_t i = 0; i < EVENTS; i++)
                if (slice_equal(journal->all[i].file.stream, stream_names[stream]))
                    stats_add(recount, &journal->all[i].file, &journal->all[i].event, last_us(journal));
        assert_same(live, recount, last_us(journal));
        stats_free(live);
        stats_free(recount);
    }
    memory_give(journal, sizeof *journal);
}

/* --- files that are gone -------------------------------------------------------------------------------- */

static bool is_gone(const struct stats_file *file, uint32_t first_kept)
{
    return file->sequence < first_kept;
}

/* The records of files below a number go; what is left is counted again from the files that are there. */
static void what_is_gone_and_what_is_there_are_the_whole(void **state)
{
    (void)state;
    struct journal *journal = memory_take(sizeof *journal);
    journal_make(journal, 9);
    for (uint32_t first_kept = 1; first_kept < 20; first_kept++) {
        struct shelf shelf = {.count = 0};
        struct stats *live = stats_new(), *whole = stats_new(), *recount = stats_new();
        struct stats_file file;
        struct buf gone;
        buf_init(&gone, 65536);
        journal_read(journal, whole, 0, EVENTS);
        journal_read(journal, live, 0, EVENTS);
        commit(live, &shelf);
        for (size_t i = 0; i < shelf.count; i++) {
            struct slice key = slice_text(shelf.entries[i].key),
                         value = slice_of(shelf.entries[i].value, shelf.entries[i].len);
            if (stats_key_parse(key, &file) && is_gone(&file, first_kept))
                assert_true(stats_move(live, key, value, false));
        }
        assert_same(whole, live, last_us(journal));
        stats_gone_print(live, &gone);
        assert_true(stats_load(recount, SLICE(STATS_GONE), buf_slice(&gone)));
        for (size_t i = 0; i < EVENTS; i++)
            if (!is_gone(&journal->all[i].file, first_kept))
                stats_add(recount, &journal->all[i].file, &journal->all[i].event, last_us(journal));
        struct stats_view *a = memory_take(sizeof *a), *b = memory_take(sizeof *b);
        stats_look(whole, last_us(journal), 0, a);
        stats_look(recount, last_us(journal), 0, b);
        assert_memory_equal(a->total, b->total, sizeof a->total);
        assert_int_equal(a->since_us, b->since_us);
        memory_give(a, sizeof *a);
        memory_give(b, sizeof *b);
        buf_drop(&gone);
        stats_free(live);
        stats_free(whole);
        stats_free(recount);
        shelf_drop(&shelf);
    }
    memory_give(journal, sizeof *journal);
}

/* A refused move is taken back whole; and the file at hand may vanish while it is read. */
static void a_move_can_be_taken_back(void **state)
{
    (void)state;
    struct shelf shelf = {.count = 0};
    struct stats *stats = stats_new(), *same = stats_new();
    opened(stats, NOW_US, NOW_US, 5);
    opened(same, NOW_US, NOW_US, 5);
    commit(stats, &shelf);
    struct slice key = slice_text(shelf.entries[0].key),
                 value = slice_of(shelf.entries[0].value, shelf.entries[0].len);
    assert_slice_equal(key, "stats segment gate-0 00000001");
    assert_true(stats_move(stats, key, value, false));
    assert_true(stats_move(stats, key, value, true));
    assert_same(stats, same, NOW_US);
    assert_true(stats_move(stats, key, value, false));
    opened(stats, NOW_US, NOW_US, 2);
    opened(same, NOW_US, NOW_US, 2);
    assert_same(stats, same, NOW_US);
    commit(stats, &shelf);
    struct buf gone;
    buf_init(&gone, 65536);
    stats_gone_print(stats, &gone);
    shelf_put(&shelf, SLICE(STATS_GONE), buf_slice(&gone));
    struct stats *again = shelf_load(&shelf);
    assert_same(again, same, NOW_US);
    assert_true(stats_is_restart(again, &(struct stats_file){SLICE("gate-0"), 0}));
    assert_false(stats_is_restart(again, &(struct stats_file){SLICE("gate-0"), 1}));
    assert_false(stats_is_restart(again, &(struct stats_file){SLICE("gate-1"), 1}));
    buf_drop(&gone);
    stats_free(again);
    stats_free(stats);
    stats_free(same);
    shelf_drop(&shelf);
}

/* --- damage --------------------------------------------------------------------------------------------- */

static void damaged_records_are_refused(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "stats gone",           "stats minute 17",     "stats segment gate-0 00000003",
        "stats segment gate-0", "stats segment  1",    "stats minute 64",
        "stats minute x",       "known host 192.0.2.7"};
    struct stats *stats = stats_new();
    struct random random = {3};
    char octets[64];
    for (unsigned i = 0; i < 20000; i++) {
        size_t len = random_below(&random, sizeof octets);
        for (size_t k = 0; k < len; k++)
            octets[k] = (char)random_below(&random, 256);
        octets[0] = (char)random_below(&random, 3);
        (void)stats_load(stats, slice_text(keys[i % 3]), slice_of(octets, len));
    }
    struct shelf shelf = {.count = 0};
    struct stats *sound = stats_new();
    opened(sound, NOW_US, NOW_US, 5);
    commit(sound, &shelf);
    struct slice value = slice_of(shelf.entries[0].value, shelf.entries[0].len);
    for (size_t i = 3; i < COUNT(keys); i++)
        assert_false(stats_load(stats, slice_text(keys[i]), value));
    assert_false(stats_load(stats, SLICE("stats gone"), slice_head(value, value.len - 1)));
    assert_false(stats_load(stats, SLICE("stats gone"), slice_head(value, 8)));
    assert_false(stats_load(stats, SLICE("stats gone"), SLICE_NONE));
    shelf_drop(&shelf);
    stats_free(sound);
    stats_free(stats);
    stats_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_at_any_event_counts_all_once),
        cmocka_unit_test(another_order_counts_the_same),
        cmocka_unit_test(what_is_gone_and_what_is_there_are_the_whole),
        cmocka_unit_test(a_move_can_be_taken_back),
        cmocka_unit_test(damaged_records_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
