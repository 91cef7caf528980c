#include "queue/queue.h"

#include "base/memory.h"
#include "core/event.h"
#include "queue/queue_part.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define EVENTS_MAX  (16u * 1024u * 1024u)
#define EVENTS_KEEP (64u * 1024u) /* a larger buffer is given back */

/* --- what all parts use ----------------------------------------------------------------------------------
 */

struct job {
    struct queue *queue;
    void (*work)(void *data);
    void (*done)(void *data);
    void *data;
};

static void job_work(void *data)
{
    const struct job *job = data;

    job->work(job->data);
}

static void job_done(void *data)
{
    struct job *job = data;
    const struct job copy = *job;

    memory_give(job, sizeof(*job));
    copy.queue->jobs--;
    copy.done(copy.data);
    copy.queue->shell.stir(copy.queue->shell.whom);
}

void queue_run(struct queue *queue, void (*work)(void *data), void (*done)(void *data), void *data)
{
    struct job *job = memory_take(sizeof(*job));

    *job = (struct job){.queue = queue, .work = work, .done = done, .data = data};
    queue->jobs++;
    queue->shell.run(queue->shell.whom, job_work, job_done, job);
}

int64_t queue_unix_ms(const struct queue *queue)
{
    return queue->shell.unix_us(queue->shell.whom) / 1000;
}

struct event_stamp queue_stamp(const struct queue *queue, uint64_t session)
{
    return (struct event_stamp){.session = session, .unix_us = queue->shell.unix_us(queue->shell.whom)};
}

void queue_trouble(struct queue *queue, const char *what, const struct error *error, const char *effect)
{
    const struct event_stamp stamp = queue_stamp(queue, 0);

    event_add_trouble(&queue->events, &stamp,
                      &(struct event_trouble){.what = slice_text(what),
                                              .reason = slice_text(error->text),
                                              .effect = slice_text(effect)});
}

void queue_path(const struct queue *queue, const char *folder, const char *id, const char *suffix,
                char path[FILES_PATH_MAX])
{
    (void)queue;
    /* Fits: queue_open has looked that folders leave room for names. */
    snprintf(path, FILES_PATH_MAX, "%.900s/%s%s", folder, id, suffix);
}

uint64_t queue_mark(struct queue *queue)
{
    const uint64_t mark = random_next(&queue->random);

    return mark ? mark : 1;
}

/* --- opening and closing ---------------------------------------------------------------------------------
 */

static int open_folders(struct queue *queue, const char *folder, struct error *error)
{
    const struct {
        const char *name;
        unsigned mode;
        char *path;
    } folders[] = {{"incoming", 0730, queue->incoming},
                   {"queue", 0700, queue->waiting_folder},
                   {"done", 0700, queue->done},
                   {"damaged", 0700, queue->damaged}};

    if (strlen(folder) > 800)
        return error_set(error, 0, "the path of the spool is too long");
    if (files_need_folder(queue->files, folder, 0770, error) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        if (files_join(folders[i].path, folder, folders[i].name, error) < 0 ||
            files_need_folder(queue->files, folders[i].path, folders[i].mode, error) < 0)
            return -1;
    return 0;
}

static void init_destinations(struct queue *queue)
{
    queue->destination_count = queue->site->route_count + 1;
    queue->destinations = memory_take(queue->destination_count * sizeof(*queue->destinations));
    for (size_t i = 0; i < queue->destination_count; i++) {
        struct destination *destination = &queue->destinations[i];
        if (i < queue->site->route_count)
            destination->route = &queue->site->routes[i];
        list_init(&destination->shipments);
        list_init(&destination->ready);
    }
}

int queue_open(const struct queue_settings *settings, struct queue **ret_queue, struct error *error)
{
    struct queue *queue = memory_take(sizeof(*queue));

    queue->files = settings->files;
    queue->site = settings->site;
    queue->shell = settings->shell;
    queue->random.state = settings->seed;
    queue->active_max = settings->active_max ? settings->active_max : QUEUE_ACTIVE_MAX;
    buf_init(&queue->events, EVENTS_MAX);
    list_init(&queue->tails);
    list_init(&queue->unread);
    list_init(&queue->items);
    list_init(&queue->copies);
    list_init(&queue->settled);
    list_init(&queue->questions);
    table_init(&queue->waiting_by_key, random_next(&queue->random));
    wheel_init(&queue->wheel, queue->shell.now_ms(queue->shell.whom));
    init_destinations(queue);
    queue->look = true;
    if (open_folders(queue, settings->folder, error) < 0) {
        queue_free(queue);
        return -1;
    }
    *ret_queue = queue;
    return 0;
}

static void hand_on_events(struct queue *queue)
{
    if (queue->events.len)
        queue->shell.record(queue->shell.whom, buf_slice(&queue->events));
    buf_clear(&queue->events);
    if (queue->events.size > EVENTS_KEEP)
        buf_drop(&queue->events);
}

void queue_free(struct queue *queue)
{
    if (!queue)
        return;
    assert(queue_busy(queue) == 0);
    admin_drop(queue);
    hand_on_events(queue);
    while (!list_is_empty(&queue->items))
        item_free(LIST_OF(queue->items.next, struct item, link));
    while (!list_is_empty(&queue->settled))
        item_free(LIST_OF(queue->settled.next, struct item, link));
    intake_drop(queue);
    wait_drop(queue);
    memory_give(queue->destinations, queue->destination_count * sizeof(*queue->destinations));
    book_free(queue->book);
    buf_drop(&queue->events);
    memory_give(queue, sizeof(*queue));
}

void queue_set_book(struct queue *queue, struct book *book)
{
    book_free(queue->book);
    queue->book = book;
    queue->shell.stir(queue->shell.whom);
}

void queue_stop(struct queue *queue)
{
    queue->stopping = true;
}

size_t queue_busy(const struct queue *queue)
{
    const bool paused = queue->shell.now_ms(queue->shell.whom) < queue->settle_again_ms;
    size_t busy = queue->jobs;

    for (size_t i = 0; i < queue->destination_count; i++)
        busy += queue->destinations[i].shipped;
    busy += !list_is_empty(&queue->copies);
    busy += !list_is_empty(&queue->settled) && !paused;
    return busy;
}

void queue_count(const struct queue *queue, struct queue_counts *ret_counts)
{
    *ret_counts = queue->counts;
    ret_counts->waiting = queue->waiting_by_key.used;
    ret_counts->held = queue->held;
    ret_counts->active = queue->active;
}

uint64_t queue_turn(struct queue *queue)
{
    const uint64_t now_ms = queue->shell.now_ms(queue->shell.whom);
    uint64_t due;

    intake_turn(queue);
    wait_turn(queue);
    copy_turn(queue);
    ship_turn(queue);
    settle_turn(queue);
    admin_turn(queue);
    hand_on_events(queue);
    due = wait_due_ms(queue);
    if (!list_is_empty(&queue->settled) && queue->settle_again_ms > now_ms && queue->settle_again_ms < due)
        due = queue->settle_again_ms;
    for (const struct link *at = queue->tails.next; at != &queue->tails; at = at->next) {
        const struct tail *tail = LIST_OF(at, struct tail, link);
        if (tail->again_ms > now_ms && tail->again_ms < due)
            due = tail->again_ms;
    }
    return due;
}
