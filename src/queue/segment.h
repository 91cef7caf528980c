/* A segment, as the gate writes it: one file that is appended to, synced batch by batch (queue/record.h).
 *
 * After each sync a SYNCED record follows, itself not yet synced: by it the courier, which reads along, knows
 * how far the messages are safe, and after a crash it tells what must be whole from what never had its 250.
 *
 * The file is locked as long as the gate has it: when the courier gets the lock, nothing will follow. */
#ifndef QUEUE_SEGMENT_H
#define QUEUE_SEGMENT_H

#include "base/error.h"
#include "io/draft.h"
#include "io/files.h"
#include "queue/message.h"

struct segment {
    struct files *files;
    int descriptor; /* -1: none */
    uint64_t mark;
    uint64_t end;    /* where the next octets go */
    uint64_t synced; /* all before is on disk */
    char path[FILES_PATH_MAX];
};

#define SEGMENT_SUFFIX ".segment"
#define MESSAGE_SUFFIX ".message"
#define DRAFT_SUFFIX   ".draft"

/* Makes FOLDER/ID.segment, with file and folder synced. id: event_id_make, never used before. On failure the
 * segment is as zeroed but for descriptor -1. */
int segment_begin(struct segment *segment, struct files *files, const char *folder, uint64_t id,
                  uint64_t mark, struct error *error);
/* Records to the end; not safe before segment_sync. */
int segment_add(struct segment *segment, struct slice records, struct error *error);
/* 0: everything added is on disk. */
int segment_sync(struct segment *segment, struct error *error);
/* Nothing more follows. Failures are of no consequence: the lock tells as much. */
void segment_close(struct segment *segment);
/* After a failure: cuts the file back to what is synced, as far as that is possible, and lets go of it. The
 * file system may keep octets of what was not synced: messages that were refused may then be delivered all
 * the same, and none that was accepted is lost. */
void segment_abandon(struct segment *segment);

/* A large message: completes the draft's file, syncs it, gives it the name FOLDER/ID.message and syncs the
 * folder. On failure nothing of it stays under that name, as far as that is possible. */
int segment_store_large(struct draft *draft, struct files *files, const char *folder, uint64_t mark,
                        struct slice envelope, const char *id, struct error *error);

#endif
