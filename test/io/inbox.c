/* Proves that results arrive once, in order, on the loop's thread and never from inside the posting call; and
 * that jobs run on helper threads and report back. */
#include "io/disk.h"
#include "io/inbox.h"
#include "unit.h"

#include <pthread.h>

struct seen {
    struct loop *loop;
    struct inbox *inbox;
    unsigned answers;
    unsigned stored;
    unsigned more;  /* answers that were said to be followed by another */
    unsigned again; /* how often an answer is answered by a post of its own */
    struct ticket last;
    char value[64];
    char text[64];
};

static void on_answer(void *data, const struct inbox_answer *answer)
{
    struct seen *seen = data;
    assert_int_equal(answer->status, ANSWER_FOUND);
    assert_int_equal(answer->ticket.number, seen->answers);
    seen->answers++;
    seen->more += answer->more;
    seen->last = answer->ticket;
    memcpy(seen->value, answer->value.at, answer->value.len);
    seen->value[answer->value.len] = 0;
    if (seen->again && seen->again--)
        inbox_post_answer(seen->inbox, (struct ticket){7, seen->answers}, ANSWER_FOUND, SLICE("more"));
}

static void on_stored(void *data, struct ticket ticket, const struct stored *stored)
{
    struct seen *seen = data;
    assert_int_equal(ticket.owner, 9);
    assert_int_equal(stored->status, STORED_KEPT);
    assert_slice_equal(stored->queue_id, "Q1");
    assert_slice_equal(stored->server, "mx");
    assert_slice_equal(stored->enhanced, "2.0.0");
    memcpy(seen->text, stored->text.at, stored->text.len);
    seen->stored++;
}

static void seen_open(struct seen *seen)
{
    struct error error;
    memset(seen, 0, sizeof *seen);
    struct inbox_receiver receiver = {on_answer, on_stored, seen};
    seen->loop = loop_open(&error);
    assert_non_null(seen->loop);
    seen->inbox = inbox_open(seen->loop, &receiver, &error);
    assert_non_null(seen->inbox);
}

static void seen_close(struct seen *seen)
{
    inbox_close(seen->inbox);
    loop_close(seen->loop);
}

static void from_own_thread(void **state)
{
    (void)state;
    struct seen seen;
    seen_open(&seen);
    char value[] = "value";
    seen.again = 1;
    inbox_post_answer(seen.inbox, (struct ticket){7, 0}, ANSWER_FOUND, slice_text(value));
    value[0] = 'x'; /* it was copied */
    struct stored stored = {.status = STORED_KEPT,
                            .queue_id = SLICE("Q1"),
                            .server = SLICE("mx"),
                            .enhanced = SLICE("2.0.0"),
                            .text = SLICE("ok")};
    inbox_post_stored(seen.inbox, (struct ticket){9, 1}, &stored);
    assert_int_equal(seen.answers, 0); /* not from inside the call */
    loop_turn(seen.loop, UINT64_MAX);  /* does not wait */
    assert_int_equal(seen.answers, 1);
    assert_int_equal(seen.stored, 1);
    assert_string_equal(seen.value, "value");
    assert_string_equal(seen.text, "ok");
    loop_turn(seen.loop, UINT64_MAX); /* what was posted during delivery comes with the next turn */
    assert_int_equal(seen.answers, 2);
    assert_int_equal(seen.last.owner, 7);
    seen_close(&seen);
}

static void answers_know_their_neighbours(void **state)
{
    (void)state;
    static const slab_handle owners[] = {7, 7, 8, 7, 8, 8, 8};
    struct seen seen;
    seen_open(&seen);
    for (uint32_t i = 0; i < COUNT(owners); i++)
        inbox_post_answer(seen.inbox, (struct ticket){owners[i], i}, ANSWER_FOUND, SLICE("x"));
    loop_turn(seen.loop, UINT64_MAX);
    assert_int_equal(seen.answers, COUNT(owners));
    assert_int_equal(seen.more, 3);
    seen_close(&seen);
}

#define JOBS 1000u

struct work {
    pthread_t home;
    unsigned number;
    unsigned worked;
    unsigned *done;
};

static void work_run(void *data)
{
    struct work *work = data;
    assert_false(pthread_equal(work->home, pthread_self()));
    work->worked++;
}

static void work_done(void *data)
{
    struct work *work = data;
    assert_true(pthread_equal(work->home, pthread_self()));
    assert_int_equal(work->worked, 1);
    ++*work->done;
}

static void jobs_report_back(void **state)
{
    (void)state;
    static struct work works[JOBS];
    struct seen seen;
    struct error error;
    unsigned done = 0;
    seen_open(&seen);
    struct disk *disk = disk_open(seen.inbox, 4, &error);
    assert_non_null(disk);
    for (unsigned i = 0; i < JOBS; i++) {
        works[i] = (struct work){pthread_self(), i, 0, &done};
        disk_run(disk, work_run, work_done, &works[i]);
    }
    while (done < JOBS / 2)
        loop_turn(seen.loop, UINT64_MAX);
    disk_close(disk); /* waits for the rest */
    while (done < JOBS)
        loop_turn(seen.loop, UINT64_MAX);
    seen_close(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(from_own_thread),
                                       cmocka_unit_test(answers_know_their_neighbours),
                                       cmocka_unit_test(jobs_report_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
