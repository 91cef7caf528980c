#include "daemon/relay_parts.h"
#include "base/memory.h"
#include "base/text.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    ANSWERS_MOST = 50000, /* of all routes: some 15 MB */
    SWEEP_MOST = 200      /* looked at in one sweep */
};

/* --- finding and making -------------------------------------------------------------------------------- */

/* The local part counts as it is; only its own server knows whether case matters there. */
static size_t key_print(const struct relay_route *route, struct slice address, char *text, size_t size)
{
    int len = snprintf(text, size, "%u %.*s", route->route->number, SLICE_ARGS(address));
    size_t at = slice_find_last(slice_of(text, (size_t)len), '@');
    for (; at < (size_t)len; at++)
        text[at] = text_lower(text[at]);
    return (size_t)len;
}

static void answer_free(struct relay_answer *answer)
{
    assert(list_is_empty(&answer->waiters));
    table_remove(&answer->route->relay->answers, answer->key);
    list_remove(&answer->link);
    memory_give((char *)answer->value.at, answer->value.len);
    memory_give(answer, answer->size);
}

static void make_room(struct relay *relay)
{
    if (relay->answers.used < ANSWERS_MOST || list_is_empty(&relay->known))
        return;
    answer_free(LIST_OF(relay->known.prev, struct relay_answer, link));
}

struct relay_answer *answer_get(struct relay_route *route, struct slice address)
{
    struct relay *relay = route->relay;
    size_t size = sizeof(struct relay_answer) + address.len + 16;
    struct relay_answer *answer = memory_take(size);
    answer->size = size;
    answer->key = slice_of(answer->text, key_print(route, address, answer->text, address.len + 16));
    struct relay_answer *old = table_get(&relay->answers, answer->key);
    if (old) {
        memory_give(answer, size);
        return old;
    }
    make_room(relay);
    answer->route = route;
    answer->address = slice_from(answer->key, slice_find(answer->key, ' ') + 1);
    list_init(&answer->link);
    list_init(&answer->waiters);
    table_put(&relay->answers, answer->key, answer);
    return answer;
}

bool answer_is_known(const struct relay_answer *answer)
{
    return answer->state == ANSWER_STATE_KNOWN && answer->until_ms > relay_now(answer->route->relay);
}

/* --- waiting and telling ------------------------------------------------------------------------------- */

void answer_post(const struct relay_answer *answer, struct ticket ticket)
{
    const struct relay_route *route = answer->route;
    char text[RELAY_CARRY_TEXT_SIZE];
    struct slice value = answer->value;
    if (answer->status == ANSWER_FOUND)
        value = route_carry_print(route, text);
    inbox_post_answer(route->relay->gate.inbox, ticket, (enum answer_status)answer->status, value);
}

void answer_wait(struct relay_answer *answer, struct ticket ticket)
{
    struct relay_waiter *waiter = memory_take(sizeof *waiter);
    waiter->ticket = ticket;
    list_add_last(&answer->waiters, &waiter->link);
    void *old = table_put(&answer->route->relay->waiters, ticket_key(ticket, waiter->key), waiter);
    assert(!old);
}

static void waiter_free(struct relay *relay, struct relay_waiter *waiter)
{
    list_remove(&waiter->link);
    table_remove(&relay->waiters, slice_of(waiter->key, RELAY_TICKET_SIZE));
    memory_give(waiter, sizeof *waiter);
}

/* The question goes on: its answer is of use to the next who asks. */
void answer_forget(struct relay *relay, struct ticket ticket)
{
    char key[RELAY_TICKET_SIZE];
    struct relay_waiter *waiter = table_get(&relay->waiters, ticket_key(ticket, key));
    if (waiter)
        waiter_free(relay, waiter);
}

static void tell_all(struct relay_answer *answer)
{
    while (!list_is_empty(&answer->waiters)) {
        struct relay_waiter *waiter = LIST_OF(answer->waiters.next, struct relay_waiter, link);
        answer_post(answer, waiter->ticket);
        waiter_free(answer->route->relay, waiter);
    }
}

static void value_set(struct relay_answer *answer, struct slice value)
{
    char *copy = value.len ? memory_take(value.len) : NULL;
    if (value.len)
        memcpy(copy, value.at, value.len);
    memory_give((char *)answer->value.at, answer->value.len);
    answer->value = slice_of(copy, value.len);
}

void answer_settle(struct relay_answer *answer, enum answer_status status, struct slice value)
{
    struct relay *relay = answer->route->relay;
    const struct settings *set = &relay->site->set;
    answer->status = (uint8_t)status;
    value_set(answer, status == ANSWER_FOUND ? SLICE_NONE : value);
    tell_all(answer);
    uint64_t keep_ms = status == ANSWER_FOUND  ? set->relay_cache_yes
                       : status == ANSWER_NONE ? set->relay_cache_no
                                               : 0;
    if (keep_ms == 0) {
        answer_free(answer);
        return;
    }
    answer->state = ANSWER_STATE_KNOWN;
    answer->until_ms = relay_now(relay) + keep_ms;
    list_remove(&answer->link);
    list_add_first(&relay->known, &answer->link);
}

/* --- the end of what is known -------------------------------------------------------------------------- */

/* The oldest stand last; one that is still good goes to the front, so that all are looked at in turn. */
void answers_sweep(struct relay *relay)
{
    for (unsigned i = 0; i < SWEEP_MOST && !list_is_empty(&relay->known); i++) {
        struct relay_answer *answer = LIST_OF(relay->known.prev, struct relay_answer, link);
        if (answer_is_known(answer)) {
            list_remove(&answer->link);
            list_add_first(&relay->known, &answer->link);
        } else {
            answer_free(answer);
        }
    }
}

void answers_drop(struct relay *relay)
{
    size_t at = 0;
    struct slice key;
    void *value;
    while (table_next(&relay->waiters, &at, &key, &value))
        waiter_free(relay, value);
    at = 0;
    while (table_next(&relay->answers, &at, &key, &value))
        answer_free(value);
}
