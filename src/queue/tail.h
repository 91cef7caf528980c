/* A segment, as the courier reads it: along with the gate that writes it, or after that has gone.
 *
 * A message is handed out when a SYNCED record behind it says that it is on disk; of a segment whose writer
 * has gone (it is closed, or its lock is free), everything that is whole is handed out: the last SYNCED
 * record may have been lost while the 250 was given.
 *
 * Octets that cannot be read in front of a SYNCED record were spoilt after they had been safe: the segment is
 * damaged, what can be read of it goes on, and the file is to be set aside in the end. Behind the last SYNCED
 * record they are what a crash leaves of a batch that nobody got a 250 for.
 *
 * The marks of the messages that the courier is through with stand in a file of their own (done/NAME.done); a
 * mark that is lost means that a message is delivered twice, never that one is lost.
 *
 * All functions wait for the disk: they are for a helper thread, one at a time for the same tail. */
#ifndef QUEUE_TAIL_H
#define QUEUE_TAIL_H

#include "base/list.h"
#include "io/files.h"
#include "queue/message.h"

#define DONE_SUFFIX ".done"

struct tail_message {
    struct tail_message *next;
    struct message *message; /* its content is in memory: message->content */
    uint64_t offset;         /* names it within the segment */
};

struct tail {
    struct link link; /* the owner's */
    struct files *files;
    char path[FILES_PATH_MAX];
    char done_path[FILES_PATH_MAX];
    int descriptor;
    uint64_t mark; /* 0: the VERSION record was not read yet */
    uint64_t at;   /* where reading goes on */
    bool final;    /* nothing will be added any more */
    bool ended;    /* final, and all was handed out */
    bool damaged;
    /* found, not yet known to be safe */
    struct tail_message *unsafe;
    struct tail_message **unsafe_end;
    /* marks that were there at the start, in order */
    uint64_t *done;
    size_t done_count;
    size_t done_room; /* octets */
    /* marks that are written */
    int done_descriptor;
    uint64_t done_mark;
    uint64_t done_end;
    /* the owner's */
    size_t pending;    /* messages handed out and not marked */
    bool busy;         /* a helper thread has it */
    bool stirred;      /* there may be something new */
    uint64_t again_ms; /* not before: it could not be read */
};

/* incoming and done are folders; name is "ID.segment". -1: it cannot be opened. */
int tail_open(struct files *files, const char *incoming, const char *done, const char *name,
              struct tail **ret_tail, struct error *error);
#define TAIL_MESSAGE_OCTETS 1024u /* what a message counts besides its content */
/* Hands out messages, about octets_max at most (by whole batches), in order; an empty list: there is nothing
 * new. When `ended` is set there never will be. -1: the file cannot be read now. */
int tail_read(struct tail *tail, size_t octets_max, struct tail_message **ret_first, struct error *error);
/* Marks messages as done, synced. mark: for the file, should it be begun with this. */
int tail_mark(struct tail *tail, const uint64_t *offsets, size_t count, uint64_t mark, struct error *error);
/* The segment has ended and all of it is marked: removes it and its marks, or sets it aside in the folder
 * `damaged` where it is damaged. *ret_kept: its new path, or empty. */
int tail_remove(struct tail *tail, const char *incoming, const char *done, const char *damaged,
                char ret_kept[FILES_PATH_MAX], struct error *error);
void tail_close(struct tail *tail); /* NULL is taken */
void tail_messages_free(struct tail_message *first);

#endif
