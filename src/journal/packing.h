/* Packs the journal's closed files, one after the other, a part at a time: for the archivist, between two
 * looks at its loop.
 *
 * The packed form is written beside the file as ".journal.zst.new", synced, given the file's times, and
 * renamed; the plain form goes a few seconds later, so that nobody who lists the folder meanwhile finds
 * neither. A process that dies in between leaves the plain form alone, or both: both is finished at the next
 * look. What a reader has open stays readable to it. One process packs: whoever writes the history. */
#ifndef JOURNAL_PACKING_H
#define JOURNAL_PACKING_H

#include "journal/segment.h"

struct packing;

/* level: of zstd, 1 to 19. Removes what was left unfinished. */
struct packing *packing_new(const char *folder, int level);
void packing_free(struct packing *packing); /* NULL is taken */

/* Looks which files are closed: there is a newer one of their stream, or nobody writes the stream and the
 * file has not changed for idle_seconds. Removes plain forms whose packed one is older than settle_seconds.
 * Negative: the system refuses. */
int packing_look(struct packing *packing, int64_t now_unix, int64_t idle_seconds, int64_t settle_seconds,
                 struct error *error);

/* Packs on, about that many octets. 1: there is more to do; 0: there is not; negative: refused, the file is
 * left as it is until the next look. */
int packing_turn(struct packing *packing, uint64_t octets, struct error *error);

struct packing_counts {
    uint64_t files;         /* packed */
    uint64_t before, after; /* octets of them */
    size_t waiting;
};
void packing_counts(const struct packing *packing, struct packing_counts *ret_counts);

#endif
