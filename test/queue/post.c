/* A message of our own is in the queue once and whole when post_message has returned 0, wherever the machine
 * stops afterwards; where it stops before, or the disk refuses, it can be posted again, and stands there
 * once.
 */
#include "unit.h"

#include "queue/content.h"
#include "queue/post.h"
#include "queue/waiting.h"
#include "sim.h"

#include <errno.h>
#include <stdio.h>

#define SPOOL   "/state/spool"
#define SESSION UINT64_C(0x0123456789abcdef)
#define CONTENT "Subject: notice\r\n\r\nSomething happened.\r\n"

static const struct post post = {.session = SESSION,
                                 .mark = 4711,
                                 .to = {"joe@example.net", 15},
                                 .content = {CONTENT, sizeof CONTENT - 1},
                                 .now_unix_ms = 1784860556000};

static struct sim *disk(void)
{
    struct sim *sim = sim_new();
    sim_put(sim, SPOOL "/incoming/other", SLICE(""));
    sim_put(sim, SPOOL "/queue/other", SLICE(""));
    return sim;
}

struct found {
    struct sim *sim;
    unsigned messages, others;
};

/* Whole, as the courier reads it. */
static void see(void *whom, const char *path)
{
    struct found *found = whom;
    struct files *files = sim_files(found->sim);
    struct message *message;
    struct waiting_file file;
    struct content content;
    struct slice piece;
    struct error error;
    if (!strstr(path, ".message")) {
        found->others++;
        return;
    }
    assert_int_equal(waiting_load(files, path, WAITING_CHECK | WAITING_LOCK, &message, &file, &error),
                     WAITING_OK);
    assert_true(message->transaction.session == SESSION);
    assert_int_equal(message->transaction.sender.len, 0);
    assert_int_equal(message->transaction.recipient_count, 1);
    assert_slice_equal(message->recipients[0]->address, "joe@example.net");
    assert_true(message->schedule.next_unix_ms == 1784860556000);
    content_init_file(&content, files, file.descriptor, file.content_at, message->content_octets);
    assert_int_equal(content_next(&content, &piece, &error), 0);
    assert_slice_equal(piece, CONTENT);
    content_done(&content);
    files->close(files, file.descriptor);
    message_free(message);
    found->messages++;
}

/* others: files besides the two of the start. */
static void assert_found(struct sim *sim, unsigned messages, unsigned others)
{
    struct found found = {.sim = sim};
    sim_each(sim, SPOOL, see, &found);
    assert_int_equal(found.messages, messages);
    assert_int_equal(found.others, 2 + others);
}

static void it_stands_there_once(void **state)
{
    (void)state;
    struct sim *sim = disk();
    struct error error;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(post_message(sim_files(sim), SPOOL, &post, &error), 0);
    assert_found(sim, 1, 0);
    /* The courier has moved it: it is not posted beside. */
    struct files *files = sim_files(sim);
    assert_int_equal(files->rename(files, SPOOL "/incoming/028t5cy4tqkff.0.message",
                                   SPOOL "/queue/028t5cy4tqkff.0.message", &error),
                     0);
    assert_int_equal(post_message(sim_files(sim), SPOOL, &post, &error), 0);
    assert_found(sim, 1, 0);
    assert_int_equal(sim_open_descriptors(sim), 0);
    sim_free(sim);
}

static void what_was_posted_outlives_a_stop(void **state)
{
    (void)state;
    for (unsigned loss = 0; loss < SIM_LOSSES; loss++) {
        struct sim *sim = disk();
        struct random random = {.state = loss};
        struct error error;
        assert_int_equal(post_message(sim_files(sim), SPOOL, &post, &error), 0);
        sim_crash(sim, (enum sim_loss)loss, &random);
        assert_found(sim, 1, 0);
        sim_free(sim);
    }
}

/* Stopped at each operation, and posted again afterwards. */
static void a_stop_can_be_made_good(void **state)
{
    (void)state;
    struct error error;
    unsigned stops = 0;
    for (uint64_t at = 1;; at++) {
        bool stopped = true;
        for (unsigned run = 0; run < 20 * SIM_LOSSES; run++) {
            struct sim *sim = disk();
            struct random random = {.state = at * 1000 + run};
            sim_stop_at(sim, sim_operations(sim) + at);
            const int result = post_message(sim_files(sim), SPOOL, &post, &error);
            stopped = sim_is_stopped(sim);
            assert_true(stopped ? result < 0 : result == 0);
            sim_crash(sim, (enum sim_loss)(run % SIM_LOSSES), &random);
            assert_int_equal(post_message(sim_files(sim), SPOOL, &post, &error), 0);
            sim_crash(sim, SIM_LOSE_ALL, &random);
            assert_found(sim, 1, 0);
            sim_free(sim);
        }
        stops += stopped;
        if (!stopped)
            break;
    }
    assert_true(stops >= 5);
}

static void a_disk_that_refuses_is_told(void **state)
{
    (void)state;
    static const enum sim_kind kinds[] = {SIM_OPEN, SIM_WRITE, SIM_SYNC, SIM_RENAME, SIM_SYNC_FOLDER};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct sim *sim = disk();
        struct error error = {0};
        sim_fail(sim, kinds[i], 1, 1, ENOSPC, NULL);
        assert_true(post_message(sim_files(sim), SPOOL, &post, &error) < 0);
        assert_int_equal(error.number, ENOSPC);
        assert_found(sim, kinds[i] == SIM_SYNC_FOLDER, 0); /* nothing half is left */
        sim_heal(sim);
        assert_int_equal(post_message(sim_files(sim), SPOOL, &post, &error), 0);
        assert_found(sim, 1, 0);
        assert_int_equal(sim_open_descriptors(sim), 0);
        sim_free(sim);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_stands_there_once),
        cmocka_unit_test(what_was_posted_outlives_a_stop),
        cmocka_unit_test(a_stop_can_be_made_good),
        cmocka_unit_test(a_disk_that_refuses_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
