#include "daemon/conn_part.h"
#include "base/memory.h"
#include "daemon/listener.h"
#include "daemon/relay.h"
#include "io/net.h"
#include "wire/syn.h"
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ROOM_SIZE = 184,         /* of the session's arena: a HELO name of common length and a refusal */
    STEPS_MAX = 64,          /* of one connection in a turn */
    SEND_ENOUGH = 64 * 1024, /* octets of replies in a turn: the rest waits until they are gone */
    READ_FIRST = 16 * 1024,  /* until a client shows that it sends more at once */
    FLUSH_MS = 30000,        /* for a client to take the last reply */
    LINGER_MS = 5000,        /* for the client's own end after ours */
    LINGER_KIB_MAX = 64      /* octets that are read and dropped meanwhile */
};

static_assert(sizeof(struct conn) <= 168, "an idle connection stays small: see Memory in ARCHITECTURE.md");
static_assert(sizeof(struct conn) % 8 == 0, "the session stands behind it");

static void conns_again(struct loop_hook *hook);

/* --- life ---------------------------------------------------------------------------------------------- */

void conns_init(struct gate *gate)
{
    assert(conn_size() <= CONN_IDLE_MAX);
    slab_init(&gate->conns, conn_size());
    gate->again_hook.run = conns_again;
    loop_hook_add(gate->loop, &gate->again_hook);
    outbox_init(&gate->outbox);
    /* What was kept may stand in front of what is read. */
    gate->in_size = CONN_KEEP_MAX + 2 * GATE_READ_SIZE;
    gate->in = memory_take(gate->in_size);
}

size_t conn_size(void)
{
    return sizeof(struct conn) + session_size() + ROOM_SIZE;
}

void conns_done(struct gate *gate)
{
    struct conn *conn;
    slab_handle handle;
    for (uint32_t at = 0; (conn = slab_next(&gate->conns, &at, &handle));)
        conn_close(conn);
    slab_drop(&gate->conns);
    outbox_done(&gate->outbox);
    memory_give(gate->in, gate->in_size);
    gate->in = NULL;
    memory_give(gate->again, gate->again_size * sizeof *gate->again);
    gate->again = NULL;
}

static void store_free(struct buf **at)
{
    if (!*at)
        return;
    buf_drop(*at);
    memory_give(*at, sizeof **at);
    *at = NULL;
}

static struct buf *store_new(size_t max)
{
    struct buf *buf = memory_take(sizeof *buf);
    buf_init(buf, max);
    return buf;
}

static void tls_drop(struct conn *conn)
{
    if (!conn->tls)
        return;
    tls_free(conn->tls);
    conn->tls = NULL;
    conn->gate->guard.tls--;
}

void conn_close(struct conn *conn)
{
    struct gate *gate = conn->gate;
    loop_timer_clear(gate->loop, &conn->timer);
    if (conn->tls && conn->watch.fd >= 0)
        tls_end(conn->tls);
    loop_remove_close(gate->loop, &conn->watch);
    tls_drop(conn);
    if (!conn->answered)
        session_done(conn_session(conn));
    draft_free(conn->draft);
    store_free(&conn->in);
    store_free(&conn->out);
    counters_disconnected(gate->worker->counters, gate->worker->slot, conn->host_key);
    slab_give(&gate->conns, conn->handle);
    listeners_room(gate->listeners);
    gate_look_for_end(gate);
}

/* --- the loop's interest ------------------------------------------------------------------------------- */

static bool wants_octets(const struct conn *conn)
{
    size_t kept = conn->in ? conn->in->len : 0;
    return !conn->eof && !conn->out && !conn->queued && !conn->starts_tls && kept < CONN_KEEP_MAX;
}

/* Reading is always watched: whoever does not want octets now looks later whether there were some. So an idle
 * connection, and a busy one whose client reads, never costs more than its registration. */
void conn_watch(struct conn *conn)
{
    bool writes = conn->out || conn->wants_write;
    if (conn->watch.fd >= 0)
        loop_want(conn->gate->loop, &conn->watch, LOOP_EDGE | LOOP_READ | (writes ? LOOP_WRITE : 0));
}

void conn_again(struct conn *conn)
{
    struct gate *gate = conn->gate;
    if (conn->queued)
        return;
    if (gate->again_count == gate->again_size) {
        uint32_t size = gate->again_size ? gate->again_size * 2 : 64;
        gate->again = memory_resize(gate->again, gate->again_size * sizeof *gate->again,
                                    size * sizeof *gate->again);
        gate->again_size = size;
    }
    gate->again[gate->again_count++] = conn->handle;
    conn->queued = true;
    loop_again(gate->loop);
}

/* --- steps --------------------------------------------------------------------------------------------- */

/* The deadline moves later with almost every step: then the timer stays where it is, fires early and is set
 * anew.
 */
static void timer_update(struct conn *conn, uint64_t timer_ms)
{
    if (timer_ms == OUTBOX_TIMER_KEEP)
        return;
    conn->due_ms = timer_ms;
    if (timer_ms && (!loop_timer_is_set(&conn->timer) || timer_ms < conn->timer.timer.due_ms))
        loop_timer_set(conn->gate->loop, &conn->timer, timer_ms);
}

size_t conn_step(struct conn *conn, struct input *input)
{
    struct gate *gate = conn->gate;
    struct outbox *outbox = &gate->outbox;
    buf_clear(&outbox->events); /* replies of several steps are gathered: one send for a batch of commands */
    outbox->count = 0;
    outbox->timer_ms = OUTBOX_TIMER_KEEP;
    input->now_ms = loop_now_ms(gate->loop);
    input->unix_us = loop_unix_us(gate->loop);
    input->due_ms = conn->due_ms;
    size_t taken = session_step(conn_session(conn), input, outbox);
    if (outbox->events.len)
        journal_writer_add(gate->journal, buf_slice(&outbox->events), &conn->mark);
    timer_update(conn, outbox->timer_ms);
    if (outbox->count)
        conn_act(conn);
    return taken;
}

static void keep(struct conn *conn, struct slice rest)
{
    if (!rest.len) {
        store_free(&conn->in);
        return;
    }
    if (!conn->in)
        conn->in = store_new(CONN_KEEP_MAX + GATE_READ_SIZE);
    buf_clear(conn->in);
    bool kept = buf_add(conn->in, rest);
    assert(kept);
}

/* RFC 5321 4.1.1.10: after QUIT the client waits for our end. */
static bool is_quit(struct slice taken)
{
    return slice_starts_fold(taken, SLICE("QUIT"));
}

/* `octets` stand in the gate's buffer: all that the session has not consumed. */
static void offer(struct conn *conn, struct slice octets)
{
    for (unsigned steps = 0; octets.len && conn->state == CONN_OPEN && !conn->starts_tls; steps++) {
        if (steps == STEPS_MAX || conn->gate->outbox.send.len > SEND_ENOUGH) {
            conn_again(conn);
            break;
        }
        struct input input = {.kind = INPUT_BYTES, .bytes = octets};
        size_t taken = conn_step(conn, &input);
        conn->said_quit = taken == octets.len && is_quit(octets);
        octets = slice_from(octets, taken);
        if (!taken)
            break;
    }
    keep(conn, conn->state == CONN_OPEN ? octets : SLICE_NONE);
}

static void offer_kept(struct conn *conn)
{
    if (!conn->in || conn->out || conn->queued)
        return;
    struct slice kept = buf_slice(conn->in);
    memcpy(conn->gate->in, kept.at, kept.len);
    offer(conn, slice_of(conn->gate->in, kept.len));
}

/* --- sending ------------------------------------------------------------------------------------------- */

/* The client cannot be reached any more. The session may still wait for a result. */
static void lose(struct conn *conn)
{
    loop_remove_close(conn->gate->loop, &conn->watch);
    store_free(&conn->out);
    conn->eof = true;
}

static size_t transmit(struct conn *conn, struct slice octets)
{
    long sent = conn_send(conn, octets);
    if (sent >= 0)
        return (size_t)sent;
    if (errno != EAGAIN && errno != EINTR)
        lose(conn);
    return 0;
}

static void send_more(struct conn *conn, struct slice octets)
{
    if (octets.len && !buf_add(conn->out, octets)) {
        lose(conn); /* it does not read, and we have said enough */
        return;
    }
    size_t sent = transmit(conn, buf_slice(conn->out));
    if (conn->out)
        buf_take_front(conn->out, sent);
    if (conn->out && !conn->out->len)
        store_free(&conn->out);
}

static void send_first(struct conn *conn, struct slice octets)
{
    size_t sent = transmit(conn, octets);
    if (sent == octets.len || conn->watch.fd < 0)
        return;
    conn->out = store_new(CONN_OUT_MAX);
    buf_add(conn->out, slice_from(octets, sent));
}

static void flush(struct conn *conn)
{
    struct buf *send = &conn->gate->outbox.send;
    if (conn->watch.fd >= 0 && conn->out)
        send_more(conn, buf_slice(send));
    else if (conn->watch.fd >= 0 && send->len)
        send_first(conn, buf_slice(send));
    buf_clear(send);
}

/* --- the end ------------------------------------------------------------------------------------------- */

static void linger(struct conn *conn)
{
    ssize_t got;
    while ((got = recv(conn->watch.fd, conn->gate->in, GATE_READ_SIZE, 0)) > 0) {
        conn->lingered = (uint16_t)(conn->lingered + (got + 1023) / 1024);
        if (conn->lingered > LINGER_KIB_MAX)
            break;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        conn_watch(conn);
    else
        conn_close(conn);
}

/* A client that still sends when we close gets a reset, and may lose our last reply by it: so our side is
 * shut first, and what comes is read and dropped for a while. Where nothing more can come that is spared. */
static void end_sent(struct conn *conn)
{
    if (conn->watch.fd < 0 || conn->eof || conn->said_quit) {
        conn_close(conn);
        return;
    }
    if (conn->tls)
        tls_end(conn->tls);
    tls_drop(conn);
    shutdown(conn->watch.fd, SHUT_WR);
    conn->state = CONN_LINGERING;
    loop_timer_set(conn->gate->loop, &conn->timer, loop_now_ms(conn->gate->loop) + LINGER_MS);
    linger(conn);
}

void conn_over(struct conn *conn)
{
    if (conn->state == CONN_SHAKING)
        buf_clear(&conn->gate->outbox.send); /* it would go out in plain text */
    session_done(conn_session(conn));
    conn->answered = true;
    conn->state = CONN_CLOSING;
    conn->due_ms = 0;
    store_free(&conn->in);
    loop_timer_set(conn->gate->loop, &conn->timer, loop_now_ms(conn->gate->loop) + FLUSH_MS);
}

/* Whether the session may be told that the client has gone: everything was offered, and what it waits for is
 * here. A client that has only shut its side gets the replies to all it has sent. */
static bool eof_is_due(const struct conn *conn, const struct session *session)
{
    if (!conn->eof || conn->told || conn->state != CONN_OPEN)
        return false;
    return conn->watch.fd < 0 || !(session_is_waiting(session) || conn->queued || conn->out);
}

void conn_settle(struct conn *conn)
{
    flush(conn);
    if (eof_is_due(conn, conn_session(conn))) {
        struct input input = {.kind = INPUT_EOF};
        conn->told = true;
        conn_step(conn, &input);
        flush(conn);
    }
    if (conn->state == CONN_CLOSING && !conn->out) {
        end_sent(conn);
        return;
    }
    if (conn->starts_tls && !conn->out) {
        conn_tls_begin(conn);
        return;
    }
    conn_watch(conn);
    if (conn->readable && conn->state == CONN_OPEN && wants_octets(conn))
        conn_again(conn);
}

/* --- what happens to it -------------------------------------------------------------------------------- */

/* After a step that was no octets, or when there is room for replies again. */
static void go_on(struct conn *conn)
{
    offer_kept(conn);
    conn_settle(conn);
}

static void octets_came(struct conn *conn, size_t kept, size_t got)
{
    struct gate *gate = conn->gate;
    if (kept)
        memcpy(gate->in, conn->in->at, kept);
    offer(conn, slice_of(gate->in, kept + got));
}

/* False: there was nothing to read. */
static bool conn_read(struct conn *conn)
{
    struct gate *gate = conn->gate;
    size_t kept = conn->in ? conn->in->len : 0;
    size_t size = conn->big ? GATE_READ_SIZE : READ_FIRST;
    long got = conn_receive(conn, gate->in + kept, size);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        conn_watch(conn);
        if (conn->readable)
            conn_again(conn);
        return false;
    }
    if (got < 0)
        lose(conn);
    conn->eof |= got == 0;
    conn->big = got == (long)size;
    if (got > 0)
        octets_came(conn, kept, (size_t)got);
    else
        offer_kept(conn); /* an answer may have come since it was offered */
    conn_settle(conn);
    return true;
}

static void conn_write(struct conn *conn)
{
    flush(conn);
    go_on(conn);
}

static void conn_ready_open(struct conn *conn, unsigned ready)
{
    if (conn->readable && wants_octets(conn)) {
        conn_read(conn);
    } else if (ready & LOOP_BROKEN) {
        lose(conn);
        conn_settle(conn);
    } else if (conn->out) {
        conn_write(conn);
    }
}

static void conn_ready(struct loop_watch *watch, unsigned ready)
{
    struct conn *conn = LIST_OF(watch, struct conn, watch);
    conn->ended |= (ready & LOOP_ENDED) != 0;
    conn->readable |= (ready & (LOOP_READ | LOOP_ENDED)) != 0 || (conn->wants_write && (ready & LOOP_WRITE));
    switch ((enum conn_state)conn->state) {
    case CONN_OPEN: conn_ready_open(conn, ready); break;
    case CONN_SHAKING: conn_tls_shake(conn); break;
    case CONN_CLOSING:
        if (ready & LOOP_BROKEN)
            lose(conn);
        conn_settle(conn);
        break;
    case CONN_LINGERING: linger(conn); break;
    }
}

static void conn_due(struct loop_timer *timer)
{
    struct conn *conn = LIST_OF(timer, struct conn, timer);
    struct gate *gate = conn->gate;
    if (conn->state == CONN_CLOSING || conn->state == CONN_LINGERING) {
        conn_close(conn);
        return;
    }
    if (!conn->due_ms)
        return;
    if (conn->due_ms > loop_now_ms(gate->loop)) {
        loop_timer_set(gate->loop, timer, conn->due_ms);
        return;
    }
    struct input input = {.kind = INPUT_TIMER};
    conn_step(conn, &input);
    go_on(conn);
}

/* Connections that had more to do than a turn allows. */
static void conns_again(struct loop_hook *hook)
{
    struct gate *gate = LIST_OF(hook, struct gate, again_hook);
    uint32_t count = gate->again_count;
    if (!count)
        return;
    for (uint32_t i = 0; i < count; i++) {
        struct conn *conn = slab_get(&gate->conns, gate->again[i]);
        if (!conn || !conn->queued)
            continue;
        conn->queued = false;
        bool may_read = conn->readable && conn->state == CONN_OPEN && wants_octets(conn);
        if (!may_read || !conn_read(conn))
            go_on(conn);
    }
    gate->again_count -= count;
    memmove(gate->again, gate->again + count, gate->again_count * sizeof *gate->again);
}

/* A front that names its clients by XCLIENT may stay for days: entries may come meanwhile. */
static bool may_be_listed(struct gate *gate, const struct address *peer)
{
    return own_look_any(&gate->own, gate->store, loop_unix_us(gate->loop) / 1000) ||
           networks_contain(&gate->site->xclient, peer);
}

static void opened_fill(struct gate *gate, const struct conn_opening *opening, uint64_t host_key,
                        struct opened *opened)
{
    struct counters_place place;
    counters_look(gate->worker->counters, host_key, loop_now_ms(gate->loop), &place);
    *opened = (struct opened){
        .peer = opening->peer,
        .local = opening->local,
        .sequence = ++gate->sequence,
        .slots_used = counters_sum(gate->worker->counters, COUNTER_CONNECTIONS),
        .host_used = place.host_used,
        .network_used = place.network_used,
        .host_rate = place.host_rate,
        .network_rate = place.network_rate,
        .carried = relay_carried(gate->relay),
        .tls_offered = gate->worker->tls != NULL,
        .proxy = opening->proxy,
        .short_of_memory = guard_is_short(&gate->guard, gate->conns.used),
        .short_of_disk = gate->world.short_of_disk,
        .own_list = may_be_listed(gate, &opening->peer),
    };
}

/* How the client's TCP begins tells what system it is. */
static struct slice fingerprint(int fd, char text[SYN_TEXT])
{
    char packet[SYN_MAX];
    struct syn syn;
    size_t size = net_saved_syn(fd, packet, sizeof packet);
    return syn_parse(slice_of(packet, size), &syn) ? slice_of(text, syn_print(&syn, text)) : SLICE_NONE;
}

static struct conn *conn_new(struct gate *gate, int fd)
{
    slab_handle handle;
    struct conn *conn = slab_take(&gate->conns, &handle);
    conn->gate = gate;
    conn->handle = handle;
    conn->watch.fd = fd;
    conn->watch.ready = conn_ready;
    conn->timer.due = conn_due;
    if (loop_add(gate->loop, &conn->watch, LOOP_EDGE | LOOP_READ, NULL) == 0)
        return conn;
    close(fd);
    slab_give(&gate->conns, handle);
    return NULL;
}

void conn_open(struct gate *gate, const struct conn_opening *opening)
{
    struct conn *conn = conn_new(gate, opening->fd);
    if (!conn)
        return;
    char *room = (char *)conn + sizeof *conn + session_size();
    session_init(conn_session(conn), &gate->world, gate_session_id(gate), slice_of(room, ROOM_SIZE));
    conn->host_key = counters_host_key(&opening->peer);
    counters_connected(gate->worker->counters, gate->worker->slot, conn->host_key, loop_now_ms(gate->loop));
    char text[SYN_TEXT];
    struct input input = {.kind = INPUT_OPENED};
    opened_fill(gate, opening, conn->host_key, &input.opened);
    input.opened.fingerprint = fingerprint(opening->fd, text);
    conn_step(conn, &input);
    if (conn->state == CONN_CLOSING) {
        counters_add(gate->worker->counters, gate->worker->slot, COUNTER_REFUSED, 1);
        conn->said_quit = true; /* it waits for us: nothing of it is on the way */
    }
    conn_settle(conn);
}

void conns_stop(struct gate *gate)
{
    struct conn *conn;
    slab_handle handle;
    for (uint32_t at = 0; (conn = slab_next(&gate->conns, &at, &handle));) {
        if (conn->state != CONN_OPEN)
            continue;
        struct input input = {.kind = INPUT_STOP};
        conn_step(conn, &input);
        conn_settle(conn);
    }
}

/* --- results ------------------------------------------------------------------------------------------- */

void conn_answered(void *data, const struct inbox_answer *answer)
{
    struct gate *gate = data;
    struct conn *conn = slab_get(&gate->conns, answer->ticket.owner);
    if (!conn || conn->answered)
        return;
    struct input input = {.kind = INPUT_ANSWER,
                          .answer = {answer->ticket.number, answer->status, answer->value, answer->more}};
    conn_step(conn, &input);
    if (!answer->more)
        go_on(conn);
}

void conn_stored(void *data, struct ticket ticket, const struct stored *stored)
{
    struct gate *gate = data;
    struct conn *conn = slab_get(&gate->conns, ticket.owner);
    if (!conn || conn->answered)
        return;
    if (stored->status == STORED_KEPT || stored->status == STORED_TAKEN)
        counters_add(gate->worker->counters, gate->worker->slot, COUNTER_MESSAGES, 1);
    struct input input = {.kind = INPUT_STORED, .stored = *stored};
    conn_step(conn, &input);
    go_on(conn);
}
