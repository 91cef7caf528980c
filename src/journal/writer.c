/* The writer's thread, and its beginning and end. */
#include "journal/writer_part.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct timespec deadline(uint64_t wait_ms)
{
    int64_t us = clock_us(CLOCK_MONOTONIC) + (int64_t)wait_ms * 1000;
    return (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
}

/* --- the helper's thread ------------------------------------------------------------------------------- */

/* A file appears under its name with its header in it: readers never meet an empty one. */
static int file_begin(struct journal_writer *writer, const struct block *block, uint32_t len,
                      struct error *error)
{
    struct segment_name name = writer->header.name; /* role and number never change */
    name.sequence = block->sequence;
    name.started_unix = block->started_us / 1000000;
    char text[SEGMENT_NAME_SIZE], path[4096], fresh[4096];
    segment_name_print(&name, text);
    snprintf(path, sizeof path, "%s/%s", writer->folder, text);
    snprintf(fresh, sizeof fresh, "%s/%s-%u.new", writer->folder, name.role, name.number);
    int fd = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return error_set(error, errno, "cannot make %s", fresh);
    ssize_t n = pwrite(fd, block->octets, len, 0);
    bool whole = n == (ssize_t)len;
    if (!whole || renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_NOREPLACE) != 0) {
        error_set(error, n >= 0 && !whole ? ENOSPC : errno, "cannot make %s", path);
        close(fd);
        return -1;
    }
    if (writer->fd >= 0)
        close(writer->fd);
    writer->fd = fd;
    return (int)n;
}

/* Returns how many octets it wrote, or -1. */
static int write_some(struct journal_writer *writer, const struct block *block, uint32_t len,
                      struct error *error)
{
    if (block->offset == 0 && block->written == 0)
        return file_begin(writer, block, len, error);
    ssize_t n = pwrite(writer->fd, block->octets + block->written, len - block->written,
                       (off_t)block->offset + block->written);
    if (n > 0)
        return (int)n;
    return error_set(error, n == 0 ? ENOSPC : errno, "cannot write to the journal in %s", writer->folder);
}

/* Whether somebody has removed the file that is written to; the next record then begins a new one. */
static bool file_is_gone(const struct journal_writer *writer)
{
    struct stat stat;
    return fstat(writer->fd, &stat) == 0 && stat.st_nlink == 0;
}

/* Under the lock. */
static void write_succeeded(struct journal_writer *writer, struct block *block, size_t n)
{
    bool newest = block->sequence == writer->header.name.sequence;
    if (newest && file_is_gone(writer))
        writer->offset = 0;
    block->written += (uint32_t)n;
    writer->waiting -= n;
    writer->counts.written += n;
    writer->counts.error.text[0] = '\0';
    if (block->written == block->len)
        writer_block_done(writer, block);
    if (writer->failures_untold)
        writer_tell_failures(writer, clock_us(CLOCK_REALTIME));
    if (writer->lost_untold)
        writer_tell_losses(writer, clock_us(CLOCK_REALTIME));
    if (!writer->failures_untold && !writer->lost_untold)
        writer->trouble.text[0] = '\0';
}

static void write_failed(struct journal_writer *writer, const struct error *error)
{
    writer->counts.errors++;
    writer->failures_untold++;
    writer->counts.error = writer->trouble = *error;
    struct timespec again = deadline(writer->ending ? PAUSE_MS : RETRY_MS);
    while (pthread_cond_timedwait(&writer->wake, &writer->lock, &again) == 0 && !writer->ending)
        continue;
}

/* Lets records gather, so that a file grows by few large writes. */
static void pause_for_more(struct journal_writer *writer)
{
    struct timespec until = deadline(PAUSE_MS);
    writer->pausing = true;
    while (!writer_hurry(writer) && pthread_cond_timedwait(&writer->wake, &writer->lock, &until) == 0)
        writer->pausing = true;
    writer->pausing = false;
}

/* False: the writer ends, and everything is written or the time for it is over. */
static bool wait_for_work(struct journal_writer *writer)
{
    while (list_is_empty(&writer->blocks) && !writer->ending) {
        pthread_cond_broadcast(&writer->idle);
        writer->asleep = true;
        pthread_cond_wait(&writer->wake, &writer->lock);
        writer->asleep = false;
    }
    pause_for_more(writer);
    if (writer->ending && writer->counts.error.text[0] && clock_us(CLOCK_MONOTONIC) >= writer->end_us)
        return false;
    return !list_is_empty(&writer->blocks);
}

static void *helper_run(void *data)
{
    struct journal_writer *writer = data;
    pthread_mutex_lock(&writer->lock);
    while (wait_for_work(writer)) {
        struct block *block = LIST_OF(writer->blocks.next, struct block, link);
        uint32_t len = block->len;
        struct error error = {0};
        pthread_mutex_unlock(&writer->lock);
        int n = write_some(writer, block, len, &error);
        pthread_mutex_lock(&writer->lock);
        if (n < 0)
            write_failed(writer, &error);
        else
            write_succeeded(writer, block, (size_t)n);
    }
    pthread_cond_broadcast(&writer->idle);
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

/* --- opening and closing ------------------------------------------------------------------------------- */

/* A stream has one writer: whoever holds the lock on its lock file. */
static int lock_stream(struct journal_writer *writer, struct error *error)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s-%u.lock", writer->folder, writer->header.name.role,
             writer->header.name.number);
    writer->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (writer->lock_fd < 0)
        return error_set(error, errno, "cannot open %s", path);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(writer->lock_fd, F_OFD_SETLK, &lock) != 0)
        return error_set(error, errno, "another process writes this part of the journal: %s", path);
    return 0;
}

/* Finds the newest file of the stream, mends it, and goes on behind its number. */
static int follow_last(struct journal_writer *writer, struct error *error)
{
    struct segment_listing listing;
    const struct segment_name *last = NULL;
    if (segment_list(writer->folder, &listing, error) < 0)
        return -1;
    for (size_t i = 0; i < listing.count; i++)
        if (segment_stream_compare(&listing.names[i], &writer->header.name) == 0)
            last = &listing.names[i];
    if (last) {
        segment_mend(writer->folder, last);
        writer->header.name.sequence = last->sequence;
    }
    segment_listing_drop(&listing);
    return 0;
}

static void keep_text(char *text, size_t size, struct slice from)
{
    from = slice_head(from, size - 1);
    if (from.len)
        memcpy(text, from.at, from.len);
    text[from.len] = '\0';
}

static struct journal_writer *writer_new(const struct journal_writer_settings *settings)
{
    struct journal_writer *writer = memory_take(sizeof *writer);
    struct segment_header *header = &writer->header;
    keep_text(writer->folder, sizeof writer->folder, settings->folder);
    keep_text(header->name.role, sizeof header->name.role, settings->role);
    keep_text(header->version, sizeof header->version, settings->version);
    keep_text(header->configuration, sizeof header->configuration, settings->configuration);
    header->name.number = settings->number;
    /* Offsets are 32 bits wide; beyond the limit there is at most one record and a milestone. */
    uint64_t most = UINT32_MAX - 2 * EVENT_SIZE_MAX;
    writer->segment_octets = settings->segment_octets < most ? settings->segment_octets : most;
    writer->segment_age_us = (int64_t)settings->segment_age_ms * 1000;
    uint64_t blocks = (settings->buffer_octets + BLOCK_SIZE - 1) / BLOCK_SIZE;
    blocks = blocks < BLOCKS_LEAST ? BLOCKS_LEAST : blocks;
    writer->block_max = blocks < UINT32_MAX ? (uint32_t)blocks : UINT32_MAX;
    list_init(&writer->blocks);
    list_init(&writer->spare);
    writer->fd = writer->lock_fd = -1;
    pthread_mutex_init(&writer->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&writer->wake, &attributes);
    pthread_cond_init(&writer->idle, &attributes);
    pthread_condattr_destroy(&attributes);
    return writer;
}

static void blocks_drop(struct link *blocks)
{
    while (!list_is_empty(blocks)) {
        struct block *block = LIST_OF(blocks->next, struct block, link);
        list_remove(&block->link);
        memory_give(block, sizeof *block);
    }
}

static void writer_free(struct journal_writer *writer)
{
    blocks_drop(&writer->blocks);
    blocks_drop(&writer->spare);
    if (writer->fd >= 0)
        close(writer->fd);
    if (writer->lock_fd >= 0)
        close(writer->lock_fd);
    pthread_cond_destroy(&writer->wake);
    pthread_cond_destroy(&writer->idle);
    pthread_mutex_destroy(&writer->lock);
    memory_give(writer, sizeof *writer);
}

static int helper_start(struct journal_writer *writer, struct error *error)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int number = pthread_create(&writer->helper, NULL, helper_run, writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return number ? error_set(error, number, "cannot start the journal's thread") : 0;
}

int journal_writer_open(const struct journal_writer_settings *settings, struct journal_writer **ret_writer,
                        struct error *error)
{
    assert(settings->role.len > 0 && settings->role.len <= SEGMENT_ROLE_MAX);
    struct journal_writer *writer = writer_new(settings);
    if (settings->folder.len >= sizeof writer->folder) {
        error_set(error, ENAMETOOLONG, "the journal's folder");
    } else if (mkdir(writer->folder, 0750) != 0 && errno != EEXIST) {
        error_set(error, errno, "cannot make the journal's folder %s", writer->folder);
    } else if (lock_stream(writer, error) == 0 && follow_last(writer, error) == 0 &&
               helper_start(writer, error) == 0) {
        *ret_writer = writer;
        return 0;
    }
    writer_free(writer);
    return -1;
}

void journal_writer_configure(struct journal_writer *writer, struct slice configuration)
{
    pthread_mutex_lock(&writer->lock);
    keep_text(writer->header.configuration, sizeof writer->header.configuration, configuration);
    writer->offset = 0;
    pthread_mutex_unlock(&writer->lock);
}

uint64_t journal_writer_hurry(struct journal_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    const uint64_t until = writer->hurried = writer->counts.written + writer->waiting;
    writer_unlock_wake(writer);
    return until;
}

bool journal_writer_flush(struct journal_writer *writer, uint64_t wait_ms)
{
    struct timespec until = deadline(wait_ms);
    int status = 0;
    pthread_mutex_lock(&writer->lock);
    writer->flushing++;
    writer_unlock_wake(writer);
    pthread_mutex_lock(&writer->lock);
    while (!list_is_empty(&writer->blocks) && status == 0)
        status = pthread_cond_timedwait(&writer->idle, &writer->lock, &until);
    bool done = list_is_empty(&writer->blocks);
    writer->flushing--;
    pthread_mutex_unlock(&writer->lock);
    return done;
}

void journal_writer_counts(struct journal_writer *writer, struct journal_counts *ret_counts)
{
    pthread_mutex_lock(&writer->lock);
    *ret_counts = writer->counts;
    pthread_mutex_unlock(&writer->lock);
}

void journal_writer_close(struct journal_writer *writer)
{
    if (!writer)
        return;
    pthread_mutex_lock(&writer->lock);
    writer->ending = true;
    writer->end_us = clock_us(CLOCK_MONOTONIC) + 1000000;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->helper, NULL);
    writer_free(writer);
}
