/* A commit is answered once, KEPT only for what stands on disk; a full or broken disk costs its batch alone,
 * and the next one goes through. */
#include "unit.h"

#include "../crash/sim.h"
#include "queue/segment.h"
#include "queue/spool.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>

#define COMMITS_MAX 300

static struct sim *sim;
static struct loop *loop;
static struct inbox *inbox;
static struct spool *spool;
static struct drafts drafts;
static unsigned answered, kept, full, failed;
static uint8_t status_of[COMMITS_MAX];
static uint32_t numbers;

static void stored(void *data, struct ticket ticket, const struct stored *result)
{
    (void)data;
    assert_int_equal(status_of[ticket.number], 0xff);
    status_of[ticket.number] = (uint8_t)result->status;
    answered++;
    kept += result->status == STORED_KEPT;
    full += result->status == STORED_FULL;
    failed += result->status == STORED_FAILED;
    if (result->status == STORED_KEPT)
        assert_true(result->queue_id.len > 0);
    else
        assert_true(result->text.len > 0);
}

static const struct inbox_receiver receiver = {.stored = stored};

static int setup(void **state)
{
    struct error error;

    (void)state;
    sim = sim_new();
    sim_put(sim, "/state/x", SLICE(""));
    loop = loop_open(&error);
    inbox = inbox_open(loop, &receiver, &error);
    const struct spool_settings settings = {.inbox = inbox,
                                            .files = sim_files(sim),
                                            .folder = "/state/spool",
                                            .segment_max = 100000,
                                            .room_min = 1000};
    assert_int_equal(spool_open(&settings, &spool, &error), 0);
    drafts_init(&drafts, sim_files(sim), "/state/spool/incoming", 4711);
    answered = kept = full = failed = numbers = 0;
    memset(status_of, 0xff, sizeof(status_of));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    spool_close(spool);
    inbox_close(inbox);
    loop_close(loop);
    assert_int_equal(sim_open_descriptors(sim), 0);
    sim_free(sim);
    return 0;
}

static struct recipient recipient = {.address = {"a@example.net", 13}};

static void commit(size_t size)
{
    struct draft *draft = draft_new(&drafts);
    char octets[10000];
    const struct transaction t = {.session = 1000,
                                  .number = ++numbers,
                                  .sender = SLICE("s@example.org"),
                                  .recipients = &recipient,
                                  .recipient_count = 1};

    memset(octets, 'm', sizeof(octets));
    for (size_t left = size; left;) {
        const size_t len = left < sizeof(octets) ? left : sizeof(octets);
        draft_add(draft, slice_of(octets, len));
        left -= len;
    }
    spool_commit(spool, (struct ticket){.owner = 1, .number = numbers}, draft, &t);
}

static void wait_for(unsigned count)
{
    while (answered < count)
        loop_turn(loop, UINT64_MAX);
    assert_int_equal(answered, count);
    while (spool_busy(spool)) /* counted down just after the result is posted */
        sched_yield();
}

/* --- what stands in the spool --------------------------------------------------------------------------- */

struct seen {
    uint8_t numbers[COMMITS_MAX];
};

static void see(struct seen *seen, const struct message *message, struct slice content)
{
    assert_int_equal(message->transaction.session, 1000);
    seen->numbers[message->transaction.number]++;
    for (size_t i = 0; i < content.len; i++)
        assert_int_equal(content.at[i], 'm');
}

static void see_file(void *whom, const char *path)
{
    const struct slice octets = sim_content(sim, path);
    const bool segment = strstr(path, SEGMENT_SUFFIX) != NULL;
    struct record record;
    struct slice content;
    uint64_t mark;
    size_t size;

    assert_int_equal(record_read_version(octets, segment ? RECORD_FORM_SEGMENT : RECORD_FORM_MESSAGE, &mark),
                     RECORD_OK);
    for (size_t at = RECORD_VERSION_SIZE; at < octets.len;) {
        const struct slice rest = slice_from(octets, at);
        assert_int_equal(record_read(rest, mark, &record), RECORD_OK);
        at += RECORD_HEAD + (size_t)record.length;
        if (record.kind != RECORD_CONTENT)
            continue;
        struct message *message = message_new();
        assert_int_equal(message_read(rest, mark, message, &content, &size), RECORD_OK);
        see(whom, message, content);
        message_free(message);
        at += size - RECORD_HEAD - (size_t)record.length;
    }
}

/* Everything that was KEPT is there, once; after a crash that lost all that was not synced. */
static void check_kept(void)
{
    struct seen seen = {0};
    struct random random = {1};

    sim_crash(sim, SIM_LOSE_ALL, &random);
    sim_each(sim, "/state/spool/incoming", see_file, &seen);
    for (uint32_t i = 1; i <= numbers; i++) {
        if (status_of[i] == STORED_KEPT)
            assert_int_equal(seen.numbers[i], 1);
    }
}

static void stop(void)
{
    spool_close(spool);
    spool = NULL;
}

static void all_are_kept(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 200; i++)
        commit(i * 100);
    commit(0);
    commit(DRAFT_MEMORY);
    commit(DRAFT_MEMORY + 1);
    commit(1000000);
    wait_for(204);
    assert_int_equal(kept, 204);
    stop();
    check_kept();
}

static void full_disk_costs_the_batch_alone(void **state)
{
    (void)state;
    commit(100);
    wait_for(1);
    sim_set_room(sim, 10);
    commit(5000);
    wait_for(2);
    commit(200000);
    wait_for(3);
    assert_int_equal(full, 2);
    assert_true(spool_short_of_disk(spool, 1000));
    sim_set_room(sim, 1000000);
    commit(100);
    commit(200000);
    wait_for(5);
    assert_int_equal(kept, 3);
    assert_true(spool_short_of_disk(spool, 1999));
    assert_false(spool_short_of_disk(spool, 9000));
    stop();
    check_kept();
}

static void broken_sync_costs_the_batch_alone(void **state)
{
    (void)state;
    commit(100);
    wait_for(1);
    sim_fail(sim, SIM_SYNC, 1, 1, EIO, "segment");
    commit(100);
    wait_for(2);
    assert_int_equal(failed, 1);
    commit(100);
    wait_for(3);
    sim_fail(sim, SIM_SYNC_FOLDER, 1, 1, EIO, NULL);
    commit(100000);
    wait_for(4);
    assert_int_equal(failed, 2);
    assert_int_equal(kept, 2);
    stop();
    check_kept();
}

/* Whatever operation fails, each commit has its answer and what is KEPT is there. */
static void every_single_fault(void **state)
{
    const int errors[] = {EIO, ENOSPC};

    (void)state;
    for (unsigned kind = 0; kind < SIM_KINDS; kind++)
        for (uint64_t from = 1; from < 40; from++) {
            teardown(NULL);
            setup(NULL);
            sim_fail(sim, (enum sim_kind)kind, from, 1, errors[from % 2], NULL);
            for (unsigned i = 1; i <= 3; i++) {
                commit(1000);
                commit(i == 2 ? 70000 : 10);
                wait_for(2 * i);
            }
            assert_true(kept >= 2);
            stop();
            check_kept();
        }
}

static void refused_forever_is_no_spin(void **state)
{
    (void)state;
    sim_fail(sim, SIM_OPEN, 1, 1000, EROFS, NULL);
    for (unsigned i = 1; i <= 20; i++) {
        commit(100);
        wait_for(i);
    }
    assert_int_equal(failed, 20);
    assert_true(sim_operations(sim) < 30);
}

static void segments_are_closed_when_large(void **state)
{
    unsigned count = 0;

    (void)state;
    for (unsigned i = 1; i <= 10; i++) {
        commit(50000);
        wait_for(i);
    }
    stop();
    struct seen seen = {0};
    sim_each(sim, "/state/spool/incoming", see_file, &seen);
    for (unsigned i = 1; i <= 10; i++)
        count += seen.numbers[i];
    assert_int_equal(count, 10);
}

/* A courier that is quicker than our lock: it finds the fresh file unlocked, removes it, and lets go of it.
 */
static int (*lock)(struct files *files, int descriptor, bool *ret_mine, struct error *error);
static unsigned quicker;

static void find_fresh(void *whom, const char *path)
{
    if (strstr(path, SEGMENT_SUFFIX) || strstr(path, DRAFT_SUFFIX))
        snprintf(whom, FILES_PATH_MAX, "%s", path);
}

static int quick_courier(struct files *files, int descriptor, bool *ret_mine, struct error *error)
{
    char path[FILES_PATH_MAX] = "";

    if (quicker) {
        quicker--;
        sim_each(sim, "/state/spool/incoming", find_fresh, path);
        assert_int_equal(files->remove(files, path, NULL), 0);
    }
    return lock(files, descriptor, ret_mine, error);
}

static void removed_before_the_lock(void **state)
{
    (void)state;
    lock = sim_files(sim)->lock;
    sim_files(sim)->lock = quick_courier;
    quicker = 2;
    commit(100);
    wait_for(1);
    assert_int_equal(quicker, 0);
    quicker = 1;
    commit(200000);
    wait_for(2);
    assert_int_equal(quicker, 0);
    assert_int_equal(kept, 2);
    stop();
    check_kept();
}

static void find_segment(void *whom, const char *path)
{
    size_t len = strlen(path);
    if (len > strlen(SEGMENT_SUFFIX) && strcmp(path + len - strlen(SEGMENT_SUFFIX), SEGMENT_SUFFIX) == 0)
        snprintf(whom, FILES_PATH_MAX, "%s", path);
}

/* A courier that is always quicker, as one is that runs on the next core and was told of the name: what it
 * finds unlocked under a segment's name it removes. */
static int tireless_courier(struct files *files, int descriptor, bool *ret_mine, struct error *error)
{
    char path[FILES_PATH_MAX] = "";
    bool mine = false;
    int found;

    sim_each(sim, "/state/spool/incoming", find_segment, path);
    if (path[0] && files->open(files, path, 0, &found, NULL) == 0) {
        assert_int_equal(lock(files, found, &mine, NULL), 0);
        if (mine)
            assert_int_equal(files->remove(files, path, NULL), 0);
        files->close(files, found);
    }
    return lock(files, descriptor, ret_mine, error);
}

static void no_segment_is_ever_unlocked(void **state)
{
    (void)state;
    lock = sim_files(sim)->lock;
    sim_files(sim)->lock = tireless_courier;
    commit(100);
    wait_for(1);
    assert_int_equal(kept, 1);
    stop();
    check_kept();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(full_disk_costs_the_batch_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(broken_sync_costs_the_batch_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(every_single_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(removed_before_the_lock, setup, teardown),
        cmocka_unit_test_setup_teardown(no_segment_is_ever_unlocked, setup, teardown),
        cmocka_unit_test_setup_teardown(refused_forever_is_no_spin, setup, teardown),
        cmocka_unit_test_setup_teardown(segments_are_closed_when_large, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
