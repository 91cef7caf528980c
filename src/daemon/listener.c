#include "daemon/listener.h"
#include "base/memory.h"
#include "daemon/conn.h"
#include "io/net.h"
#include <errno.h>
#include <unistd.h>

enum {
    ACCEPTS = 64,     /* in a turn, of one listener */
    SWEEP_MAX = 8192, /* more than any backlog */
    PAUSE_MS = 100    /* after the system gave no connection */
};

struct listener {
    struct link link;
    struct loop_watch watch;
    struct listeners *all;
    struct address local; /* port 0: it has to be asked for each connection */
    uint32_t number;      /* LISTENER_OWN, or whose */
    uint16_t listen;
};

struct listeners {
    struct gate *gate;
    struct link list;
    struct loop_timer pause;
    bool paused;
};

static void all_want(struct listeners *listeners, unsigned wants)
{
    for (struct link *at = listeners->list.next; at != &listeners->list; at = at->next)
        loop_want(listeners->gate->loop, &LIST_OF(at, struct listener, link)->watch, wants);
}

static void pause_begin(struct listeners *listeners, uint64_t wait_ms)
{
    listeners->paused = true;
    all_want(listeners, 0);
    if (wait_ms)
        loop_timer_set(listeners->gate->loop, &listeners->pause,
                       loop_now_ms(listeners->gate->loop) + wait_ms);
}

static void pause_end(struct listeners *listeners)
{
    listeners->paused = false;
    loop_timer_clear(listeners->gate->loop, &listeners->pause);
    all_want(listeners, LOOP_READ);
}

static void pause_due(struct loop_timer *timer)
{
    struct listeners *listeners = LIST_OF(timer, struct listeners, pause);
    if (!guard_is_full(&listeners->gate->guard, listeners->gate->conns.used))
        pause_end(listeners);
}

/* Half as much again as has to be free for one: not each connection that goes is worth the system calls. */
void listeners_room(struct listeners *listeners)
{
    if (!listeners || !listeners->paused || loop_timer_is_set(&listeners->pause))
        return;
    if (!guard_is_full(&listeners->gate->guard, listeners->gate->conns.used + GUARD_POLITE / 2))
        pause_end(listeners);
}

static void accepted(struct listener *listener, int fd, const struct address *peer)
{
    struct gate *gate = listener->all->gate;
    struct conn_opening opening = {.fd = fd, .peer = *peer, .local = listener->local};
    if (!opening.local.port)
        opening.local = net_local(fd);
    opening.proxy = networks_contain(&gate->site->listens[listener->listen].proxy, peer);
    conn_open(gate, &opening);
}

/* False: there is none, or none can be had. */
static bool accept_one(struct listener *listener)
{
    struct listeners *listeners = listener->all;
    struct address peer;
    if (guard_is_full(&listeners->gate->guard, listeners->gate->conns.used)) {
        pause_begin(listeners, 0);
        return false;
    }
    int fd = net_accept(listener->watch.fd, &peer);
    if (fd >= 0) {
        accepted(listener, fd, &peer);
        return true;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        pause_begin(listeners, PAUSE_MS);
        return false;
    }
    return errno != EAGAIN && errno != EBADF &&
           errno != EINVAL; /* others are troubles of that one connection */
}

static void listener_ready(struct loop_watch *watch, unsigned ready)
{
    (void)ready;
    struct listener *listener = LIST_OF(watch, struct listener, watch);
    for (int i = 0; i < ACCEPTS && accept_one(listener); i++) {}
}

/* The socket is shared with the supervisor and others: the loop has to be told, and it lives on elsewhere. */
static void listener_close(struct listener *listener)
{
    int fd = listener->watch.fd;
    loop_remove(listener->all->gate->loop, &listener->watch);
    close(fd);
    list_remove(&listener->link);
    memory_give(listener, sizeof *listener);
}

static int listener_add(struct listeners *listeners, uint32_t number, const struct worker_listener *from,
                        struct error *error)
{
    struct listener *listener = memory_take(sizeof *listener);
    listener->all = listeners;
    listener->number = number;
    listener->listen = from->listen;
    listener->watch.fd = from->fd;
    listener->watch.ready = listener_ready;
    listener->local = net_local(from->fd);
    if (address_is_unspecified(&listener->local))
        listener->local.port = 0;
    list_add_last(&listeners->list, &listener->link);
    if (loop_add(listeners->gate->loop, &listener->watch, listeners->paused ? 0 : LOOP_READ, error) == 0)
        return 0;
    listener_close(listener);
    return -1;
}

struct listeners *listeners_open(struct gate *gate, struct error *error)
{
    struct listeners *listeners = memory_take(sizeof *listeners);
    listeners->gate = gate;
    listeners->pause.due = pause_due;
    list_init(&listeners->list);
    const struct worker *worker = gate->worker;
    if (listeners_adopt(listeners, LISTENER_OWN, worker->listeners, worker->listener_count, error) == 0)
        return listeners;
    listeners_close(listeners);
    return NULL;
}

int listeners_adopt(struct listeners *listeners, uint32_t number, const struct worker_listener *adopted,
                    size_t count, struct error *error)
{
    int result = 0;
    for (size_t i = 0; i < count; i++) {
        if (listener_add(listeners, number, &adopted[i], error) < 0)
            result = -1;
    }
    return result;
}

void listeners_release(struct listeners *listeners, uint32_t number)
{
    for (struct link *at = listeners->list.next, *next; at != &listeners->list; at = next) {
        next = at->next;
        struct listener *listener = LIST_OF(at, struct listener, link);
        if (listener->number == number)
            listener_close(listener);
    }
}

void listeners_sweep(struct listeners *listeners, unsigned listen)
{
    for (struct link *at = listeners->list.next; at != &listeners->list; at = at->next) {
        struct listener *listener = LIST_OF(at, struct listener, link);
        for (int i = 0; i < SWEEP_MAX && listener->listen == listen && accept_one(listener); i++) {}
    }
}

void listeners_close(struct listeners *listeners)
{
    if (!listeners)
        return;
    while (!list_is_empty(&listeners->list))
        listener_close(LIST_OF(listeners->list.next, struct listener, link));
    loop_timer_clear(listeners->gate->loop, &listeners->pause);
    memory_give(listeners, sizeof *listeners);
}
