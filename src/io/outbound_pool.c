#include "io/outbound_parts.h"
#include "base/memory.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Connections fewer than the settings allow, after the server refused a further one, hold for this long. */
enum { LIMIT_MS = 60000 };

/* --- ways and pools ------------------------------------------------------------------------------------ */

static bool pool_is(const struct outbound_pool *pool, const struct outbound_to *to,
                    const struct target *target)
{
    return pool->protocol == to->protocol && pool->tls == to->tls && pool->tell == to->tell &&
           pool->target.port == target->port && pool->target.is_unix == target->is_unix &&
           slice_equal(pool->target.host, target->host) &&
           address_equal(&pool->target.address, &target->address);
}

static struct outbound_pool *pool_new(struct outbound *outbound, const struct outbound_to *to,
                                      const struct target *target)
{
    struct outbound_pool *pool = memory_take(sizeof *pool);
    pool->outbound = outbound;
    arena_init(&pool->arena, NULL, 0);
    pool->target = *target;
    pool->target.host = arena_copy(&pool->arena, target->host);
    pool->protocol = to->protocol;
    pool->tls = to->tls;
    pool->tell = to->tell;
    list_init(&pool->connections);
    list_init(&pool->ending);
    list_init(&pool->waiting);
    list_add_last(&outbound->pools, &pool->link);
    return pool;
}

static struct outbound_pool *pool_get(struct outbound *outbound, const struct outbound_to *to,
                                      const struct target *target)
{
    for (struct link *at = outbound->pools.next; at != &outbound->pools; at = at->next) {
        struct outbound_pool *pool = LIST_OF(at, struct outbound_pool, link);
        if (pool_is(pool, to, target))
            return pool;
    }
    return pool_new(outbound, to, target);
}

void pool_free(struct outbound_pool *pool)
{
    while (!list_is_empty(&pool->connections))
        connection_drop(LIST_OF(pool->connections.next, struct outbound_connection, link));
    while (!list_is_empty(&pool->ending))
        connection_drop(LIST_OF(pool->ending.next, struct outbound_connection, link));
    list_remove(&pool->link);
    arena_drop(&pool->arena);
    memory_give(pool, sizeof *pool);
}

static bool way_is(const struct outbound_way *way, const struct outbound_to *to)
{
    if (way->count != to->target_count)
        return false;
    for (size_t i = 0; i < way->count; i++)
        if (!pool_is(way->pools[i], to, &to->targets[i]))
            return false;
    return true;
}

struct outbound_way *way_get(struct outbound *outbound, const struct outbound_to *to)
{
    assert(to->target_count > 0 && to->target_count < UINT8_MAX);
    for (struct link *at = outbound->ways.next; at != &outbound->ways; at = at->next) {
        struct outbound_way *way = LIST_OF(at, struct outbound_way, link);
        if (way_is(way, to))
            return way;
    }
    struct outbound_way *way = memory_take(sizeof *way + to->target_count * sizeof *way->pools);
    way->count = to->target_count;
    for (size_t i = 0; i < way->count; i++) {
        way->pools[i] = pool_get(outbound, to, &to->targets[i]);
        way->pools[i]->ways++;
    }
    list_add_first(&outbound->ways, &way->link);
    return way;
}

static void way_free(struct outbound_way *way)
{
    for (size_t i = 0; i < way->count; i++)
        way->pools[i]->ways--;
    list_remove(&way->link);
    memory_give(way, sizeof *way + way->count * sizeof *way->pools);
}

void ways_clear(struct outbound *outbound)
{
    struct link *at, *next;
    for (at = outbound->ways.next; at != &outbound->ways; at = next) {
        next = at->next;
        if (LIST_OF(at, struct outbound_way, link)->jobs == 0)
            way_free(LIST_OF(at, struct outbound_way, link));
    }
    for (at = outbound->pools.next; at != &outbound->pools; at = next) {
        struct outbound_pool *pool = LIST_OF(at, struct outbound_pool, link);
        next = at->next;
        if (pool->ways == 0 && list_is_empty(&pool->connections) && list_is_empty(&pool->ending))
            pool_free(pool);
    }
}

/* --- health -------------------------------------------------------------------------------------------- */

bool pool_is_down(struct outbound_pool *pool)
{
    if (pool->again_ms && pool->again_ms <= outbound_now(pool->outbound))
        pool->again_ms = 0;
    return pool->again_ms != 0;
}

void pool_is_well(struct outbound_pool *pool)
{
    pool->again_ms = pool->pause_ms = 0;
}

static void pool_goes_down(struct outbound_pool *pool)
{
    const struct outbound_settings *settings = &pool->outbound->settings;
    uint64_t first = settings->again_first_ms ? settings->again_first_ms : 1000;
    uint64_t most = settings->again_most_ms ? settings->again_most_ms : 30000;
    if (pool_is_down(pool))
        return;
    pool->pause_ms = pool->pause_ms ? pool->pause_ms * 2 : first;
    if (pool->pause_ms > most)
        pool->pause_ms = most;
    pool->again_ms = outbound_now(pool->outbound) + pool->pause_ms;
}

/* A server that serves us on other connections is not down: it only lets us have no more of them. */
void pool_failed(struct outbound_pool *pool, const char *trouble)
{
    snprintf(pool->trouble, sizeof pool->trouble, "%s", trouble);
    if (pool->ready > 0) {
        pool->limit = pool->ready;
        pool->limit_ms = outbound_now(pool->outbound) + LIMIT_MS;
        return;
    }
    pool_goes_down(pool);
    struct link moved;
    list_init(&moved);
    while (!list_is_empty(&pool->waiting)) {
        struct link *first = pool->waiting.next;
        job_unlist(LIST_OF(first, struct outbound_job, link));
        list_add_last(&moved, first);
    }
    while (!list_is_empty(&moved)) {
        struct link *first = moved.next;
        list_remove(first);
        job_place_next(LIST_OF(first, struct outbound_job, link));
    }
}

/* --- who gets which connection ------------------------------------------------------------------------- */

static unsigned pool_limit(struct outbound_pool *pool)
{
    if (pool->limit && pool->limit_ms <= outbound_now(pool->outbound))
        pool->limit = 0;
    unsigned most = pool->outbound->settings.connections;
    return pool->limit && pool->limit < most ? pool->limit : most;
}

bool pool_tells_at_once(const struct outbound_pool *pool)
{
    return pool->tell == ROUTE_TELL_PROXY || pool->tell == ROUTE_TELL_PROXY_V2;
}

static uint64_t job_session(const struct outbound_job *job)
{
    return job->job.transaction ? job->job.transaction->session : 0;
}

/* PROXY was said once for all: such a connection serves the same session only. */
static bool connection_fits(const struct outbound_connection *connection, const struct outbound_job *job)
{
    if (connection->state != CONNECTION_IDLE || (job->fresh && connection->used))
        return false;
    return !pool_tells_at_once(connection->pool) || connection->session == job_session(job);
}

static struct outbound_connection *pool_idle(struct outbound_pool *pool, const struct outbound_job *job)
{
    for (struct link *at = pool->connections.next; at != &pool->connections; at = at->next) {
        struct outbound_connection *connection = LIST_OF(at, struct outbound_connection, link);
        if (connection_fits(connection, job))
            return connection;
    }
    return NULL;
}

/* Room for a connection that an idle one cannot stand in for. */
static bool pool_make_room(struct outbound_pool *pool)
{
    if (pool->open < pool_limit(pool))
        return true;
    for (struct link *at = pool->connections.prev; at != &pool->connections; at = at->prev) {
        struct outbound_connection *connection = LIST_OF(at, struct outbound_connection, link);
        if (connection->state == CONNECTION_IDLE) {
            connection_quit(connection);
            return true;
        }
    }
    return false;
}

/* Whether the job, at this place in the queue, has a connection coming. */
static bool pool_opens(const struct outbound_pool *pool, const struct outbound_job *job, unsigned place)
{
    if (!pool_tells_at_once(pool))
        return place < pool->opening;
    for (struct link *at = pool->connections.next; at != &pool->connections; at = at->next) {
        const struct outbound_connection *connection = LIST_OF(at, struct outbound_connection, link);
        if (!connection->was_ready && connection->session == job_session(job))
            return true;
    }
    return false;
}

void pool_dispatch(struct outbound_pool *pool)
{
    struct link *at, *next;
    unsigned place = 0;
    for (at = pool->waiting.next; at != &pool->waiting; at = next, place++) {
        struct outbound_job *job = LIST_OF(at, struct outbound_job, link);
        next = at->next;
        struct outbound_connection *idle = pool_idle(pool, job);
        if (idle) {
            job_unlist(job);
            connection_run(idle, job);
            place--;
        } else if (!pool_opens(pool, job, place)) {
            if (!pool_make_room(pool))
                return;
            connection_open(pool, job);
        }
    }
}
