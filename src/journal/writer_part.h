/* The inside of the journal's writer.
 *
 * Records wait in blocks of 64 KiB: a ring of which the adding threads fill the last and the helper thread
 * writes the first. What is in a block below `len` never changes, so the helper writes without the lock.
 * Offsets are given out when a record is added; the file follows, so a write that fails is tried again at the
 * same place, and nothing that was chained has to move. */
#ifndef JOURNAL_WRITER_PART_H
#define JOURNAL_WRITER_PART_H

#include "base/list.h"
#include "journal/segment.h"

#include <assert.h>
#include <pthread.h>

#define BLOCK_SIZE   (64u * 1024u)
#define BLOCKS_LEAST 4u
#define SPARE_MOST   8u            /* blocks kept for later */
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
    int64_t segment_age_us; /* 0: no limit */
    uint64_t offset;        /* where the next record begins; 0: in a new file */
    uint64_t milestone;     /* where the last one stands */
    uint64_t waiting;       /* octets in blocks that are not in the file */
    uint64_t lost_untold;
    uint64_t failures_untold;
    struct error trouble; /* what the disk said last, until it is told */
    struct journal_counts counts;
    unsigned flushing; /* callers who wait for it */
    uint64_t hurried;  /* what stands in front of this count of written octets does not wait for more */
    bool asleep;       /* the helper waits for a first record */
    bool pausing;      /* the helper lets records gather */
    bool ending;
    int64_t end_us; /* monotonic; the helper gives up then */

    /* the helper's */
    int fd;
    uint32_t fd_sequence;
};

/* writer_add.c; all with the lock held */
void writer_block_done(struct journal_writer *writer, struct block *block);
/* What was lost, and that the disk refused, is told as soon as there is room. */
void writer_tell_losses(struct journal_writer *writer, int64_t unix_us);
void writer_tell_failures(struct journal_writer *writer, int64_t unix_us);
bool writer_hurry(const struct journal_writer *writer); /* the helper shall not pause */
/* Gives up the lock, and wakes the helper where there is something for it to do. */
void writer_unlock_wake(struct journal_writer *writer);

#endif
