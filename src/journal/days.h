/* The history as it is written: a folder with a file for each day, and how far the journal is in it.
 *
 * A session belongs to the day on which it ended. Each file holds the places up to which its day is complete;
 * they are written with the sessions, in one transaction. A few days may be open at once (about midnight, or
 * while all of it is made anew); after a crash reading is taken up at the earliest place of those that were
 * open, and what is read twice is known by its id. A day that nothing was added to for a while is settled.
 *
 * A file that is damaged is set aside (as 2026-07-24.db.damaged) and its day is to be made anew from the
 * journal. One process writes: whoever holds the lock on the file "lock" in the folder. */
#ifndef JOURNAL_DAYS_H
#define JOURNAL_DAYS_H

#include "journal/day.h"

struct days;

struct days_settings {
    const char *folder; /* made (0750) where it does not exist */
    /* A day's file was set aside. May be NULL. */
    void (*damaged)(void *data, const char *path, const struct error *error);
    void *data;
};

/* Negative: the folder cannot be used, or another process (error number EAGAIN) writes the history. */
int days_open(const struct days_settings *settings, struct days **ret_days, struct error *error);
void days_close(struct days *days); /* NULL is taken */

/* Where the stream is to be taken up; false: from its start. As it was when the history was opened. */
bool days_place(const struct days *days, struct slice stream, struct journal_mark *ret_place);

/* Adds sessions and members, in any order, and notes the places behind them. Negative: some may be there,
 * some not; the same batch can be given again, and nothing is doubled. *ret_added: those that were new. */
int days_apply(struct days *days, const struct day_batch *batch, uint64_t *ret_added, struct error *error);

/* Settles days that nothing was added to for so long; 0: all that are open. */
int days_settle(struct days *days, int64_t now_unix, int64_t idle_seconds, struct error *error);

/* Sees to it that one more settled day, the newest that lacks it, has its file of keys (journal/day_keys.h).
 */
int days_keys(struct days *days, struct error *error);

/* Whether a day waits to be made anew, and which. */
bool days_broken(const struct days *days, int64_t *ret_day);
/* It is whole again. */
int days_mended(struct days *days, int64_t day, struct error *error);
/* Looks whether a day is sound, reading all of it; sets it aside where it is not. True: it is sound. */
bool days_check(struct days *days, int64_t day, struct error *error);

/* Removes the days that ended before that time. Returns how many; negative: one could not be removed. */
int days_retain(struct days *days, int64_t oldest_unix, struct error *error);
/* Removes all: the history is to be made anew. */
int days_clear(struct days *days, struct error *error);

#endif
