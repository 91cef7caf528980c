/* Records wait in blocks of 64 KiB: a ring of which the adding threads fill the last and the helper thread
 * writes the first. What is in a block below `len` never changes, so the helper writes without the lock.
 * Offsets are given out when a record is added; the file follows, so a write that fails is tried again at the
 * same place, and nothing that was chained has to move. */
#include "journal/writer.h"

#include "base/buf.h"
#include "base/checksum.h"
#include "base/list.h"
#include "base/memory.h"
#include "core/event.h"
#include "journal/segment.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_SIZE   (64u * 1024u)
#define BLOCKS_LEAST 4u
#define SPARE_MOST   8u
#define EAGER_OCTETS (64u * 1024u) /* the helper does not wait for more than this */
#define PAUSE_MS     50u
#define RETRY_MS     1000u

static_assert(BLOCK_SIZE >= EVENT_SIZE_MAX, "a record fits in a block");

struct block {
    struct link link;
    uint32_t sequence;  /* of its file */
    int64_t started_us; /* of its file */
    uint32_t offset;    /* of its first octet in the file */
    uint32_t len;
    uint32_t written;
    char octets[BLOCK_SIZE];
};

struct journal_writer {
    pthread_mutex_t lock;
    pthread_cond_t wake; /* the helper has something to do */
    pthread_cond_t idle; /* all that was added is in the file */
    pthread_t helper;
    char folder[3072];
    int lock_fd;

    /* under the lock */
    struct link blocks; /* those that hold something */
    struct link spare;
    uint32_t block_count;
    uint32_t block_max;
    uint32_t spare_count;
    struct segment_header header; /* of the file that records are added to */
    uint64_t segment_octets;
    uint64_t offset;    /* where the next record begins; 0: in a new file */
    uint64_t milestone; /* where the last one stands */
    uint64_t waiting;   /* octets in blocks that are not in the file */
    uint64_t lost_untold;
    uint64_t failures_untold;
    struct error trouble; /* what the disk said last, until it is told */
    struct journal_counts counts;
    unsigned flushing; /* callers who wait for it */
    bool asleep;       /* the helper waits for a first record */
    bool pausing;      /* the helper lets records gather */
    bool ending;
    int64_t end_us; /* monotonic; the helper gives up then */

    /* the helper's */
    int fd;
    uint32_t fd_sequence;
};

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

/* --- blocks (under the lock) --------------------------------------------------------------------------- */

static struct block *block_last(const struct journal_writer *writer)
{
    return list_is_empty(&writer->blocks) ? NULL : LIST_OF(writer->blocks.prev, struct block, link);
}

static struct block *block_new(struct journal_writer *writer)
{
    struct block *block;
    if (writer->block_count >= writer->block_max)
        return NULL;
    if (list_is_empty(&writer->spare)) {
        block = memory_take(sizeof *block);
    } else {
        block = LIST_OF(writer->spare.next, struct block, link);
        list_remove(&block->link);
        writer->spare_count--;
    }
    block->sequence = writer->header.name.sequence;
    block->started_us = writer->header.started_us;
    block->offset = (uint32_t)writer->offset;
    block->len = block->written = 0;
    list_add_last(&writer->blocks, &block->link);
    writer->block_count++;
    return block;
}

static void block_done(struct journal_writer *writer, struct block *block)
{
    list_remove(&block->link);
    writer->block_count--;
    if (writer->spare_count >= SPARE_MOST) {
        memory_give(block, sizeof *block);
        return;
    }
    list_add_first(&writer->spare, &block->link);
    writer->spare_count++;
}

/* Room for size octets that go to the file in one run, or NULL. */
static char *room(struct journal_writer *writer, size_t size)
{
    struct block *block = block_last(writer);
    bool fits = block && block->sequence == writer->header.name.sequence && BLOCK_SIZE - block->len >= size;
    if (!fits)
        block = block_new(writer);
    if (!block)
        return NULL;
    char *at = block->octets + block->len;
    block->len += (uint32_t)size;
    writer->offset += size;
    writer->waiting += size;
    return at;
}

/* --- adding (under the lock) --------------------------------------------------------------------------- */

static uint32_t get_u32(const char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static int64_t record_time(const char *record)
{
    int64_t unix_us;
    memcpy(&unix_us, record + 24, sizeof unix_us);
    return unix_us;
}

static bool put(struct journal_writer *writer, const struct buf *buf)
{
    char *at = room(writer, buf->len);
    if (at)
        memcpy(at, buf->at, buf->len);
    return at != NULL;
}

static bool begin_file(struct journal_writer *writer, int64_t unix_us)
{
    struct segment_header next = writer->header;
    uint64_t offset = writer->offset;
    next.name.sequence++;
    next.name.started_unix = unix_us / 1000000;
    next.started_us = unix_us;
    if (getrandom(next.marker, sizeof next.marker, 0) != (ssize_t)sizeof next.marker)
        return false; /* cannot happen for so few octets once the system is up */
    struct segment_header before = writer->header;
    struct buf buf;
    buf_init(&buf, SEGMENT_HEADER_MAX + SEGMENT_MILESTONE);
    segment_header_add(&buf, &next);
    next.size = buf.len;
    segment_milestone_add(&buf, next.marker, &(struct event_stamp){.unix_us = unix_us});
    writer->header = next;
    writer->offset = 0;
    bool begun = put(writer, &buf);
    if (begun) {
        writer->milestone = next.size;
    } else {
        writer->header = before;
        writer->offset = offset;
    }
    buf_drop(&buf);
    return begun;
}

static bool add_milestone(struct journal_writer *writer, int64_t unix_us)
{
    uint64_t at = writer->offset;
    struct event_stamp stamp = {.unix_us = unix_us, .previous = (uint32_t)(at - writer->milestone)};
    struct buf buf;
    buf_init(&buf, SEGMENT_MILESTONE);
    segment_milestone_add(&buf, writer->header.marker, &stamp);
    bool added = put(writer, &buf);
    if (added)
        writer->milestone = at;
    buf_drop(&buf);
    return added;
}

static bool would_pass_limit(const struct journal_writer *writer, size_t size)
{
    bool empty = writer->offset <= writer->header.size + SEGMENT_MILESTONE;
    return !empty && writer->offset + size + SEGMENT_MILESTONE > writer->segment_octets;
}

/* A file is never larger than its limit, but for one with a single record. */
static bool ready_for(struct journal_writer *writer, size_t size, int64_t unix_us)
{
    if (writer->offset == 0 || would_pass_limit(writer, size))
        return begin_file(writer, unix_us);
    if (writer->offset - writer->milestone >= SEGMENT_BLOCK)
        return add_milestone(writer, unix_us);
    return true;
}

static void chain(struct journal_writer *writer, char *record, size_t size, struct journal_mark *mark)
{
    uint32_t at = (uint32_t)(writer->offset - size);
    uint32_t previous = mark->sequence == writer->header.name.sequence ? at - mark->offset : 0;
    memcpy(record + 20, &previous, sizeof previous);
    uint32_t checksum = checksum_add(0, slice_of(record + 8, size - 8));
    memcpy(record + 4, &checksum, sizeof checksum);
    *mark = (struct journal_mark){writer->header.name.sequence, at};
}

static bool add_one(struct journal_writer *writer, struct slice record, struct journal_mark *mark)
{
    char *at = NULL;
    if (ready_for(writer, record.len, record_time(record.at)))
        at = room(writer, record.len);
    if (!at)
        return false;
    memcpy(at, record.at, record.len);
    if (mark)
        chain(writer, at, record.len, mark);
    writer->counts.records++;
    writer->counts.octets += record.len;
    return true;
}

/* What was lost, and that the disk refused, is told as soon as there is room. */
static void tell_losses(struct journal_writer *writer, int64_t unix_us)
{
    struct event_stamp stamp = {.unix_us = unix_us};
    const char *reason = writer->trouble.text[0] ? writer->trouble.text : "the disk was too slow";
    struct buf buf;
    buf_init(&buf, EVENT_SIZE_MAX);
    struct event_events_lost lost = {.count = writer->lost_untold, .reason = slice_text(reason)};
    event_add_events_lost(&buf, &stamp, &lost);
    if (add_one(writer, buf_slice(&buf), NULL))
        writer->lost_untold = 0;
    buf_drop(&buf);
}

static void tell_failures(struct journal_writer *writer, int64_t unix_us)
{
    struct event_stamp stamp = {.unix_us = unix_us};
    struct buf buf;
    buf_init(&buf, EVENT_SIZE_MAX);
    struct event_trouble trouble = {.what = SLICE("writing the journal"),
                                    .reason = slice_text(writer->trouble.text),
                                    .effect = SLICE("events waited in memory until the disk took them")};
    event_add_trouble(&buf, &stamp, &trouble);
    if (add_one(writer, buf_slice(&buf), NULL))
        writer->failures_untold = 0;
    buf_drop(&buf);
}

static bool hurry(const struct journal_writer *writer)
{
    return writer->ending || writer->flushing || writer->waiting >= EAGER_OCTETS;
}

static void wake_helper(struct journal_writer *writer)
{
    bool wanted = (writer->asleep && writer->waiting) || (writer->pausing && hurry(writer));
    if (!wanted)
        return;
    writer->asleep = writer->pausing = false;
    pthread_cond_signal(&writer->wake);
}

size_t journal_writer_add(struct journal_writer *writer, struct slice records, struct journal_mark *mark)
{
    size_t lost = 0;
    pthread_mutex_lock(&writer->lock);
    /* What belongs together, the last events of a session above all, stays together in a file. */
    if (would_pass_limit(writer, records.len))
        writer->offset = 0;
    for (size_t size; records.len; records = slice_from(records, size)) {
        assert(records.len >= EVENT_HEAD_SIZE);
        size = get_u32(records.at);
        assert(size >= EVENT_HEAD_SIZE && size <= EVENT_SIZE_MAX && size <= records.len);
        if (writer->lost_untold)
            tell_losses(writer, record_time(records.at));
        if (writer->lost_untold || !add_one(writer, slice_head(records, size), mark))
            writer->lost_untold++, lost++;
    }
    writer->counts.lost += lost;
    wake_helper(writer);
    pthread_mutex_unlock(&writer->lock);
    return lost;
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
        block_done(writer, block);
    if (writer->failures_untold)
        tell_failures(writer, clock_us(CLOCK_REALTIME));
    if (writer->lost_untold)
        tell_losses(writer, clock_us(CLOCK_REALTIME));
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
    while (!hurry(writer) && pthread_cond_timedwait(&writer->wake, &writer->lock, &until) == 0)
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
    if (flock(writer->lock_fd, LOCK_EX | LOCK_NB) != 0)
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

bool journal_writer_flush(struct journal_writer *writer, uint64_t wait_ms)
{
    struct timespec until = deadline(wait_ms);
    int status = 0;
    pthread_mutex_lock(&writer->lock);
    writer->flushing++;
    wake_helper(writer);
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
