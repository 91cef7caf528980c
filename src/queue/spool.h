/* The gate's side of the spool: a draft and its transaction become a message on disk, and only then may the
 * client have its 250 (ARCHITECTURE.md, rule 7).
 *
 * Messages of up to DRAFT_MEMORY octets go to the end of a segment, one file that this gate alone appends to:
 * all that gather while one sync runs share the next. Larger ones have a file each already; it is completed,
 * synced and renamed by helper threads, and the folder is synced, so that a large message holds nobody up.
 * Names, records and recovery: queue/record.h, doc/notes/spool.md.
 *
 * A full or broken disk costs the messages of that batch their 250 (STORED_FULL, STORED_FAILED) and nothing
 * else: the segment is cut back to its last sync and given up, and the next batch begins another.
 */
#ifndef QUEUE_SPOOL_H
#define QUEUE_SPOOL_H

#include "core/transaction.h"
#include "io/draft.h"
#include "io/inbox.h"
#include "queue/message.h"

struct spool;

struct spool_settings {
    struct inbox *inbox;  /* where results go; outlives the spool */
    struct files *files;  /* files_system in programs */
    const char *folder;   /* …/spool: its folder `incoming` is used; made where it is missing */
    unsigned gate;        /* our number, 0 to 63 */
    uint64_t segment_max; /* octets after which a new segment is begun; 0: SPOOL_SEGMENT_MAX */
    uint64_t room_min;    /* octets that must stay free (limits.disk-free), see spool_short_of_disk */
};

#define SPOOL_SEGMENT_MAX (64u * 1024u * 1024u)
#define SPOOL_LARGE       2 /* threads for messages that have a file of their own */

/* Starts the helper threads. Nothing is written before the first commit: a segment is begun when one is
 * needed. -1: the folder cannot be had, or no thread. */
int spool_open(const struct spool_settings *settings, struct spool **ret_spool, struct error *error);

/* OUTBOX_COMMIT for a deliver route. What is needed of the transaction is copied before the call returns; the
 * draft is the spool's from here on. Exactly one struct stored is posted to the ticket, by inbox_post_stored,
 * with STORED_KEPT, STORED_FULL or STORED_FAILED. A commit cannot be taken back: when the client has gone
 * meanwhile, its message is delivered nevertheless. */
void spool_commit(struct spool *spool, struct ticket ticket, struct draft *draft,
                  const struct transaction *transaction);

/* Whether no message should be begun now, as the disk has less than room_min left or refuses to be written.
 * Looks at the disk at most once a second, and costs nothing between. */
bool spool_short_of_disk(struct spool *spool, uint64_t now_ms);

size_t spool_busy(const struct spool *spool); /* commits whose result was not posted yet */
/* Finishes what was committed (its results are posted), closes the segment for good. NULL is taken. */
void spool_close(struct spool *spool);

#endif
