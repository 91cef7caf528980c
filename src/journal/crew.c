#include "journal/crew.h"

#include "base/memory.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

enum piece { PIECE_NEW, PIECE_BEGUN, PIECE_DONE };

struct crew;

struct worker {
    struct crew *crew;
    unsigned number;
};

struct crew {
    struct crew_work work;
    enum piece *pieces;
    size_t next;  /* none below it is new */
    size_t until; /* those that may be begun */
    bool ending;
    unsigned thread_count;
    pthread_t threads[CREW_WORKERS - 1];
    struct worker workers[CREW_WORKERS - 1];
    pthread_mutex_t lock;
    pthread_cond_t wake; /* there is more to do, or nothing any more */
    pthread_cond_t done; /* a piece is */
};

struct crew *crew_new(const struct crew_work *work)
{
    struct crew *crew = memory_take(sizeof *crew);
    crew->work = *work;
    crew->pieces = memory_take((work->count + 1) * sizeof *crew->pieces);
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->wake, NULL);
    pthread_cond_init(&crew->done, NULL);
    return crew;
}

/* With the lock held, which is given back meanwhile. */
static void piece_do(struct crew *crew, size_t number, unsigned worker)
{
    crew->pieces[number] = PIECE_BEGUN;
    pthread_mutex_unlock(&crew->lock);
    crew->work.run(crew->work.data, number, worker);
    pthread_mutex_lock(&crew->lock);
    crew->pieces[number] = PIECE_DONE;
    pthread_cond_broadcast(&crew->done);
}

static bool piece_next(struct crew *crew, size_t *ret_number)
{
    while (crew->next < crew->until && crew->pieces[crew->next] != PIECE_NEW)
        crew->next++;
    *ret_number = crew->next;
    return crew->next < crew->until;
}

static void *worker_run(void *data)
{
    const struct worker *worker = data;
    struct crew *crew = worker->crew;
    size_t number;
    pthread_mutex_lock(&crew->lock);
    while (!crew->ending) {
        if (piece_next(crew, &number))
            piece_do(crew, number, worker->number);
        else
            pthread_cond_wait(&crew->wake, &crew->lock);
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

/* Where the system refuses a thread, there are fewer: who waits does the work. */
static void threads_make(struct crew *crew, size_t wanted)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (crew->thread_count < CREW_WORKERS - 1 && crew->thread_count < wanted) {
        struct worker *worker = &crew->workers[crew->thread_count];
        *worker = (struct worker){crew, crew->thread_count + 1};
        if (pthread_create(&crew->threads[crew->thread_count], NULL, worker_run, worker) != 0)
            break;
        crew->thread_count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void crew_allow(struct crew *crew, size_t until)
{
    size_t number;
    if (until > crew->work.count)
        until = crew->work.count;
    pthread_mutex_lock(&crew->lock);
    if (until > crew->until)
        crew->until = until;
    size_t wanted = piece_next(crew, &number) ? crew->until - number : 0;
    pthread_cond_broadcast(&crew->wake);
    pthread_mutex_unlock(&crew->lock);
    threads_make(crew, wanted);
}

void crew_wait(struct crew *crew, size_t number)
{
    assert(number < crew->work.count);
    pthread_mutex_lock(&crew->lock);
    if (crew->pieces[number] == PIECE_NEW)
        piece_do(crew, number, 0);
    while (crew->pieces[number] != PIECE_DONE)
        pthread_cond_wait(&crew->done, &crew->lock);
    pthread_mutex_unlock(&crew->lock);
}

void crew_free(struct crew *crew)
{
    if (!crew)
        return;
    pthread_mutex_lock(&crew->lock);
    crew->ending = true;
    pthread_cond_broadcast(&crew->wake);
    pthread_mutex_unlock(&crew->lock);
    for (unsigned i = 0; i < crew->thread_count; i++)
        pthread_join(crew->threads[i], NULL);
    pthread_cond_destroy(&crew->done);
    pthread_cond_destroy(&crew->wake);
    pthread_mutex_destroy(&crew->lock);
    memory_give(crew->pieces, (crew->work.count + 1) * sizeof *crew->pieces);
    memory_give(crew, sizeof *crew);
}
