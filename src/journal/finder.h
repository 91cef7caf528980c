/* Finds sessions that ended, the newest first: in the history as far as the archivist has come, and in the
 * journal's newest end, which it has not read yet. What it gives is the same as if all of it had been read
 * from the journal; the history alone decides how fast.
 *
 * A search waits for the disk at many places, each behind the one before. So several days are looked into at
 * once, and the sessions that will be given next are read from the journal at once: by threads that live as
 * long as the finder, or shorter. */
#ifndef JOURNAL_FINDER_H
#define JOURNAL_FINDER_H

#include "journal/day_find.h"
#include "journal/history.h"

struct finder;

struct finder_settings {
    const char *journal; /* folder */
    const char *history; /* folder; one that is not there means: no history */
    struct filter filter;
    size_t limit; /* so many sessions are wanted; 0: nobody knows */
    /* Called for each day that was looked into, of all that may be: what is found by an inner part of a text
     * is held against every key, and takes seconds for millions of sessions. May be NULL. */
    void (*looked)(void *data, size_t days, size_t all);
    void *data;
};

/* Negative: the journal's folder cannot be read. */
int finder_open(const struct finder_settings *settings, struct finder **ret_finder, struct error *error);
/* False: there are no more. */
bool finder_next(struct finder *finder, struct day_hit *ret_hit);
/* How many there are in all. Not to be mixed with finder_next. */
uint64_t finder_count(struct finder *finder);
/* All that the gate recorded of the session that was given last, into an empty history; once. False: its part
 * of the journal is not there any more. */
bool finder_history(struct finder *finder, struct history *history);

/* Where a session's end stands, by its id alone. False: the history does not have it (yet). */
bool finder_place(const char *history, uint64_t session, struct day_hit *ret_hit);

struct finder_state {
    uint64_t files;      /* of the journal */
    uint64_t unreadable; /* of them */
    unsigned days;       /* of the history that were looked into */
    unsigned incomplete; /* days that are being made anew, or are damaged: sessions may be missing */
    int64_t damaged_day; /* one that is damaged, with has_damaged */
    bool has_damaged;
    struct error error; /* why something was unreadable */
};
void finder_state(const struct finder *finder, struct finder_state *ret_state);
void finder_close(struct finder *finder); /* NULL is taken */

#endif
