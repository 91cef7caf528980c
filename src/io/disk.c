#include "io/disk.h"
#include "base/memory.h"
#include <pthread.h>
#include <signal.h>

struct job {
    struct job *next;
    void (*work)(void *data);
    void (*done)(void *data);
    void *data;
};

struct disk {
    struct inbox *inbox;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct job *first; /* under the lock, as are the next three */
    struct job **last;
    size_t waiting;
    bool closing;
    unsigned thread_count;
    pthread_t threads[];
};

/* The next job, or NULL when the disk is closing and none is left. */
static struct job *job_take(struct disk *disk)
{
    pthread_mutex_lock(&disk->lock);
    while (!disk->first && !disk->closing)
        pthread_cond_wait(&disk->more, &disk->lock);
    struct job *job = disk->first;
    if (job) {
        disk->first = job->next;
        disk->waiting--;
        if (!disk->first)
            disk->last = &disk->first;
    }
    pthread_mutex_unlock(&disk->lock);
    return job;
}

static void *disk_thread(void *data)
{
    struct disk *disk = data;
    for (struct job *job; (job = job_take(disk));) {
        job->work(job->data);
        inbox_post_call(disk->inbox, job->done, job->data);
        memory_give(job, sizeof *job);
    }
    return NULL;
}

static int threads_start(struct disk *disk, unsigned threads)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = 0;
    while (!failed && disk->thread_count < threads) {
        failed = pthread_create(&disk->threads[disk->thread_count], NULL, disk_thread, disk);
        if (!failed)
            disk->thread_count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

static size_t disk_size(unsigned threads)
{
    return sizeof(struct disk) + threads * sizeof(pthread_t);
}

struct disk *disk_open(struct inbox *inbox, unsigned threads, struct error *error)
{
    struct disk *disk = memory_take(disk_size(threads));
    disk->inbox = inbox;
    disk->last = &disk->first;
    pthread_mutex_init(&disk->lock, NULL);
    pthread_cond_init(&disk->more, NULL);
    int failed = threads_start(disk, threads);
    if (failed) {
        error_set(error, failed, "cannot start a helper thread");
        disk_close(disk);
        return NULL;
    }
    return disk;
}

void disk_close(struct disk *disk)
{
    if (!disk)
        return;
    pthread_mutex_lock(&disk->lock);
    disk->closing = true;
    pthread_cond_broadcast(&disk->more);
    pthread_mutex_unlock(&disk->lock);
    for (unsigned i = 0; i < disk->thread_count; i++)
        pthread_join(disk->threads[i], NULL);
    pthread_cond_destroy(&disk->more);
    pthread_mutex_destroy(&disk->lock);
    memory_give(disk, disk_size(disk->thread_count));
}

void disk_run(struct disk *disk, void (*work)(void *data), void (*done)(void *data), void *data)
{
    struct job *job = memory_take(sizeof *job);
    job->work = work;
    job->done = done;
    job->data = data;
    pthread_mutex_lock(&disk->lock);
    *disk->last = job;
    disk->last = &job->next;
    disk->waiting++;
    pthread_cond_signal(&disk->more);
    pthread_mutex_unlock(&disk->lock);
}

size_t disk_waiting(struct disk *disk)
{
    pthread_mutex_lock(&disk->lock);
    size_t waiting = disk->waiting;
    pthread_mutex_unlock(&disk->lock);
    return waiting;
}
