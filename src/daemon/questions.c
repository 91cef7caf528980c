#include "daemon/questions.h"
#include "base/memory.h"
#include "io/resolver.h"
#include "io/suffix.h"

#include <string.h>

#define VALUE_MAX 8192u /* octets of an answer to a session: it is recorded, too */

struct questions {
    struct gate *gate;
    struct resolver *resolver; /* NULL: there is none */
    struct suffix *suffix;     /* NULL: there is none */
    struct link waiting;       /* struct question */
};

/* One that waits for the resolver. */
struct question {
    struct resolver_waiter waiter;
    struct link link;
    struct questions *questions;
    struct ticket ticket;
};

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

static void resolver_changed(void *data, enum resolver_state state, const char *reason)
{
    static const char *const words[] = {"works", "silent", "rewrites"};
    static const char *const effects[] = {
        "", "checks that need the DNS find nothing until a name server answers",
        "the invented addresses count as no such name; other answers of this server may be wrong, too"};
    const struct questions *questions = data;
    record(questions->gate, &(struct event_service_changed){.service = SLICE("name servers"),
                                                            .state = slice_text(words[state]),
                                                            .reason = slice_text(reason),
                                                            .effect = slice_text(effects[state])});
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

static void answered(struct resolver_waiter *waiter, const struct resolver_answer *answer)
{
    struct question *question = LIST_OF(waiter, struct question, waiter);
    post(question->questions, question->ticket, answer);
    list_remove(&question->link);
    memory_give(question, sizeof *question);
}

static void ask_resolver(struct questions *questions, struct ticket ticket, enum dns_type type,
                         struct slice name)
{
    struct resolver_answer answer = {.status = ANSWER_FAILED, .value = SLICE("no resolver")};
    struct question *question = memory_take(sizeof *question);
    question->waiter.done = answered;
    question->questions = questions;
    question->ticket = ticket;
    if (questions->resolver && !resolver_ask(questions->resolver, type, name, &question->waiter, &answer)) {
        list_add_last(&questions->waiting, &question->link);
        return;
    }
    memory_give(question, sizeof *question);
    post(questions, ticket, &answer);
}

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
    case ASK_REGISTERED: ask_registered(questions, ticket, key); break;
    default:
        inbox_post_answer(questions->gate->inbox, ticket, ANSWER_FAILED, SLICE("nobody can be asked"));
        break;
    }
}

void questions_count(const struct questions *questions)
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
}

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
    return questions;
}

void questions_free(struct questions *questions)
{
    if (!questions)
        return;
    resolver_close(questions->resolver);
    while (!list_is_empty(&questions->waiting)) {
        struct question *question = LIST_OF(questions->waiting.next, struct question, link);
        list_remove(&question->link);
        memory_give(question, sizeof *question);
    }
    suffix_close(questions->suffix);
    memory_give(questions, sizeof *questions);
}
