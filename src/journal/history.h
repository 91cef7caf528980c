/* What the journal holds of one session: its own events and those of the courier about its messages. */
#ifndef JOURNAL_HISTORY_H
#define JOURNAL_HISTORY_H

#include "base/arena.h"
#include "journal/segment.h"

struct history {
    uint64_t session;
    struct arena arena;   /* all texts of the events */
    struct event *events; /* in the order of time */
    size_t count;
    size_t room;
    bool opened; /* its first event is there */
    bool ended;  /* its last is, too: else it goes on, or its end was lost */
};

void history_init(struct history *history, uint64_t session);
void history_drop(struct history *history);

/* Finds a session by its id, which tells its gate and its time, and gathers everything about it. None there:
 * count is 0. Negative: the folder cannot be read. */
int history_load(struct history *history, const char *folder, struct error *error);

/* The same where it is known in which gate's file, and where in it, its session_ended stands: then nothing
 * has to be looked for. A place that is not right does no harm. */
int history_load_at(struct history *history, const char *folder, unsigned gate,
                    const struct journal_mark *ended, struct error *error);

/* Adds records that are no part of a file: those of one session, in their order. */
void history_add(struct history *history, struct slice records);

/* Gathers from one file, following the session's chain back from the record at `offset`, and what stands
 * right behind it. Leaves out what is in other files, then `opened` is false. */
void history_chain(struct history *history, struct segment_file *file, uint64_t offset);
/* The same without what stands behind. */
void history_before(struct history *history, struct segment_file *file, uint64_t offset);

#endif
