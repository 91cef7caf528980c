/* What the files of the queue share. A message goes through them in this order: taken over (queue_intake.c),
 * expanded and delivered (queue_deliver.c, queue_copy.c, queue_ship.c), settled (queue_settle.c), and, if it
 * must, waited for (queue_wait.c). */
#ifndef QUEUE_QUEUE_PART_H
#define QUEUE_QUEUE_PART_H

#include "base/list.h"
#include "base/random.h"
#include "base/table.h"
#include "base/wheel.h"
#include "queue/content.h"
#include "queue/maildir.h"
#include "queue/message.h"
#include "queue/queue.h"
#include "queue/tail.h"
#include "queue/waiting.h"

/* --- messages that have a file of their own --------------------------------------------------------------
 */

enum waiting_state {
    WAITING_UNREAD, /* its file was not looked into yet */
    WAITING_TIMED,  /* until its time comes */
    WAITING_READY,  /* until there is room */
    WAITING_ACTIVE, /* under way */
    WAITING_HELD
};

struct waiting {
    struct timer timer;
    struct link link; /* READY: its destination's list; UNREAD: the queue's */
    uint64_t session;
    uint32_t number;
    uint16_t destination; /* the route that it waits for, as far as is known */
    uint8_t state;
    bool incoming; /* its file is in `incoming` */
    bool fresh;    /* the journal was not told of it yet */
    char key[12];  /* session and number */
};

/* --- messages under way ----------------------------------------------------------------------------------
 */

struct item;

/* One copy: a recipient at one of the places it stands for. */
struct delivery {
    struct delivery *next;
    struct link link;
    struct item *item;
    const struct place *place;
    struct delivery *twin;      /* the same place for an earlier recipient: one copy serves both */
    struct delivery *twins;     /* those whose twin this is */
    struct delivery *twin_next; /* among them */
    uint32_t recipient;
    enum outcome outcome;
    bool later; /* deferred for want of room alone: no attempt was made */
    bool told;  /* of success others tell, or nobody has to */
    uint16_t code;
    const char *by;                      /* maildir, lmtp, smtp */
    struct slice target, enhanced, text; /* in the message's arena */
    struct content content;
};

struct item {
    struct link link;
    struct queue *queue;
    struct message *message;
    /* where it comes from: a segment, or a file of its own */
    struct tail *tail;
    uint64_t offset;
    struct waiting *waiting;
    struct waiting_file file;
    /* what is done */
    struct delivery *deliveries;
    struct delivery **deliveries_end;
    size_t open;           /* deliveries without an outcome */
    struct place **places; /* of each recipient */
    /* settling */
    struct result **results_new; /* where this attempt's results begin */
    struct notification *notification;
    bool known;    /* it has a file of its own already, and only its mark was lost */
    bool judged;   /* results, events and notification of this attempt are made */
    bool deferred; /* a recipient is left */
    bool expired;
    bool failed;
};

struct destination {
    const struct route *route;
    unsigned in_hand;      /* messages under way for it */
    unsigned shipped;      /* jobs with the other servers */
    struct link shipments; /* jobs that wait for a connection */
    struct link ready;     /* messages whose time has come */
};

struct queue {
    struct files *files;
    const struct site *site;
    struct queue_shell shell;
    struct book *book;
    struct random random;
    struct buf events;
    char incoming[FILES_PATH_MAX], waiting_folder[FILES_PATH_MAX], done[FILES_PATH_MAX],
        damaged[FILES_PATH_MAX];
    bool stopping;
    size_t jobs; /* on helper threads */
    /* intake */
    struct link tails;
    bool look; /* the folder `incoming` is to be looked through */
    bool looking;
    bool listed; /* what waited at the start is known by name */
    unsigned id_counter;
    /* waiting */
    struct table waiting_by_key;
    struct wheel wheel;
    struct link unread;
    struct destination *destinations; /* one a route, and one for all else, the last */
    size_t destination_count;
    size_t turn; /* the destination whose turn it is */
    size_t held;
    /* under way */
    struct link items;
    size_t active;
    size_t active_max;
    size_t octets;
    struct link copies; /* deliveries to Maildirs that wait */
    bool copying;
    struct maildir_state maildir;
    struct link settled; /* items that are to be settled */
    bool settling;
    uint64_t settle_again_ms; /* after a failure */
    uint64_t settle_pause_ms;
    struct link questions;
    struct queue_counts counts;
};

/* --- queue.c ---------------------------------------------------------------------------------------------
 */
void queue_run(struct queue *queue, void (*work)(void *data), void (*done)(void *data), void *data);
int64_t queue_unix_ms(const struct queue *queue);
/* The stamp of an event about a message, session 0 where there is none. */
struct event_stamp queue_stamp(const struct queue *queue, uint64_t session);
void queue_trouble(struct queue *queue, const char *what, const struct error *error, const char *effect);
/* …/queue/ID.message, or in `incoming`; with TEMP_SUFFIX. */
void queue_path(const struct queue *queue, const char *folder, const char *id, const char *suffix,
                char path[FILES_PATH_MAX]);
uint64_t queue_mark(struct queue *queue); /* for a new file */

/* --- queue_intake.c --------------------------------------------------------------------------------------
 */
void intake_turn(struct queue *queue);
void intake_drop(struct queue *queue);
/* The tail has one message less that is not marked. */
void intake_marked(struct tail *tail, size_t count);
struct tail *intake_find_tail(struct queue *queue, const char *name);

/* --- queue_wait.c ----------------------------------------------------------------------------------------
 */
void wait_turn(struct queue *queue);
uint64_t wait_due_ms(const struct queue *queue);
struct waiting *wait_find(const struct queue *queue, uint64_t session, uint32_t number);
struct waiting *wait_add(struct queue *queue, uint64_t session, uint32_t number, bool incoming);
void wait_remove(struct queue *queue, struct waiting *waiting);
/* Until that time, or from now on where it has passed; or held. */
void wait_schedule(struct queue *queue, struct waiting *waiting, const struct schedule *schedule);
void wait_ready(struct queue *queue, struct waiting *waiting);
void wait_damaged(struct queue *queue, struct waiting *waiting, const char *reason);
void wait_drop(struct queue *queue);

/* --- queue_deliver.c -------------------------------------------------------------------------------------
 */
/* Takes a message in hand; of a tail or a waiting file. */
struct item *item_new(struct queue *queue, struct message *message);
void item_start(struct item *item);
void item_free(struct item *item);
/* The outcome of a delivery, and of those that it serves as well; the texts are copied. */
struct delivery_result {
    enum outcome outcome;
    uint16_t code;
    bool later, told;
    struct slice target, enhanced, text;
};
void delivery_end(struct delivery *delivery, const struct delivery_result *result);
void delivery_content(struct delivery *delivery, struct content *content);

/* --- queue_copy.c, queue_ship.c --------------------------------------------------------------------------
 */
void copy_add(struct delivery *delivery);
void copy_turn(struct queue *queue);
/* All deliveries of the item that go to the route's servers. */
void ship_add(struct item *item, const struct route *route);
void ship_turn(struct queue *queue);

/* --- queue_settle.c --------------------------------------------------------------------------------------
 */
void settle_add(struct item *item); /* no delivery of it is open */
void settle_turn(struct queue *queue);

/* --- queue_tell.c ----------------------------------------------------------------------------------------
 */
void tell_taken(struct item *item);
void tell_outcome(struct item *item, const struct delivery *delivery, bool notified, int64_t next_unix_ms);
void tell_removed(struct queue *queue, const struct message *message, const char *why);
void tell_damaged(struct queue *queue, const char *file, const char *reason);
void tell_held(struct queue *queue, const struct waiting *waiting, bool held);
void tell_notification(struct queue *queue, const char *id, const struct message *about, const char *kind);

/* --- queue_admin.c ---------------------------------------------------------------------------------------
 */
void admin_turn(struct queue *queue);
void admin_drop(struct queue *queue);

#endif
