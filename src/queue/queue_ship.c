/* Copies that other servers take: all recipients of a message on one route go in one transaction. A route has
 * only so many messages in hand; what comes beyond waits on disk. */
#include "base/memory.h"
#include "queue/queue_part.h"

#include <assert.h>
#include <string.h>

#define RECIPIENTS_MAX 100 /* of one transaction (RFC 5321 section 4.5.3.1.8) */

struct shipment {
    struct outbound_job job;
    struct link link;
    struct item *item;
    struct destination *destination;
    struct content content;
    size_t count;
    struct client_recipient recipients[RECIPIENTS_MAX];
    struct recipient as_sent[RECIPIENTS_MAX];
    struct delivery *deliveries[RECIPIENTS_MAX];
};

/* --- what came of it -------------------------------------------------------------------------------------
 */

/* The server takes over to tell of success where it knows DSN; over LMTP a success is one. */
static bool others_tell(const struct shipment *shipment)
{
    return shipment->destination->route->kind != ROUTE_LMTP && shipment->job.capability.set & CAPABILITY_DSN;
}

static enum outcome success_of(const struct shipment *shipment)
{
    return shipment->destination->route->kind == ROUTE_LMTP || others_tell(shipment) ? OUTCOME_DELIVERED
                                                                                     : OUTCOME_RELAYED;
}

/* Too many recipients is 452, but some say 552 (RFC 5321 section 4.5.3.1.10). */
static bool is_for_good(const struct shipment *shipment, const struct client_recipient *recipient,
                        const struct client_reply *reply)
{
    bool others = false;

    if (reply->code < 500)
        return false;
    for (size_t i = 0; i < shipment->count; i++)
        others |= shipment->recipients[i].accepted;
    return !(reply->code == 552 && !recipient->accepted && others);
}

static void answered(struct shipment *shipment, size_t at)
{
    const struct client_recipient *recipient = &shipment->recipients[at];
    const struct client_reply *reply = recipient->reply.code ? &recipient->reply : &shipment->job.job.reply;
    struct delivery_result result = {.target = shipment->job.server,
                                     .code = reply->code,
                                     .enhanced = reply->enhanced,
                                     .text = reply->text};

    if (recipient->delivered) {
        result.outcome = success_of(shipment);
        result.told = others_tell(shipment);
    } else {
        result.outcome = is_for_good(shipment, recipient, reply) ? OUTCOME_FAILED : OUTCOME_DEFERRED;
    }
    delivery_end(shipment->deliveries[at], &result);
}

static void unanswered(struct shipment *shipment, size_t at)
{
    const struct outbound_job *job = &shipment->job;
    const struct delivery_result result = {.outcome = OUTCOME_DEFERRED,
                                           .later = job->result == OUTBOUND_BUSY,
                                           .target = job->server,
                                           .enhanced = SLICE("4.4.1"),
                                           .text = job->trouble};

    delivery_end(shipment->deliveries[at], &result);
}

static void shipment_free(struct shipment *shipment)
{
    content_done(&shipment->content);
    shipment->destination->in_hand--;
    memory_give(shipment, sizeof(*shipment));
}

static void shipped(void *whom, struct outbound_job *job)
{
    struct shipment *shipment = whom;
    struct queue *queue = shipment->item->queue;

    shipment->destination->shipped--;
    for (size_t i = 0; i < shipment->count; i++)
        if (job->result == OUTBOUND_ANSWERED)
            answered(shipment, i);
        else
            unanswered(shipment, i);
    shipment_free(shipment);
    queue->shell.stir(queue->shell.whom);
}

/* --- putting it together ---------------------------------------------------------------------------------
 */

/* What was expanded keeps failures and delays, not successes (RFC 3461 section 5.2.7.3). */
static void make_recipient(const struct delivery *delivery, struct recipient *as_sent)
{
    const struct recipient *original = delivery->item->message->recipients[delivery->recipient];

    *as_sent = *original;
    as_sent->next = NULL;
    if (!delivery->told || !(original->notify & NOTIFY_SUCCESS))
        return;
    as_sent->notify &= (uint8_t)~NOTIFY_SUCCESS;
    if (!as_sent->notify)
        as_sent->notify = NOTIFY_NEVER;
}

static void shipment_add(struct shipment *shipment, struct delivery *delivery)
{
    const size_t at = shipment->count++;

    make_recipient(delivery, &shipment->as_sent[at]);
    shipment->recipients[at].recipient = &shipment->as_sent[at];
    shipment->recipients[at].address = delivery->place->address;
    shipment->deliveries[at] = delivery;
    delivery->by = shipment->destination->route->kind == ROUTE_LMTP ? "lmtp" : "smtp";
}

static struct shipment *shipment_new(struct item *item, struct destination *destination,
                                     struct delivery *first)
{
    struct shipment *shipment = memory_take(sizeof(*shipment));

    shipment->item = item;
    shipment->destination = destination;
    delivery_content(first, &shipment->content);
    shipment->job.content = (struct outbound_content){
        .next = content_next, .rewind = content_rewind, .from = &shipment->content};
    shipment->job.done = shipped;
    shipment->job.whom = shipment;
    shipment->job.job.sender = item->message->transaction.sender;
    shipment->job.job.recipients = shipment->recipients;
    shipment->job.job.transaction = &item->message->transaction;
    shipment->job.job.content_octets = item->message->content_octets;
    destination->in_hand++;
    list_add_last(&destination->shipments, &shipment->link);
    return shipment;
}

static void put_off(struct delivery *delivery)
{
    const struct delivery_result result = {.outcome = OUTCOME_DEFERRED,
                                           .later = true,
                                           .enhanced = SLICE("4.3.2"),
                                           .text = SLICE("many messages wait for this server")};

    delivery_end(delivery, &result);
}

void ship_add(struct item *item, const struct route *route)
{
    struct destination *destination = &item->queue->destinations[route->number];
    const bool full = destination->in_hand >= QUEUE_IN_HAND;
    struct shipment *shipment = NULL;

    for (struct delivery *delivery = item->deliveries; delivery; delivery = delivery->next) {
        if (delivery->twin || delivery->place->kind != PLACE_REMOTE || delivery->place->route != route)
            continue;
        if (full) {
            put_off(delivery);
            continue;
        }
        if (!shipment || shipment->count == RECIPIENTS_MAX)
            shipment = shipment_new(item, destination, delivery);
        shipment_add(shipment, delivery);
    }
}

static void ship(struct queue *queue, struct destination *destination)
{
    struct shipment *shipment = LIST_OF(destination->shipments.next, struct shipment, link);

    list_remove(&shipment->link);
    shipment->job.job.recipient_count = shipment->count;
    destination->shipped++;
    queue->shell.ship(queue->shell.whom, destination->route, &shipment->job);
}

static void abandon(struct queue *queue, struct destination *destination)
{
    (void)queue;
    while (!list_is_empty(&destination->shipments)) {
        struct shipment *shipment = LIST_OF(destination->shipments.next, struct shipment, link);
        list_remove(&shipment->link);
        for (size_t i = 0; i < shipment->count; i++)
            put_off(shipment->deliveries[i]);
        shipment_free(shipment);
    }
}

void ship_turn(struct queue *queue)
{
    const uint64_t most = queue->site->set.deliver_connections;

    for (size_t i = 0; i + 1 < queue->destination_count; i++) {
        struct destination *destination = &queue->destinations[i];
        if (queue->stopping)
            abandon(queue, destination);
        while (destination->shipped < most && !list_is_empty(&destination->shipments))
            ship(queue, destination);
    }
}
