/* The journal's writer: one for each process that has something to record, one file at a time.
 *
 * Adding costs a copy: the records go into memory, and a helper thread writes them to the file about 50 ms
 * later, or as soon as 64 KiB wait. Nothing here ever waits for the disk. When the memory is used up,
 * because the disk is full, broken or slow, records are dropped and counted, and an events_lost event tells
 * of it as soon as there is room. What was written stands in the page cache: it survives the end of this
 * process by any signal, and after a loss of power the newest seconds may be missing. No sync is made: the
 * journal tells what happened, it is not what a 250 relies on.
 *
 * A session's records are chained: each tells how far back in the file the one before it begins. The caller
 * keeps a struct journal_mark for each session (zeroed at its start) and hands it in; the writer puts
 * `previous` into its copy and makes the checksum, so that the caller need not (struct event_stamp,
 * unsealed): it is spared all knowledge of the file. A chain ends at the beginning of a file; what came
 * before it stands in the file before.
 *
 * All functions but open and close may be called by several threads. */
#ifndef JOURNAL_WRITER_H
#define JOURNAL_WRITER_H

#include "base/error.h"
#include "base/slice.h"

struct journal_writer;

struct journal_writer_settings {
    struct slice folder;        /* made (0750) where it does not exist */
    struct slice role;          /* "gate", "courier", …: 1 to 20 letters */
    unsigned number;            /* of the gate; 0 where there is but one */
    struct slice version;       /* the program's, for the file's header */
    struct slice configuration; /* digest, for the file's header */
    uint64_t segment_octets;    /* journal.segment: no file grows beyond it */
    uint64_t segment_age_ms;    /* journal.segment-age: the next record goes into a new file; 0: no limit */
    uint64_t buffer_octets;     /* journal.buffer: rounded up to blocks of 64 KiB, four at least */
};

/* Where a record stands: the sequence number of its file (0: nowhere), and its offset there. As the mark of a
 * session it names the session's newest record. */
struct journal_mark {
    uint32_t sequence;
    uint32_t offset;
};

struct journal_counts {
    uint64_t records;   /* taken */
    uint64_t octets;    /* taken */
    uint64_t written;   /* octets that have reached the file, headers and milestones with them */
    uint64_t lost;      /* records dropped for want of room */
    uint64_t errors;    /* writes, or makings of a file, that the system refused */
    struct error error; /* the newest of them; text[0] is 0 while all is well */
};

/* Opens a writer with a file of its own; files are never continued. The last file of the same role and number
 * loses its torn tail, if it has one. Negative: no file could be made. */
int journal_writer_open(const struct journal_writer_settings *settings, struct journal_writer **ret_writer,
                        struct error *error);

/* Adds whole records, as event_add makes them. Where `mark` is given, they are of one session: they are
 * chained, and the mark is moved to the last of them; without one they must be sealed. Returns how many
 * records were dropped: 0 when all is well. Records that are not whole are our own mistake: assert. */
size_t journal_writer_add(struct journal_writer *writer, struct slice records, struct journal_mark *mark);

/* The next file begins with the next record, under this configuration's digest: after a reload. */
void journal_writer_configure(struct journal_writer *writer, struct slice configuration);

/* Has what was added written now, without letting more gather. Returns the count of octets (`written`, below)
 * at which it is in the file: the caller looks for it when he likes. */
uint64_t journal_writer_hurry(struct journal_writer *writer);

/* Waits until all that was added is in the file, or wait_ms have passed: for tests and for a process that
 * ends. False: it is not. */
bool journal_writer_flush(struct journal_writer *writer, uint64_t wait_ms);

void journal_writer_counts(struct journal_writer *writer, struct journal_counts *ret_counts);

/* Writes what waits, for a second at most where the disk refuses, and gives everything back. NULL is taken.
 */
void journal_writer_close(struct journal_writer *writer);

#endif
