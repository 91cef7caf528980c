/* Gathers sessions from events as a reader gives them, each until its end: the streams of gates alone.
 *
 * Of a session that began before the reader did, or that was dropped because too many were open, what is
 * missing is read from the journal when its next event comes: so what comes out is whole, wherever reading
 * was taken up. One whose gate was killed has the end that the next gate wrote (journal/unended.h). */
#ifndef JOURNAL_COLLECT_H
#define JOURNAL_COLLECT_H

#include "journal/reader.h"
#include "journal/traits.h"

struct collect;

/* `folder` is the journal's; `most` sessions are kept open at once. */
struct collect *collect_new(const char *folder, size_t most);
void collect_free(struct collect *collect); /* NULL is taken */

/* Takes the item in. True: a session has ended with it, *ret_traits are its, to be dropped by the caller. */
bool collect_take(struct collect *collect, const struct journal_reader *reader,
                  const struct journal_item *item, struct traits *ret_traits);

struct collect_counts {
    size_t open;
    uint64_t learned; /* beginnings that were read from the journal */
    uint64_t unended; /* sessions whose gate ended before they did */
};
void collect_counts(const struct collect *collect, struct collect_counts *ret_counts);

/* The gate whose stream that is; false: another process's. */
bool collect_gate(struct slice stream, unsigned *ret_gate);

#endif
