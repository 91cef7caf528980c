/* What the session machine wants done, given to whoever does it. */
#include "daemon/conn_part.h"
#include "daemon/relay.h"
#include "io/store.h"
#include "queue/mailboxes.h"
#include "queue/spool.h"
#include <assert.h>

/* A commit has no number of its own in the machine; questions begin with 1. */
#define TICKET_COMMIT 0u

static void ask_recipient(struct gate *gate, struct ticket ticket, struct slice key)
{
    enum answer_status status;
    struct slice value;
    if (mailboxes_answer(gate->mailboxes, gate->site, key, loop_now_ms(gate->loop), &status, &value))
        inbox_post_answer(gate->inbox, ticket, status, value);
    else
        relay_ask_recipient(gate->relay, ticket, key);
}

static void ask_remembered(struct gate *gate, struct ticket ticket, struct slice key)
{
    struct slice value = SLICE_NONE;
    struct error error;
    enum answer_status status = ANSWER_FAILED;
    switch (store_overlay_get(gate->overlay, key, loop_unix_us(gate->loop) / 1000, &value, &error)) {
    case STORE_FOUND: status = ANSWER_FOUND; break;
    case STORE_NONE: status = ANSWER_NONE; break;
    case STORE_FAILED: value = slice_text(error.text); break;
    }
    inbox_post_answer(gate->inbox, ticket, status, value);
}

static void ask(struct conn *conn, const struct outbox_action *action)
{
    struct gate *gate = conn->gate;
    struct ticket ticket = {conn->handle, action->number};
    switch (action->ask) {
    case ASK_RECIPIENT: ask_recipient(gate, ticket, action->key); break;
    case ASK_REMEMBERED: ask_remembered(gate, ticket, action->key); break;
    case ASK_NAME:
    case ASK_NOTHING:
    case ASK_KIND_LIMIT: inbox_post_answer(gate->inbox, ticket, ANSWER_NONE, SLICE_NONE); break;
    }
}

static void commit(struct conn *conn, const struct outbox_action *action)
{
    struct gate *gate = conn->gate;
    struct ticket ticket = {conn->handle, TICKET_COMMIT};
    struct draft *draft = conn->draft;
    assert(draft && action->transaction->route);
    conn->draft = NULL;
    if (action->transaction->route->kind != ROUTE_RELAY) {
        spool_commit(gate->spool, ticket, draft, action->transaction);
        return;
    }
    struct relay_commit wanted = {ticket, action->transaction, draft, action->key};
    relay_commit(gate->relay, &wanted);
}

/* The event of the tell is in the journal before the newest one of the session: once that is applied, so is
 * the tell. */
static void tell(struct conn *conn, const struct outbox_action *action)
{
    struct gate *gate = conn->gate;
    struct store_write write = {STORE_PUT, action->key, action->octets, action->until_unix_ms};
    struct store_position position = {conn->mark.sequence, conn->mark.offset};
    store_overlay_tell(gate->overlay, &write, position, loop_unix_us(gate->loop) / 1000);
}

static void spool_cancel(struct conn *conn)
{
    draft_free(conn->draft);
    conn->draft = NULL;
}

static void act(struct conn *conn, const struct outbox_action *action)
{
    switch (action->kind) {
    case OUTBOX_ASK: ask(conn, action); break;
    case OUTBOX_FORGET: relay_forget(conn->gate->relay, (struct ticket){conn->handle, action->number}); break;
    case OUTBOX_START_TLS: conn->starts_tls = true; break;
    case OUTBOX_SPOOL_BEGIN:
        spool_cancel(conn);
        conn->draft = draft_new(&conn->gate->drafts);
        break;
    case OUTBOX_SPOOL: draft_add(conn->draft, action->octets); break;
    case OUTBOX_SPOOL_CANCEL: spool_cancel(conn); break;
    case OUTBOX_COMMIT: commit(conn, action); break;
    case OUTBOX_TELL: tell(conn, action); break;
    case OUTBOX_CLOSE: conn_over(conn); break;
    }
}

/* None of them makes another step: results come through the inbox. */
void conn_act(struct conn *conn)
{
    const struct outbox *outbox = &conn->gate->outbox;
    for (size_t i = 0; i < outbox->count; i++)
        act(conn, &outbox->actions[i]);
}
