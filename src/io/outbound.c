#include "io/outbound_parts.h"
#include "base/memory.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

uint64_t outbound_now(const struct outbound *outbound)
{
    return loop_now_ms(outbound->settings.loop);
}

/* --- the end of a job ---------------------------------------------------------------------------------- */

/* "SERVER" NUL "trouble" in the job's text. */
static void text_set(struct outbound_job *job, struct slice server, const char *trouble)
{
    char *room = job->text;
    size_t most = sizeof job->text / 3;
    struct slice kept = slice_head(server, most);
    if (kept.len)
        memmove(room, kept.at, kept.len);
    job->server = slice_of(room, kept.len);
    room += kept.len;
    snprintf(room, sizeof job->text - kept.len, "%s", trouble ? trouble : "");
    job->trouble = slice_text(room);
}

void job_set_server(struct outbound_job *job, const struct outbound_connection *connection)
{
    char text[ADDRESS_PORT_TEXT_SIZE];
    if (connection->address_count == 0) {
        text_set(job, connection->pool->target.host, NULL);
        return;
    }
    size_t at = connection->address_at < connection->address_count ? connection->address_at
                                                                   : connection->address_count - 1;
    address_port_print(&connection->addresses[at], text);
    text_set(job, slice_text(text), NULL);
}

void job_unlist(struct outbound_job *job)
{
    if (job->state == JOB_WAITING)
        job->way->pools[job->at]->waiting_count--;
    list_remove(&job->link);
}

/* The result is told by outbound_tell: never from inside the call that was given the job. */
void job_finish(struct outbound_job *job, enum outbound_result result, const char *trouble)
{
    struct outbound *outbound = job->outbound;
    loop_timer_clear(outbound->settings.loop, &job->timer);
    job_unlist(job);
    job->state = JOB_FINISHED;
    job->result = result;
    job->target = job->at;
    text_set(job, job->server, trouble);
    list_add_last(&outbound->finished, &job->link);
    loop_again(outbound->settings.loop);
}

static void job_leave(struct outbound_job *job)
{
    job->state = JOB_NONE;
    job->way->jobs--;
    job->outbound->jobs--;
    job->connection = NULL;
}

static void tell_one(struct outbound_job *job)
{
    struct outbound_connection *connection = job->connection;
    list_remove(&job->link);
    job_leave(job);
    job->done(job->whom, job);
    if (connection)
        connection_release(connection);
}

static void place_starting(struct outbound *outbound)
{
    while (!list_is_empty(&outbound->starting)) {
        struct outbound_job *job = LIST_OF(outbound->starting.next, struct outbound_job, link);
        list_remove(&job->link);
        job_place(job);
    }
}

/* Whoever is told may start and forget jobs; what he starts is placed when the connection is free again. */
void outbound_tell(struct outbound *outbound)
{
    if (outbound->telling)
        return;
    outbound->telling = true;
    while (!list_is_empty(&outbound->finished) || !list_is_empty(&outbound->starting)) {
        if (!list_is_empty(&outbound->finished))
            tell_one(LIST_OF(outbound->finished.next, struct outbound_job, link));
        place_starting(outbound);
    }
    outbound->telling = false;
}

static void tell_hook(struct loop_hook *hook)
{
    outbound_tell(LIST_OF(hook, struct outbound, hook));
}

/* --- the way of a job ---------------------------------------------------------------------------------- */

static void waited_too_long(struct loop_timer *timer)
{
    struct outbound_job *job = LIST_OF(timer, struct outbound_job, timer);
    struct outbound *outbound = job->outbound;
    struct outbound_pool *pool = job->way->pools[job->at];
    if (pool->ready > 0)
        job_finish(job, OUTBOUND_BUSY, "all connections to the server are busy");
    else
        job_finish(job, OUTBOUND_DOWN, "the server did not let us in in time");
    outbound_tell(outbound);
}

static void job_wait(struct outbound_job *job, struct outbound_pool *pool)
{
    if (pool->waiting_count >= pool->outbound->settings.waiting) {
        job_finish(job, OUTBOUND_BUSY, "too many messages wait for the server");
        return;
    }
    if (!loop_timer_is_set(&job->timer))
        loop_timer_set(job->outbound->settings.loop, &job->timer,
                       outbound_now(job->outbound) + job->outbound->settings.waiting_ms);
    job->state = JOB_WAITING;
    pool->waiting_count++;
    /* A job that had a connection that was closed already goes first. */
    if (job->fresh)
        list_add_first(&pool->waiting, &job->link);
    else
        list_add_last(&pool->waiting, &job->link);
    pool_dispatch(pool);
}

void job_place(struct outbound_job *job)
{
    for (; job->at < job->way->count; job->at++) {
        struct outbound_pool *pool = job->way->pools[job->at];
        if (!pool_is_down(pool)) {
            job_wait(job, pool);
            return;
        }
    }
    job->at = (uint8_t)(job->way->count - 1);
    struct outbound_pool *last = job->way->pools[job->at];
    if (job->server.len == 0)
        text_set(job, last->target.host, NULL);
    job_finish(job, OUTBOUND_DOWN, last->trouble);
}

void job_place_next(struct outbound_job *job)
{
    job->state = JOB_STARTING;
    job->fresh = false;
    job->at++;
    job_place(job);
}

void outbound_start(struct outbound *outbound, const struct outbound_to *to, struct outbound_job *job)
{
    assert(job->state == JOB_NONE);
    job->outbound = outbound;
    job->way = way_get(outbound, to);
    job->way->jobs++;
    outbound->jobs++;
    job->connection = NULL;
    job->at = 0;
    job->fresh = job->begun = job->unreadable = job->tls = false;
    job->capability = (struct capability){.set = 0};
    job->state = JOB_STARTING;
    list_init(&job->link);
    text_set(job, SLICE_NONE, NULL);
    job->timer = (struct loop_timer){.due = waited_too_long};
    if (outbound->telling)
        list_add_last(&outbound->starting, &job->link);
    else
        job_place(job);
}

/* A connection that was to carry it alone is broken off; one that it waited for comes all the same. */
void outbound_forget(struct outbound_job *job)
{
    if (job->state == JOB_NONE)
        return;
    struct outbound_connection *connection = job->connection;
    bool running = job->state == JOB_RUNNING;
    loop_timer_clear(job->outbound->settings.loop, &job->timer);
    job_unlist(job);
    job_leave(job);
    if (running)
        connection_drop(connection);
    else if (connection)
        connection_release(connection);
}

/* --- the whole ----------------------------------------------------------------------------------------- */

static void settings_take(struct outbound *outbound, const struct outbound_settings *settings)
{
    assert(settings->connections > 0);
    outbound->settings = *settings;
    buf_clear(&outbound->helo);
    buf_add(&outbound->helo, settings->helo);
    outbound->settings.helo = buf_slice(&outbound->helo);
    if (!settings->tls)
        outbound->settings.tls = outbound->tls_own;
}

struct outbound *outbound_new(const struct outbound_settings *settings)
{
    struct outbound *outbound = memory_take(sizeof *outbound);
    buf_init(&outbound->helo, 1024);
    list_init(&outbound->pools);
    list_init(&outbound->ways);
    list_init(&outbound->starting);
    list_init(&outbound->finished);
    /* Without it, for want of memory only, each handshake fails and says so. */
    outbound->tls_own = tls_client_new(false, SLICE_NONE, NULL);
    outbound->resolve = resolve_new(settings->loop);
    settings_take(outbound, settings);
    outbound->hook.run = tell_hook;
    loop_hook_add(settings->loop, &outbound->hook);
    return outbound;
}

void outbound_change(struct outbound *outbound, const struct outbound_settings *settings)
{
    assert(settings->loop == outbound->settings.loop);
    settings_take(outbound, settings);
    ways_clear(outbound);
}

void outbound_stop(struct outbound *outbound)
{
    outbound->stopping = true;
    for (struct link *at = outbound->pools.next; at != &outbound->pools; at = at->next) {
        struct outbound_pool *pool = LIST_OF(at, struct outbound_pool, link);
        struct link *each, *next;
        for (each = pool->connections.next; each != &pool->connections; each = next) {
            struct outbound_connection *connection = LIST_OF(each, struct outbound_connection, link);
            next = each->next;
            if (connection->state == CONNECTION_IDLE)
                connection_quit(connection);
        }
    }
}

size_t outbound_busy(const struct outbound *outbound)
{
    return outbound->jobs;
}

static void forget_all(struct link *jobs)
{
    while (!list_is_empty(jobs))
        outbound_forget(LIST_OF(jobs->next, struct outbound_job, link));
}

static void pool_forget_jobs(struct outbound_pool *pool)
{
    struct link *at, *next;
    forget_all(&pool->waiting);
    for (at = pool->connections.next; at != &pool->connections; at = next) {
        struct outbound_connection *connection = LIST_OF(at, struct outbound_connection, link);
        next = at->next;
        if (connection->job)
            outbound_forget(connection->job);
    }
}

void outbound_free(struct outbound *outbound)
{
    if (!outbound)
        return;
    outbound->stopping = true;
    forget_all(&outbound->starting);
    forget_all(&outbound->finished);
    for (struct link *at = outbound->pools.next; at != &outbound->pools; at = at->next)
        pool_forget_jobs(LIST_OF(at, struct outbound_pool, link));
    ways_clear(outbound);
    while (!list_is_empty(&outbound->pools))
        pool_free(LIST_OF(outbound->pools.next, struct outbound_pool, link));
    loop_hook_remove(outbound->settings.loop, &outbound->hook);
    resolve_free(outbound->resolve);
    tls_client_free(outbound->tls_own);
    buf_drop(&outbound->helo);
    memory_give(outbound, sizeof *outbound);
}
