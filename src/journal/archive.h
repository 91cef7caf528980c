/* From the journal to the history: reads all streams, gathers sessions, writes them in batches, makes damaged
 * days anew, and removes the days that the journal does not reach back to any more. For the archivist, which
 * calls it from its loop, and for `postern history rebuild`, which does nothing else.
 *
 * A batch that the disk refuses stays whole and is tried again; nothing is read on meanwhile. */
#ifndef JOURNAL_ARCHIVE_H
#define JOURNAL_ARCHIVE_H

#include "base/error.h"
#include "base/slice.h"

#include <stdint.h>

struct archive;

struct archive_settings {
    const char *journal; /* folder */
    const char *history; /* folder */
    bool unwatched;      /* only what is there now is of interest */
    /* A day's file was damaged and set aside; it is made anew. May be NULL. */
    void (*damaged)(void *data, const char *path, const struct error *error);
    void *data;
};

/* Negative: one of the folders cannot be used, or another process writes the history (EAGAIN). */
int archive_open(const struct archive_settings *settings, struct archive **ret_archive, struct error *error);
/* Without writing what is gathered: it is read again. NULL is taken. */
void archive_close(struct archive *archive);

/* Readable when something was recorded; -1: look every second. */
int archive_fd(const struct archive *archive);
void archive_look(struct archive *archive); /* takes notice of new files */

/* Reads on, that many events at most, and writes what is full. True: there is more to do now. */
bool archive_turn(struct archive *archive, unsigned events);
/* Writes what was gathered. Negative: refused; the batch is kept. */
int archive_commit(struct archive *archive, struct error *error);
bool archive_is_dirty(const struct archive *archive); /* something is gathered that is not written */

/* Now and then: settles days that are over, removes those that the journal has no more. */
int archive_tidy(struct archive *archive, int64_t now_unix, struct error *error);
/* Whether a day is sound; if not it is made anew. */
bool archive_check(struct archive *archive, int64_t day, struct error *error);
/* All of it anew, from the journal's beginning. */
int archive_rebuild(struct archive *archive, struct error *error);

struct archive_counts {
    uint64_t events;   /* read */
    uint64_t sessions; /* written, that were not there */
    uint64_t gathered; /* that wait for their batch */
    uint64_t open;     /* sessions that have not ended */
    uint64_t behind;   /* octets of the journal that are not read, or whose sessions are not written */
    uint64_t total;    /* octets that there were to read when reading began: for progress */
    uint64_t refused;  /* batches, since the last that was taken */
    uint64_t damaged;  /* octets of the journal that could not be read */
    bool mending;      /* a day is being made anew */
    int64_t newest_us; /* the newest event that was read */
    struct error error;
};
void archive_counts(struct archive *archive, struct archive_counts *ret_counts);

#endif
