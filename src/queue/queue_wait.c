/* Messages that wait on disk: known by name, each with a timer, and fetched when their time has come and
 * there is room. Destinations take turns. */
#include "base/memory.h"
#include "queue/queue_part.h"
#include "queue/segment.h"

#include <stdio.h>
#include <string.h>

#define BUSY_MS      1000
#define FAILED_MS    60000
#define READ_AT_ONCE 64

static struct slice key_make(char key[12], uint64_t session, uint32_t number)
{
    memcpy(key, &session, sizeof(session));
    memcpy(key + sizeof(session), &number, sizeof(number));
    return slice_of(key, 12);
}

static struct waiting *waiting_of_timer(struct timer *timer)
{
    return (struct waiting *)(void *)((char *)timer - offsetof(struct waiting, timer));
}

static struct destination *destination_of(struct queue *queue, const struct waiting *waiting)
{
    const size_t last = queue->destination_count - 1;

    return &queue->destinations[waiting->destination < last ? waiting->destination : last];
}

struct waiting *wait_find(const struct queue *queue, uint64_t session, uint32_t number)
{
    char key[12];

    return table_get(&queue->waiting_by_key, key_make(key, session, number));
}

struct waiting *wait_add(struct queue *queue, uint64_t session, uint32_t number, bool incoming)
{
    struct waiting *waiting = memory_take(sizeof(*waiting));

    waiting->session = session;
    waiting->number = number;
    waiting->incoming = incoming;
    waiting->destination = UINT16_MAX;
    waiting->state = WAITING_UNREAD;
    list_init(&waiting->link);
    table_put(&queue->waiting_by_key, key_make(waiting->key, session, number), waiting);
    return waiting;
}

static void leave(struct queue *queue, struct waiting *waiting)
{
    wheel_clear(&queue->wheel, &waiting->timer);
    list_remove(&waiting->link);
    queue->held -= waiting->state == WAITING_HELD;
}

void wait_remove(struct queue *queue, struct waiting *waiting)
{
    leave(queue, waiting);
    table_remove(&queue->waiting_by_key, slice_of(waiting->key, sizeof(waiting->key)));
    memory_give(waiting, sizeof(*waiting));
}

void wait_ready(struct queue *queue, struct waiting *waiting)
{
    leave(queue, waiting);
    waiting->state = WAITING_READY;
    list_add_last(&destination_of(queue, waiting)->ready, &waiting->link);
    queue->shell.stir(queue->shell.whom);
}

static void wait_for(struct queue *queue, struct waiting *waiting, uint64_t ms)
{
    leave(queue, waiting);
    waiting->state = WAITING_TIMED;
    wheel_set(&queue->wheel, &waiting->timer, queue->shell.now_ms(queue->shell.whom) + ms);
}

void wait_schedule(struct queue *queue, struct waiting *waiting, const struct schedule *schedule)
{
    const int64_t ms = schedule->next_unix_ms - queue_unix_ms(queue);

    if (schedule->held) {
        leave(queue, waiting);
        waiting->state = WAITING_HELD;
        queue->held++;
    } else if (ms <= 0) {
        wait_ready(queue, waiting);
    } else {
        wait_for(queue, waiting, (uint64_t)ms);
    }
}

uint64_t wait_due_ms(const struct queue *queue)
{
    const uint64_t now_ms = queue->shell.now_ms(queue->shell.whom);
    const uint64_t ms = wheel_wait_ms(&queue->wheel, now_ms);

    return ms == UINT64_MAX ? ms : now_ms + ms;
}

void wait_drop(struct queue *queue)
{
    struct slice key;
    size_t at = 0;
    void *value;

    while (table_next(&queue->waiting_by_key, &at, &key, &value)) {
        struct waiting *waiting = value;
        wheel_clear(&queue->wheel, &waiting->timer);
        list_remove(&waiting->link);
        table_remove(&queue->waiting_by_key, key);
        memory_give(waiting, sizeof(*waiting));
    }
    table_drop(&queue->waiting_by_key);
}

static void path_of(const struct queue *queue, const struct waiting *waiting, char path[FILES_PATH_MAX])
{
    char id[QUEUE_ID_SIZE];

    queue_id_print(waiting->session, waiting->number, id);
    queue_path(queue, waiting->incoming ? queue->incoming : queue->waiting_folder, id, MESSAGE_SUFFIX, path);
}

/* --- setting aside ---------------------------------------------------------------------------------------
 */

struct aside {
    struct queue *queue;
    struct waiting *waiting;
    char from[FILES_PATH_MAX];
    char to[FILES_PATH_MAX];
    char reason[256];
    int result;
    struct error error;
};

static void aside_work(void *data)
{
    struct aside *aside = data;
    struct files *files = aside->queue->files;
    char folder[FILES_PATH_MAX];

    aside->result = files->rename(files, aside->from, aside->to, &aside->error);
    if (aside->result < 0)
        return;
    snprintf(folder, sizeof(folder), "%s", aside->from);
    *strrchr(folder, '/') = '\0';
    (void)files->sync_folder(files, aside->queue->damaged, NULL);
    (void)files->sync_folder(files, folder, NULL);
}

static void aside_done(void *data)
{
    struct aside *aside = data;
    struct queue *queue = aside->queue;

    if (aside->result < 0) {
        queue_trouble(queue, "setting a damaged file of the queue aside", &aside->error,
                      "it stays where it is and is looked at again later");
        wait_for(queue, aside->waiting, FAILED_MS);
    } else {
        tell_damaged(queue, aside->to, aside->reason);
        wait_remove(queue, aside->waiting);
    }
    memory_give(aside, sizeof(*aside));
}

void wait_damaged(struct queue *queue, struct waiting *waiting, const char *reason)
{
    struct aside *aside = memory_take(sizeof(*aside));
    char id[QUEUE_ID_SIZE];

    aside->queue = queue;
    aside->waiting = waiting;
    waiting->state = WAITING_ACTIVE;
    path_of(queue, waiting, aside->from);
    queue_id_print(waiting->session, waiting->number, id);
    queue_path(queue, queue->damaged, id, MESSAGE_SUFFIX, aside->to);
    snprintf(aside->reason, sizeof(aside->reason), "%s", reason);
    queue_run(queue, aside_work, aside_done, aside);
}

/* --- reading what was there at the start ------------------------------------------------------------------
 */

struct look_in {
    struct waiting *waiting;
    enum waiting_status status;
    struct schedule schedule;
    struct error error;
};

struct looks {
    struct queue *queue;
    size_t count;
    struct look_in each[READ_AT_ONCE];
};

static void look_in(struct queue *queue, struct look_in *look)
{
    char path[FILES_PATH_MAX];
    struct message *message;
    struct waiting_file file;

    path_of(queue, look->waiting, path);
    look->status = waiting_load(queue->files, path, 0, &message, &file, &look->error);
    if (look->status != WAITING_OK)
        return;
    const struct transaction *t = &message->transaction;
    if (t->session != look->waiting->session || t->number != look->waiting->number) {
        error_set(&look->error, 0, "it holds another message than its name says");
        look->status = WAITING_DAMAGED;
    }
    look->schedule = message->schedule;
    queue->files->close(queue->files, file.descriptor);
    message_free(message);
}

static void looks_work(void *data)
{
    struct looks *looks = data;

    for (size_t i = 0; i < looks->count; i++)
        look_in(looks->queue, &looks->each[i]);
}

static void looks_done(void *data)
{
    struct looks *looks = data;
    struct queue *queue = looks->queue;

    for (size_t i = 0; i < looks->count; i++) {
        struct look_in *look = &looks->each[i];
        switch (look->status) {
        case WAITING_OK: wait_schedule(queue, look->waiting, &look->schedule); break;
        case WAITING_GONE: wait_remove(queue, look->waiting); break;
        case WAITING_DAMAGED: wait_damaged(queue, look->waiting, look->error.text); break;
        case WAITING_BUSY:
        case WAITING_FAILED:
            queue_trouble(queue, "reading a file of the queue", &look->error,
                          "it is tried again in a minute");
            wait_for(queue, look->waiting, FAILED_MS);
            break;
        }
    }
    memory_give(looks, sizeof(*looks));
}

static void read_unread(struct queue *queue)
{
    struct looks *looks = memory_take(sizeof(*looks));

    looks->queue = queue;
    while (looks->count < READ_AT_ONCE && !list_is_empty(&queue->unread)) {
        struct waiting *waiting = LIST_OF(queue->unread.next, struct waiting, link);
        list_remove(&waiting->link);
        waiting->state = WAITING_ACTIVE;
        looks->each[looks->count++].waiting = waiting;
    }
    queue_run(queue, looks_work, looks_done, looks);
}

/* --- fetching --------------------------------------------------------------------------------------------
 */

struct fetch {
    struct queue *queue;
    struct waiting *waiting;
    struct destination *destination;
    char path[FILES_PATH_MAX];
    enum waiting_status status;
    struct message *message;
    struct waiting_file file;
    struct error error;
};

static void fetch_work(void *data)
{
    struct fetch *fetch = data;
    const unsigned how = WAITING_CHECK | (fetch->waiting->incoming ? WAITING_LOCK : 0);

    fetch->status = waiting_load(fetch->queue->files, fetch->path, how, &fetch->message, &fetch->file,
                                 &fetch->error);
}

static void fetched(struct fetch *fetch)
{
    struct queue *queue = fetch->queue;
    struct item *item = item_new(queue, fetch->message);

    item->waiting = fetch->waiting;
    item->file = fetch->file;
    if (fetch->waiting->fresh)
        tell_taken(item);
    fetch->waiting->fresh = false;
    item_start(item);
}

static void fetch_done(void *data)
{
    struct fetch *fetch = data;
    struct queue *queue = fetch->queue;

    queue->active--;
    fetch->destination->in_hand--;
    switch (fetch->status) {
    case WAITING_OK: fetched(fetch); break;
    case WAITING_GONE: wait_remove(queue, fetch->waiting); break;
    case WAITING_BUSY: wait_for(queue, fetch->waiting, BUSY_MS); break;
    case WAITING_DAMAGED: wait_damaged(queue, fetch->waiting, fetch->error.text); break;
    case WAITING_FAILED:
        queue_trouble(queue, "reading a file of the queue", &fetch->error, "it is tried again in a minute");
        wait_for(queue, fetch->waiting, FAILED_MS);
        break;
    }
    memory_give(fetch, sizeof(*fetch));
}

/* A message on its way to memory counts as under way, for all and for its destination. */
static void fetch(struct queue *queue, struct destination *destination)
{
    struct fetch *fetch = memory_take(sizeof(*fetch));

    fetch->queue = queue;
    fetch->destination = destination;
    fetch->waiting = LIST_OF(destination->ready.next, struct waiting, link);
    leave(queue, fetch->waiting);
    fetch->waiting->state = WAITING_ACTIVE;
    path_of(queue, fetch->waiting, fetch->path);
    queue->active++;
    destination->in_hand++;
    queue_run(queue, fetch_work, fetch_done, fetch);
}

static bool has_room(const struct destination *destination)
{
    return !list_is_empty(&destination->ready) &&
           (!destination->route || destination->in_hand < QUEUE_IN_HAND / 2);
}

/* Half of the room is left to messages that come in. */
static void fetch_ready(struct queue *queue)
{
    size_t passed = 0;

    while (passed < queue->destination_count && queue->active < (queue->active_max + 1) / 2) {
        struct destination *destination = &queue->destinations[queue->turn];
        queue->turn = (queue->turn + 1) % queue->destination_count;
        if (has_room(destination)) {
            fetch(queue, destination);
            passed = 0;
        } else {
            passed++;
        }
    }
}

void wait_turn(struct queue *queue)
{
    struct timer *timer;

    while ((timer = wheel_expired(&queue->wheel, queue->shell.now_ms(queue->shell.whom))))
        wait_ready(queue, waiting_of_timer(timer));
    if (queue->stopping || !queue->book || !queue->listed)
        return;
    while (!list_is_empty(&queue->unread) && queue->jobs < 8)
        read_unread(queue);
    fetch_ready(queue);
}
