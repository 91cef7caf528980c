/* What the tests of the journal share: a folder of their own that is gone afterwards, and events to write. */
#ifndef FOLDER_H
#define FOLDER_H

#include "core/event.h"
#include "journal/writer.h"
#include "unit.h"

struct folder {
    char path[FOLDER_SIZE];
};

void folder_make(struct folder *folder);
void folder_remove(const struct folder *folder); /* and all files in it */

/* A writer of the stream gate-0, or of another role and number. */
struct journal_writer *folder_writer(const struct folder *folder, const char *role, unsigned number,
                                     uint64_t segment_octets);
/* Adds one event finding whose evidence is `text`; returns how many records were dropped. */
size_t folder_add(struct journal_writer *writer, uint64_t session, int64_t unix_us, struct slice text,
                  struct journal_mark *mark);

/* The paths of all files whose names end in .journal, sorted. */
#define FOLDER_FILES 512
struct folder_files {
    size_t count;
    char paths[FOLDER_FILES][192];
};
void folder_files(const struct folder *folder, struct folder_files *ret_files);

/* Whole files, to cut and to spoil. */
struct slice file_take(const char *path); /* to be given back with file_give */
void file_give(struct slice octets);
void file_put(const char *path, struct slice octets);

#endif
