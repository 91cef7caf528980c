/* Copies to Maildirs: what gathers while one batch is written and synced goes with the next. */
#include "base/memory.h"
#include "core/event.h"
#include "queue/queue_part.h"

#include <errno.h>
#include <string.h>

#define BATCH_OCTETS (32u << 20) /* of content in one batch, one message at least */

struct copies {
    struct queue *queue;
    size_t count;
    struct delivery *deliveries[MAILDIR_BATCH];
    struct maildir_copy each[MAILDIR_BATCH];
};

static void copies_work(void *data)
{
    struct copies *copies = data;

    maildir_deliver(copies->queue->files, &copies->queue->maildir, copies->each, copies->count);
}

/* The sender may read this one day: no paths. */
static void copy_failed(struct delivery *delivery, const struct error *error)
{
    struct delivery_result result = {.outcome = OUTCOME_DEFERRED, .target = delivery->place->address};
    const char *meaning = error->number ? strerrordesc_np(error->number) : NULL;

    result.enhanced = error->number == EDQUOT   ? SLICE("4.2.2")
                      : error->number == ENOSPC ? SLICE("4.3.1")
                                                : SLICE("4.3.0");
    result.text = arena_format(&delivery->item->message->arena, "the mailbox cannot be written now: %s",
                               meaning ? meaning : error->text);
    delivery_end(delivery, &result);
}

static void copies_done(void *data)
{
    struct copies *copies = data;
    struct queue *queue = copies->queue;

    queue->copying = false;
    for (size_t i = 0; i < copies->count; i++) {
        struct delivery *delivery = copies->deliveries[i];
        const struct delivery_result good = {
            .outcome = OUTCOME_DELIVERED, .target = delivery->place->address, .enhanced = SLICE("2.1.5")};
        if (copies->each[i].delivered)
            delivery_end(delivery, &good);
        else
            copy_failed(delivery, &copies->each[i].error);
    }
    memory_give(copies, sizeof(*copies));
}

static void make_copy(struct delivery *delivery, struct maildir_copy *copy)
{
    struct message *message = delivery->item->message;
    const struct slice sender = message->transaction.sender;
    const struct slice recipient = message->recipients[delivery->recipient]->address;
    char name[MAILDIR_NAME_MAX];

    const size_t len = maildir_name(message->transaction.received_unix_ms, message->id,
                                    delivery->item->queue->site->set.host_name, name);
    copy->folder = delivery->place->folder;
    copy->base = delivery->place->folder_base;
    copy->name = arena_copy(&message->arena, slice_of(name, len));
    copy->head = arena_format(&message->arena, "Return-Path: <%.*s>\nDelivered-To: %.*s\n",
                              SLICE_ARGS(sender), SLICE_ARGS(recipient));
    delivery_content(delivery, &delivery->content);
    copy->content = &delivery->content;
}

void copy_add(struct delivery *delivery)
{
    delivery->by = "maildir";
    list_add_last(&delivery->item->queue->copies, &delivery->link);
}

void copy_turn(struct queue *queue)
{
    uint64_t octets = 0;

    if (queue->copying || list_is_empty(&queue->copies))
        return;
    struct copies *copies = memory_take(sizeof(*copies));
    copies->queue = queue;
    while (copies->count < MAILDIR_BATCH && octets < BATCH_OCTETS && !list_is_empty(&queue->copies)) {
        struct delivery *delivery = LIST_OF(queue->copies.next, struct delivery, link);
        list_remove(&delivery->link);
        make_copy(delivery, &copies->each[copies->count]);
        copies->deliveries[copies->count++] = delivery;
        octets += delivery->item->message->content_octets;
    }
    queue->copying = true;
    queue_run(queue, copies_work, copies_done, copies);
}
