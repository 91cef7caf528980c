/* Delivery to Maildirs, in batches: each copy is written to tmp/, all are synced, each is renamed into new/,
 * all names are synced. Only then is a copy delivered.
 *
 * A few copies are synced one by one, many at once with their file system (measured at about a third of
 * the processor time, doc/notes/delivery.md). Should that take long, because others write much to the same
 * file system, copies are synced one by one for a while.
 *
 * A copy's name is made of the message's id, and so always the same: a message that is delivered again after
 * a crash replaces its first copy, unless a reader has moved that meanwhile.
 *
 * A mailbox's folder and its cur, new and tmp are made where they are missing, with mode 0700; the folder
 * that holds the mailboxes is not: what should be mounted there may not be. */
#ifndef QUEUE_MAILDIR_H
#define QUEUE_MAILDIR_H

#include "queue/content.h"

#define MAILDIR_BATCH 256

struct maildir_copy {
    struct slice folder; /* the mailbox's; at most FILES_PATH_MAX - 300 octets */
    size_t base;         /* octets of the folder's path that must be there already */
    struct slice name;   /* of the file; see maildir_name */
    struct slice head;   /* fields that go before the content, lines ended by LF */
    struct content *content;
    /* results */
    bool delivered;
    struct error error;
    /* private */
    int descriptor;
    uint64_t device;
    bool written;
};

/* What is remembered between batches. Zeroed at first. */
struct maildir_state {
    uint64_t slow_until_ms; /* no whole file systems are synced until then */
};

/* For a helper thread. copies: MAILDIR_BATCH at most. */
void maildir_deliver(struct files *files, struct maildir_state *state, struct maildir_copy *copies,
                     size_t count);

#define MAILDIR_NAME_MAX 200
/* "SECONDS.QID.HOST": octets of the host that a name cannot have are written as \057 and \072. Returns the
 * length. */
size_t maildir_name(int64_t received_unix_ms, const char *id, struct slice host, char name[MAILDIR_NAME_MAX]);

#endif
