/* What the servers are worth: whether anybody answers at all, and whether one invents addresses. */
#include "base/memory.h"
#include "io/resolver_part.h"

#include <stdio.h>
#include <string.h>

enum { PROBE_LETTERS = 16 };

static void state_set(struct resolver *resolver, enum resolver_state state, const char *reason)
{
    if (resolver->health.state == state)
        return;
    resolver->health.state = state;
    if (resolver->settings.tell)
        resolver->settings.tell(resolver->settings.data, state, reason);
}

/* A name that nobody has: nobody can have kept an answer to it. */
static struct slice name_make_up(struct resolver *resolver, const char *below, char room[DNS_NAME_MAX + 1])
{
    for (size_t i = 0; i < PROBE_LETTERS; i++)
        room[i] = (char)('a' + random_below(&resolver->random, 26));
    const int len = snprintf(room + PROBE_LETTERS, DNS_NAME_MAX + 1 - PROBE_LETTERS, ".%s", below);
    return slice_of(room, PROBE_LETTERS + (size_t)len);
}

/* --- is anybody there? --------------------------------------------------------------------------------- */

static void silent_begin(struct resolver *resolver)
{
    const uint64_t strays = resolver->counts.strays - resolver->health.strays;
    char reason[160];
    snprintf(reason, sizeof reason, "no name server answers%s",
             strays ? ", but answers come that nobody asked for" : "");
    state_set(resolver, RESOLVER_SILENT, reason);
}

static void alive_done(struct resolver_waiter *waiter, const struct resolver_answer *answer)
{
    struct resolver *resolver = LIST_OF(waiter, struct resolver, health.alive);
    struct health *health = &resolver->health;
    health->asks_alive = false;
    if (!answer->gone)
        return; /* health_heard has seen it */
    if (health->state != RESOLVER_SILENT)
        silent_begin(resolver);
    loop_timer_set(resolver->loop, &health->alive_timer, loop_now_ms(resolver->loop) + ALIVE_EACH_MS);
}

/* Any server answers for .invalid, by itself or by the root's word: whatever it says will do. */
static void alive_ask(struct loop_timer *timer)
{
    struct resolver *resolver = LIST_OF(timer, struct resolver, health.alive_timer);
    struct resolver_answer answer;
    char name[DNS_NAME_MAX + 1];
    if (resolver->health.asks_alive)
        return;
    resolver->health.asks_alive = true;
    resolver->health.alive.done = alive_done;
    if (resolver_ask(resolver, DNS_A, name_make_up(resolver, "invalid", name), &resolver->health.alive,
                     &answer))
        alive_done(&resolver->health.alive, &answer);
}

void health_heard(struct resolver *resolver)
{
    struct health *health = &resolver->health;
    health->failures = 0;
    health->strays = resolver->counts.strays;
    if (health->state != RESOLVER_SILENT)
        return;
    loop_timer_clear(resolver->loop, &health->alive_timer);
    state_set(resolver, health->invented_count ? RESOLVER_REWRITES : RESOLVER_WORKS,
              "a name server answers again");
    if (resolver->probe[0])
        loop_timer_set(resolver->loop, &health->invents_timer, loop_now_ms(resolver->loop));
}

/* A few questions may fail because servers far away do not answer ours; then ours still answers to a simple
 * one. */
void health_failed(struct resolver *resolver)
{
    struct health *health = &resolver->health;
    if (++health->failures < SILENT_AFTER || health->state == RESOLVER_SILENT)
        return;
    alive_ask(&health->alive_timer);
}

/* --- does it invent? ----------------------------------------------------------------------------------- */

static bool is_invented(const struct health *health, struct slice address)
{
    for (size_t i = 0; i < health->invented_count; i++)
        if (slice_equal(address, slice_text(health->invented[i])))
            return true;
    return false;
}

bool health_is_invented(const struct resolver *resolver, struct slice addresses)
{
    struct slice word;
    if (!resolver->health.invented_count)
        return false;
    while (slice_word(&addresses, &word))
        if (!is_invented(&resolver->health, word))
            return false;
    return true;
}

static void invented_add(struct health *health, struct slice addresses)
{
    struct slice word;
    while (slice_word(&addresses, &word))
        if (health->invented_count < INVENTED_MAX && !is_invented(health, word))
            snprintf(health->invented[health->invented_count++], ADDRESS_TEXT_SIZE, "%.*s", SLICE_ARGS(word));
}

static void invents_judge(struct resolver *resolver, enum dns_type type, const struct resolver_answer *answer)
{
    struct health *health = &resolver->health;
    char reason[200];
    if (answer->status == ANSWER_FOUND) {
        invented_add(health, answer->value);
        snprintf(reason, sizeof reason, "a name that does not exist has the address %.100s",
                 health->invented[0]);
        state_set(resolver, RESOLVER_REWRITES, reason);
    } else if (answer->status == ANSWER_NONE && type == DNS_A && health->state == RESOLVER_REWRITES) {
        health->invented_count = 0;
        state_set(resolver, RESOLVER_WORKS, "names that do not exist have no address any more");
    }
}

static void invents_answered(struct resolver *resolver, enum dns_type type,
                             const struct resolver_answer *answer)
{
    const uint64_t again_ms = answer->status == ANSWER_FAILED ? INVENTS_FAILED_MS : INVENTS_EACH_MS;
    invents_judge(resolver, type, answer);
    if (type == DNS_A)
        loop_timer_set(resolver->loop, &resolver->health.invents_timer,
                       loop_now_ms(resolver->loop) + again_ms);
}

static void invents4_done(struct resolver_waiter *waiter, const struct resolver_answer *answer)
{
    invents_answered(LIST_OF(waiter, struct resolver, health.invents[0]), DNS_A, answer);
}

static void invents6_done(struct resolver_waiter *waiter, const struct resolver_answer *answer)
{
    invents_answered(LIST_OF(waiter, struct resolver, health.invents[1]), DNS_AAAA, answer);
}

static void invents_ask(struct loop_timer *timer)
{
    struct resolver *resolver = LIST_OF(timer, struct resolver, health.invents_timer);
    struct health *health = &resolver->health;
    const enum dns_type types[] = {DNS_A, DNS_AAAA};
    char room[DNS_NAME_MAX + 1];
    struct resolver_answer answer;
    const struct slice name = name_make_up(resolver, resolver->probe, room);
    health->invents[0].done = invents4_done;
    health->invents[1].done = invents6_done;
    for (size_t i = 0; i < 2; i++) {
        resolver_forget(&health->invents[i]);
        if (resolver_ask(resolver, types[i], name, &health->invents[i], &answer))
            invents_answered(resolver, types[i], &answer);
    }
}

void health_begin(struct resolver *resolver)
{
    struct health *health = &resolver->health;
    health->alive_timer.due = alive_ask;
    health->invents_timer.due = invents_ask;
    loop_timer_set(resolver->loop, &health->alive_timer, loop_now_ms(resolver->loop));
    if (resolver->probe[0])
        loop_timer_set(resolver->loop, &health->invents_timer, loop_now_ms(resolver->loop));
}

void health_end(struct resolver *resolver)
{
    loop_timer_clear(resolver->loop, &resolver->health.alive_timer);
    loop_timer_clear(resolver->loop, &resolver->health.invents_timer);
}
