#include "io/inbox.h"
#include "base/memory.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum letter_kind { LETTER_ANSWER, LETTER_STORED, LETTER_CALL };

/* One result on its way. Texts stand behind it in the same piece of memory. */
struct letter {
    struct letter *next;
    size_t size;
    enum letter_kind kind;
    enum answer_status status;
    struct ticket ticket;
    union {
        struct slice value;
        struct stored stored;
        struct {
            void (*run)(void *data);
            void *data;
        } call;
    };
    char texts[];
};

struct inbox {
    struct loop *loop;
    struct inbox_receiver receiver;
    struct loop_hook hook;
    pthread_t home;
    pthread_mutex_t lock;
    struct letter *first; /* under the lock, as is last */
    struct letter **last;
    atomic_bool full; /* there is a letter: looked at without the lock */
};

static void answer_deliver(const struct inbox_receiver *receiver, const struct letter *letter)
{
    const struct letter *next = letter->next;
    const struct inbox_answer answer = {.ticket = letter->ticket,
                                        .status = letter->status,
                                        .value = letter->value,
                                        .more = next && next->kind == LETTER_ANSWER &&
                                                next->ticket.owner == letter->ticket.owner};
    receiver->answer(receiver->data, &answer);
}

static void letter_deliver(struct inbox *inbox, struct letter *letter)
{
    const struct inbox_receiver *receiver = &inbox->receiver;
    switch (letter->kind) {
    case LETTER_ANSWER:
        if (receiver->answer)
            answer_deliver(receiver, letter);
        break;
    case LETTER_STORED:
        if (receiver->stored)
            receiver->stored(receiver->data, letter->ticket, &letter->stored);
        break;
    case LETTER_CALL: letter->call.run(letter->call.data); break;
    }
}

static struct letter *letters_take(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    struct letter *first = inbox->first;
    inbox->first = NULL;
    inbox->last = &inbox->first;
    atomic_store_explicit(&inbox->full, false, memory_order_relaxed);
    pthread_mutex_unlock(&inbox->lock);
    return first;
}

static void letters_drop(struct letter *letter)
{
    while (letter) {
        struct letter *next = letter->next;
        memory_give(letter, letter->size);
        letter = next;
    }
}

/* What is posted during delivery waits for the next turn, which comes at once: a pair that answers each other
 * cannot keep the loop from its descriptors. */
static void inbox_drain(struct loop_hook *hook)
{
    struct inbox *inbox = LIST_OF(hook, struct inbox, hook);
    if (!atomic_load_explicit(&inbox->full, memory_order_relaxed))
        return;
    struct letter *next;
    for (struct letter *letter = letters_take(inbox); letter; letter = next) {
        next = letter->next;
        letter_deliver(inbox, letter);
        memory_give(letter, letter->size);
    }
}

struct inbox *inbox_open(struct loop *loop, const struct inbox_receiver *receiver, struct error *error)
{
    struct inbox *inbox = memory_take(sizeof *inbox);
    int failed = pthread_mutex_init(&inbox->lock, NULL);
    if (failed) {
        error_set(error, failed, "cannot make a lock");
        memory_give(inbox, sizeof *inbox);
        return NULL;
    }
    inbox->loop = loop;
    inbox->receiver = *receiver;
    inbox->home = pthread_self();
    inbox->last = &inbox->first;
    inbox->hook.run = inbox_drain;
    loop_hook_add(loop, &inbox->hook);
    return inbox;
}

void inbox_close(struct inbox *inbox)
{
    if (!inbox)
        return;
    loop_hook_remove(inbox->loop, &inbox->hook);
    letters_drop(letters_take(inbox));
    pthread_mutex_destroy(&inbox->lock);
    memory_give(inbox, sizeof *inbox);
}

/* The loop looks at `full` in each turn; it has to be woken only where it may be waiting, which is never the
 * case on its own thread. */
static void letter_post(struct inbox *inbox, struct letter *letter)
{
    pthread_mutex_lock(&inbox->lock);
    bool first = !inbox->first;
    *inbox->last = letter;
    inbox->last = &letter->next;
    atomic_store_explicit(&inbox->full, true, memory_order_relaxed);
    pthread_mutex_unlock(&inbox->lock);
    if (pthread_equal(pthread_self(), inbox->home))
        loop_again(inbox->loop);
    else if (first)
        loop_wake(inbox->loop);
}

static struct letter *letter_new(enum letter_kind kind, struct ticket ticket, size_t text_size)
{
    size_t size = sizeof(struct letter) + text_size;
    struct letter *letter = memory_take(size);
    letter->size = size;
    letter->kind = kind;
    letter->ticket = ticket;
    return letter;
}

static struct slice text_keep(char **room, struct slice text)
{
    char *at = *room;
    if (text.len)
        memcpy(at, text.at, text.len);
    *room += text.len;
    return slice_of(at, text.len);
}

void inbox_post_answer(struct inbox *inbox, struct ticket ticket, enum answer_status status,
                       struct slice value)
{
    struct letter *letter = letter_new(LETTER_ANSWER, ticket, value.len);
    char *room = letter->texts;
    letter->status = status;
    letter->value = text_keep(&room, value);
    letter_post(inbox, letter);
}

void inbox_post_stored(struct inbox *inbox, struct ticket ticket, const struct stored *stored)
{
    size_t size = stored->queue_id.len + stored->server.len + stored->enhanced.len + stored->text.len;
    struct letter *letter = letter_new(LETTER_STORED, ticket, size);
    char *room = letter->texts;
    letter->stored = *stored;
    letter->stored.queue_id = text_keep(&room, stored->queue_id);
    letter->stored.server = text_keep(&room, stored->server);
    letter->stored.enhanced = text_keep(&room, stored->enhanced);
    letter->stored.text = text_keep(&room, stored->text);
    letter_post(inbox, letter);
}

void inbox_post_call(struct inbox *inbox, void (*call)(void *data), void *data)
{
    struct letter *letter = letter_new(LETTER_CALL, (struct ticket){0, 0}, 0);
    letter->call.run = call;
    letter->call.data = data;
    letter_post(inbox, letter);
}

struct loop *inbox_loop(const struct inbox *inbox)
{
    return inbox->loop;
}
