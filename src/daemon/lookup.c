#include "daemon/lookup.h"

#include "base/memory.h"
#include "daemon/services.h"

struct lookup {
    struct service_waiter waiter;
    struct lookup *next;
    struct lookups *lookups;
    struct answer answer; /* PENDING: it is awaited */
};

struct lookups {
    struct loop *loop;
    struct services services;
    struct lookup *all; /* in the arena, the newest first */
    struct arena arena;
};

/* --- questions ----------------------------------------------------------------------------------------- */

static void end(struct lookup *lookup, const struct resolver_answer *answer)
{
    lookup->answer.status = answer->status;
    lookup->answer.value = arena_copy(&lookup->lookups->arena, answer->value);
}

static void answered(struct service_waiter *waiter, const struct resolver_answer *answer)
{
    end(LIST_OF(waiter, struct lookup, waiter), answer);
}

bool lookups_begin(struct lookups *lookups, uint32_t number, enum ask_kind kind, struct slice key)
{
    struct resolver_answer answer;
    if (!services_know(&lookups->services, kind))
        return false;
    struct lookup *lookup = arena_take(&lookups->arena, sizeof *lookup);
    lookup->lookups = lookups;
    lookup->answer.number = number;
    lookup->waiter.done = answered;
    lookup->next = lookups->all;
    lookups->all = lookup;
    if (services_ask(&lookups->services, kind, key, &lookups->arena, &lookup->waiter, &answer))
        end(lookup, &answer);
    return true;
}

bool lookups_wait(struct lookups *lookups, uint32_t number, struct answer *ret_answer)
{
    const struct lookup *lookup = lookups->all;

    while (lookup && lookup->answer.number != number)
        lookup = lookup->next;
    if (!lookup)
        return false;
    while (lookup->answer.status == ANSWER_PENDING)
        loop_turn(lookups->loop, UINT64_MAX);
    *ret_answer = lookup->answer;
    return true;
}

/* --- their life ---------------------------------------------------------------------------------------- */

struct lookups *lookups_open(const struct site *site, bool names, struct error *error)
{
    if (names && !site_asks_names(site)) {
        error_set(error, 0, "dns.server is none: no name server is to be asked");
        return NULL;
    }
    struct lookups *lookups = memory_take(sizeof *lookups);

    arena_init(&lookups->arena, NULL, 0);
    lookups->loop = loop_open(error);
    const struct services_settings settings = {.site = site, .loop = lookups->loop, .names = names};
    if (lookups->loop && services_open(&settings, &lookups->services, error) == 0)
        return lookups;
    lookups_close(lookups);
    return NULL;
}

void lookups_close(struct lookups *lookups)
{
    if (!lookups)
        return;
    services_close(&lookups->services);
    loop_close(lookups->loop);
    arena_drop(&lookups->arena);
    memory_give(lookups, sizeof *lookups);
}
