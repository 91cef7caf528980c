/* Which journal files go: those in which nothing is younger than the age, and the oldest ones when all
 * together, with the history, are over their share of the disk. A file that is being written to stays. Days
 * of the history are the archivist's to remove, when the journal does not reach back to them any more: so the
 * oldest day goes with the oldest files, and is not counted from then on. */
#ifndef JOURNAL_RETENTION_H
#define JOURNAL_RETENTION_H

#include "journal/segment.h"

struct retention {
    const char *folder;
    int64_t now_unix;
    int64_t keep_seconds; /* 0: files have no age */
    uint64_t octets_max;  /* of all files together; 0: no limit */
    const char *history;  /* folder of the history, which counts, too; NULL: there is none */
    /* Whether all of the file was read by those who must: else it is not too old yet. For the limit of octets
     * that does not count: a full disk would stop the mail. May be NULL. */
    bool (*was_read)(void *data, const struct segment_name *name);
    void *data;
};

struct retention_counts {
    size_t files;    /* removed */
    uint64_t octets; /* removed */
    size_t unread;   /* of the files removed, those that were not read */
    uint64_t left;   /* octets of the journal that are there now */
    uint64_t days;   /* octets of the history's days that stay */
};

/* Negative: the folder cannot be read, or a file cannot be removed; the others were nevertheless. */
int retention_run(const struct retention *retention, struct retention_counts *ret_counts,
                  struct error *error);

/* That many per cent of the file system that the folder is on, in octets; 0: it cannot be said. */
uint64_t retention_share(const char *folder, unsigned per_cent);

#endif
