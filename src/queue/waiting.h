/* Messages that have a file of their own: large ones as the gate made them (incoming/ID.message), and those
 * that must wait (queue/ID.message). Behind the message stand what came of its recipients and when it is
 * tried again (queue/record.h); what a crash tore of these is passed over.
 *
 * All functions wait for the disk: they are for a helper thread. */
#ifndef QUEUE_WAITING_H
#define QUEUE_WAITING_H

#include "queue/content.h"
#include "queue/message.h"

#define TEMP_SUFFIX ".temp"

/* A file as it was found. */
struct waiting_file {
    int descriptor; /* open, for the content; the owner's to close */
    uint64_t mark;
    uint64_t content_at;
    uint64_t end; /* where the next record goes */
};

enum waiting_status {
    WAITING_OK,
    WAITING_GONE,    /* it is not there */
    WAITING_BUSY,    /* a gate has it still */
    WAITING_DAMAGED, /* it is no message, or not a whole one */
    WAITING_FAILED   /* it cannot be read now */
};

#define WAITING_CHECK 1u /* read the content, too, whether it is as it was written */
#define WAITING_LOCK  2u /* BUSY as long as another has the file's lock */

/* Reads a file. The message is the caller's, and the descriptor. */
enum waiting_status waiting_load(struct files *files, const char *path, unsigned how,
                                 struct message **ret_message, struct waiting_file *ret_file,
                                 struct error *error);

/* What a new file is made of: the content may have something put in front and behind. */
struct waiting_new {
    const char *path; /* of the temporary file: not synced by name, renamed by the caller */
    uint64_t mark;
    const struct transaction *transaction;
    struct slice route;
    struct slice before;
    struct content *content; /* NULL: none */
    struct slice behind;
    const struct result *results;
    const struct schedule *schedule;
};
/* Writes and syncs the file. On failure nothing of it is left. */
int waiting_write(struct files *files, const struct waiting_new *new, struct error *error);

/* Adds results (of the list, from `first` on) and a schedule, synced. *end is moved on. */
int waiting_append(struct files *files, const char *path, uint64_t mark, const struct result *first,
                   const struct schedule *schedule, uint64_t *end, struct error *error);

#endif
