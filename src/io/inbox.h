/* The inbox of a process: everything that was waited for comes back through it, never from inside a call
 * (rule 4). Posting is possible from any thread; what was posted is delivered by the loop's thread, in the
 * order of posting, at the end of a turn.
 *
 * Whoever works for a session gets a ticket and posts exactly one result, or none after it was told to
 * forget. The receiver looks the owner up by its handle: a result for what is gone meanwhile is dropped
 * there. */
#ifndef IO_INBOX_H
#define IO_INBOX_H

#include "base/slab.h"
#include "base/slice.h"
#include "core/ask.h"
#include "core/transaction.h"
#include "io/loop.h"

struct inbox;

struct ticket {
    slab_handle owner; /* the connection, or whatever the process keeps in a slab */
    uint32_t number;   /* the question's, or any that the owner chose */
};

struct inbox_answer {
    struct ticket ticket;
    enum answer_status status;
    struct slice value; /* good for the call */
    bool more;          /* the next thing that is delivered is another answer for the same owner */
};

struct inbox_receiver {
    /* Slices are good for the call. Either may be NULL where such results never come. */
    void (*answer)(void *data, const struct inbox_answer *answer);
    void (*stored)(void *data, struct ticket ticket, const struct stored *stored);
    void *data;
};

/* NULL with *error filled when the system refuses. The loop outlives the inbox. */
struct inbox *inbox_open(struct loop *loop, const struct inbox_receiver *receiver, struct error *error);
/* What is still in it is dropped; posters must have ended. NULL is taken. */
void inbox_close(struct inbox *inbox);

void inbox_post_answer(struct inbox *inbox, struct ticket ticket, enum answer_status status,
                       struct slice value); /* value is copied */
void inbox_post_stored(struct inbox *inbox, struct ticket ticket, const struct stored *stored); /* copied */
/* call(data) runs on the loop's thread. Should the inbox be closed before, it never runs. */
void inbox_post_call(struct inbox *inbox, void (*call)(void *data), void *data);

struct loop *inbox_loop(const struct inbox *inbox);

#endif
