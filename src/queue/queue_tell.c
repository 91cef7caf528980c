/* What the queue does, as events for the journal. */
#include "core/event.h"
#include "queue/queue_part.h"
#include "wire/header.h"

#include <string.h>

#define MESSAGE_ID_MAX 256

/* Small messages have their header in memory; of others it is not worth a read. */
static struct slice message_id_of(struct item *item)
{
    struct message *message = item->message;
    struct header header;

    if (!message->content.len)
        return SLICE_NONE;
    header_init(&header, HEADER_LIMITS_DEFAULT, &message->arena);
    header_feed(&header, message->content);
    const struct slice id = header.value[HEADER_MESSAGE_ID];
    header_drop(&header);
    return slice_head(id, MESSAGE_ID_MAX);
}

void tell_taken(struct item *item)
{
    struct queue *queue = item->queue;
    const struct transaction *t = &item->message->transaction;
    const struct event_stamp stamp = queue_stamp(queue, t->session);

    event_add_message_queued(&queue->events, &stamp,
                             &(struct event_message_queued){.queue_id = message_id(item->message),
                                                            .sender = t->sender,
                                                            .octets = item->message->content_octets,
                                                            .recipients = t->recipient_count,
                                                            .message_id = message_id_of(item)});
    queue->counts.taken++;
}

static void tell_delivered(struct item *item, const struct delivery *delivery)
{
    struct queue *queue = item->queue;
    const struct transaction *t = &item->message->transaction;
    const struct event_stamp stamp = queue_stamp(queue, t->session);
    const int64_t waited = queue_unix_ms(queue) - t->received_unix_ms;

    event_add_delivered(
        &queue->events, &stamp,
        &(struct event_delivered){.queue_id = message_id(item->message),
                                  .recipient = item->message->recipients[delivery->recipient]->address,
                                  .target = delivery->target,
                                  .by = slice_text(delivery->by),
                                  .reply = delivery->text,
                                  .waited_ms = waited > 0 ? (uint64_t)waited : 0});
}

static void tell_deferred(struct item *item, const struct delivery *delivery, int64_t next_unix_ms)
{
    struct queue *queue = item->queue;
    const struct event_stamp stamp = queue_stamp(queue, item->message->transaction.session);

    event_add_delivery_deferred(&queue->events, &stamp,
                                &(struct event_delivery_deferred){
                                    .queue_id = message_id(item->message),
                                    .recipient = item->message->recipients[delivery->recipient]->address,
                                    .target = delivery->target,
                                    .reason = delivery->text,
                                    .attempts = item->message->schedule.attempts,
                                    .next_unix = (uint64_t)(next_unix_ms / 1000)});
}

static void tell_failed(struct item *item, const struct delivery *delivery, bool notified)
{
    struct queue *queue = item->queue;
    const struct event_stamp stamp = queue_stamp(queue, item->message->transaction.session);

    event_add_delivery_failed(
        &queue->events, &stamp,
        &(struct event_delivery_failed){.queue_id = message_id(item->message),
                                        .recipient = item->message->recipients[delivery->recipient]->address,
                                        .target = delivery->target,
                                        .reason = delivery->text,
                                        .notified = notified});
}

void tell_outcome(struct item *item, const struct delivery *delivery, bool notified, int64_t next_unix_ms)
{
    switch (delivery->outcome) {
    case OUTCOME_DELIVERED:
    case OUTCOME_RELAYED: tell_delivered(item, delivery); break;
    case OUTCOME_FAILED: tell_failed(item, delivery, notified); break;
    case OUTCOME_DEFERRED:
        if (!delivery->later)
            tell_deferred(item, delivery, next_unix_ms);
        break;
    case OUTCOME_NONE:
    case OUTCOME_EXPANDED:
    case OUTCOME_COUNT: break;
    }
}

void tell_removed(struct queue *queue, const struct message *message, const char *why)
{
    const struct event_stamp stamp = queue_stamp(queue, message->transaction.session);

    event_add_message_removed(
        &queue->events, &stamp,
        &(struct event_message_removed){.queue_id = message_id(message), .why = slice_text(why)});
    queue->counts.removed++;
}

void tell_damaged(struct queue *queue, const char *file, const char *reason)
{
    const struct event_stamp stamp = queue_stamp(queue, 0);

    event_add_queue_damaged(
        &queue->events, &stamp,
        &(struct event_queue_damaged){.file = slice_text(file), .reason = slice_text(reason)});
    queue->counts.damaged++;
}

void tell_held(struct queue *queue, const struct waiting *waiting, bool held)
{
    const struct event_stamp stamp = queue_stamp(queue, waiting->session);
    char id[QUEUE_ID_SIZE];

    queue_id_print(waiting->session, waiting->number, id);
    event_add_message_held(&queue->events, &stamp,
                           &(struct event_message_held){.queue_id = slice_text(id), .held = held});
}

void tell_notification(struct queue *queue, const char *id, const struct message *about, const char *kind)
{
    const struct event_stamp stamp = queue_stamp(queue, about->transaction.session);

    event_add_notification_queued(&queue->events, &stamp,
                                  &(struct event_notification_queued){.queue_id = slice_text(id),
                                                                      .about = message_id(about),
                                                                      .recipient = about->transaction.sender,
                                                                      .kind = slice_text(kind)});
}
