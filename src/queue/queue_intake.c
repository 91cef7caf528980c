/* Taking over what the gates put into `incoming`: segments are read along, large messages are files of their
 * own; drafts that no process has any more are removed. */
#include "base/memory.h"
#include "core/event.h"
#include "queue/queue_part.h"
#include "queue/segment.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define READ_OCTETS (512u * 1024u)
#define AGAIN_MS    5000

/* --- looking through the folders -------------------------------------------------------------------------
 */

struct name {
    struct name *next;
    char text[64];
};

struct look {
    struct queue *queue;
    bool first; /* the folder `queue` as well */
    struct name *incoming;
    struct name *waiting;
    int result;
    struct error error;
};

static bool has_suffix(const char *name, const char *suffix)
{
    return slice_ends_fold(slice_text(name), slice_text(suffix)) && strlen(name) > strlen(suffix);
}

static bool name_add(struct name **first, const char *text)
{
    if (strlen(text) >= sizeof((*first)->text))
        return true;
    struct name *name = memory_take(sizeof(*name));
    snprintf(name->text, sizeof(name->text), "%s", text);
    name->next = *first;
    *first = name;
    return true;
}

static void names_free(struct name *first)
{
    while (first) {
        struct name *next = first->next;
        memory_give(first, sizeof(*first));
        first = next;
    }
}

/* A draft whose lock is free was left behind: its client never had a 250. */
static void remove_orphan(struct look *look, const char *name)
{
    struct files *files = look->queue->files;
    char path[FILES_PATH_MAX];
    int descriptor;
    bool mine;

    if (files_join(path, look->queue->incoming, name, NULL) < 0 ||
        files->open(files, path, 0, &descriptor, NULL) < 0)
        return;
    if (files->lock(files, descriptor, &mine, NULL) == 0 && mine)
        (void)files->remove(files, path, NULL);
    files->close(files, descriptor);
}

static bool see_incoming(void *whom, const char *name)
{
    struct look *look = whom;

    if (has_suffix(name, DRAFT_SUFFIX))
        remove_orphan(look, name);
    else if (has_suffix(name, SEGMENT_SUFFIX) || has_suffix(name, MESSAGE_SUFFIX))
        name_add(&look->incoming, name);
    return true;
}

/* What was being written when the process ended was not moved here yet: the original is still where it was.
 */
static bool see_waiting(void *whom, const char *name)
{
    struct look *look = whom;
    char path[FILES_PATH_MAX];

    if (has_suffix(name, MESSAGE_SUFFIX))
        name_add(&look->waiting, name);
    else if (has_suffix(name, TEMP_SUFFIX) && files_join(path, look->queue->waiting_folder, name, NULL) == 0)
        (void)look->queue->files->remove(look->queue->files, path, NULL);
    return true;
}

/* Marks of a segment that is gone. */
static bool see_done(void *whom, const char *name)
{
    struct look *look = whom;
    struct files *files = look->queue->files;
    struct files_status status;
    struct error error;
    char path[FILES_PATH_MAX];
    char segment[FILES_PATH_MAX];

    if (!has_suffix(name, DONE_SUFFIX) || files_join(path, look->queue->done, name, NULL) < 0)
        return true;
    snprintf(segment, sizeof(segment), "%.900s/%.*s" SEGMENT_SUFFIX, look->queue->incoming,
             (int)(strlen(name) - strlen(DONE_SUFFIX)), name);
    if (files->status(files, segment, &status, &error) < 0 && error.number == ENOENT)
        (void)files->remove(files, path, NULL);
    return true;
}

static void look_work(void *data)
{
    struct look *look = data;
    struct files *files = look->queue->files;

    look->result = files->list(files, look->queue->incoming, see_incoming, look, &look->error);
    if (look->result == 0 && look->first)
        look->result = files->list(files, look->queue->waiting_folder, see_waiting, look, &look->error);
    if (look->result == 0 && look->first)
        look->result = files->list(files, look->queue->done, see_done, look, &look->error);
}

static bool message_of_name(const char *name, uint64_t *ret_session, uint32_t *ret_number)
{
    return queue_id_parse(slice_of(name, strlen(name) - strlen(MESSAGE_SUFFIX)), ret_session, ret_number);
}

static void found_waiting(struct queue *queue, const char *name)
{
    uint64_t session;
    uint32_t number;

    if (!message_of_name(name, &session, &number) || wait_find(queue, session, number))
        return;
    list_add_last(&queue->unread, &wait_add(queue, session, number, false)->link);
}

static void found_large(struct queue *queue, const char *name)
{
    uint64_t session;
    uint32_t number;

    if (!message_of_name(name, &session, &number) || wait_find(queue, session, number))
        return;
    struct waiting *waiting = wait_add(queue, session, number, true);
    waiting->fresh = true;
    wait_ready(queue, waiting);
}

struct tail *intake_find_tail(struct queue *queue, const char *name)
{
    for (struct link *at = queue->tails.next; at != &queue->tails; at = at->next) {
        struct tail *tail = LIST_OF(at, struct tail, link);
        if (strcmp(strrchr(tail->path, '/') + 1, name) == 0)
            return tail;
    }
    return NULL;
}

static void found_segment(struct queue *queue, const char *name)
{
    struct tail *tail = intake_find_tail(queue, name);
    struct error error;

    if (!tail) {
        if (tail_open(queue->files, queue->incoming, queue->done, name, &tail, &error) < 0) {
            queue_trouble(queue, "opening a segment of the spool", &error, "its messages wait");
            return;
        }
        list_add_last(&queue->tails, &tail->link);
    }
    tail->stirred = true;
}

static void look_done(void *data)
{
    struct look *look = data;
    struct queue *queue = look->queue;

    queue->looking = false;
    if (look->result < 0)
        queue_trouble(queue, "looking through the spool", &look->error, "new mail waits");
    else if (look->first)
        queue->listed = true;
    /* Those that wait first: a message that stands in a segment as well is known then. */
    for (const struct name *name = look->waiting; name; name = name->next)
        found_waiting(queue, name->text);
    for (const struct name *name = look->incoming; name; name = name->next) {
        if (has_suffix(name->text, SEGMENT_SUFFIX))
            found_segment(queue, name->text);
        else
            found_large(queue, name->text);
    }
    names_free(look->incoming);
    names_free(look->waiting);
    memory_give(look, sizeof(*look));
}

static void look_start(struct queue *queue)
{
    struct look *look = memory_take(sizeof(*look));

    look->queue = queue;
    look->first = !queue->listed;
    queue->look = false;
    queue->looking = true;
    queue_run(queue, look_work, look_done, look);
}

void queue_look(struct queue *queue, const char *name)
{
    struct tail *tail = name && has_suffix(name, SEGMENT_SUFFIX) ? intake_find_tail(queue, name) : NULL;
    uint64_t session;
    uint32_t number;

    if (tail) {
        tail->stirred = true;
    } else if (!name || has_suffix(name, SEGMENT_SUFFIX)) {
        queue->look = true;
    } else if (has_suffix(name, MESSAGE_SUFFIX) && message_of_name(name, &session, &number)) {
        struct waiting *waiting = wait_find(queue, session, number);
        if (!waiting)
            queue->look = true;
        else if (waiting->incoming && waiting->state == WAITING_TIMED)
            wait_ready(queue, waiting);
    }
    queue->shell.stir(queue->shell.whom);
}

/* --- reading segments ------------------------------------------------------------------------------------
 */

struct reading {
    struct queue *queue;
    struct tail *tail;
    size_t octets_max;
    struct tail_message *first;
    int result;
    struct error error;
};

static void reading_work(void *data)
{
    struct reading *reading = data;

    reading->result = tail_read(reading->tail, reading->octets_max, &reading->first, &reading->error);
}

static void take(struct queue *queue, struct tail *tail, struct tail_message *from)
{
    const struct transaction *t = &from->message->transaction;
    const bool known = wait_find(queue, t->session, t->number) != NULL;
    struct item *item = item_new(queue, from->message);

    item->tail = tail;
    item->offset = from->offset;
    tail->pending++;
    from->message = NULL;
    /* It was moved to a file of its own, and only its mark was lost. */
    if (known) {
        item->known = true;
        settle_add(item);
        return;
    }
    tell_taken(item);
    item_start(item);
}

static void reading_done(void *data)
{
    struct reading *reading = data;
    struct queue *queue = reading->queue;
    struct tail *tail = reading->tail;

    tail->busy = false;
    if (reading->result < 0) {
        queue_trouble(queue, "reading a segment of the spool", &reading->error, "its messages wait");
        tail->again_ms = queue->shell.now_ms(queue->shell.whom) + AGAIN_MS;
        tail->stirred = true;
    }
    /* What was found goes on until a look finds nothing new. */
    tail->stirred |= reading->first != NULL;
    for (struct tail_message *at = reading->first; at; at = at->next)
        take(queue, tail, at);
    tail_messages_free(reading->first);
    memory_give(reading, sizeof(*reading));
}

static void reading_start(struct queue *queue, struct tail *tail)
{
    struct reading *reading = memory_take(sizeof(*reading));

    tail->busy = true;
    tail->stirred = false;
    reading->queue = queue;
    reading->tail = tail;
    reading->octets_max = (queue->active_max - queue->active) * TAIL_MESSAGE_OCTETS;
    if (reading->octets_max > READ_OCTETS)
        reading->octets_max = READ_OCTETS;
    queue_run(queue, reading_work, reading_done, reading);
}

/* --- the end of a segment --------------------------------------------------------------------------------
 */

struct removal {
    struct queue *queue;
    struct tail *tail;
    char kept[FILES_PATH_MAX];
    int result;
    struct error error;
};

static void removal_work(void *data)
{
    struct removal *removal = data;
    const struct queue *queue = removal->queue;

    removal->result = tail_remove(removal->tail, queue->incoming, queue->done, queue->damaged, removal->kept,
                                  &removal->error);
}

static void removal_done(void *data)
{
    struct removal *removal = data;
    struct queue *queue = removal->queue;
    struct tail *tail = removal->tail;

    tail->busy = false;
    if (removal->result < 0) {
        queue_trouble(queue, "removing a segment of the spool", &removal->error, "it is tried again");
        tail->again_ms = queue->shell.now_ms(queue->shell.whom) + AGAIN_MS;
    } else {
        if (removal->kept[0])
            tell_damaged(
                queue, removal->kept,
                "octets of it are not as they were written; what could be read of it was taken over");
        list_remove(&tail->link);
        tail_close(tail);
    }
    memory_give(removal, sizeof(*removal));
}

static void removal_start(struct queue *queue, struct tail *tail)
{
    struct removal *removal = memory_take(sizeof(*removal));

    tail->busy = true;
    removal->queue = queue;
    removal->tail = tail;
    queue_run(queue, removal_work, removal_done, removal);
}

void intake_marked(struct tail *tail, size_t count)
{
    tail->pending -= count;
}

void intake_turn(struct queue *queue)
{
    const uint64_t now_ms = queue->shell.now_ms(queue->shell.whom);

    if (queue->look && !queue->looking && !queue->stopping)
        look_start(queue);
    for (struct link *at = queue->tails.next; at != &queue->tails; at = at->next) {
        struct tail *tail = LIST_OF(at, struct tail, link);
        if (tail->busy || now_ms < tail->again_ms)
            continue;
        if (tail->ended && !tail->pending)
            removal_start(queue, tail);
        else if (tail->stirred && !tail->ended && queue->book && queue->listed && !queue->stopping &&
                 queue->active < queue->active_max && queue->octets < QUEUE_OCTETS_MAX)
            reading_start(queue, tail);
    }
}

void intake_drop(struct queue *queue)
{
    while (!list_is_empty(&queue->tails)) {
        struct tail *tail = LIST_OF(queue->tails.next, struct tail, link);
        list_remove(&tail->link);
        tail_close(tail);
    }
}
