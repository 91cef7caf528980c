/* Sessions that have ended, the newest first, over all gates.
 *
 * A file is read from its end: the chain of its milestones leads back block by block, the blocks are read
 * forwards, and what a block holds is given out from its last. So the newest sessions are there at once,
 * however large the journal is, and no index has to be kept. */
#ifndef JOURNAL_SEARCH_H
#define JOURNAL_SEARCH_H

#include "journal/history.h"

struct search;

/* Where the history's part of a gate's stream ends: what stands before that place is not given. */
struct search_limits {
    struct journal_mark (*place)(void *data, unsigned gate); /* {0, 0}: the stream from its start */
    void *data;
};

/* Negative: the folder cannot be read. */
int search_open(const char *folder, struct search **ret_search, struct error *error);
int search_open_limited(const char *folder, const struct search_limits *limits, struct search **ret_search,
                        struct error *error);
/* The next older session_ended; its texts live until the next call. False: there are no more. */
bool search_next(struct search *search, struct event *ret_ended);
/* Where that stands. */
void search_at(const struct search *search, unsigned *ret_gate, struct journal_mark *ret_ended);
/* All that the gate recorded of the session at hand, into an empty history. */
void search_history(struct search *search, struct history *history);

struct search_counts {
    uint64_t files;
    uint64_t unreadable; /* files that could not be opened */
    struct error error;  /* why, of one of them */
};

void search_counts(const struct search *search, struct search_counts *ret_counts);
void search_close(struct search *search); /* NULL is taken */

#endif
