#include "io/outbound_parts.h"
#include "base/memory.h"
#include "io/net.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Content is gathered up to here before it is sent: a small message with its end goes out in one call. */
enum { GATHER = 64 * 1024 };

enum { REFUSALS_MOST = 8 };

static struct outbound *outbound_of(const struct outbound_connection *connection)
{
    return connection->pool->outbound;
}

/* --- counting ------------------------------------------------------------------------------------------ */

static void count_out(struct outbound_connection *connection)
{
    struct outbound_pool *pool = connection->pool;
    bool counts = connection->state != CONNECTION_ENDING && connection->state != CONNECTION_DEAD;
    list_remove(&connection->link);
    if (!counts)
        return;
    pool->open--;
    if (connection->was_ready)
        pool->ready--;
    else
        pool->opening--;
}

static void give_back(struct outbound_connection *connection)
{
    struct outbound_pool *pool = connection->pool;
    list_remove(&connection->link);
    buf_drop(&connection->out.send);
    memory_give(connection, sizeof *connection);
    pool_dispatch(pool);
}

/* Closed and out of the pool; a connection whose job's result is to be told stays till then, for its replies.
 */
static void end(struct outbound_connection *connection)
{
    bool held = connection->job != NULL;
    count_out(connection);
    connection->state = CONNECTION_DEAD;
    connect_close(connection);
    if (held) {
        list_add_last(&connection->pool->ending, &connection->link);
        pool_dispatch(connection->pool);
        return;
    }
    client_free(connection->client);
    give_back(connection);
}

/* --- octets -------------------------------------------------------------------------------------------- */

static size_t to_send(const struct outbound_connection *connection)
{
    return connection->out.send.len - connection->written;
}

/* Octets sent, 0 when the peer takes none now, -1 when it takes none any more. */
static long send_some(struct outbound_connection *connection)
{
    struct slice octets = slice_from(buf_slice(&connection->out.send), connection->written);
    if (!connection->tls) {
        long sent = net_send(connection->watch.fd, octets);
        return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : sent;
    }
    size_t sent = 0;
    enum tls_status status = tls_write(connection->tls, octets, &sent);
    connection->tls_wants_read = status == TLS_WANT_READ;
    if (status == TLS_DONE)
        return (long)sent;
    return status == TLS_WANT_READ || status == TLS_WANT_WRITE ? 0 : -1;
}

static void sent_all(struct outbound_connection *connection)
{
    connection->written = 0;
    if (connection->out.send.size > GATHER)
        buf_drop(&connection->out.send);
    else
        buf_clear(&connection->out.send);
}

/* False: the rest must wait for the peer. A peer that takes no more may have said why: that is read. */
static bool send_all(struct outbound_connection *connection)
{
    connection->write_waits = false;
    while (to_send(connection) > 0 && !connection->unwritable) {
        long sent = send_some(connection);
        if (sent == 0) {
            connection->write_waits = true;
            return false;
        }
        if (sent < 0)
            connection->unwritable = true;
        else
            connection->written += (size_t)sent;
    }
    sent_all(connection);
    return true;
}

/* The next octets of content to the machine. False: they could not be read. */
static bool feed(struct outbound_connection *connection)
{
    struct outbound_job *job = connection->job;
    struct error error = {.number = 0};
    if (!job->begun && job->content.rewind)
        job->content.rewind(job->content.from);
    job->begun = true;
    if (connection->piece.len == 0 && job->content.next(job->content.from, &connection->piece, &error) < 0) {
        job->unreadable = true;
        job_finish(job, OUTBOUND_FAILED, error.text);
        return false;
    }
    struct slice part = slice_head(connection->piece, GATHER);
    connection->piece = slice_from(connection->piece, part.len);
    connection_step(connection, CLIENT_CONTENT, part);
    return true;
}

static bool wants_content(const struct outbound_connection *connection)
{
    return connection->out.want_content && !connection->unwritable && to_send(connection) < GATHER;
}

void connection_wants(struct outbound_connection *connection)
{
    unsigned wants = LOOP_READ;
    if (connection->state == CONNECTION_CONNECTING)
        wants = LOOP_WRITE;
    else if (connection->state == CONNECTION_SHAKING)
        wants = connection->tls_wants_write ? LOOP_WRITE : LOOP_READ;
    else if (connection->write_waits && !connection->tls_wants_read)
        wants |= LOOP_WRITE;
    loop_want(outbound_of(connection)->settings.loop, &connection->watch, wants);
}

/* A timer that is set and due earlier is left: it looks again then. Most are never due. */
static void timer_want(struct outbound_connection *connection)
{
    struct outbound *outbound = outbound_of(connection);
    uint64_t due_ms = connection->out.timer_ms;
    if (connection->state == CONNECTION_IDLE)
        due_ms = outbound_now(outbound) + outbound->settings.idle_ms;
    if (!due_ms)
        return;
    if (!loop_timer_is_set(&connection->timer) || connection->timer.timer.due_ms > due_ms)
        loop_timer_set(outbound->settings.loop, &connection->timer, due_ms);
}

/* --- jobs ---------------------------------------------------------------------------------------------- */

void connection_step(struct outbound_connection *connection, enum client_input_kind kind, struct slice octets)
{
    const struct client_input input = {.kind = kind,
                                       .now_ms = outbound_now(outbound_of(connection)),
                                       .octets = octets,
                                       .job = connection->job ? &connection->job->job : NULL};
    client_step(connection->client, &input, &connection->out);
}

/* Begun on a connection that had waited or carried another, and that the peer had given up meanwhile. */
static bool was_stale(const struct outbound_connection *connection, const struct client_job *job)
{
    return connection->used && connection->ended_by_peer && !job->done_anything;
}

static bool has_other_target(const struct outbound_job *job)
{
    return job->at + 1u < job->way->count;
}

static void job_again(struct outbound_connection *connection, bool same_target)
{
    struct outbound_job *job = connection->job;
    connection->job = NULL;
    job->connection = NULL;
    job->state = JOB_STARTING;
    if (same_target) {
        job->fresh = true;
        job_place(job);
    } else {
        job_place_next(job);
    }
}

/* No answer, or 421: is it to be tried again, and if not, what is the result? */
static void job_broken(struct outbound_connection *connection)
{
    struct outbound_job *job = connection->job;
    const struct client_job *inner = &job->job;
    char trouble[256];
    struct slice words = client_trouble(connection->client);
    snprintf(trouble, sizeof trouble, "%.*s", SLICE_ARGS(words));
    if (was_stale(connection, inner) && !job->fresh) {
        job_again(connection, true);
    } else if (!inner->done_anything) {
        bool other = has_other_target(job);
        pool_failed(connection->pool, trouble);
        if (other)
            job_again(connection, false);
        else
            job_finish(job, inner->reply.code ? OUTBOUND_ANSWERED : OUTBOUND_DOWN, trouble);
    } else {
        job_finish(job, inner->dot_sent ? OUTBOUND_LOST : OUTBOUND_DOWN, trouble);
    }
}

/* Common servers slow a connection down after ten refusals without a message between them, and hang up after
 * twenty: asking for many unknown recipients in a row needs fresh ones. */
static void count_refusals(struct outbound_connection *connection)
{
    const struct client_job *inner = &connection->job->job;
    if (inner->dot_sent && inner->reply.code / 100 == 2)
        connection->refusals = 0;
    for (size_t i = 0; i < inner->recipient_count; i++)
        connection->refusals += inner->recipients[i].reply.code >= 400;
}

static void job_ended(struct outbound_connection *connection)
{
    struct outbound_job *job = connection->job;
    const struct client_job *inner = &job->job;
    job->capability = *client_capabilities(connection->client);
    job->capability.greeting = SLICE_NONE;
    job->tls = connection->tls != NULL;
    connection->piece = SLICE_NONE;
    count_refusals(connection);
    if (job->unreadable)
        return;
    bool answered = inner->reply.code != 0 && !(inner->reply.code == 421 && !inner->done_anything);
    if (answered || inner->refused_here)
        job_finish(job, OUTBOUND_ANSWERED, NULL);
    else
        job_broken(connection);
}

static void probe_done(struct outbound_connection *connection)
{
    connection->out.job_done = false;
    connection->job->job.reply = (struct client_reply){.code = 0};
    connection->job->job.refused_here = true;
    job_ended(connection);
    connection->job->job.refused_here = false;
}

/* Nothing of it is finished inside this call but by the machine's own refusal, which outbound_tell tells. */
void connection_run(struct outbound_connection *connection, struct outbound_job *job)
{
    struct outbound *outbound = outbound_of(connection);
    assert(connection->state == CONNECTION_IDLE && !connection->job);
    loop_timer_clear(outbound->settings.loop, &job->timer);
    connection->state = CONNECTION_TALKING;
    connection->job = job;
    connection->ended_by_peer = false;
    job->connection = connection;
    job->state = JOB_RUNNING;
    job->begun = false;
    list_remove(&connection->link);
    list_add_first(&connection->pool->connections, &connection->link);
    job_set_server(job, connection);
    if (job->job.recipient_count == 0) {
        probe_done(connection);
        return;
    }
    connection_step(connection, CLIENT_START, SLICE_NONE);
    if (connection->out.job_done)
        job_ended(connection);
    send_all(connection);
    timer_want(connection);
    connection_wants(connection);
}

/* --- going on and ending ------------------------------------------------------------------------------- */

static void becomes_ready(struct outbound_connection *connection)
{
    struct outbound_pool *pool = connection->pool;
    connection->was_ready = true;
    pool->opening--;
    pool->ready++;
    pool_is_well(pool);
}

static void becomes_idle(struct outbound_connection *connection)
{
    struct outbound_pool *pool = connection->pool;
    connection->state = CONNECTION_IDLE;
    list_remove(&connection->link);
    list_add_first(&pool->connections, &connection->link);
    loop_timer_clear(outbound_of(connection)->settings.loop, &connection->timer);
    if (connection->refusals >= REFUSALS_MOST) {
        connection_quit(connection);
        pool_dispatch(pool);
        return;
    }
    pool_dispatch(pool);
    if (connection->state != CONNECTION_IDLE)
        return;
    connection->used = true;
    if (outbound_of(connection)->stopping || outbound_of(connection)->settings.idle_ms == 0)
        connection_quit(connection);
    else
        timer_want(connection);
}

/* The machine is done with the connection. */
static void closed(struct outbound_connection *connection)
{
    char trouble[256];
    if (connection->was_ready) {
        end(connection);
        return;
    }
    struct slice words = client_trouble(connection->client);
    snprintf(trouble, sizeof trouble, "%.*s", SLICE_ARGS(words));
    connect_failed(connection, trouble);
}

static void pump(struct outbound_connection *connection)
{
    for (;;) {
        if (wants_content(connection)) {
            if (!feed(connection))
                return;
        } else if (to_send(connection) == 0 || !send_all(connection)) {
            return;
        }
        if (connection->out.close)
            return;
    }
}

void connection_work(struct outbound_connection *connection)
{
    /* Counted out first: what becomes of its job depends on the connections that are left. */
    if (connection->out.close && connection->was_ready) {
        count_out(connection);
        connection->state = CONNECTION_DEAD;
    }
    if (connection->out.job_done)
        job_ended(connection);
    if (!connection->out.close)
        pump(connection);
    else
        send_all(connection);
    struct outbound_job *job = connection->job;
    if (job && job->state == JOB_FINISHED && job->unreadable) {
        end(connection);
        return;
    }
    if (connection->out.close) {
        closed(connection);
        return;
    }
    if (connection->out.start_tls && to_send(connection) == 0) {
        connect_shake(connection);
        return;
    }
    if (!connection->was_ready && client_was_ready(connection->client))
        becomes_ready(connection);
    timer_want(connection);
    connection_wants(connection);
    if (connection->state == CONNECTION_TALKING && connection->out.ready && !connection->job)
        becomes_idle(connection);
}

/* --- what comes ---------------------------------------------------------------------------------------- */

/* Octets read, 0 when there are none now, -1 at the end of the stream or when it is broken (*ret_why). */
static long read_some(struct outbound_connection *connection, struct slice *ret_why)
{
    struct outbound *outbound = outbound_of(connection);
    *ret_why = SLICE_NONE;
    if (!connection->tls) {
        long got = read(connection->watch.fd, outbound->room, sizeof outbound->room);
        if (got > 0)
            return got;
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        *ret_why = got < 0 ? slice_text(strerror(errno)) : SLICE_NONE;
        return -1;
    }
    size_t got = 0;
    enum tls_status status = tls_read(connection->tls, outbound->room, sizeof outbound->room, &got);
    if (status == TLS_DONE)
        return (long)got;
    if (status == TLS_WANT_READ || status == TLS_WANT_WRITE)
        return 0;
    *ret_why = status == TLS_FAILED ? tls_trouble(connection->tls) : SLICE_NONE;
    return -1;
}

/* True: go on reading, there may be more that the descriptor does not show. */
static bool hear(struct outbound_connection *connection)
{
    struct slice why;
    long got = read_some(connection, &why);
    if (got == 0)
        return false;
    if (got < 0) {
        connection->ended_by_peer = true;
        connection_step(connection, CLIENT_EOF, why);
    } else {
        connection_step(connection, CLIENT_OCTETS, slice_of(outbound_of(connection)->room, (size_t)got));
    }
    if (connection->out.job_done && connection->job->job.reply.code == 421)
        connection->ended_by_peer = true;
    return got > 0 && connection->tls && tls_has_pending(connection->tls);
}

static void ready_to_talk(struct outbound_connection *connection, unsigned ready)
{
    bool more = (ready & (LOOP_READ | LOOP_BROKEN)) != 0;
    if (!more) {
        connection_work(connection);
        return;
    }
    /* Each step is worked off before the next one, which might come from another life of the connection. */
    while (more) {
        more = hear(connection) && !connection->out.close && !connection->out.job_done &&
               !connection->out.start_tls;
    }
    connection_work(connection);
}

void connection_ready(struct loop_watch *watch, unsigned ready)
{
    struct outbound_connection *connection = LIST_OF(watch, struct outbound_connection, watch);
    struct outbound *outbound = outbound_of(connection);
    if (connection->state == CONNECTION_CONNECTING || connection->state == CONNECTION_SHAKING)
        connect_ready(connection);
    else
        ready_to_talk(connection, ready);
    outbound_tell(outbound);
}

static void connection_due(struct loop_timer *timer)
{
    struct outbound_connection *connection = LIST_OF(timer, struct outbound_connection, timer);
    struct outbound *outbound = outbound_of(connection);
    if (connection->state == CONNECTION_RESOLVING || connection->state == CONNECTION_CONNECTING) {
        connect_timer(connection);
    } else if (connection->state == CONNECTION_IDLE) {
        connection_quit(connection);
    } else {
        connection_step(connection, CLIENT_TIMER, SLICE_NONE);
        connection_work(connection);
    }
    outbound_tell(outbound);
}

/* --- begin and end ------------------------------------------------------------------------------------- */

void connection_open(struct outbound_pool *pool, const struct outbound_job *job)
{
    struct outbound_connection *connection = memory_take(sizeof *connection);
    const struct transaction *transaction = job->job.transaction;
    connection->pool = pool;
    connection->watch.fd = -1;
    connection->watch.ready = NULL;
    connection->timer.due = connection_due;
    connection->number = ++pool->outbound->numbers;
    buf_init(&connection->out.send, CLIENT_SEND_MAX);
    if (transaction && pool_tells_at_once(pool)) {
        connection->session = transaction->session;
        connection->peer = transaction->peer;
        connection->local = transaction->local;
    }
    list_add_last(&pool->connections, &connection->link);
    pool->open++;
    pool->opening++;
    connect_begin(connection);
}

void connection_release(struct outbound_connection *connection)
{
    connection->job = NULL;
    connection->used = true;
    if (connection->state == CONNECTION_DEAD) {
        client_free(connection->client);
        give_back(connection);
    } else if (client_is_idle(connection->client)) {
        becomes_idle(connection);
    }
}

void connection_drop(struct outbound_connection *connection)
{
    connection->job = NULL;
    end(connection);
}

/* From here on it does not count; how it ends is of no interest. */
void connection_quit(struct outbound_connection *connection)
{
    count_out(connection);
    connection->state = CONNECTION_ENDING;
    list_add_last(&connection->pool->ending, &connection->link);
    connection_step(connection, CLIENT_QUIT, SLICE_NONE);
    send_all(connection);
    timer_want(connection);
    connection_wants(connection);
}
