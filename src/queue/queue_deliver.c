/* A message under way: its recipients become deliveries, each to one place, and each has one outcome. */
#include "base/memory.h"
#include "queue/queue_part.h"

#include <assert.h>
#include <string.h>

/* --- items -----------------------------------------------------------------------------------------------
 */

struct item *item_new(struct queue *queue, struct message *message)
{
    struct item *item = memory_take(sizeof(*item));

    item->queue = queue;
    item->message = message;
    item->file.descriptor = -1;
    item->deliveries_end = &item->deliveries;
    list_add_last(&queue->items, &item->link);
    queue->active++;
    queue->octets += message->content.len;
    return item;
}

void item_free(struct item *item)
{
    struct queue *queue = item->queue;

    for (struct delivery *delivery = item->deliveries; delivery; delivery = delivery->next) {
        list_remove(&delivery->link);
        content_done(&delivery->content);
    }
    if (item->file.descriptor >= 0)
        queue->files->close(queue->files, item->file.descriptor);
    list_remove(&item->link);
    queue->active--;
    queue->octets -= item->message->content.len;
    message_free(item->message);
    memory_give(item, sizeof(*item));
}

void delivery_content(struct delivery *delivery, struct content *content)
{
    const struct item *item = delivery->item;

    if (item->file.descriptor >= 0)
        content_init_file(content, item->queue->files, item->file.descriptor, item->file.content_at,
                          item->message->content_octets);
    else
        content_init_memory(content, item->message->content);
}

/* --- recipients become deliveries ------------------------------------------------------------------------
 */

static struct slice keep(struct item *item, struct slice text)
{
    return text.len ? arena_copy(&item->message->arena, text) : SLICE_NONE;
}

static struct delivery *delivery_add(struct item *item, uint32_t recipient, const struct place *place)
{
    struct delivery *delivery = arena_take(&item->message->arena, sizeof(*delivery));

    delivery->item = item;
    delivery->recipient = recipient;
    delivery->place = place;
    delivery->content.descriptor = -1;
    list_init(&delivery->link);
    *item->deliveries_end = delivery;
    item->deliveries_end = &delivery->next;
    item->open++;
    return delivery;
}

/* What tells places apart: a Maildir's path, or an address on a route. */
static struct slice place_key(struct item *item, const struct place *place)
{
    if (place->kind == PLACE_MAILDIR)
        return place->folder;
    return arena_format(&item->message->arena, "%u %.*s", place->route ? place->route->number : UINT16_MAX,
                        SLICE_ARGS(place->address));
}

/* A recipient that stands for several is as good as delivered for who asked about success, and nobody is told
 * of theirs (RFC 3461 section 5.2.7.3). */
static void note_expanded(struct item *item, uint32_t recipient)
{
    const struct result expanded = {
        .recipient = recipient, .outcome = OUTCOME_EXPANDED, .unix_ms = queue_unix_ms(item->queue)};

    if (item->message->recipients[recipient]->notify & NOTIFY_SUCCESS &&
        !message_find_result(item->message, recipient, SLICE_NONE))
        message_add_result(item->message, &expanded);
}

static bool is_final(const struct result *result)
{
    return result && result->outcome != OUTCOME_DEFERRED && result->outcome != OUTCOME_NONE;
}

static void expand_recipient(struct item *item, uint32_t recipient, const struct route *fallback,
                             struct table *seen)
{
    struct message *message = item->message;
    const struct place *first = book_expand(item->queue->book, message->recipients[recipient]->address,
                                            fallback, &message->arena);

    if (first->next)
        note_expanded(item, recipient);
    for (const struct place *place = first; place; place = place->next) {
        if (is_final(message_find_result(message, recipient, place->address)))
            continue;
        struct delivery *delivery = delivery_add(item, recipient, place);
        delivery->told = first->next && message->recipients[recipient]->notify & NOTIFY_SUCCESS;
        if (place->kind == PLACE_NOWHERE || place->kind == PLACE_UNROUTED)
            continue;
        const struct slice key = place_key(item, place);
        delivery->twin = table_get(seen, key);
        if (!delivery->twin) {
            table_put(seen, key, delivery);
            continue;
        }
        delivery->twin_next = delivery->twin->twins;
        delivery->twin->twins = delivery;
    }
}

static const struct route *route_by_name(const struct site *site, struct slice name)
{
    for (size_t i = 0; i < site->route_count; i++)
        if (slice_equal(site->routes[i].name, name))
            return &site->routes[i];
    return site->route_count ? &site->routes[0] : NULL;
}

/* Texts of the book may go away with it while the message is under way. */
static void keep_place(struct delivery *delivery)
{
    struct place *place = arena_take(&delivery->item->message->arena, sizeof(*place));

    *place = *delivery->place;
    place->text = keep(delivery->item, place->text);
    place->enhanced = keep(delivery->item, place->enhanced);
    delivery->place = place;
}

static void start_delivery(struct delivery *delivery)
{
    const struct place *place = delivery->place;
    struct delivery_result result = {.text = place->text, .enhanced = place->enhanced};

    switch (place->kind) {
    case PLACE_MAILDIR: copy_add(delivery); break;
    case PLACE_REMOTE: break;
    case PLACE_NOWHERE:
        result.outcome = OUTCOME_FAILED;
        delivery_end(delivery, &result);
        break;
    case PLACE_UNROUTED:
        result.outcome = OUTCOME_DEFERRED;
        delivery_end(delivery, &result);
        break;
    }
}

/* An item is settled by the end of its last delivery: one is held open until all were started. */
void item_start(struct item *item)
{
    struct queue *queue = item->queue;
    struct message *message = item->message;
    const struct route *fallback = route_by_name(queue->site, message->route);
    struct table seen;

    item->results_new = message->results_end;
    table_init(&seen, random_next(&queue->random));
    for (uint32_t i = 0; i < message->transaction.recipient_count; i++)
        expand_recipient(item, i, fallback, &seen);
    table_drop(&seen);
    item->open++;
    for (struct delivery *delivery = item->deliveries; delivery; delivery = delivery->next) {
        keep_place(delivery);
        if (!delivery->twin)
            start_delivery(delivery);
    }
    for (size_t i = 0; i < queue->site->route_count; i++)
        if (queue->site->routes[i].kind != ROUTE_MAILDIR)
            ship_add(item, &queue->site->routes[i]);
    if (--item->open == 0)
        settle_add(item);
}

/* --- outcomes --------------------------------------------------------------------------------------------
 */

static void take_result(struct delivery *delivery, const struct delivery_result *result)
{
    struct item *item = delivery->item;

    assert(delivery->outcome == OUTCOME_NONE && result->outcome != OUTCOME_NONE);
    delivery->outcome = result->outcome;
    delivery->later = result->later;
    delivery->told |= result->told;
    delivery->code = result->code;
    delivery->target = keep(item, result->target);
    delivery->enhanced = keep(item, result->enhanced);
    delivery->text = keep(item, result->text);
    content_done(&delivery->content);
    item->open--;
}

void delivery_end(struct delivery *delivery, const struct delivery_result *result)
{
    struct item *item = delivery->item;

    take_result(delivery, result);
    for (struct delivery *other = delivery->twins; other; other = other->twin_next) {
        other->by = delivery->by;
        take_result(other, result);
    }
    if (item->open == 0)
        settle_add(item);
}
