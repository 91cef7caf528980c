/* Whole sessions out of the journal, one after the other in the order in which they ended: each with all the
 * records that its gate made of it.
 *
 * The files of each gate are read forwards, once; what belongs to sessions that have not ended is kept
 * meanwhile, within GATHER_MOST octets. A session of which records are missing is never given out: it is
 * counted. */
#ifndef JOURNAL_GATHER_H
#define JOURNAL_GATHER_H

#include "journal/segment.h"

#define GATHER_SESSION_MOST (8u << 20)   /* octets of one session */
#define GATHER_MOST         (512u << 20) /* octets of all that are open */

struct gather_settings {
    const char *folder;
    int64_t since_us; /* sessions that began earlier are left out; INT64_MIN: none */
    int64_t until_us; /* and those that began later; INT64_MAX: none */
};

struct gathered {
    uint64_t session;
    int64_t opened_us;
    struct slice records;                /* until the next call */
    const struct segment_header *header; /* of the file in which it began: program and configuration */
};

struct gather_counts {
    uint64_t sessions;    /* given out */
    uint64_t open;        /* without an end: they go on, or their gate ended first */
    uint64_t headless;    /* without a begin: it was in a file that is gone, or before `since` */
    uint64_t lost;        /* records are missing: dropped by the writer, damaged, or too many to keep */
    uint64_t damaged;     /* octets that were passed over */
    uint64_t unreadable;  /* files */
    uint64_t done, total; /* octets read, and of all files that are to be read */
    struct error error;   /* why a file was unreadable */
};

struct gather;

/* Negative: the folder cannot be read. */
int gather_open(const struct gather_settings *settings, struct gather **ret_gather, struct error *error);
/* False: there are no more. */
bool gather_next(struct gather *gather, struct gathered *ret_gathered);
/* Whole after the last one only. */
void gather_counts(const struct gather *gather, struct gather_counts *ret_counts);
void gather_close(struct gather *gather); /* NULL is taken */

#endif
