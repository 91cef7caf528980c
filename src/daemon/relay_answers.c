#include "daemon/relay_parts.h"
#include "base/memory.h"
#include "base/text.h"
#include "wire/path.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    ANSWERS_MOST = 50000, /* of all routes: some 15 MB */
    SWEEP_MOST = 200,     /* looked at in one sweep */
    LATE_MS = 4 * 3600000 /* longer than clients pause before they come again */
};

/* --- finding and making -------------------------------------------------------------------------------- */

/* A number, a recipient and a sender (a postmaster may have got our domain), a client's address. */
#define PATH_MOST (PATH_SIZE_MAX + 16)
#define KEY_SIZE  (16 + 2 * PATH_MOST + 2 + ADDRESS_TEXT_SIZE)

/* The local part counts as it is; only its own server knows whether case matters there. */
static size_t key_print(const struct relay_route *route, struct slice address, char *text, size_t size)
{
    char number[TEXT_UNIT_SIZE];
    size_t number_len = text_print_u64(route->route->number, number);
    address = slice_head(address, PATH_MOST);
    size_t len = number_len + 1 + address.len;
    assert(len <= size);
    memcpy(text, number, number_len);
    text[number_len] = ' ';
    memcpy(text + number_len + 1, address.at, address.len);
    for (size_t at = slice_find_last(slice_of(text, len), '@'); at < len; at++)
        text[at] = text_lower(text[at]);
    return len;
}

static void answer_free(struct relay_answer *answer)
{
    assert(list_is_empty(&answer->waiters));
    answer->route->late_count -= answer->late;
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

static struct relay_answer *answer_find(struct relay_route *route, struct slice key)
{
    struct relay *relay = route->relay;
    struct relay_answer *old = table_get(&relay->answers, key);
    if (old)
        return old;
    make_room(relay);
    struct relay_answer *answer = memory_take(sizeof *answer + key.len);
    answer->size = sizeof *answer + key.len;
    memcpy(answer->text, key.at, key.len);
    answer->key = slice_of(answer->text, key.len);
    answer->route = route;
    answer->address = slice_from(answer->key, slice_find(answer->key, ' ') + 1);
    list_init(&answer->link);
    list_init(&answer->waiters);
    table_put(&relay->answers, answer->key, answer);
    return answer;
}

struct relay_answer *answer_get(struct relay_route *route, struct slice address)
{
    char text[KEY_SIZE];
    return answer_find(route, slice_of(text, key_print(route, address, text, sizeof text)));
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

static void answer_keep(struct relay_answer *answer, uint64_t keep_ms)
{
    struct relay *relay = answer->route->relay;
    answer->state = ANSWER_STATE_KNOWN;
    answer->until_ms = relay_now(relay) + keep_ms;
    list_remove(&answer->link);
    list_add_first(&relay->known, &answer->link);
}

void answer_settle(struct relay_answer *answer, enum answer_status status, struct slice value)
{
    const struct settings *set = &answer->route->relay->site->set;
    answer->status = (uint8_t)status;
    value_set(answer, status == ANSWER_FOUND ? SLICE_NONE : value);
    tell_all(answer);
    uint64_t keep_ms = status == ANSWER_FOUND  ? set->relay_cache_yes
                       : status == ANSWER_NONE ? set->relay_cache_no
                                               : 0;
    if (keep_ms == 0)
        answer_free(answer);
    else
        answer_keep(answer, keep_ms);
}

/* --- late refusals ------------------------------------------------------------------------------------- */

/* LF stands in no address. */
static struct slice late_key(const struct relay_route *route, const struct transaction *transaction,
                             struct slice address, char text[KEY_SIZE])
{
    char client[ADDRESS_TEXT_SIZE];
    const struct address *peer = &transaction->peer;
    const struct address host = address_network(peer, peer->family == ADDRESS_IPV6 ? 64 : 32);
    size_t len = key_print(route, address, text, KEY_SIZE);
    len += (size_t)snprintf(text + len, KEY_SIZE - len, "\n%.*s\n",
                            SLICE_ARGS(slice_head(transaction->sender, PATH_MOST)));
    size_t client_len = address_print(&host, client);
    memcpy(text + len, client, client_len);
    return slice_of(text, len + client_len);
}

void late_remember(struct relay_route *route, const struct transaction *transaction, struct slice address,
                   struct slice words)
{
    char text[KEY_SIZE];
    const struct slice everybodys = slice_of(text, key_print(route, address, text, sizeof text));
    struct relay_answer *yes = table_get(&route->relay->answers, everybodys);
    if (yes && yes->state == ANSWER_STATE_KNOWN)
        answer_free(yes);
    struct relay_answer *late = answer_find(route, late_key(route, transaction, address, text));
    route->late_count += !late->late;
    late->late = true;
    late->status = ANSWER_NONE;
    value_set(late, words);
    answer_keep(late, LATE_MS);
}

const struct relay_answer *late_find(const struct relay_route *route, const struct transaction *transaction,
                                     struct slice address)
{
    char text[KEY_SIZE];
    if (!route->late_count)
        return NULL;
    const struct relay_answer *late = table_get(&route->relay->answers,
                                                late_key(route, transaction, address, text));
    return late && answer_is_known(late) ? late : NULL;
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
