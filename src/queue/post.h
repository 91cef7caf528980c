/* A message of the gate's own making, put where the courier takes over what the gates have stored. */
#ifndef QUEUE_POST_H
#define QUEUE_POST_H

#include "base/error.h"
#include "io/files.h"

struct post {
    uint64_t session;     /* names it in the queue: an id that no session has; its number is 0 */
    uint64_t mark;        /* a random number that nobody can foresee (queue/record.h) */
    struct slice to;      /* the recipient's address */
    struct slice sender;  /* empty: the null one, who is told of no failure */
    struct slice content; /* lines end in CRLF; plain ASCII */
    int64_t now_unix_ms;
};

/* 0: the message is on disk, synced, and the courier's from here on. The same one may be posted again, as
 * after a crash: it stands there once, as long as the courier has it. Waits for the disk. */
int post_message(struct files *files, const char *spool, const struct post *post, struct error *error);

#endif
