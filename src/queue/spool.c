#include "queue/spool.h"

#include "base/memory.h"
#include "core/event.h"
#include "io/files.h"
#include "queue/segment.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define BATCH_WRITE   (256u * 1024u)       /* octets after which a batch is written on */
#define BATCH_KEEP    (4u * 1024u * 1024u) /* a batch buffer larger than this is given back */
#define ENVELOPE_MAX  (256u * 1024u * 1024u)
#define SEGMENT_AGE_S 60 /* a segment is closed that long after it was begun, so that the disk is freed */
#define NAME_TRIES    100
#define LOOK_AGAIN_MS 1000
#define TROUBLE_MS    5000 /* how long a refused write counts as a full disk */

struct commit {
    struct commit *next;
    struct ticket ticket;
    struct draft *draft;
    struct buf envelope;
    char id[QUEUE_ID_SIZE];
};

struct line {
    pthread_cond_t filled;
    struct commit *first;
    struct commit **last;
};

struct spool {
    struct spool_settings set;
    char incoming[FILES_PATH_MAX];
    struct line small, large; /* under the lock */
    pthread_mutex_t lock;
    bool stopping;
    pthread_t threads[1 + SPOOL_LARGE];
    unsigned thread_count;
    atomic_size_t busy;
    atomic_bool trouble; /* a write was refused since the last look */
    /* the batch thread's own */
    struct segment segment;
    time_t segment_begun;
    unsigned segments;
    struct buf batch;
    /* the loop's own */
    uint64_t looked_ms;
    uint64_t trouble_until_ms;
    bool short_of_disk;
};

/* --- results ------------------------------------------------------------------------------------------- */

static void commit_end(struct spool *spool, struct commit *commit, const struct error *error)
{
    struct stored stored = {.status = STORED_KEPT};

    if (error) {
        stored.status = error->number == ENOSPC || error->number == EDQUOT ? STORED_FULL : STORED_FAILED;
        stored.text = slice_text(error->text);
        atomic_store(&spool->trouble, true);
    } else {
        stored.queue_id = slice_text(commit->id);
        stored.octets = draft_size(commit->draft);
    }
    inbox_post_stored(spool->set.inbox, commit->ticket, &stored);
    draft_free(commit->draft);
    buf_drop(&commit->envelope);
    memory_give(commit, sizeof(*commit));
    atomic_fetch_sub(&spool->busy, 1);
}

static void commits_end(struct spool *spool, struct commit *first, const struct error *error)
{
    while (first) {
        struct commit *next = first->next;
        commit_end(spool, first, error);
        first = next;
    }
}

/* --- the batch thread ---------------------------------------------------------------------------------- */

static uint64_t random_mark(void)
{
    uint64_t mark = 0;

    /* An entropy pool that is not ready blocks at boot; it does not fail for 8 octets after that. */
    while (getrandom(&mark, sizeof(mark), 0) != (ssize_t)sizeof(mark))
        ;
    return mark;
}

static int64_t wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A clock that was set back may give a name that is taken: the counter finds another. */
static int segment_need(struct spool *spool, struct error *error)
{
    int result = -1;

    if (spool->segment.descriptor >= 0)
        return 0;
    for (unsigned i = 0; i < NAME_TRIES && result < 0; i++) {
        const uint64_t id = event_id_make(wall_ms(), spool->set.gate, spool->segments++ & 0xffff);
        result = segment_begin(&spool->segment, spool->set.files, spool->incoming, id, random_mark(), error);
        if (result < 0 && error->number != EEXIST)
            break;
    }
    spool->segment_begun = wall_ms() / 1000;
    return result;
}

static int batch_write(struct spool *spool, struct error *error)
{
    const int result = segment_add(&spool->segment, buf_slice(&spool->batch), error);

    buf_clear(&spool->batch);
    return result;
}

static int batch_add(struct spool *spool, struct commit *commit, struct error *error)
{
    struct buf *batch = &spool->batch;

    record_remark(commit->envelope.at, commit->envelope.len, spool->segment.mark);
    if (!record_add(batch, spool->segment.mark, RECORD_CONTENT, draft_octets(commit->draft)) ||
        !buf_add(batch, buf_slice(&commit->envelope)))
        return error_set(error, EFBIG, "the envelope is too large");
    return batch->len >= BATCH_WRITE ? batch_write(spool, error) : 0;
}

static int batch_store(struct spool *spool, struct commit *first, struct error *error)
{
    if (segment_need(spool, error) < 0)
        return -1;
    for (struct commit *commit = first; commit; commit = commit->next)
        if (batch_add(spool, commit, error) < 0)
            return -1;
    if (spool->batch.len && batch_write(spool, error) < 0)
        return -1;
    return segment_sync(&spool->segment, error);
}

static void batch_run(struct spool *spool, struct commit *first)
{
    struct error error;
    const bool stored = batch_store(spool, first, &error) == 0;

    buf_clear(&spool->batch);
    if (spool->batch.size > BATCH_KEEP)
        buf_drop(&spool->batch);
    if (!stored)
        segment_abandon(&spool->segment);
    commits_end(spool, first, stored ? NULL : &error);
    if (spool->segment.end >= spool->set.segment_max)
        segment_close(&spool->segment);
}

/* Everything that waits, or NULL: a minute has passed, or it is time to end. */
static struct commit *batch_take(struct spool *spool, bool *ret_stop)
{
    struct line *line = &spool->small;
    struct timespec until;
    int waited = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += SEGMENT_AGE_S;
    pthread_mutex_lock(&spool->lock);
    while (!line->first && !spool->stopping && waited == 0)
        waited = pthread_cond_timedwait(&line->filled, &spool->lock, &until);
    struct commit *first = line->first;
    line->first = NULL;
    line->last = &line->first;
    *ret_stop = !first && spool->stopping;
    pthread_mutex_unlock(&spool->lock);
    return first;
}

static void *batch_thread(void *data)
{
    struct spool *spool = data;
    bool stop = false;

    while (!stop) {
        struct commit *first = batch_take(spool, &stop);
        if (first)
            batch_run(spool, first);
        if (stop || wall_ms() / 1000 >= spool->segment_begun + SEGMENT_AGE_S)
            segment_close(&spool->segment);
    }
    return NULL;
}

/* --- the threads for large messages -------------------------------------------------------------------- */

static struct commit *large_take(struct spool *spool)
{
    struct line *line = &spool->large;

    pthread_mutex_lock(&spool->lock);
    while (!line->first && !spool->stopping)
        pthread_cond_wait(&line->filled, &spool->lock);
    struct commit *commit = line->first;
    if (commit) {
        line->first = commit->next;
        if (!line->first)
            line->last = &line->first;
        commit->next = NULL;
    }
    pthread_mutex_unlock(&spool->lock);
    return commit;
}

static void *large_thread(void *data)
{
    struct spool *spool = data;
    struct commit *commit;
    struct error error;

    while ((commit = large_take(spool))) {
        const uint64_t mark = random_mark();
        record_remark(commit->envelope.at, commit->envelope.len, mark);
        const int result = segment_store_large(commit->draft, spool->set.files, spool->incoming, mark,
                                               buf_slice(&commit->envelope), commit->id, &error);
        commit_end(spool, commit, result < 0 ? &error : NULL);
    }
    return NULL;
}

/* --- the loop's side ----------------------------------------------------------------------------------- */

static int start_thread(struct spool *spool, void *(*run)(void *), struct error *error)
{
    const int number = pthread_create(&spool->threads[spool->thread_count], NULL, run, spool);

    if (number != 0)
        return error_set(error, number, "cannot start a thread");
    spool->thread_count++;
    return 0;
}

static int start_threads(struct spool *spool, struct error *error)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = start_thread(spool, batch_thread, error);
    for (unsigned i = 0; i < SPOOL_LARGE && result == 0; i++)
        result = start_thread(spool, large_thread, error);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

static void line_init(struct line *line)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&line->filled, &attributes);
    pthread_condattr_destroy(&attributes);
    line->last = &line->first;
}

int spool_open(const struct spool_settings *settings, struct spool **ret_spool, struct error *error)
{
    struct spool *spool = memory_take(sizeof(*spool));

    spool->set = *settings;
    if (!spool->set.segment_max)
        spool->set.segment_max = SPOOL_SEGMENT_MAX;
    spool->segment.descriptor = -1;
    buf_init(&spool->batch, UINT32_MAX);
    pthread_mutex_init(&spool->lock, NULL);
    line_init(&spool->small);
    line_init(&spool->large);
    if (files_join(spool->incoming, settings->folder, "incoming", error) < 0 ||
        files_need_folder(settings->files, settings->folder, 0770, error) < 0 ||
        files_need_folder(settings->files, spool->incoming, 0730, error) < 0 ||
        start_threads(spool, error) < 0) {
        spool_close(spool);
        return -1;
    }
    *ret_spool = spool;
    return 0;
}

static void line_add(struct spool *spool, struct line *line, struct commit *commit)
{
    pthread_mutex_lock(&spool->lock);
    *line->last = commit;
    line->last = &commit->next;
    pthread_cond_signal(&line->filled);
    pthread_mutex_unlock(&spool->lock);
}

void spool_commit(struct spool *spool, struct ticket ticket, struct draft *draft,
                  const struct transaction *transaction)
{
    struct commit *commit = memory_take(sizeof(*commit));
    const bool small = draft_in_memory(draft);
    const struct error *trouble = draft_trouble(draft);
    struct error error;

    commit->ticket = ticket;
    commit->draft = draft;
    queue_id_print(transaction->session, transaction->number, commit->id);
    buf_init(&commit->envelope, ENVELOPE_MAX);
    atomic_fetch_add(&spool->busy, 1);
    /* Which file it goes to, and so the mark, is known only to the thread that writes it. */
    if (!trouble && !message_add_envelope(&commit->envelope, 0, transaction,
                                          transaction->route ? transaction->route->name : SLICE_NONE,
                                          draft_size(draft))) {
        error_set(&error, EFBIG, "the envelope is too large");
        trouble = &error;
    }
    if (trouble) {
        error = *trouble;
        commit_end(spool, commit, &error);
        return;
    }
    line_add(spool, small ? &spool->small : &spool->large, commit);
}

static bool look_at_disk(struct spool *spool, uint64_t now_ms)
{
    uint64_t room;
    struct error error;

    if (atomic_exchange(&spool->trouble, false))
        spool->trouble_until_ms = now_ms + TROUBLE_MS;
    if (spool->set.files->room(spool->set.files, spool->set.folder, &room, &error) < 0)
        return true;
    return room < spool->set.room_min || now_ms < spool->trouble_until_ms;
}

bool spool_short_of_disk(struct spool *spool, uint64_t now_ms)
{
    if (!spool->looked_ms || now_ms - spool->looked_ms >= LOOK_AGAIN_MS) {
        spool->looked_ms = now_ms;
        spool->short_of_disk = look_at_disk(spool, now_ms);
    }
    return spool->short_of_disk;
}

size_t spool_busy(const struct spool *spool)
{
    return atomic_load(&spool->busy);
}

void spool_close(struct spool *spool)
{
    if (!spool)
        return;
    pthread_mutex_lock(&spool->lock);
    spool->stopping = true;
    pthread_cond_broadcast(&spool->small.filled);
    pthread_cond_broadcast(&spool->large.filled);
    pthread_mutex_unlock(&spool->lock);
    for (unsigned i = 0; i < spool->thread_count; i++)
        pthread_join(spool->threads[i], NULL);
    segment_close(&spool->segment);
    buf_drop(&spool->batch);
    pthread_cond_destroy(&spool->small.filled);
    pthread_cond_destroy(&spool->large.filled);
    pthread_mutex_destroy(&spool->lock);
    memory_give(spool, sizeof(*spool));
}
