#include "io/resolve.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/table.h"
#include "io/loop.h"
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* getaddrinfo cannot be broken off, so each question has a thread of its own: a name whose server is dead
 * keeps nobody else waiting. There are as many at most as there are names in the configuration. What threads
 * and resolver share outlives the resolver until the last thread has ended. */
struct shared {
    pthread_mutex_t lock;
    struct loop *loop; /* NULL: the resolver is gone */
    struct question *answered;
    atomic_bool any;
    unsigned users;
};

struct question {
    struct question *next;
    struct shared *shared;
    size_t count;
    struct address addresses[RESOLVE_ADDRESSES];
    char name[256];
    char trouble[160];
};

struct waiter {
    struct link link;
    uint64_t number;
    resolve_done *done;
    void *whom;
};

struct entry {
    struct link waiters;
    uint64_t until_ms; /* the answer counts as new; 0: there is none */
    bool asking;
    size_t count;
    struct address addresses[RESOLVE_ADDRESSES];
    char name[256];
    char trouble[160];
};

struct resolve {
    struct loop *loop;
    struct shared *shared;
    struct loop_hook hook;
    struct table entries;
};

/* --- on the thread of a question ----------------------------------------------------------------------- */

static void address_add(struct question *question, const struct addrinfo *info)
{
    struct address address;
    if (info->ai_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)info->ai_addr;
        address = address_from_octets(ADDRESS_IPV4, (const uint8_t *)&in->sin_addr, 0);
    } else {
        const struct sockaddr_in6 *in6 = (const void *)info->ai_addr;
        address = address_from_octets(ADDRESS_IPV6, (const uint8_t *)&in6->sin6_addr, 0);
    }
    question->addresses[question->count++] = address;
}

static void question_ask(struct question *question)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int failed = getaddrinfo(question->name, NULL, &hints, &list);
    if (failed)
        snprintf(question->trouble, sizeof question->trouble, "%s", gai_strerror(failed));
    for (const struct addrinfo *info = list; info && question->count < RESOLVE_ADDRESSES;
         info = info->ai_next)
        if (info->ai_family == AF_INET || info->ai_family == AF_INET6)
            address_add(question, info);
    if (list)
        freeaddrinfo(list);
}

/* Under the lock, which it gives up. */
static void shared_leave(struct shared *shared)
{
    bool last = --shared->users == 0;
    pthread_mutex_unlock(&shared->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&shared->lock);
    memory_give(shared, sizeof *shared);
}

static void question_return(struct question *question)
{
    struct shared *shared = question->shared;
    pthread_mutex_lock(&shared->lock);
    if (shared->loop) {
        question->next = shared->answered;
        shared->answered = question;
        atomic_store(&shared->any, true);
        loop_wake(shared->loop);
    } else {
        memory_give(question, sizeof *question);
    }
    shared_leave(shared);
}

static void *question_run(void *data)
{
    struct question *question = data;
    question_ask(question);
    question_return(question);
    return NULL;
}

/* --- on the loop's thread ------------------------------------------------------------------------------ */

static struct resolve_answer entry_answer(const struct entry *entry)
{
    struct resolve_answer answer = {.count = entry->count, .trouble = slice_text(entry->trouble)};
    memcpy(answer.addresses, entry->addresses, sizeof answer.addresses);
    return answer;
}

/* A name that is known keeps its addresses while its server does not answer. */
static void entry_take(struct resolve *resolve, struct entry *entry, const struct question *question)
{
    uint64_t keep_ms = question->count ? RESOLVE_KEEP_MS : RESOLVE_FAILED_MS;
    entry->asking = false;
    entry->until_ms = loop_now_ms(resolve->loop) + keep_ms;
    if (question->count == 0 && entry->count > 0)
        return;
    entry->count = question->count;
    memcpy(entry->addresses, question->addresses, sizeof entry->addresses);
    memcpy(entry->trouble, question->trouble, sizeof entry->trouble);
}

static void entry_tell(struct entry *entry)
{
    const struct resolve_answer answer = entry_answer(entry);
    while (!list_is_empty(&entry->waiters)) {
        struct waiter *waiter = LIST_OF(entry->waiters.next, struct waiter, link);
        struct waiter copy = *waiter;
        list_remove(&waiter->link);
        memory_give(waiter, sizeof *waiter);
        copy.done(copy.whom, copy.number, &answer);
    }
}

static void answers_take(struct loop_hook *hook)
{
    struct resolve *resolve = LIST_OF(hook, struct resolve, hook);
    struct shared *shared = resolve->shared;
    if (!atomic_load(&shared->any))
        return;
    pthread_mutex_lock(&shared->lock);
    struct question *question = shared->answered, *next;
    shared->answered = NULL;
    atomic_store(&shared->any, false);
    pthread_mutex_unlock(&shared->lock);
    for (; question; question = next) {
        next = question->next;
        struct entry *entry = table_get(&resolve->entries, slice_text(question->name));
        entry_take(resolve, entry, question);
        memory_give(question, sizeof *question);
        entry_tell(entry);
    }
}

static struct entry *entry_get(struct resolve *resolve, struct slice name)
{
    struct entry *entry = table_get(&resolve->entries, name);
    if (entry)
        return entry;
    entry = memory_take(sizeof *entry);
    list_init(&entry->waiters);
    memcpy(entry->name, name.at, name.len);
    table_put(&resolve->entries, slice_text(entry->name), entry);
    return entry;
}

/* Signals are for the loop's thread. */
static int thread_start(struct question *question)
{
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, NULL, question_run, question);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0)
        pthread_detach(thread);
    return failed;
}

/* Without a thread the answer is a failure, told in the next turn as any other. */
static void entry_ask(struct resolve *resolve, struct entry *entry)
{
    struct question *question = memory_take(sizeof *question);
    entry->asking = true;
    question->shared = resolve->shared;
    memcpy(question->name, entry->name, sizeof question->name);
    pthread_mutex_lock(&resolve->shared->lock);
    resolve->shared->users++;
    pthread_mutex_unlock(&resolve->shared->lock);
    int failed = thread_start(question);
    if (!failed)
        return;
    snprintf(question->trouble, sizeof question->trouble, "no thread for the resolver: %s", strerror(failed));
    question_return(question);
}

bool resolve_ask(struct resolve *resolve, struct slice name, uint64_t number, resolve_done *done, void *whom,
                 struct resolve_answer *ret_answer)
{
    if (name.len == 0 || name.len > 255 || slice_find(name, '\0') != SLICE_NOT_FOUND) {
        *ret_answer = (struct resolve_answer){.trouble = SLICE("it is no name of a host")};
        return true;
    }
    struct entry *entry = entry_get(resolve, name);
    if (!entry->asking && entry->until_ms > loop_now_ms(resolve->loop)) {
        *ret_answer = entry_answer(entry);
        return true;
    }
    struct waiter *waiter = memory_take(sizeof *waiter);
    *waiter = (struct waiter){.number = number, .done = done, .whom = whom};
    list_add_last(&entry->waiters, &waiter->link);
    if (!entry->asking)
        entry_ask(resolve, entry);
    return false;
}

static void entry_forget(struct entry *entry, const void *whom, uint64_t number, bool all)
{
    struct link *at = entry->waiters.next, *next;
    for (; at != &entry->waiters; at = next) {
        struct waiter *waiter = LIST_OF(at, struct waiter, link);
        next = at->next;
        if (!all && (waiter->whom != whom || waiter->number != number))
            continue;
        list_remove(at);
        memory_give(waiter, sizeof *waiter);
    }
}

void resolve_forget(struct resolve *resolve, const void *whom, uint64_t number)
{
    size_t at = 0;
    void *value;
    struct slice name;
    while (table_next(&resolve->entries, &at, &name, &value))
        entry_forget(value, whom, number, false);
}

struct resolve *resolve_new(struct loop *loop)
{
    struct resolve *resolve = memory_take(sizeof *resolve);
    resolve->loop = loop;
    resolve->shared = memory_take(sizeof *resolve->shared);
    resolve->shared->loop = loop;
    resolve->shared->users = 1;
    pthread_mutex_init(&resolve->shared->lock, NULL);
    table_init(&resolve->entries, 0);
    resolve->hook.run = answers_take;
    loop_hook_add(loop, &resolve->hook);
    return resolve;
}

void resolve_free(struct resolve *resolve)
{
    size_t at = 0;
    void *value;
    struct slice name;
    if (!resolve)
        return;
    loop_hook_remove(resolve->loop, &resolve->hook);
    while (table_next(&resolve->entries, &at, &name, &value)) {
        entry_forget(value, NULL, 0, true);
        memory_give(value, sizeof(struct entry));
    }
    table_drop(&resolve->entries);
    struct shared *shared = resolve->shared;
    memory_give(resolve, sizeof *resolve);
    pthread_mutex_lock(&shared->lock);
    for (struct question *question = shared->answered, *next; question; question = next) {
        next = question->next;
        memory_give(question, sizeof *question);
    }
    shared->loop = NULL;
    shared_leave(shared);
}
