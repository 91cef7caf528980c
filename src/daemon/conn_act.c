/* What the session machine wants done, given to whoever does it. */
#include "base/text.h"
#include "daemon/conn_part.h"
#include "daemon/questions.h"
#include "daemon/relay.h"
#include "io/store_answer.h"
#include "queue/mailboxes.h"
#include "queue/spool.h"
#include <assert.h>

/* A commit has no number of its own in the machine; questions begin with 1. */
#define TICKET_COMMIT 0u

static void ask_recipient(struct gate *gate, struct ticket ticket, const struct outbox_action *action)
{
    struct slice key = action->key;
    enum answer_status status;
    struct slice value;
    if (mailboxes_answer(gate->mailboxes, gate->site, key, loop_now_ms(gate->loop), &status, &value))
        inbox_post_answer(gate->inbox, ticket, status, value);
    else
        relay_ask_recipient(gate->relay, ticket, key, action->transaction);
}

static int64_t now_unix_ms(const struct gate *gate)
{
    return loop_unix_us(gate->loop) / 1000;
}

static void ask_store(struct gate *gate, struct ticket ticket, const struct outbox_action *action)
{
    const struct store_source source = {.overlay = gate->overlay};
    struct store_answer answer;
    store_answer(&source, action->ask, action->key, now_unix_ms(gate), &answer);
    inbox_post_answer(gate->inbox, ticket, answer.status, answer.value);
}

static void ask_own(struct gate *gate, struct ticket ticket, struct slice key)
{
    struct own_answer answer;
    (void)own_look_any(&gate->own, gate->store, now_unix_ms(gate));
    own_look_answer(&gate->own, gate->store, key, now_unix_ms(gate), &answer);
    inbox_post_answer(gate->inbox, ticket, answer.status, answer.value);
}

/* It was counted for the front. */
static void ask_room(struct conn *conn, struct ticket ticket, struct slice key)
{
    struct gate *gate = conn->gate;
    const struct worker *worker = gate->worker;
    const uint64_t now_ms = loop_now_ms(gate->loop);
    struct counters_place place;
    struct address address;
    char text[4 * TEXT_UNIT_SIZE];
    if (!address_parse(key, &address)) {
        inbox_post_answer(gate->inbox, ticket, ANSWER_FAILED, SLICE("that is no address"));
        return;
    }
    const uint64_t host_key = counters_host_key(&address);
    counters_moved(worker->counters, worker->slot, conn->host_key, host_key, now_ms);
    conn->host_key = host_key;
    counters_look(worker->counters, host_key, now_ms, &place);
    const uint64_t counts[] = {place.host_used, place.network_used, place.host_rate, place.network_rate};
    size_t len = 0;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        len += text_print_u64(counts[i], text + len);
        text[len++] = ' ';
    }
    inbox_post_answer(gate->inbox, ticket, ANSWER_FOUND, slice_of(text, len - 1));
}

static void ask(struct conn *conn, const struct outbox_action *action)
{
    struct gate *gate = conn->gate;
    struct ticket ticket = {conn->handle, action->number};
    switch (action->ask) {
    case ASK_RECIPIENT: ask_recipient(gate, ticket, action); break;
    case ASK_REMEMBERED:
    case ASK_STORED:
    case ASK_SEEN:
    case ASK_COUNT: ask_store(gate, ticket, action); break;
    case ASK_ROOM: ask_room(conn, ticket, action->key); break;
    case ASK_OWN: ask_own(gate, ticket, action->key); break;
    case ASK_ADDRESS4:
    case ASK_ADDRESS6:
    case ASK_POINTER:
    case ASK_MX:
    case ASK_TXT:
    case ASK_LISTED:
    case ASK_ORIGIN:
    case ASK_REGISTERED: questions_ask(gate->questions, ticket, action->ask, action->key); break;
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

/* Where the record of the step's tell number `which` stands in the journal: so far before the step's last
 * record, at which the mark is, as in the outbox. */
static struct store_position told_at(const struct conn *conn, size_t which)
{
    struct slice records = buf_slice(&conn->gate->outbox.events);
    size_t told = 0, last = 0, size;
    for (size_t i = 0; i < records.len; i += size) {
        last = i;
        if (event_first(slice_from(records, i), &size) == EVENT_KIND_told && which-- == 0)
            told = i;
    }
    uint32_t back = (uint32_t)(last - told);
    uint32_t offset = back < conn->mark.offset ? conn->mark.offset - back : 0;
    return (struct store_position){conn->mark.sequence, offset};
}

static_assert((int)TELL_PUT == STORE_PUT && (int)TELL_REMOVE == STORE_REMOVE && (int)TELL_ADD == STORE_ADD &&
                  (int)TELL_SEEN == STORE_SEEN,
              "a check's tell is the store's write");

static void tell(struct conn *conn, const struct outbox_action *action, size_t which)
{
    struct gate *gate = conn->gate;
    int64_t now_ms = now_unix_ms(gate);
    struct store_write write = {
        .verb = (enum store_verb)action->verb,
        .key = action->key,
        .value = action->octets,
        .expires_unix_ms = action->until_unix_ms,
        .at_unix_ms = now_ms,
    };
    store_overlay_tell(gate->overlay, &write, told_at(conn, which), now_ms);
}

static void spool_cancel(struct conn *conn)
{
    draft_free(conn->draft);
    conn->draft = NULL;
}

static void act(struct conn *conn, const struct outbox_action *action, size_t *tells)
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
    case OUTBOX_TELL: tell(conn, action, (*tells)++); break;
    case OUTBOX_CLOSE: conn_over(conn); break;
    }
}

/* None of them makes another step: results come through the inbox. */
void conn_act(struct conn *conn)
{
    const struct outbox *outbox = &conn->gate->outbox;
    size_t tells = 0;
    for (size_t i = 0; i < outbox->count; i++)
        act(conn, &outbox->actions[i], &tells);
}
