#include "daemon/lookup.h"

#include "base/memory.h"
#include "io/blocklist.h"
#include "io/suffix.h"

struct lookup {
    union {
        struct resolver_waiter resolver;
        struct blocklist_waiter list;
    } waiter;
    struct lookup *next;
    struct lookups *lookups;
    struct answer answer; /* PENDING: it is awaited */
};

struct lookups {
    const struct site *site;
    struct loop *loop;
    struct resolver *resolver;
    struct blocklists *blocklists; /* NULL: none are configured */
    struct suffix *suffix;         /* NULL: there is none */
    struct lookup *all;            /* in the arena, the newest first */
    struct arena arena;
};

/* --- answers ------------------------------------------------------------------------------------------- */

static void end(struct lookup *lookup, enum answer_status status, struct slice value)
{
    lookup->answer.status = status;
    lookup->answer.value = arena_copy(&lookup->lookups->arena, value);
}

static void answered(struct resolver_waiter *waiter, const struct resolver_answer *answer)
{
    end(LIST_OF(waiter, struct lookup, waiter.resolver), answer->status, answer->value);
}

static void list_answered(struct blocklist_waiter *waiter, const struct resolver_answer *answer)
{
    end(LIST_OF(waiter, struct lookup, waiter.list), answer->status, answer->value);
}

/* --- questions ----------------------------------------------------------------------------------------- */

static void ask_resolver(struct lookup *lookup, enum dns_type type, struct slice name)
{
    struct resolver_answer answer;

    lookup->waiter.resolver.done = answered;
    if (resolver_ask(lookup->lookups->resolver, type, name, &lookup->waiter.resolver, &answer))
        end(lookup, answer.status, answer.value);
}

/* Special addresses are known at home, if anywhere: servers of the public are not asked about them. */
static bool is_askable(const struct lookups *lookups, const struct address *address)
{
    return !address_is_special(address) || resolver_is_local(lookups->resolver);
}

static void ask_pointer(struct lookup *lookup, struct slice key)
{
    struct address address;

    if (address_parse(key, &address) && is_askable(lookup->lookups, &address))
        ask_resolver(lookup, DNS_PTR, dns_pointer_name(&lookup->lookups->arena, &address));
    else
        end(lookup, ANSWER_NONE, SLICE("no such name"));
}

static void ask_listed(struct lookup *lookup, struct slice key)
{
    const struct lookups *lookups = lookup->lookups;
    const size_t blank = slice_find_last(key, ' ');
    struct resolver_answer answer;
    struct address address;

    lookup->waiter.list.done = list_answered;
    if (!lookups->blocklists || !address_parse(slice_from(key, blank + 1), &address))
        end(lookup, ANSWER_FAILED, SLICE("no blocklists"));
    else if (!is_askable(lookups, &address))
        end(lookup, ANSWER_NONE, SLICE_NONE);
    else if (blocklists_ask(lookups->blocklists, slice_head(key, blank), &address, &lookup->waiter.list,
                            &answer))
        end(lookup, answer.status, answer.value);
}

static void ask_registered(struct lookup *lookup, struct slice key)
{
    const struct lookups *lookups = lookup->lookups;

    if (!lookups->suffix) {
        end(lookup, ANSWER_FAILED, SLICE("there is no public suffix list"));
        return;
    }
    const struct slice domain = suffix_registered(lookups->suffix, key, &lookup->lookups->arena);
    end(lookup, domain.len ? ANSWER_FOUND : ANSWER_NONE, domain);
}

bool lookups_begin(struct lookups *lookups, uint32_t number, enum ask_kind kind, struct slice key)
{
    struct lookup *lookup = arena_take(&lookups->arena, sizeof *lookup);

    lookup->lookups = lookups;
    lookup->answer.number = number;
    lookup->next = lookups->all;
    lookups->all = lookup;
    switch ((unsigned)kind) {
    case ASK_ADDRESS4: ask_resolver(lookup, DNS_A, key); return true;
    case ASK_ADDRESS6: ask_resolver(lookup, DNS_AAAA, key); return true;
    case ASK_POINTER: ask_pointer(lookup, key); return true;
    case ASK_MX: ask_resolver(lookup, DNS_MX, key); return true;
    case ASK_TXT: ask_resolver(lookup, DNS_TXT, key); return true;
    case ASK_LISTED: ask_listed(lookup, key); return true;
    case ASK_REGISTERED: ask_registered(lookup, key); return true;
    default: lookups->all = lookup->next; return false;
    }
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

static void blocklists_begin(struct lookups *lookups)
{
    const struct site *site = lookups->site;
    struct blocklist_settings lists[BLOCKLISTS_MAX];

    for (size_t i = 0; i < site->blocklist_count; i++) {
        const struct blocklist *list = &site->blocklists[i];
        lists[i] = (struct blocklist_settings){.name = list->name,
                                               .zone = list->zone,
                                               .reasons = list->reasons,
                                               .probes = list->probes,
                                               .ipv4 = list->ipv4,
                                               .ipv6 = list->ipv6};
    }
    if (site->blocklist_count)
        lookups->blocklists = blocklists_open(
            &(struct blocklists_settings){.loop = lookups->loop,
                                          .resolver = lookups->resolver,
                                          .lists = lists,
                                          .count = site->blocklist_count,
                                          .probe_each_ms = site->set.listed_probe,
                                          .retry_ms = site->set.listed_retry});
}

struct lookups *lookups_open(const struct site *site, struct error *error)
{
    if (!site_asks_names(site)) {
        error_set(error, 0, "dns.server is none: no name server is to be asked");
        return NULL;
    }
    struct lookups *lookups = memory_take(sizeof *lookups);

    lookups->site = site;
    arena_init(&lookups->arena, NULL, 0);
    lookups->loop = loop_open(error);
    if (lookups->loop)
        lookups->resolver = resolver_open(&(struct resolver_settings){.loop = lookups->loop,
                                                                      .servers = site->set.dns_server,
                                                                      .deadline_ms = site->set.dns_deadline,
                                                                      .cache_octets = site->set.dns_cache,
                                                                      .probe = site->set.dns_probe},
                                          error);
    if (!lookups->resolver) {
        lookups_close(lookups);
        return NULL;
    }
    lookups->suffix = suffix_open();
    blocklists_begin(lookups);
    return lookups;
}

void lookups_close(struct lookups *lookups)
{
    if (!lookups)
        return;
    blocklists_close(lookups->blocklists);
    resolver_close(lookups->resolver);
    suffix_close(lookups->suffix);
    loop_close(lookups->loop);
    arena_drop(&lookups->arena);
    memory_give(lookups, sizeof *lookups);
}
