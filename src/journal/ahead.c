#include "journal/ahead.h"

#include "base/memory.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

enum piece { PIECE_NEW, PIECE_BEGUN, PIECE_DONE };

struct ahead;

struct worker {
    struct ahead *ahead;
    unsigned number;
};

struct ahead {
    struct ahead_work work;
    enum piece *pieces;
    size_t next;  /* none below it is new */
    size_t until; /* those that may be begun */
    bool ending;
    unsigned thread_count;
    pthread_t threads[AHEAD_WORKERS - 1];
    struct worker workers[AHEAD_WORKERS - 1];
    pthread_mutex_t lock;
    pthread_cond_t wake; /* there is more to do, or nothing any more */
    pthread_cond_t done; /* a piece is */
};

struct ahead *ahead_new(const struct ahead_work *work)
{
    struct ahead *ahead = memory_take(sizeof *ahead);
    ahead->work = *work;
    ahead->pieces = memory_take((work->count + 1) * sizeof *ahead->pieces);
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->wake, NULL);
    pthread_cond_init(&ahead->done, NULL);
    return ahead;
}

/* With the lock held, which is given back meanwhile. */
static void piece_do(struct ahead *ahead, size_t number, unsigned worker)
{
    ahead->pieces[number] = PIECE_BEGUN;
    pthread_mutex_unlock(&ahead->lock);
    ahead->work.run(ahead->work.data, number, worker);
    pthread_mutex_lock(&ahead->lock);
    ahead->pieces[number] = PIECE_DONE;
    pthread_cond_broadcast(&ahead->done);
}

static bool piece_next(struct ahead *ahead, size_t *ret_number)
{
    while (ahead->next < ahead->until && ahead->pieces[ahead->next] != PIECE_NEW)
        ahead->next++;
    *ret_number = ahead->next;
    return ahead->next < ahead->until;
}

static void *worker_run(void *data)
{
    const struct worker *worker = data;
    struct ahead *ahead = worker->ahead;
    size_t number;
    pthread_mutex_lock(&ahead->lock);
    while (!ahead->ending) {
        if (piece_next(ahead, &number))
            piece_do(ahead, number, worker->number);
        else
            pthread_cond_wait(&ahead->wake, &ahead->lock);
    }
    pthread_mutex_unlock(&ahead->lock);
    return NULL;
}

/* Where the system refuses a thread, there are fewer: who waits does the work. */
static void threads_make(struct ahead *ahead, size_t wanted)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (ahead->thread_count < AHEAD_WORKERS - 1 && ahead->thread_count < wanted) {
        struct worker *worker = &ahead->workers[ahead->thread_count];
        *worker = (struct worker){ahead, ahead->thread_count + 1};
        if (pthread_create(&ahead->threads[ahead->thread_count], NULL, worker_run, worker) != 0)
            break;
        ahead->thread_count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void ahead_allow(struct ahead *ahead, size_t until)
{
    size_t number;
    if (until > ahead->work.count)
        until = ahead->work.count;
    pthread_mutex_lock(&ahead->lock);
    if (until > ahead->until)
        ahead->until = until;
    size_t wanted = piece_next(ahead, &number) ? ahead->until - number : 0;
    pthread_cond_broadcast(&ahead->wake);
    pthread_mutex_unlock(&ahead->lock);
    threads_make(ahead, wanted);
}

void ahead_wait(struct ahead *ahead, size_t number)
{
    assert(number < ahead->work.count);
    pthread_mutex_lock(&ahead->lock);
    if (ahead->pieces[number] == PIECE_NEW)
        piece_do(ahead, number, 0);
    while (ahead->pieces[number] != PIECE_DONE)
        pthread_cond_wait(&ahead->done, &ahead->lock);
    pthread_mutex_unlock(&ahead->lock);
}

void ahead_free(struct ahead *ahead)
{
    if (!ahead)
        return;
    pthread_mutex_lock(&ahead->lock);
    ahead->ending = true;
    pthread_cond_broadcast(&ahead->wake);
    pthread_mutex_unlock(&ahead->lock);
    for (unsigned i = 0; i < ahead->thread_count; i++)
        pthread_join(ahead->threads[i], NULL);
    pthread_cond_destroy(&ahead->done);
    pthread_cond_destroy(&ahead->wake);
    pthread_mutex_destroy(&ahead->lock);
    memory_give(ahead->pieces, (ahead->work.count + 1) * sizeof *ahead->pieces);
    memory_give(ahead, sizeof *ahead);
}
