/* The command flush: whoever reads the journal next finds in it what has happened until now. */
#include "base/memory.h"
#include "daemon/supervisor_part.h"

#define WAIT_MS 500 /* for workers that do not answer: what they have recorded then comes later */

struct flush_request {
    struct link link;
    struct loop_timer timer;
    struct supervisor *supervisor;
    slab_handle request;
    uint32_t number;
};

static bool is_awaited(const struct child *child, uint32_t number)
{
    return child->channel.fd >= 0 && child->flush_since && child->flush_since <= number &&
           child->flush_told < number;
}

static void request_end(struct flush_request *flush)
{
    struct supervisor *supervisor = flush->supervisor;

    list_remove(&flush->link);
    loop_timer_clear(supervisor->loop, &flush->timer);
    control_done(supervisor->control, flush->request);
    memory_give(flush, sizeof *flush);
}

static void wait_over(struct loop_timer *timer)
{
    request_end(LIST_OF(timer, struct flush_request, timer));
}

void flush_look(struct supervisor *supervisor)
{
    for (struct link *at = supervisor->flushes.next, *next; at != &supervisor->flushes; at = next) {
        struct flush_request *flush = LIST_OF(at, struct flush_request, link);
        bool awaited = false;
        next = at->next;
        for (struct link *c = supervisor->children.next; c != &supervisor->children; c = c->next)
            awaited |= is_awaited(LIST_OF(c, struct child, link), flush->number);
        if (!awaited)
            request_end(flush);
    }
}

void flush_told(struct child *child, uint32_t number)
{
    child->flush_told = number;
    flush_look(child->supervisor);
}

void supervisor_flush(struct supervisor *supervisor, slab_handle request)
{
    const struct worker_message message = {.kind = WORKER_FLUSH, .number = ++supervisor->flush_number};
    struct flush_request *flush = memory_take(sizeof *flush);

    flush->supervisor = supervisor;
    flush->request = request;
    flush->number = message.number;
    flush->timer.due = wait_over;
    list_add_last(&supervisor->flushes, &flush->link);
    for (struct link *at = supervisor->children.next; at != &supervisor->children; at = at->next) {
        struct child *child = LIST_OF(at, struct child, link);
        if (child->role == WORKER_ARCHIVIST)
            continue; /* it may be busy for long, and records nothing that anybody waits for */
        if (child->channel.fd >= 0 && worker_send(child->channel.fd, &message, NULL) == 0 &&
            !child->flush_since)
            child->flush_since = message.number;
    }
    loop_timer_set(supervisor->loop, &flush->timer, loop_now_ms(supervisor->loop) + WAIT_MS);
    flush_look(supervisor);
}

void flushes_drop(struct supervisor *supervisor)
{
    while (!list_is_empty(&supervisor->flushes))
        request_end(LIST_OF(supervisor->flushes.next, struct flush_request, link));
}
