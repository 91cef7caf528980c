#include "daemon/services.h"

/* --- answers ------------------------------------------------------------------------------------------- */

static void resolver_done(struct resolver_waiter *waiter, const struct resolver_answer *answer)
{
    struct service_waiter *service = LIST_OF(waiter, struct service_waiter, of.resolver);
    service->done(service, answer);
}

static void list_done(struct blocklist_waiter *waiter, const struct resolver_answer *answer)
{
    struct service_waiter *service = LIST_OF(waiter, struct service_waiter, of.list);
    service->done(service, answer);
}

static void origin_done(struct origin_waiter *waiter, const struct resolver_answer *answer)
{
    struct service_waiter *service = LIST_OF(waiter, struct service_waiter, of.origin);
    service->done(service, answer);
}

static bool answer_is(struct resolver_answer *answer, enum answer_status status, struct slice value)
{
    *answer = (struct resolver_answer){.status = status, .value = value};
    return true;
}

/* --- questions ----------------------------------------------------------------------------------------- */

struct question {
    struct services *services;
    struct slice key;
    struct arena *arena;
    struct service_waiter *waiter;
    struct resolver_answer *answer;
};

static bool ask_resolver(const struct question *question, enum dns_type type, struct slice name)
{
    struct services *services = question->services;
    if (!services->resolver)
        return answer_is(question->answer, ANSWER_FAILED, SLICE("no resolver"));
    question->waiter->of.resolver.done = resolver_done;
    return resolver_ask(services->resolver, type, name, &question->waiter->of.resolver, question->answer);
}

/* What special addresses stand for is known at home, if anywhere: servers of the public are not asked. */
static bool is_nobodys(const struct services *services, const struct address *address)
{
    return services->resolver && address_is_special(address) && !resolver_is_local(services->resolver);
}

static bool ask_pointer(const struct question *question)
{
    struct address address;
    if (!address_parse(question->key, &address) || is_nobodys(question->services, &address))
        return answer_is(question->answer, ANSWER_NONE, SLICE("no such name"));
    return ask_resolver(question, DNS_PTR, dns_pointer_name(question->arena, &address));
}

static bool ask_listed(const struct question *question)
{
    const struct services *services = question->services;
    const size_t blank = slice_find_last(question->key, ' ');
    struct address address;
    if (!services->blocklists || blank == SLICE_NOT_FOUND ||
        !address_parse(slice_from(question->key, blank + 1), &address))
        return answer_is(question->answer, ANSWER_FAILED, SLICE("no blocklists"));
    if (is_nobodys(services, &address))
        return answer_is(question->answer, ANSWER_NONE, SLICE_NONE);
    question->waiter->of.list.done = list_done;
    return blocklists_ask(services->blocklists, slice_head(question->key, blank), &address,
                          &question->waiter->of.list, question->answer);
}

static bool ask_origin(const struct question *question)
{
    const struct services *services = question->services;
    struct address address;
    if (!services->origins || !address_parse(question->key, &address))
        return answer_is(question->answer, ANSWER_NONE, SLICE_NONE);
    question->waiter->of.origin.done = origin_done;
    return origins_ask(services->origins, &address, &question->waiter->of.origin, question->answer);
}

static bool ask_registered(const struct question *question)
{
    const struct services *services = question->services;
    if (!services->suffix)
        return answer_is(question->answer, ANSWER_FAILED, SLICE("there is no public suffix list"));
    const struct slice domain = suffix_registered(services->suffix, question->key, question->arena);
    return answer_is(question->answer, domain.len ? ANSWER_FOUND : ANSWER_NONE, domain);
}

bool services_ask(struct services *services, enum ask_kind kind, struct slice key, struct arena *arena,
                  struct service_waiter *waiter, struct resolver_answer *ret_answer)
{
    const struct question question = {services, key, arena, waiter, ret_answer};
    switch ((unsigned)kind) {
    case ASK_ADDRESS4: return ask_resolver(&question, DNS_A, key);
    case ASK_ADDRESS6: return ask_resolver(&question, DNS_AAAA, key);
    case ASK_POINTER: return ask_pointer(&question);
    case ASK_MX: return ask_resolver(&question, DNS_MX, key);
    case ASK_TXT: return ask_resolver(&question, DNS_TXT, key);
    case ASK_LISTED: return ask_listed(&question);
    case ASK_ORIGIN: return ask_origin(&question);
    case ASK_REGISTERED: return ask_registered(&question);
    default: return answer_is(ret_answer, ANSWER_FAILED, SLICE("nobody can be asked"));
    }
}

bool services_know(const struct services *services, enum ask_kind kind)
{
    switch ((unsigned)kind) {
    case ASK_ADDRESS4:
    case ASK_ADDRESS6:
    case ASK_POINTER:
    case ASK_MX:
    case ASK_TXT: return services->resolver;
    case ASK_LISTED: return services->blocklists;
    case ASK_ORIGIN: return services->origins && (services->resolver || services->site->origin_file_count);
    case ASK_REGISTERED: return services->suffix;
    default: return false;
    }
}

/* --- their life ---------------------------------------------------------------------------------------- */

static void blocklists_begin(struct services *services, const struct services_settings *settings)
{
    const struct site *site = settings->site;
    struct blocklist_settings lists[BLOCKLISTS_MAX];
    if (!services->resolver || !site->blocklist_count)
        return;
    for (size_t i = 0; i < site->blocklist_count; i++) {
        const struct blocklist *list = &site->blocklists[i];
        lists[i] = (struct blocklist_settings){.name = list->name,
                                               .zone = list->zone,
                                               .reasons = list->reasons,
                                               .probes = list->probes,
                                               .ipv4 = list->ipv4,
                                               .ipv6 = list->ipv6};
    }
    services->blocklists = blocklists_open(
        &(struct blocklists_settings){.loop = settings->loop,
                                      .resolver = services->resolver,
                                      .lists = lists,
                                      .count = site->blocklist_count,
                                      .probe_each_ms = site->set.listed_probe,
                                      .retry_ms = site->set.listed_retry,
                                      .tell = settings->list_changed,
                                      .data = settings->data});
}

static void origins_begin(struct services *services, const struct services_settings *settings)
{
    const struct site *site = settings->site;
    const struct settings *set = &site->set;
    if (!site->origin_file_count && !set->origin_zone.len && !set->origin_zone6.len)
        return;
    services->origins = origins_open(&(struct origins_settings){.resolver = services->resolver,
                                                                .files = site->origin_files,
                                                                .file_count = site->origin_file_count,
                                                                .zone = set->origin_zone,
                                                                .zone6 = set->origin_zone6,
                                                                .names = set->origin_names,
                                                                .tell = settings->file_opened,
                                                                .data = settings->data});
}

static int resolver_begin(struct services *services, const struct services_settings *settings,
                          struct error *error)
{
    const struct settings *set = &settings->site->set;
    if (!settings->names || !site_asks_names(settings->site))
        return 0;
    services->resolver = resolver_open(&(struct resolver_settings){.loop = settings->loop,
                                                                   .servers = set->dns_server,
                                                                   .deadline_ms = set->dns_deadline,
                                                                   .cache_octets = set->dns_cache,
                                                                   .probe = set->dns_probe,
                                                                   .tell = settings->resolver_changed,
                                                                   .data = settings->data},
                                       error);
    return services->resolver ? 0 : -1;
}

int services_open(const struct services_settings *settings, struct services *ret_services,
                  struct error *error)
{
    *ret_services = (struct services){.site = settings->site, .suffix = suffix_open()};
    const int result = resolver_begin(ret_services, settings, error);
    blocklists_begin(ret_services, settings);
    origins_begin(ret_services, settings);
    return result;
}

void services_close(struct services *services)
{
    origins_close(services->origins);
    blocklists_close(services->blocklists);
    resolver_close(services->resolver);
    suffix_close(services->suffix);
    *services = (struct services){.site = NULL};
}
