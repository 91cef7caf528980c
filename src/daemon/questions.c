#include "daemon/questions.h"
#include "base/memory.h"
#include "daemon/services.h"

#include <stdio.h>
#include <string.h>

#define VALUE_MAX 8192u /* octets of an answer to a session: it is recorded, too */

struct questions {
    struct gate *gate;
    struct services services;
    struct link waiting;             /* struct question */
    struct question *spare;          /* for the next one: most are answered at once */
    bool heard;                      /* a name server has answered */
    bool list_heard[BLOCKLISTS_MAX]; /* the list was found well */
};

/* One that waits. */
struct question {
    struct service_waiter waiter;
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

/* --- questions ----------------------------------------------------------------------------------------- */

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

static void answered(struct service_waiter *waiter, const struct resolver_answer *answer)
{
    struct question *question = LIST_OF(waiter, struct question, waiter);
    post(question->questions, question->ticket, answer);
    list_remove(&question->link);
    question_give(question);
}

void questions_ask(struct questions *questions, struct ticket ticket, enum ask_kind kind, struct slice key)
{
    struct question *question = question_take(questions, ticket);
    struct resolver_answer answer;
    struct arena arena;
    char room[600];
    arena_init(&arena, room, sizeof room);
    question->waiter.done = answered;
    if (services_ask(&questions->services, kind, key, &arena, &question->waiter, &answer)) {
        question_give(question);
        post(questions, ticket, &answer);
    } else
        list_add_last(&questions->waiting, &question->link);
    arena_drop(&arena);
}

/* --- counts -------------------------------------------------------------------------------------------- */

static void list_count(struct questions *questions, unsigned list)
{
    struct counters *counters = questions->gate->worker->counters;
    const unsigned slot = questions->gate->worker->slot;
    struct blocklist_counts counts;
    blocklists_counts(questions->services.blocklists, list, &counts);
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
    if (!questions->services.blocklists)
        return;
    for (unsigned i = 0; i < questions->gate->site->blocklist_count; i++)
        list_count(questions, i);
}

static void resolver_count(struct questions *questions)
{
    struct counters *counters = questions->gate->worker->counters;
    const unsigned slot = questions->gate->worker->slot;
    struct resolver_counts counts;
    if (!questions->services.resolver)
        return;
    resolver_counts(questions->services.resolver, &counts);
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

struct questions *questions_new(struct gate *gate)
{
    struct questions *questions = memory_take(sizeof *questions);
    struct error error;
    questions->gate = gate;
    list_init(&questions->waiting);
    const struct services_settings settings = {.site = gate->site,
                                               .loop = gate->loop,
                                               .names = true,
                                               .resolver_changed = resolver_changed,
                                               .list_changed = list_changed,
                                               .file_opened = origin_file_opened,
                                               .data = questions};
    if (services_open(&settings, &questions->services, &error) < 0)
        resolver_changed(questions, RESOLVER_SILENT, error.text);
    return questions;
}

void questions_free(struct questions *questions)
{
    if (!questions)
        return;
    services_close(&questions->services);
    while (!list_is_empty(&questions->waiting)) {
        struct question *question = LIST_OF(questions->waiting.next, struct question, link);
        list_remove(&question->link);
        memory_give(question, sizeof *question);
    }
    if (questions->spare)
        memory_give(questions->spare, sizeof *questions->spare);
    memory_give(questions, sizeof *questions);
}
