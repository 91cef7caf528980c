#include "daemon/relay_parts.h"
#include "base/memory.h"
#include "io/draft.h"
#include <assert.h>
#include <errno.h>

/* A message on its way to the inner server. What its session lent is copied: the session may end before. */
struct message {
    struct link link; /* of relay.on_their_way */
    struct relay_route *route;
    struct ticket ticket;
    struct outbound_job job;
    struct transaction transaction; /* in `arena` */
    struct draft *draft;
    struct slice key;
    bool forgotten; /* behind the dot */
    char ticket_key[RELAY_TICKET_SIZE];
    struct arena arena;
    _Alignas(8) char room[1024];
};

struct slice reply_print(const struct client_reply *reply, char *text, size_t size)
{
    return relay_print(text, size, "%u%s%.*s%s%.*s", reply->code, reply->enhanced.len ? " " : "",
                       SLICE_ARGS(reply->enhanced), reply->text.len ? " " : "", SLICE_ARGS(reply->text));
}

static void message_free(struct message *message)
{
    struct relay *relay = message->route->relay;
    if (!message->forgotten)
        table_remove(&relay->messages, slice_of(message->ticket_key, RELAY_TICKET_SIZE));
    list_remove(&message->link);
    relay->message_count--;
    draft_free(message->draft);
    arena_drop(&message->arena);
    memory_give(message, sizeof *message);
}

/* --- results ------------------------------------------------------------------------------------------- */

static void message_end(struct message *message, const struct stored *stored)
{
    const struct relay_gate *gate = &message->route->relay->gate;
    if (!message->forgotten)
        inbox_post_stored(gate->inbox, message->ticket, stored);
    else if (stored->status == STORED_TAKEN && message->key.len > 0)
        gate->late(gate->gate, message->key, stored);
    message_free(message);
}

/* Recipients that were accepted when they were asked for, and are refused now, are refused at RCPT when the
 * client comes again. Returns how many. */
static size_t learn_refusals(struct message *message)
{
    const struct client_job *job = &message->job.job;
    char text[640];
    size_t count = 0;
    for (size_t i = 0; i < job->recipient_count; i++) {
        const struct client_recipient *recipient = &job->recipients[i];
        if (recipient->accepted || recipient->reply.code / 100 != 5 || recipient->reply.code == 503)
            continue;
        late_remember(message->route, &message->transaction, recipient->address,
                      reply_print(&recipient->reply, text, sizeof text));
        count++;
    }
    return count;
}

static enum stored_status status_of_answer(struct message *message)
{
    const struct client_job *job = &message->job.job;
    unsigned class = job->reply.code / 100;
    size_t refused = job->refused_here ? 0 : learn_refusals(message);
    if (class == 2)
        return STORED_TAKEN;
    if (refused > 0 && job->recipient_count > 1)
        return STORED_LATE;
    return class == 5 ? STORED_REFUSED : STORED_DEFERRED;
}

static enum stored_status status_of(struct message *message)
{
    switch (message->job.result) {
    case OUTBOUND_ANSWERED: return status_of_answer(message);
    case OUTBOUND_DOWN:
    case OUTBOUND_LOST:
    case OUTBOUND_BUSY: return STORED_DOWN;
    case OUTBOUND_FAILED: return STORED_FAILED;
    }
    return STORED_FAILED;
}

static void message_done(void *whom, struct outbound_job *job)
{
    struct message *message = whom;
    bool answered = job->result == OUTBOUND_ANSWERED;
    route_learn(message->route, job);
    struct stored stored = {.status = status_of(message), .server = job->server, .text = job->trouble};
    if (answered) {
        stored.code = job->job.reply.code;
        stored.enhanced = job->job.reply.enhanced;
        stored.text = job->job.reply.text;
    }
    message_end(message, &stored);
}

/* --- begin --------------------------------------------------------------------------------------------- */

static void recipients_copy(struct message *message)
{
    struct transaction *transaction = &message->transaction;
    size_t count = transaction->recipient_count, at = 0;
    struct client_recipient *recipients = arena_take(&message->arena, count * sizeof *recipients);
    struct recipient **last = &transaction->recipients;
    for (const struct recipient *given = transaction->recipients; given; given = given->next, at++) {
        struct recipient *copy = arena_take(&message->arena, sizeof *copy);
        *copy = (struct recipient){.address = arena_copy(&message->arena, given->address),
                                   .orcpt = arena_copy(&message->arena, given->orcpt),
                                   .notify = given->notify};
        *last = copy;
        last = &copy->next;
        recipients[at] = (struct client_recipient){.recipient = copy, .address = copy->address};
    }
    assert(at == count && count > 0);
    message->job.job.recipients = recipients;
    message->job.job.recipient_count = count;
}

static void transaction_copy(struct message *message, const struct transaction *from)
{
    struct transaction *to = &message->transaction;
    struct arena *arena = &message->arena;
    *to = *from;
    to->sender = arena_copy(arena, from->sender);
    to->envid = arena_copy(arena, from->envid);
    to->peer_name = arena_copy(arena, from->peer_name);
    to->helo = arena_copy(arena, from->helo);
    recipients_copy(message);
}

static struct message *message_new(struct relay *relay, const struct relay_commit *commit)
{
    struct message *message = memory_take(sizeof *message);
    arena_init(&message->arena, message->room, sizeof message->room);
    message->route = &relay->routes[commit->transaction->route->number];
    message->ticket = commit->ticket;
    message->draft = commit->draft;
    message->key = arena_copy(&message->arena, commit->key);
    list_add_last(&relay->on_their_way, &message->link);
    relay->message_count++;
    void *old = table_put(&relay->messages, ticket_key(commit->ticket, message->ticket_key), message);
    assert(!old);
    return message;
}

/* What could not be kept of the message is not passed on. */
static bool draft_is_whole(struct message *message)
{
    const struct error *trouble = draft_trouble(message->draft);
    if (!trouble)
        return true;
    bool full = trouble->number == ENOSPC || trouble->number == EDQUOT;
    struct stored stored = {.status = full ? STORED_FULL : STORED_FAILED, .text = slice_text(trouble->text)};
    message_end(message, &stored);
    return false;
}

void relay_commit(struct relay *relay, const struct relay_commit *commit)
{
    struct message *message = message_new(relay, commit);
    if (!draft_is_whole(message))
        return;
    transaction_copy(message, commit->transaction);
    struct outbound_job *job = &message->job;
    job->job.all_or_nothing = true;
    job->job.sender = message->transaction.sender;
    job->job.transaction = &message->transaction;
    job->job.content_octets = draft_size(message->draft);
    job->content = (struct outbound_content){draft_next, draft_rewind, message->draft};
    job->done = message_done;
    job->whom = message;
    struct outbound_to to = route_to(message->route);
    outbound_start(relay->outbound, &to, job);
}

void message_forget(struct relay *relay, struct ticket ticket)
{
    char key[RELAY_TICKET_SIZE];
    struct message *message = table_get(&relay->messages, ticket_key(ticket, key));
    if (!message)
        return;
    if (message->job.job.dot_sent) {
        table_remove(&relay->messages, slice_of(message->ticket_key, RELAY_TICKET_SIZE));
        message->forgotten = true;
        return;
    }
    outbound_forget(&message->job);
    message_free(message);
}

void messages_drop(struct relay *relay)
{
    while (!list_is_empty(&relay->on_their_way)) {
        struct message *message = LIST_OF(relay->on_their_way.next, struct message, link);
        outbound_forget(&message->job);
        message_free(message);
    }
}
