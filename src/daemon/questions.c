#include "daemon/questions.h"
#include "base/memory.h"
#include "io/blocklist.h"
#include "io/origin.h"
#include "io/suffix.h"

#include <stdio.h>
#include <string.h>

#define VALUE_MAX 8192u /* octets of an answer to a session: it is recorded, too */

struct questions {
    struct gate *gate;
    struct resolver *resolver;       /* NULL: there is none */
    struct blocklists *blocklists;   /* NULL: none are asked, or there is no resolver */
    struct origins *origins;         /* NULL: nothing is set that could know them */
    struct suffix *suffix;           /* NULL: there is none */
    struct link waiting;             /* struct question */
    struct question *spare;          /* for the next one: most are answered at once */
    bool heard;                      /* a name server has answered */
    bool list_heard[BLOCKLISTS_MAX]; /* the list was found well */
};

/* One that waits. */
struct question {
    union {
        struct resolver_waiter resolver;
        struct blocklist_waiter list;
        struct origin_waiter origin;
    } waiter;
    struct link link;
    struct questions *questions;
    struct ticket ticket;
};

_Static_assert(BLOCKLISTS_MAX <= COUNTERS_LISTS, "each list has its counters");
_Static_assert(ORIGIN_FILES_MAX <= COUNTERS_FILES, "each file has its news");

/* --- what is told of the services ---------------------------------------------------------------------- */

static void record(struct gate *gate, const struct event_service_changed *changed)
{
    const struct event_stamp stamp = {.session = 0, .unix_us = loop_unix_us(gate->loop)};
    struct buf events;
    buf_init(&events, EVENT_SIZE_MAX);
    event_add_service_changed(&events, &stamp, changed);
    journal_writer_add(gate->journal, buf_slice(&events), NULL);
    buf_drop(&events);
}

/* All gates see the same name servers and lists: who is first says so. `state` 0 is well; that all is well
 * is news only where somebody has said something else of it. */
static bool is_news(const struct questions *questions, unsigned subject, struct slice name, unsigned state)
{
    const uint64_t value = (slice_hash(name, 0) & ~UINT64_C(7)) | 4 | state;
    const uint64_t before = counters_say(questions->gate->worker->counters, subject, value);
    return before != value && (state != 0 || before >> 3 == value >> 3);
}

static void resolver_changed(void *data, enum resolver_state state, const char *reason)
{
    static const char *const words[] = {"works", "silent", "rewrites"};
    static const char *const effects[] = {
        "", "checks that need the DNS find nothing until a name server answers",
        "the invented addresses count as no such name; other answers of this server may be wrong, too"};
    const struct questions *questions = data;
    const struct gate *gate = questions->gate;
    if (is_news(questions, 0, gate->site->set.dns_server, state))
        record(questions->gate, &(struct event_service_changed){.service = SLICE("name servers"),
                                                                .state = slice_text(words[state]),
                                                                .reason = slice_text(reason),
                                                                .effect = slice_text(effects[state])});
}

static void list_changed(void *data, size_t list, bool works, const char *reason)
{
    const struct questions *questions = data;
    const struct slice name = questions->gate->site->blocklists[list].name;
    char service[80];
    if (!is_news(questions, 1 + (unsigned)list, name, !works))
        return;
    const int len = snprintf(service, sizeof service, "blocklist %.*s", SLICE_ARGS(name));
    record(questions->gate,
           &(struct event_service_changed){
               .service = slice_of(service, (size_t)len),
               .state = works ? SLICE("works") : SLICE("off"),
               .reason = slice_text(reason),
               .effect = works ? SLICE_NONE : SLICE("it is not asked until it is well again")});
}

static unsigned file_subject(const struct site *site, struct slice file)
{
    unsigned i = 0;
    while (i + 1 < site->origin_file_count && !slice_equal(site->origin_files[i], file))
        i++;
    return 1 + COUNTERS_LISTS + i;
}

static void origin_file_opened(void *data, struct slice file, const struct error *error)
{
    const struct questions *questions = data;
    const unsigned subject = file_subject(questions->gate->site, file);
    char service[300];
    if (!is_news(questions, subject, file, error != NULL))
        return;
    const int len = snprintf(service, sizeof service, "origin file %.*s", (int)slice_head(file, 200).len,
                             file.at);
    record(questions->gate, &(struct event_service_changed){
                                .service = slice_of(service, (size_t)len),
                                .state = error ? SLICE("off") : SLICE("works"),
                                .reason = error ? slice_text(error->text) : SLICE("it can be read"),
                                .effect = error ? SLICE("origins are not looked up in it") : SLICE_NONE});
}

/* --- the name servers ---------------------------------------------------------------------------------- */

static void post(struct questions *questions, struct ticket ticket, const struct resolver_answer *answer)
{
    struct inbox *inbox = questions->gate->inbox;
    if (answer->value.len > VALUE_MAX)
        inbox_post_answer(inbox, ticket, ANSWER_FAILED, SLICE("the answer is too long"));
    else
        inbox_post_answer(inbox, ticket, answer->status, answer->value);
}

static struct question *question_take(struct questions *questions, struct ticket ticket)
{
    struct question *question = questions->spare ? questions->spare : memory_take(sizeof *question);
    questions->spare = NULL;
    question->questions = questions;
    question->ticket = ticket;
    return question;
}

static void question_give(struct question *question)
{
    struct questions *questions = question->questions;
    if (questions->spare)
        memory_give(question, sizeof *question);
    else
        questions->spare = question;
}

static void question_end(struct question *question, const struct resolver_answer *answer)
{
    post(question->questions, question->ticket, answer);
    list_remove(&question->link);
    question_give(question);
}

static void answered(struct resolver_waiter *waiter, const struct resolver_answer *answer)
{
    question_end(LIST_OF(waiter, struct question, waiter.resolver), answer);
}

static void list_answered(struct blocklist_waiter *waiter, const struct resolver_answer *answer)
{
    question_end(LIST_OF(waiter, struct question, waiter.list), answer);
}

static void ask_resolver(struct questions *questions, struct ticket ticket, enum dns_type type,
                         struct slice name)
{
    struct resolver_answer answer = {.status = ANSWER_FAILED, .value = SLICE("no resolver")};
    struct question *question = question_take(questions, ticket);
    question->waiter.resolver.done = answered;
    if (questions->resolver &&
        !resolver_ask(questions->resolver, type, name, &question->waiter.resolver, &answer)) {
        list_add_last(&questions->waiting, &question->link);
        return;
    }
    question_give(question);
    post(questions, ticket, &answer);
}

/* --- blocklists ---------------------------------------------------------------------------------------- */

/* Special addresses are nobody's that a list of the public could know. */
static bool is_listable(const struct questions *questions, const struct address *address)
{
    return !address_is_special(address) || resolver_is_local(questions->resolver);
}

static void ask_listed(struct questions *questions, struct ticket ticket, struct slice key)
{
    struct resolver_answer answer = {.status = ANSWER_FAILED, .value = SLICE("no blocklists")};
    struct address address;
    const size_t blank = slice_find_last(key, ' ');
    if (!questions->blocklists || blank == SLICE_NOT_FOUND ||
        !address_parse(slice_from(key, blank + 1), &address)) {
        post(questions, ticket, &answer);
        return;
    }
    if (!is_listable(questions, &address)) {
        inbox_post_answer(questions->gate->inbox, ticket, ANSWER_NONE, SLICE_NONE);
        return;
    }
    struct question *question = question_take(questions, ticket);
    question->waiter.list.done = list_answered;
    if (!blocklists_ask(questions->blocklists, slice_head(key, blank), &address, &question->waiter.list,
                        &answer)) {
        list_add_last(&questions->waiting, &question->link);
        return;
    }
    question_give(question);
    post(questions, ticket, &answer);
}

static void blocklists_begin(struct questions *questions)
{
    const struct site *site = questions->gate->site;
    struct blocklist_settings lists[BLOCKLISTS_MAX];
    if (!questions->resolver || !site->blocklist_count)
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
    questions->blocklists = blocklists_open(
        &(struct blocklists_settings){.loop = questions->gate->loop,
                                      .resolver = questions->resolver,
                                      .lists = lists,
                                      .count = site->blocklist_count,
                                      .probe_each_ms = site->set.listed_probe,
                                      .retry_ms = site->set.listed_retry,
                                      .tell = list_changed,
                                      .data = questions});
}

/* --- origins ------------------------------------------------------------------------------------------- */

static void origin_answered(struct origin_waiter *waiter, const struct resolver_answer *answer)
{
    question_end(LIST_OF(waiter, struct question, waiter.origin), answer);
}

static void ask_origin(struct questions *questions, struct ticket ticket, struct slice key)
{
    struct resolver_answer answer = {.status = ANSWER_NONE};
    struct address address;
    if (!questions->origins || !address_parse(key, &address)) {
        post(questions, ticket, &answer);
        return;
    }
    struct question *question = question_take(questions, ticket);
    question->waiter.origin.done = origin_answered;
    if (!origins_ask(questions->origins, &address, &question->waiter.origin, &answer)) {
        list_add_last(&questions->waiting, &question->link);
        return;
    }
    question_give(question);
    post(questions, ticket, &answer);
}

static void origins_begin(struct questions *questions)
{
    const struct site *site = questions->gate->site;
    const struct settings *set = &site->set;
    if (!site->origin_file_count && !set->origin_zone.len && !set->origin_zone6.len)
        return;
    questions->origins = origins_open(&(struct origins_settings){.resolver = questions->resolver,
                                                                 .files = site->origin_files,
                                                                 .file_count = site->origin_file_count,
                                                                 .zone = set->origin_zone,
                                                                 .zone6 = set->origin_zone6,
                                                                 .names = set->origin_names,
                                                                 .tell = origin_file_opened,
                                                                 .data = questions});
}

/* --- special addresses --------------------------------------------------------------------------------- */

/* What a special address is called is known at home, if anywhere: servers of the public are not asked. */
static void ask_pointer(struct questions *questions, struct ticket ticket, struct slice key)
{
    struct address address;
    struct arena arena;
    char room[128];
    if (!address_parse(key, &address) ||
        (questions->resolver && address_is_special(&address) && !resolver_is_local(questions->resolver))) {
        inbox_post_answer(questions->gate->inbox, ticket, ANSWER_NONE, SLICE("no such name"));
        return;
    }
    arena_init(&arena, room, sizeof room);
    ask_resolver(questions, ticket, DNS_PTR, dns_pointer_name(&arena, &address));
    arena_drop(&arena);
}

/* --- the rest ------------------------------------------------------------------------------------------ */

static void ask_registered(struct questions *questions, struct ticket ticket, struct slice key)
{
    struct arena arena;
    char room[600];
    struct inbox *inbox = questions->gate->inbox;
    if (!questions->suffix) {
        inbox_post_answer(inbox, ticket, ANSWER_FAILED, SLICE("there is no public suffix list"));
        return;
    }
    arena_init(&arena, room, sizeof room);
    const struct slice domain = suffix_registered(questions->suffix, key, &arena);
    inbox_post_answer(inbox, ticket, domain.len ? ANSWER_FOUND : ANSWER_NONE, domain);
    arena_drop(&arena);
}

void questions_ask(struct questions *questions, struct ticket ticket, enum ask_kind kind, struct slice key)
{
    switch ((unsigned)kind) {
    case ASK_ADDRESS4: ask_resolver(questions, ticket, DNS_A, key); break;
    case ASK_ADDRESS6: ask_resolver(questions, ticket, DNS_AAAA, key); break;
    case ASK_POINTER: ask_pointer(questions, ticket, key); break;
    case ASK_MX: ask_resolver(questions, ticket, DNS_MX, key); break;
    case ASK_TXT: ask_resolver(questions, ticket, DNS_TXT, key); break;
    case ASK_LISTED: ask_listed(questions, ticket, key); break;
    case ASK_ORIGIN: ask_origin(questions, ticket, key); break;
    case ASK_REGISTERED: ask_registered(questions, ticket, key); break;
    default:
        inbox_post_answer(questions->gate->inbox, ticket, ANSWER_FAILED, SLICE("nobody can be asked"));
        break;
    }
}

/* --- counts -------------------------------------------------------------------------------------------- */

static void list_count(struct questions *questions, unsigned list)
{
    struct counters *counters = questions->gate->worker->counters;
    const unsigned slot = questions->gate->worker->slot;
    struct blocklist_counts counts;
    blocklists_counts(questions->blocklists, list, &counts);
    counters_list_set(counters, slot, list, LIST_CONDITION, blocklist_condition_pack(&counts));
    counters_list_set(counters, slot, list, LIST_ASKED, counts.asked);
    counters_list_set(counters, slot, list, LIST_LISTED, counts.listed);
    counters_list_set(counters, slot, list, LIST_FAILED, counts.failed);
    counters_list_set(counters, slot, list, LIST_WAITED, counts.waited);
    counters_list_set(counters, slot, list, LIST_TOOK_US, counts.took_us);
    if (counts.state == BLOCKLIST_WORKS && !questions->list_heard[list]) {
        questions->list_heard[list] = true;
        list_changed(questions, list, true, "its test entries are as they should be");
    }
}

static void lists_count(struct questions *questions)
{
    if (!questions->blocklists)
        return;
    for (unsigned i = 0; i < questions->gate->site->blocklist_count; i++)
        list_count(questions, i);
}

static void resolver_count(struct questions *questions)
{
    struct counters *counters = questions->gate->worker->counters;
    const unsigned slot = questions->gate->worker->slot;
    struct resolver_counts counts;
    if (!questions->resolver)
        return;
    resolver_counts(questions->resolver, &counts);
    const struct {
        enum counter counter;
        uint64_t value;
    } values[] = {
        {COUNTER_DNS_STATE, 1 + counts.state},
        {COUNTER_DNS_KEPT, counts.kept},
        {COUNTER_DNS_OCTETS, counts.kept_octets},
        {COUNTER_DNS_ASKED, counts.asked},
        {COUNTER_DNS_CACHED, counts.cached},
        {COUNTER_DNS_MERGED, counts.merged},
        {COUNTER_DNS_SENT, counts.sent},
        {COUNTER_DNS_ANSWERED, counts.answered},
        {COUNTER_DNS_FAILED, counts.failed},
        {COUNTER_DNS_STRAYS, counts.strays},
        {COUNTER_DNS_CUT, counts.cut},
        {COUNTER_DNS_REWRITTEN, counts.rewritten},
        {COUNTER_DNS_TOOK_US, counts.took_us},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        counters_set(counters, slot, values[i].counter, values[i].value);
    if (counts.answered && counts.state == RESOLVER_WORKS && !questions->heard) {
        questions->heard = true;
        resolver_changed(questions, RESOLVER_WORKS, "a name server answers");
    }
}

void questions_count(struct questions *questions)
{
    resolver_count(questions);
    lists_count(questions);
}

/* --- their life ---------------------------------------------------------------------------------------- */

static void resolver_begin(struct questions *questions)
{
    const struct settings *set = &questions->gate->site->set;
    const struct resolver_settings settings = {.loop = questions->gate->loop,
                                               .servers = set->dns_server,
                                               .deadline_ms = set->dns_deadline,
                                               .cache_octets = set->dns_cache,
                                               .probe = set->dns_probe,
                                               .tell = resolver_changed,
                                               .data = questions};
    struct error error;
    if (!site_asks_names(questions->gate->site))
        return;
    questions->resolver = resolver_open(&settings, &error);
    if (!questions->resolver)
        resolver_changed(questions, RESOLVER_SILENT, error.text);
}

struct questions *questions_new(struct gate *gate)
{
    struct questions *questions = memory_take(sizeof *questions);
    questions->gate = gate;
    list_init(&questions->waiting);
    questions->suffix = suffix_open();
    resolver_begin(questions);
    blocklists_begin(questions);
    origins_begin(questions);
    return questions;
}

void questions_free(struct questions *questions)
{
    if (!questions)
        return;
    origins_close(questions->origins);
    blocklists_close(questions->blocklists);
    resolver_close(questions->resolver);
    while (!list_is_empty(&questions->waiting)) {
        struct question *question = LIST_OF(questions->waiting.next, struct question, link);
        list_remove(&question->link);
        memory_give(question, sizeof *question);
    }
    if (questions->spare)
        memory_give(questions->spare, sizeof *questions->spare);
    suffix_close(questions->suffix);
    memory_give(questions, sizeof *questions);
}
