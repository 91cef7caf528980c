/* The courier's queue: takes messages over from the gates' spool, delivers them, keeps those that must wait,
 * and gives each up only when all its recipients are final and that is on disk.
 *
 * The queue waits for nothing and reads no clock: its shell runs what blocks on helper threads, talks to
 * other servers, and tells the time. What it promises, whatever moment the machine stops at:
 * - a message that had its 250 is in the spool until every recipient's copy is delivered and synced, or
 * failed and the sender's notification is in the queue;
 * - a copy may be delivered twice only when the machine stopped between its delivery and the sync of its mark
 *   or result.
 *
 * Memory: messages under way are bounded by active_max (and a batch of a gate beyond) and QUEUE_OCTETS_MAX;
 * each that waits costs 120 to 170 octets. Destinations take turns, and one that is slow holds QUEUE_IN_HAND
 * messages at most: what is more is moved to disk, so that others go on. */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include "io/files.h"
#include "io/outbound.h"
#include "queue/book.h"

#define QUEUE_ACTIVE_MAX 2000u
#define QUEUE_OCTETS_MAX (64u << 20) /* of content in memory */
#define QUEUE_IN_HAND    200u        /* messages for one destination under way */

struct queue;

/* What the queue needs of its process; `whom` is the first argument of each. */
struct queue_shell {
    void *whom;
    /* work(data) on a helper thread, then done(data) from the loop, never from inside run. */
    void (*run)(void *whom, void (*work)(void *data), void (*done)(void *data), void *data);
    /* Records (core/event.h) for the journal. */
    void (*record)(void *whom, struct slice records);
    /* Takes a job for the route's targets in hand, as outbound_start. */
    void (*ship)(void *whom, const struct route *route, struct outbound_job *job);
    uint64_t (*now_ms)(void *whom); /* a clock that never goes back */
    int64_t (*unix_us)(void *whom);
    /* queue_turn is wanted soon; may be called from any of the queue's functions. */
    void (*stir)(void *whom);
};

struct queue_settings {
    struct files *files;
    const char *folder; /* …/spool; its folders are made where they are missing */
    const struct site *site;
    struct queue_shell shell;
    size_t active_max; /* messages under way; 0: QUEUE_ACTIVE_MAX */
    uint64_t seed;     /* of what chance decides; nobody must be able to foresee it */
};

/* -1: the folders cannot be had. */
int queue_open(const struct queue_settings *settings, struct queue **ret_queue, struct error *error);
/* The address book; nothing is delivered before the first. The queue's from here on. */
void queue_set_book(struct queue *queue, struct book *book);

/* Something has changed in the folder `incoming`: this file, or who knows what (NULL). */
void queue_look(struct queue *queue, const char *name);
/* Works off what is due, and starts what may start. Returns when it wants to be called again (shell.now_ms),
 * or UINT64_MAX. */
uint64_t queue_turn(struct queue *queue);

/* From here on nothing new is begun; what was not tried yet stays where it is. */
void queue_stop(struct queue *queue);
/* What is still to come to its end after queue_stop: jobs that run or were shipped, copies, results to be put
 * on disk (but not while the disk refuses them). */
size_t queue_busy(const struct queue *queue);
void queue_free(struct queue *queue); /* not while it is busy; NULL is taken */

struct queue_counts {
    size_t waiting;   /* messages that wait on disk */
    size_t held;      /* … by the administrator */
    size_t active;    /* under way */
    uint64_t taken;   /* messages taken over, since the start */
    uint64_t removed; /* messages that are done */
    uint64_t damaged; /* files set aside */
};
void queue_count(const struct queue *queue, struct queue_counts *ret_counts);

/* --- the administrator's side ----------------------------------------------------------------------------
 */

enum queue_command { QUEUE_LIST, QUEUE_SHOW, QUEUE_RETRY, QUEUE_HOLD, QUEUE_RELEASE, QUEUE_DELETE };

struct queue_question {
    enum queue_command command;
    struct slice id; /* SHOW, HOLD, RELEASE, DELETE: one message; RETRY, RELEASE: empty means all */
    void *whom;
    /* An answer: one JSON object. False: no more is wanted. */
    bool (*line)(void *whom, struct slice json);
    /* Whether more may be said now; asked again when queue_turn runs. */
    bool (*ready)(void *whom);
    /* The end; NULL: all is well. Called exactly once, perhaps from inside queue_ask. */
    void (*end)(void *whom, const char *trouble);
};
void queue_ask(struct queue *queue, const struct queue_question *question);

#endif
