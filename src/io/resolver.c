#include "io/resolver.h"
#include "base/memory.h"
#include "base/text.h"
#include "io/resolver_part.h"

#include <assert.h>
#include <string.h>
#include <sys/random.h>

/* --- answers ------------------------------------------------------------------------------------------- */

struct resolver_answer entry_answer(const struct entry *entry)
{
    return (struct resolver_answer){.status = entry->status,
                                    .value = slice_of(entry->value, entry->value_len)};
}

static void waiters_tell(struct entry *entry, const struct resolver_answer *answer)
{
    struct link told;
    loop_timer_clear(entry->resolver->loop, &entry->deadline);
    if (list_is_empty(&entry->waiters))
        return;
    /* Who asks again while he is told waits for another answer. */
    told = entry->waiters;
    told.next->prev = told.prev->next = &told;
    list_init(&entry->waiters);
    while (!list_is_empty(&told)) {
        struct resolver_waiter *waiter = LIST_OF(told.next, struct resolver_waiter, link);
        list_remove(&waiter->link);
        waiter->done(waiter, answer);
    }
}

/* The answer is copied: whoever is told may ask so much that the entry's own changes. */
static void entry_settle(struct entry *entry, enum answer_status status, struct slice value, uint64_t keep_ms)
{
    cache_keep(entry, status, value, keep_ms);
    const struct resolver_answer answer = {.status = status, .value = value};
    waiters_tell(entry, &answer);
}

static void entry_fail(struct entry *entry, const char *why, bool gone)
{
    struct resolver *resolver = entry->resolver;
    const struct resolver_answer answer = {.status = ANSWER_FAILED, .value = slice_text(why), .gone = gone};
    resolver->counts.failed++;
    cache_keep(entry, ANSWER_FAILED, answer.value, gone ? 0 : FAILED_KEEP_MS);
    waiters_tell(entry, &answer);
}

static void deadline_due(struct loop_timer *timer)
{
    struct entry *entry = LIST_OF(timer, struct entry, deadline);
    const struct resolver_answer answer = {
        .status = ANSWER_FAILED, .value = SLICE("the name servers do not answer in time"), .gone = true};
    entry->resolver->counts.failed++;
    waiters_tell(entry, &answer);
}

/* Where another server, or the same once more, may know better. */
static bool entry_again(struct entry *entry)
{
    struct resolver *resolver = entry->resolver;
    const size_t most = resolver->channel_count < 3 ? 3 : resolver->channel_count + 1;
    if (entry->sent >= most || resolver->closing)
        return false;
    if (resolver->health.state == RESOLVER_SILENT && !entry->own)
        return false;
    entry->server = (uint8_t)((entry->server + 1) % resolver->channel_count);
    entry->asking = true;
    list_add_last(&resolver->to_send, &entry->to_send);
    loop_again(resolver->loop);
    return true;
}

static void entry_negative(struct entry *entry, const struct dns_answer *answer)
{
    entry_settle(entry, ANSWER_NONE,
                 answer->status == DNS_NO_NAME ? SLICE("no such name") : SLICE("no such data"),
                 answer->has_ttl ? (uint64_t)answer->ttl * 1000 : NO_SOA_KEEP_MS);
}

static void entry_found(struct entry *entry, const struct dns_answer *answer)
{
    struct resolver *resolver = entry->resolver;
    const uint64_t keep_ms = (uint64_t)answer->ttl * 1000;
    const bool address = entry->type == DNS_A || entry->type == DNS_AAAA;
    if (address && !entry->own && health_is_invented(resolver, answer->value)) {
        resolver->counts.rewritten++;
        entry_settle(entry, ANSWER_NONE, SLICE("no such name"), keep_ms);
        return;
    }
    entry_settle(entry, ANSWER_FOUND, answer->value, keep_ms);
}

/* A server that is there, but cannot: another one is asked before its word is taken. */
static void entry_refused(struct entry *entry, const struct dns_answer *answer)
{
    if (entry->resolver->channel_count > 1 && entry_again(entry))
        return;
    if (answer->status == DNS_REFUSED)
        entry_fail(entry, dns_code_words(answer->code), false);
    else
        entry_fail(entry, answer->status == DNS_CUT ? "the answer is cut short" : "the answer cannot be read",
                   false);
}

static void packet_came(struct entry *entry, struct slice packet)
{
    struct resolver *resolver = entry->resolver;
    const struct dns_answer answer = dns_answer_read(packet, entry_name(entry), entry->type,
                                                     &resolver->scratch);
    resolver->counts.answered++;
    resolver->counts.took_us += clock_us() - entry->sent_us;
    resolver->preferred = entry->server;
    health_heard(resolver);
    switch (answer.status) {
    case DNS_FOUND: entry_found(entry, &answer); break;
    case DNS_NO_DATA:
    case DNS_NO_NAME: entry_negative(entry, &answer); break;
    case DNS_REFUSED:
    case DNS_CUT:
    case DNS_BAD: entry_refused(entry, &answer); break;
    }
}

void entry_answered(struct entry *entry, struct slice packet, const char *trouble)
{
    struct resolver *resolver = entry->resolver;
    if (resolver->closing)
        return;
    entry->asking = false;
    if (packet.len) {
        packet_came(entry, packet);
        return;
    }
    if (entry_again(entry))
        return;
    entry_fail(entry, trouble, true);
    health_failed(resolver);
}

/* --- questions ----------------------------------------------------------------------------------------- */

/* Lower case and without its final dot; empty: it cannot be in the DNS. */
static struct slice name_normalise(struct slice name, char room[DNS_NAME_MAX])
{
    if (name.len && name.at[name.len - 1] == '.')
        name.len--;
    if (!dns_name_is_sound(name))
        return SLICE_NONE;
    for (size_t i = 0; i < name.len; i++)
        room[i] = text_lower(name.at[i]);
    return slice_of(room, name.len);
}

static bool is_below(struct slice name, struct slice top)
{
    return slice_ends_fold(name, top) && (name.len == top.len || name.at[name.len - top.len - 1] == '.');
}

/* Most names end in other letters than the three domains that are nobody's. */
static bool is_special(struct slice name)
{
    const char last = name.len ? name.at[name.len - 1] : 'd';
    return last == 'd' || last == 'n' || last == 't';
}

static bool is_known(enum dns_type type, struct slice name, struct resolver_answer *ret_answer)
{
    if (!is_special(name))
        return false;
    if (name.len == 0 || is_below(name, SLICE("invalid")) || is_below(name, SLICE("onion")))
        *ret_answer = (struct resolver_answer){.status = ANSWER_NONE, .value = SLICE("no such name")};
    else if (!is_below(name, SLICE("localhost")))
        return false;
    else if (type != DNS_A && type != DNS_AAAA)
        *ret_answer = (struct resolver_answer){.status = ANSWER_NONE, .value = SLICE("no such data")};
    else
        *ret_answer = (struct resolver_answer){.status = ANSWER_FOUND,
                                               .value = type == DNS_A ? SLICE("127.0.0.1") : SLICE("::1")};
    return true;
}

static bool is_kept(struct resolver *resolver, struct entry *entry, struct resolver_answer *ret_answer)
{
    if (!entry || entry->status == ANSWER_PENDING || entry->until_ms <= loop_now_ms(resolver->loop))
        return false;
    cache_used(entry);
    *ret_answer = entry_answer(entry);
    return true;
}

static bool cannot_ask(struct resolver *resolver, bool own, struct resolver_answer *ret_answer)
{
    const bool silent = resolver->health.state == RESOLVER_SILENT && !own;
    if (!silent && resolver->by_id.used < UNDER_WAY_MAX)
        return false;
    resolver->counts.failed++;
    *ret_answer = (struct resolver_answer){.status = ANSWER_FAILED,
                                           .value = silent ? SLICE("the name servers do not answer")
                                                           : SLICE("too many questions are under way"),
                                           .gone = silent};
    return true;
}

static void entry_begin(struct resolver *resolver, struct entry *entry)
{
    entry->server = (uint8_t)resolver->preferred;
    entry->sent = 0;
    entry->asking = true;
    list_add_last(&resolver->to_send, &entry->to_send);
    loop_again(resolver->loop);
}

static void entry_join(struct resolver *resolver, struct entry *entry, struct resolver_waiter *waiter)
{
    if (list_is_empty(&entry->waiters)) {
        entry->deadline.due = deadline_due;
        loop_timer_set(resolver->loop, &entry->deadline,
                       loop_now_ms(resolver->loop) + resolver->settings.deadline_ms);
    }
    list_add_last(&entry->waiters, &waiter->link);
    if (entry->asking)
        resolver->counts.merged++;
    else
        entry_begin(resolver, entry);
}

static bool ask(struct resolver *resolver, enum dns_type type, struct slice name,
                struct resolver_waiter *waiter, struct resolver_answer *ret_answer)
{
    const bool own = waiter == &resolver->health.alive;
    struct entry *entry = cache_get(resolver, type, name);
    if (is_kept(resolver, entry, ret_answer)) {
        resolver->counts.cached++;
        return true;
    }
    if (cannot_ask(resolver, own, ret_answer))
        return true;
    if (!entry)
        entry = cache_new(resolver, type, name);
    entry->own |= own || waiter == &resolver->health.invents[0] || waiter == &resolver->health.invents[1];
    entry_join(resolver, entry, waiter);
    return false;
}

bool resolver_ask(struct resolver *resolver, enum dns_type type, struct slice name,
                  struct resolver_waiter *waiter, struct resolver_answer *ret_answer)
{
    char room[DNS_NAME_MAX];
    const bool own = waiter == &resolver->health.alive;
    name = name_normalise(name, room);
    list_init(&waiter->link);
    resolver->counts.asked++;
    if (!own && is_known(type, name, ret_answer)) {
        resolver->counts.cached++;
        return true;
    }
    return ask(resolver, type, name, waiter, ret_answer);
}

void resolver_forget(struct resolver_waiter *waiter)
{
    if (waiter->link.next)
        list_remove(&waiter->link);
}

/* --- its life ------------------------------------------------------------------------------------------ */

static void send_all(struct loop_hook *hook)
{
    struct resolver *resolver = LIST_OF(hook, struct resolver, hook);
    while (!list_is_empty(&resolver->to_send)) {
        struct entry *entry = LIST_OF(resolver->to_send.next, struct entry, to_send);
        list_remove(&entry->to_send);
        entry_send(entry);
    }
    if (resolver->counts.kept_octets > resolver->settings.cache_octets)
        cache_trim(resolver);
    arena_drop(&resolver->scratch);
}

struct resolver *resolver_open(const struct resolver_settings *settings, struct error *error)
{
    struct resolver *resolver = memory_take(sizeof *resolver);
    uint64_t seed = 0;
    resolver->settings = *settings;
    resolver->loop = settings->loop;
    if (getrandom(&resolver->random.state, sizeof resolver->random.state, 0) < 0 ||
        getrandom(&seed, sizeof seed, 0) < 0)
        seed = resolver->random.state = clock_us();
    table_init(&resolver->entries, seed);
    table_init(&resolver->by_id, seed);
    list_init(&resolver->recent);
    list_init(&resolver->to_send);
    arena_init(&resolver->scratch, NULL, 0);
    assert(settings->probe.len <= PROBE_MAX);
    memcpy(resolver->probe, settings->probe.at ? settings->probe.at : "", settings->probe.len);
    resolver->settings.probe = slice_text(resolver->probe);
    resolver->hook.run = send_all;
    loop_hook_add(resolver->loop, &resolver->hook);
    health_begin(resolver);
    if (channels_open(resolver, error) == 0)
        return resolver;
    resolver_close(resolver);
    return NULL;
}

void resolver_close(struct resolver *resolver)
{
    size_t at = 0;
    struct slice key;
    void *value;
    if (!resolver)
        return;
    resolver->closing = true;
    channels_close(resolver);
    health_end(resolver);
    loop_hook_remove(resolver->loop, &resolver->hook);
    while (table_next(&resolver->entries, &at, &key, &value))
        cache_remove(value);
    table_drop(&resolver->entries);
    table_drop(&resolver->by_id);
    arena_drop(&resolver->scratch);
    memory_give(resolver, sizeof *resolver);
}

bool resolver_is_local(const struct resolver *resolver)
{
    return resolver->local;
}

void resolver_counts(const struct resolver *resolver, struct resolver_counts *ret_counts)
{
    *ret_counts = resolver->counts;
    ret_counts->under_way = resolver->by_id.used;
    ret_counts->state = resolver->health.state;
}
