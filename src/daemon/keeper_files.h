/* The keeper's part in old journal files: those that are too old, or too many for their share of the disk, go
 * once they were read. */
#ifndef DAEMON_KEEPER_FILES_H
#define DAEMON_KEEPER_FILES_H

#include "core/site.h"
#include "daemon/keeper_stats.h"
#include "journal/reader.h"

struct keeper_files {
    const struct settings *set;
    const char *folder;
    uint64_t removed; /* octets */
    uint64_t failed;  /* times since it last succeeded */
};

/* True: it fails now, and did not before; *error says why. */
bool keeper_files_retain(struct keeper_files *files, const struct journal_reader *reader,
                         struct keeper_stats *stats, int64_t unix_us, struct error *error);

#endif
