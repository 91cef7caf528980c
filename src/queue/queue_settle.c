/* The end of an attempt: what came of it is put on disk, and only then the message leaves memory.
 *
 * In this order, each step for all that settle together: notifications and new files of the queue are written
 * and synced, then their names; then marks in segments are synced; then files that are done with are removed.
 * So a message is never gone before what follows from it is safe. What fails is tried again as a whole: each
 * step may be repeated. */
#include "base/memory.h"
#include "core/event.h"
#include "queue/notify.h"
#include "queue/queue_part.h"
#include "queue/retry.h"
#include "queue/segment.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define TOGETHER       256
#define AGAIN_FIRST_MS 5000 /* after a failure; doubles */
#define AGAIN_MOST_MS  60000
#define COURIER_GATE   63u /* in the ids of notifications, with a counter that gates do not reach */

struct notification {
    struct notify_item *items;
    size_t count;
    enum notify_action kind; /* the gravest */
    uint64_t session;
    uint64_t chance;
    uint64_t mark;
    char id[QUEUE_ID_SIZE];
};

enum settle_kind {
    SETTLE_MARK,   /* of a segment, and final */
    SETTLE_PARK,   /* of a segment, and has to wait */
    SETTLE_MOVE,   /* a large one that has to wait */
    SETTLE_APPEND, /* waits on */
    SETTLE_REMOVE  /* has a file, and is final */
};

struct settlement {
    struct item *item;
    enum settle_kind kind;
    bool failed;
    uint64_t mark;
};

struct settle_job {
    struct queue *queue;
    int64_t now_unix_ms;
    uint64_t mark; /* for files of marks */
    size_t count;
    struct settlement each[TOGETHER];
    struct error error; /* the last */
};

/* --- judging ---------------------------------------------------------------------------------------------
 */

static void expire(struct item *item, struct delivery *delivery)
{
    struct arena *arena = &item->message->arena;

    delivery->outcome = OUTCOME_FAILED;
    delivery->text = arena_format(arena, "not delivered in time; the last answer was: %.*s",
                                  SLICE_ARGS(slice_head(delivery->text, 500)));
    delivery->enhanced = SLICE("4.4.7");
    item->expired = true;
}

static void judge_deliveries(struct item *item, int64_t now)
{
    const struct settings *settings = &item->queue->site->set;
    const int64_t received = item->message->transaction.received_unix_ms;
    struct schedule *schedule = &item->message->schedule;
    bool tried = false;

    for (struct delivery *delivery = item->deliveries; delivery; delivery = delivery->next) {
        if (delivery->outcome == OUTCOME_DEFERRED && !delivery->later &&
            retry_is_expired(settings, received, now))
            expire(item, delivery);
        item->deferred |= delivery->outcome == OUTCOME_DEFERRED;
        tried |= delivery->outcome == OUTCOME_DEFERRED && !delivery->later;
    }
    schedule->attempts += tried;
    schedule->next_unix_ms = !item->deferred ? 0
                             : tried         ? retry_next(settings, schedule->attempts, received, now,
                                                          &item->queue->random)
                                             : now;
}

static void notification_add(struct item *item, const struct notify_item *about, size_t most)
{
    struct arena *arena = &item->message->arena;
    struct notification *notification = item->notification;

    if (!notification) {
        notification = item->notification = arena_take(arena, sizeof(*notification));
        notification->items = arena_take(arena, most * sizeof(*notification->items));
        notification->kind = about->action;
    }
    if (about->action < notification->kind)
        notification->kind = about->action;
    notification->items[notification->count++] = *about;
}

static void name_notification(struct item *item)
{
    struct queue *queue = item->queue;
    struct notification *notification = item->notification;

    notification->session = event_id_make(queue_unix_ms(queue), COURIER_GATE,
                                          0xffffu - (queue->id_counter++ & 0x7fffu));
    notification->chance = random_next(&queue->random);
    notification->mark = queue_mark(queue);
    queue_id_print(notification->session, 0, notification->id);
}

/* The result stands in the file as what came of this recipient here, and that its sender is told. */
static void judge_delivery(struct item *item, const struct delivery *delivery, bool late, size_t most)
{
    struct message *message = item->message;
    const struct recipient *recipient = message->recipients[delivery->recipient];
    const bool success = delivery->outcome == OUTCOME_DELIVERED || delivery->outcome == OUTCOME_RELAYED;
    struct result result = {.recipient = delivery->recipient,
                            .outcome = delivery->outcome,
                            .code = delivery->code,
                            .unix_ms = queue_unix_ms(item->queue),
                            .address = delivery->place->address,
                            .target = delivery->target,
                            .enhanced = delivery->enhanced,
                            .text = delivery->text};
    enum notify_action action = NOTIFY_ACTION_NONE;

    if (delivery->outcome != OUTCOME_DEFERRED || (late && !delivery->later))
        action = notify_due(message, recipient, delivery->outcome, item->queue->site->set.retry_warn > 0);
    if (success && delivery->told)
        action = NOTIFY_ACTION_NONE;
    result.told = action != NOTIFY_ACTION_NONE;
    const struct result *kept = message_add_result(message, &result);
    tell_outcome(item, delivery, result.told, message->schedule.next_unix_ms);
    if (action == NOTIFY_ACTION_NONE)
        return;
    const struct notify_item about = {
        .recipient = recipient,
        .final_address = delivery->place->kind == PLACE_REMOTE ? delivery->place->address : SLICE_NONE,
        .action = action,
        .result = kept};
    notification_add(item, &about, most);
}

static void judge_expanded(struct item *item, size_t most)
{
    for (struct result *result = *item->results_new; result; result = result->next) {
        if (result->outcome != OUTCOME_EXPANDED)
            continue;
        const struct recipient *recipient = item->message->recipients[result->recipient];
        const struct notify_item about = {
            .recipient = recipient,
            .action = notify_due(item->message, recipient, OUTCOME_EXPANDED, false),
            .result = result};
        result->told = about.action != NOTIFY_ACTION_NONE;
        if (result->told)
            notification_add(item, &about, most);
    }
}

static void judge(struct item *item)
{
    struct message *message = item->message;
    const int64_t now = queue_unix_ms(item->queue);
    size_t most = message->transaction.recipient_count;

    item->judged = true;
    judge_deliveries(item, now);
    for (const struct delivery *delivery = item->deliveries; delivery; delivery = delivery->next)
        most++;
    const bool late = item->deferred && !message->schedule.warned &&
                      retry_is_late(&item->queue->site->set, message->transaction.received_unix_ms, now);
    judge_expanded(item, most);
    for (const struct delivery *delivery = item->deliveries; delivery; delivery = delivery->next)
        judge_delivery(item, delivery, late, most);
    message->schedule.warned |= late;
    for (const struct result *result = message->results; result; result = result->next)
        item->failed |= result->outcome == OUTCOME_FAILED;
    if (item->notification)
        name_notification(item);
}

/* Nothing was tried, and at the end nothing will be: the message stays where it is. */
static bool is_untouched(const struct item *item)
{
    for (const struct delivery *delivery = item->deliveries; delivery; delivery = delivery->next)
        if (!delivery->later)
            return false;
    return item->deliveries != NULL;
}

void settle_add(struct item *item)
{
    struct queue *queue = item->queue;

    assert(item->open == 0);
    if (queue->stopping && !item->judged && is_untouched(item))
        return;
    if (!item->judged && !item->known)
        judge(item);
    list_remove(&item->link);
    list_add_last(&queue->settled, &item->link);
    queue->shell.stir(queue->shell.whom);
}

/* --- on the helper thread: files of the queue are written ------------------------------------------------
 */

static void item_content(const struct item *item, struct content *content)
{
    if (item->file.descriptor >= 0)
        content_init_file(content, item->queue->files, item->file.descriptor, item->file.content_at,
                          item->message->content_octets);
    else
        content_init_memory(content, item->message->content);
}

static int write_composed(const struct settle_job *job, const struct item *item, struct content *content,
                          struct slice header, struct error *error)
{
    const struct notification *notification = item->notification;
    const struct transaction *about = &item->message->transaction;
    const struct queue *queue = job->queue;
    const struct notify_form form = {.about = item->message,
                                     .items = notification->items,
                                     .count = notification->count,
                                     .host = queue->site->set.host_name,
                                     .id = notification->id,
                                     .chance = notification->chance,
                                     .now_unix_ms = job->now_unix_ms,
                                     .retry_until_unix_ms = about->received_unix_ms +
                                                            (int64_t)queue->site->set.retry_expire};
    struct recipient recipient = {.address = about->sender};
    struct transaction transaction = {.session = notification->session,
                                      .recipients = &recipient,
                                      .recipient_count = 1,
                                      .received_unix_ms = job->now_unix_ms,
                                      .esmtp = true};
    const struct schedule schedule = {.next_unix_ms = job->now_unix_ms};
    struct notify_shape shape;
    struct buf before, behind;
    char path[FILES_PATH_MAX];

    buf_init(&before, UINT32_MAX);
    buf_init(&behind, UINT32_MAX);
    notify_compose(&form, header, &before, &behind, &shape);
    transaction.smtputf8 = shape.utf8;
    transaction.body = shape.eight_bit ? BODY_8BITMIME : BODY_7BIT;
    transaction.octets = before.len + (shape.whole ? content->size : 0) + behind.len;
    queue_path(queue, queue->waiting_folder, notification->id, TEMP_SUFFIX, path);
    const struct waiting_new new = {.path = path,
                                    .mark = notification->mark,
                                    .transaction = &transaction,
                                    .before = buf_slice(&before),
                                    .content = shape.whole ? content : NULL,
                                    .behind = buf_slice(&behind),
                                    .schedule = &schedule};
    const int result = waiting_write(queue->files, &new, error);
    buf_drop(&before);
    buf_drop(&behind);
    return result;
}

static int write_notification(const struct settle_job *job, const struct item *item, struct error *error)
{
    struct content content;
    struct buf header;

    item_content(item, &content);
    buf_init(&header, NOTIFY_HEADER_MAX);
    int result = notify_read_header(&content, &header, error);
    if (result == 0)
        result = write_composed(job, item, &content, buf_slice(&header), error);
    buf_drop(&header);
    content_done(&content);
    return result;
}

static int write_parked(const struct settle_job *job, const struct settlement *settlement,
                        struct error *error)
{
    const struct item *item = settlement->item;
    const struct queue *queue = job->queue;
    struct content content;
    char path[FILES_PATH_MAX];

    item_content(item, &content);
    queue_path(queue, queue->waiting_folder, item->message->id, TEMP_SUFFIX, path);
    const struct waiting_new new = {.path = path,
                                    .mark = settlement->mark,
                                    .transaction = &item->message->transaction,
                                    .route = item->message->route,
                                    .content = &content,
                                    .results = item->message->results,
                                    .schedule = &item->message->schedule};
    const int result = waiting_write(queue->files, &new, error);
    content_done(&content);
    return result;
}

static int append_results(const struct settle_job *job, const struct settlement *settlement,
                          struct error *error)
{
    struct item *item = settlement->item;
    const struct queue *queue = job->queue;
    uint64_t end = item->file.end;
    char path[FILES_PATH_MAX];

    queue_path(queue, item->waiting->incoming ? queue->incoming : queue->waiting_folder, item->message->id,
               MESSAGE_SUFFIX, path);
    return waiting_append(queue->files, path, item->file.mark, *item->results_new, &item->message->schedule,
                          &end, error);
}

static int settle_write(const struct settle_job *job, const struct settlement *settlement,
                        struct error *error)
{
    const struct item *item = settlement->item;

    if (item->notification && write_notification(job, item, error) < 0)
        return -1;
    switch (settlement->kind) {
    case SETTLE_PARK: return write_parked(job, settlement, error);
    case SETTLE_MOVE:
    case SETTLE_APPEND: return append_results(job, settlement, error);
    case SETTLE_MARK:
    case SETTLE_REMOVE: break;
    }
    return 0;
}

/* --- names, marks, removals ------------------------------------------------------------------------------
 */

static int rename_to_queue(const struct queue *queue, const char *folder, const char *id, const char *suffix,
                           struct error *error)
{
    char from[FILES_PATH_MAX];
    char to[FILES_PATH_MAX];

    queue_path(queue, folder, id, suffix, from);
    queue_path(queue, queue->waiting_folder, id, MESSAGE_SUFFIX, to);
    return queue->files->rename(queue->files, from, to, error);
}

static int settle_name(const struct settle_job *job, struct settlement *settlement, struct error *error)
{
    const struct queue *queue = job->queue;
    struct item *item = settlement->item;

    if (item->notification &&
        rename_to_queue(queue, queue->waiting_folder, item->notification->id, TEMP_SUFFIX, error) < 0)
        return -1;
    if (settlement->kind == SETTLE_PARK)
        return rename_to_queue(queue, queue->waiting_folder, item->message->id, TEMP_SUFFIX, error);
    if (settlement->kind != SETTLE_MOVE || !item->waiting->incoming)
        return 0;
    if (rename_to_queue(queue, queue->incoming, item->message->id, MESSAGE_SUFFIX, error) < 0)
        return -1;
    item->waiting->incoming = false;
    return 0;
}

static void fail_named(struct settle_job *job)
{
    for (size_t i = 0; i < job->count; i++)
        if (job->each[i].item->notification || job->each[i].kind == SETTLE_PARK ||
            job->each[i].kind == SETTLE_MOVE)
            job->each[i].failed = true;
}

static void sync_names(struct settle_job *job)
{
    const struct queue *queue = job->queue;
    bool named = false;
    bool moved = false;

    for (size_t i = 0; i < job->count; i++) {
        const struct settlement *each = &job->each[i];
        if (each->failed)
            continue;
        moved |= each->kind == SETTLE_MOVE;
        named |= moved || each->kind == SETTLE_PARK || each->item->notification;
    }
    if ((named && queue->files->sync_folder(queue->files, queue->waiting_folder, &job->error) < 0) ||
        (moved && queue->files->sync_folder(queue->files, queue->incoming, &job->error) < 0))
        fail_named(job);
}

static bool wants_mark(const struct settlement *settlement, const struct tail *tail)
{
    return !settlement->failed && settlement->item->tail && (!tail || settlement->item->tail == tail);
}

static void set_marks(struct settle_job *job)
{
    uint64_t offsets[TOGETHER];
    bool done[TOGETHER] = {false};

    for (size_t i = 0; i < job->count; i++) {
        if (done[i] || !wants_mark(&job->each[i], NULL))
            continue;
        struct tail *tail = job->each[i].item->tail;
        size_t count = 0;
        for (size_t k = i; k < job->count; k++)
            if (wants_mark(&job->each[k], tail))
                offsets[count++] = job->each[k].item->offset;
        const bool good = tail_mark(tail, offsets, count, job->mark, &job->error) == 0;
        for (size_t k = i; k < job->count; k++)
            if (wants_mark(&job->each[k], tail)) {
                done[k] = true;
                job->each[k].failed = !good;
            }
    }
}

static void remove_files(struct settle_job *job)
{
    const struct queue *queue = job->queue;
    bool removed[2] = {false, false};
    char path[FILES_PATH_MAX];

    for (size_t i = 0; i < job->count; i++) {
        struct settlement *each = &job->each[i];
        if (each->failed || each->kind != SETTLE_REMOVE)
            continue;
        const bool incoming = each->item->waiting->incoming;
        queue_path(queue, incoming ? queue->incoming : queue->waiting_folder, each->item->message->id,
                   MESSAGE_SUFFIX, path);
        removed[incoming] = true;
        each->failed = queue->files->remove(queue->files, path, &job->error) < 0 &&
                       job->error.number != ENOENT;
    }
    /* A removal that is lost means that the message is delivered once more: the folders are synced. */
    if (removed[false])
        (void)queue->files->sync_folder(queue->files, queue->waiting_folder, NULL);
    if (removed[true])
        (void)queue->files->sync_folder(queue->files, queue->incoming, NULL);
}

static void settle_work(void *data)
{
    struct settle_job *job = data;

    for (size_t i = 0; i < job->count; i++)
        job->each[i].failed = settle_write(job, &job->each[i], &job->error) < 0;
    for (size_t i = 0; i < job->count; i++)
        if (!job->each[i].failed)
            job->each[i].failed = settle_name(job, &job->each[i], &job->error) < 0;
    sync_names(job);
    set_marks(job);
    remove_files(job);
}

/* --- afterwards, on the loop -----------------------------------------------------------------------------
 */

static void queue_notification(struct queue *queue, const struct item *item)
{
    const struct notification *notification = item->notification;
    struct waiting *waiting;

    if (!notification)
        return;
    waiting = wait_add(queue, notification->session, 0, false);
    waiting->fresh = true;
    wait_ready(queue, waiting);
    tell_notification(queue, notification->id, item->message, notify_action_word(notification->kind));
}

/* The route that it waits for for want of room, if it is just that. */
static uint16_t destination_of(const struct item *item)
{
    for (const struct delivery *delivery = item->deliveries; delivery; delivery = delivery->next)
        if (delivery->outcome == OUTCOME_DEFERRED && delivery->place->route)
            return delivery->place->route->number;
    return UINT16_MAX;
}

static void settled(struct queue *queue, const struct settlement *settlement)
{
    struct item *item = settlement->item;
    const struct transaction *t = &item->message->transaction;

    queue_notification(queue, item);
    if (item->tail)
        intake_marked(item->tail, 1);
    if (item->deferred) {
        struct waiting *waiting = item->waiting ? item->waiting
                                                : wait_add(queue, t->session, t->number, false);
        waiting->destination = destination_of(item);
        wait_schedule(queue, waiting, &item->message->schedule);
    } else if (!item->known) {
        tell_removed(queue, item->message, item->expired ? "expired" : item->failed ? "failed" : "delivered");
        if (item->waiting)
            wait_remove(queue, item->waiting);
    }
    item_free(item);
}

static void settle_done(void *data)
{
    struct settle_job *job = data;
    struct queue *queue = job->queue;
    bool failed = false;

    queue->settling = false;
    for (size_t i = 0; i < job->count; i++) {
        failed |= job->each[i].failed;
        if (job->each[i].failed)
            settle_add(job->each[i].item);
        else
            settled(queue, &job->each[i]);
    }
    if (failed) {
        queue_trouble(queue, "writing to the queue", &job->error,
                      "messages stay where they are; it is tried again soon");
        queue->settle_pause_ms = queue->settle_pause_ms ? queue->settle_pause_ms * 2 : AGAIN_FIRST_MS;
        if (queue->settle_pause_ms > AGAIN_MOST_MS)
            queue->settle_pause_ms = AGAIN_MOST_MS;
        queue->settle_again_ms = queue->shell.now_ms(queue->shell.whom) + queue->settle_pause_ms;
    } else {
        queue->settle_pause_ms = 0;
    }
    memory_give(job, sizeof(*job));
}

static enum settle_kind kind_of(const struct item *item)
{
    if (item->tail)
        return item->deferred ? SETTLE_PARK : SETTLE_MARK;
    if (!item->deferred)
        return SETTLE_REMOVE;
    return item->waiting->incoming ? SETTLE_MOVE : SETTLE_APPEND;
}

void settle_turn(struct queue *queue)
{
    if (queue->settling || list_is_empty(&queue->settled) ||
        queue->shell.now_ms(queue->shell.whom) < queue->settle_again_ms)
        return;
    struct settle_job *job = memory_take(sizeof(*job));
    job->queue = queue;
    job->now_unix_ms = queue_unix_ms(queue);
    job->mark = queue_mark(queue);
    while (job->count < TOGETHER && !list_is_empty(&queue->settled)) {
        struct settlement *each = &job->each[job->count++];
        each->item = LIST_OF(queue->settled.next, struct item, link);
        each->kind = kind_of(each->item);
        each->mark = queue_mark(queue);
        list_remove(&each->item->link);
    }
    queue->settling = true;
    queue_run(queue, settle_work, settle_done, job);
}
