#include "daemon/relay_parts.h"
#include "base/memory.h"
#include "base/text.h"
#include "core/event.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum {
    TICK_MS = 1000,
    PROBE_MS = 300000,      /* a server that was heard is heard again then, if by nothing else */
    PROBE_AGAIN_MS = 10000, /* … one that was not */
    WAITING_MS = 20000,     /* how long a message or question waits for a connection */
    WAITING_MOST = 1000     /* how many do */
};

uint64_t relay_now(const struct relay *relay)
{
    return loop_now_ms(relay->gate.loop);
}

struct slice relay_print(char *text, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, size, format, arguments);
    va_end(arguments);
    assert(len >= 0 && size > 0);
    return slice_of(text, (size_t)len < size ? (size_t)len : size - 1);
}

struct slice ticket_key(struct ticket ticket, char key[RELAY_TICKET_SIZE])
{
    memcpy(key, &ticket.owner, 8);
    memcpy(key + 8, &ticket.number, 4);
    return slice_of(key, RELAY_TICKET_SIZE);
}

void relay_record_trouble(struct relay *relay, struct slice what, struct slice reason, struct slice effect)
{
    struct event_stamp stamp = {.unix_us = loop_unix_us(relay->gate.loop)};
    struct buf record;
    buf_init(&record, EVENT_SIZE_MAX);
    event_add_trouble(&record, &stamp,
                      &(struct event_trouble){.what = what, .reason = reason, .effect = effect});
    relay->gate.record(relay->gate.gate, buf_slice(&record));
    buf_drop(&record);
}

/* --- routes -------------------------------------------------------------------------------------------- */

struct outbound_to route_to(const struct relay_route *route)
{
    const struct route *site = route->route;
    return (struct outbound_to){.targets = site->targets,
                                .target_count = site->target_count,
                                .protocol = site->kind == ROUTE_LMTP ? CLIENT_LMTP : CLIENT_SMTP,
                                .tls = site->tls,
                                .tell = site->tell};
}

static uint32_t carried_of(unsigned capabilities)
{
    return (capabilities & CAPABILITY_8BITMIME ? CARRY_8BITMIME : 0) |
           (capabilities & CAPABILITY_SMTPUTF8 ? CARRY_SMTPUTF8 : 0) |
           (capabilities & CAPABILITY_DSN ? CARRY_DSN : 0) |
           (capabilities & CAPABILITY_SIZE ? CARRY_SIZE : 0);
}

/* Any of the targets may get the next message: what all of them carry counts. */
static void route_hear(struct relay_route *route, const struct outbound_job *job)
{
    size_t target = job->target < RELAY_TARGETS ? job->target : RELAY_TARGETS - 1;
    route->carried_by[target] = carried_of(job->capability.set);
    route->heard |= 1u << target;
    route->carried = CARRY_ALL;
    for (size_t i = 0; i < RELAY_TARGETS; i++)
        if (route->heard & 1u << i)
            route->carried &= route->carried_by[i];
    route->probe_ms = relay_now(route->relay) + PROBE_MS;
}

/* Said once, until it was heard again. */
static void route_goes_down(struct relay_route *route, const struct outbound_job *job)
{
    char what[300];
    if (route->down)
        return;
    route->down = true;
    struct slice doing = relay_print(what, sizeof what, "passing mail on for %.*s",
                                     SLICE_ARGS(route->route->name));
    struct slice effect = SLICE("clients are asked to come again; nothing is lost");
    relay_record_trouble(route->relay, doing, job->trouble, effect);
}

void route_learn(struct relay_route *route, const struct outbound_job *job)
{
    switch (job->result) {
    case OUTBOUND_ANSWERED:
        route->down = false;
        route_hear(route, job);
        return;
    case OUTBOUND_DOWN: route_goes_down(route, job); return;
    case OUTBOUND_LOST:
    case OUTBOUND_BUSY:
    case OUTBOUND_FAILED: return;
    }
}

uint32_t relay_carried(const struct relay *relay)
{
    uint32_t carried = CARRY_ALL;
    for (size_t i = 0; i < relay->site->route_count; i++)
        if (relay->routes[i].route->kind == ROUTE_RELAY)
            carried &= relay->routes[i].carried;
    return carried;
}

struct slice relay_carry_print(uint32_t carried, char text[RELAY_CARRY_TEXT_SIZE])
{
    static const struct {
        uint32_t bit;
        const char *word;
    } words[] = {
        {CARRY_8BITMIME, "8bitmime"}, {CARRY_SMTPUTF8, "smtputf8"}, {CARRY_DSN, "dsn"}, {CARRY_SIZE, "size"}};
    size_t len = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (carried & words[i].bit)
            len += (size_t)snprintf(text + len, RELAY_CARRY_TEXT_SIZE - len, "%s%s", len ? " " : "",
                                    words[i].word);
    return len ? slice_of(text, len) : SLICE("plain");
}

/* --- probes -------------------------------------------------------------------------------------------- */

static void probe_done(void *whom, struct outbound_job *job)
{
    struct relay_route *route = whom;
    route_learn(route, job);
    if (job->result != OUTBOUND_ANSWERED)
        route->probe_ms = relay_now(route->relay) + PROBE_AGAIN_MS;
}

static void probe_start(struct relay_route *route)
{
    struct outbound_to to = route_to(route);
    if (to.tell == ROUTE_TELL_XCLIENT)
        to.tell = ROUTE_TELL_NOTHING;
    route->probe_ms = UINT64_MAX;
    route->probe.done = probe_done;
    route->probe.whom = route;
    outbound_start(route->relay->outbound, &to, &route->probe);
}

static void tick_due(struct loop_timer *timer)
{
    struct relay *relay = LIST_OF(timer, struct relay, tick);
    for (size_t i = 0; i < relay->site->route_count; i++) {
        struct relay_route *route = &relay->routes[i];
        if (route->route->kind == ROUTE_RELAY && route->probe_ms <= relay_now(relay))
            probe_start(route);
    }
    answers_sweep(relay);
    loop_timer_set(relay->gate.loop, timer, relay_now(relay) + TICK_MS);
}

/* --- questions ----------------------------------------------------------------------------------------- */

static struct relay_route *route_named(struct relay *relay, struct slice number)
{
    uint64_t at;
    if (!text_parse_u64(number, &at) || at >= relay->site->route_count)
        return NULL;
    return relay->routes[at].route->target_count > 0 ? &relay->routes[at] : NULL;
}

/* Behind the queue only SMTPUTF8 depends on the server: the rest is the courier's own work. */
struct slice route_carry_print(const struct relay_route *route, char text[RELAY_CARRY_TEXT_SIZE])
{
    uint32_t always = route->route->kind == ROUTE_RELAY ? 0 : CARRY_ALL & ~CARRY_SMTPUTF8;
    return route->heard ? relay_carry_print(route->carried | always, text) : SLICE_NONE;
}

static void post_found(struct relay_route *route, struct ticket ticket)
{
    char text[RELAY_CARRY_TEXT_SIZE];
    inbox_post_answer(route->relay->gate.inbox, ticket, ANSWER_FOUND, route_carry_print(route, text));
}

void relay_ask_recipient(struct relay *relay, struct ticket ticket, struct slice key,
                         const struct transaction *transaction)
{
    struct slice number, address = key;
    struct relay_route *route = slice_cut(&address, ' ', &number) ? route_named(relay, number) : NULL;
    if (!route || address.len == 0) {
        inbox_post_answer(relay->gate.inbox, ticket, ANSWER_FAILED, SLICE("there is no such route to ask"));
        return;
    }
    const struct relay_answer *late = transaction ? late_find(route, transaction, address) : NULL;
    if (late) {
        answer_post(late, ticket);
        return;
    }
    if (route->route->mailboxes == ROUTE_MAILBOXES_ANY || domain_takes_anything(route, address)) {
        post_found(route, ticket);
        return;
    }
    struct relay_answer *answer = answer_get(route, address);
    if (answer_is_known(answer)) {
        answer_post(answer, ticket);
        return;
    }
    answer_wait(answer, ticket);
    verify_ask(answer);
}

void relay_forget(struct relay *relay, struct ticket ticket)
{
    answer_forget(relay, ticket);
    message_forget(relay, ticket);
}

/* --- begin and end ------------------------------------------------------------------------------------- */

static struct outbound_settings outbound_settings_of(const struct relay *relay)
{
    const struct settings *set = &relay->site->set;
    return (struct outbound_settings){.loop = relay->gate.loop,
                                      .helo = set->host_name,
                                      .connect_ms = set->relay_connect_time,
                                      .reply_ms = set->relay_reply_time,
                                      .dot_ms = set->relay_dot_time,
                                      .idle_ms = set->relay_idle,
                                      .waiting_ms = WAITING_MS,
                                      .connections = (unsigned)set->relay_connections,
                                      .waiting = WAITING_MOST};
}

/* Secret: strangers choose the recipients, and may not guess the one that cannot exist. */
static uint64_t seed_make(void)
{
    uint64_t seed = 0;
    ssize_t got = getrandom(&seed, sizeof seed, 0);
    (void)got; /* interrupted before the pool is up: never in a running system */
    return seed;
}

static void route_begin(struct relay *relay, size_t number)
{
    struct relay_route *route = &relay->routes[number];
    route->relay = relay;
    route->route = &relay->site->routes[number];
    list_init(&route->queue);
    table_init(&route->domains, random_next(&relay->random));
}

struct relay *relay_new(const struct relay_gate *gate, const struct site *site)
{
    struct relay *relay = memory_take(sizeof *relay);
    relay->gate = *gate;
    relay->site = site;
    relay->random.state = seed_make();
    table_init(&relay->waiters, random_next(&relay->random));
    table_init(&relay->answers, random_next(&relay->random));
    table_init(&relay->messages, random_next(&relay->random));
    list_init(&relay->known);
    list_init(&relay->verifications);
    list_init(&relay->on_their_way);
    relay->routes = memory_take(site->route_count * sizeof *relay->routes + 1);
    for (size_t i = 0; i < site->route_count; i++)
        route_begin(relay, i);
    const struct outbound_settings settings = outbound_settings_of(relay);
    relay->outbound = outbound_new(&settings);
    relay->tick.due = tick_due;
    loop_timer_set(gate->loop, &relay->tick, relay_now(relay));
    return relay;
}

void relay_stop(struct relay *relay)
{
    loop_timer_clear(relay->gate.loop, &relay->tick);
    outbound_stop(relay->outbound);
}

size_t relay_busy(const struct relay *relay)
{
    return relay->message_count;
}

void relay_free(struct relay *relay)
{
    if (!relay)
        return;
    loop_timer_clear(relay->gate.loop, &relay->tick);
    messages_drop(relay);
    verify_drop(relay);
    answers_drop(relay);
    for (size_t i = 0; i < relay->site->route_count; i++) {
        outbound_forget(&relay->routes[i].probe);
        domains_drop(&relay->routes[i]);
    }
    outbound_free(relay->outbound);
    table_drop(&relay->waiters);
    table_drop(&relay->answers);
    table_drop(&relay->messages);
    memory_give(relay->routes, relay->site->route_count * sizeof *relay->routes + 1);
    memory_give(relay, sizeof *relay);
}
