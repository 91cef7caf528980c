/* A gate, a courier and other servers round a simulated disk, in one thread and with a clock of their own:
 * what runs next is decided by a seed, so that every run can be repeated. */
#ifndef CRASH_WORLD_H
#define CRASH_WORLD_H

#include "core/event.h"
#include "queue/queue.h"
#include "queue/segment.h"
#include "sim.h"

#define WORLD_MESSAGES 700
#define WORLD_BOXES    8

/* Recipients by their local part: box0…box7 have Maildirs at our.example; at away.example (SMTP) and
 * lmtp.example anything is taken, but "fail…" gets 550, "later…" 451 until world.remote_up, "lost…" loses the
 * connection after the dot once. twin@our.example stands for box0 and box1; sender@our.example is box7. */
struct world_message {
    uint32_t key;
    uint64_t session;
    uint32_t number;
    char to[8][64];
    unsigned to_count;
    uint8_t notify[8];
    size_t filler;    /* octets of the body */
    struct slice raw; /* the content itself, when it is not to be made */
    unsigned extra;   /* recipients x0@lmtp.example, x1@… behind the others */
    enum ret_kind ret;
    bool smtputf8;
    struct slice sender; /* empty: sender@our.example */
    bool null_sender;
    bool accepted;      /* it had its 250 */
    bool tried;         /* it was given to the spool */
    unsigned remote[8]; /* copies that other servers took */
    unsigned remote_extra;
};

struct world_job;

struct world {
    struct sim *sim;
    struct site *site;
    struct queue *queue;
    struct random random;
    uint64_t now_ms;
    struct world_job *jobs; /* on helper threads */
    struct world_job *dones;
    struct outbound_job *shipped[4096];
    const struct route *shipped_to[4096];
    size_t shipped_count;
    bool remote_up;
    bool remote_dsn; /* away.example knows DSN */
    bool lost_once;
    struct segment segment;
    struct drafts drafts;
    uint32_t segments;
    struct world_message messages[WORLD_MESSAGES];
    size_t message_count;
    unsigned events[EVENT_KIND_LIMIT];
    char last_reason[512]; /* of the last event that has one */
    unsigned remote_bad;   /* contents that other servers got spoilt */
    unsigned crashes;
    size_t active_max; /* of the courier's queue; 0: its own */
    size_t active_most;
};

struct world *world_new(uint64_t seed);
void world_free(struct world *world);

/* A message for the gate; `to` is a list parted by blanks. */
struct world_message *world_message(struct world *world, const char *to, size_t filler);
/* The gate stores a batch: the messages from `first` on, synced once; large ones in files of their own. */
void world_commit(struct world *world, size_t first, size_t count);
void world_gate_close(struct world *world);   /* its segment, in order */
void world_gate_abandon(struct world *world); /* its process ends: only locks go */

void world_courier(struct world *world);     /* starts one */
void world_courier_end(struct world *world); /* stops it, whatever is under way */
/* One thing that can happen now, by chance. False: nothing can. */
bool world_step(struct world *world);
/* Steps until nothing happens any more or the disk stops; then time jumps to what is due, up to `ms` from
 * now. */
void world_run(struct world *world, uint64_t ms);
/* The machine stops and comes back; gate and courier are gone. */
void world_crash(struct world *world, enum sim_loss loss);

/* How many whole copies of a message a mailbox has; a copy that is not whole fails the test. */
unsigned world_copies(struct world *world, const char *box, const struct world_message *message);
/* Notifications about a message in the mailbox of its sender (box7). */
unsigned world_notifications(struct world *world, const struct world_message *message, const char *action);
/* Files below a folder of the spool. */
unsigned world_files(struct world *world, const char *folder);
/* Fails the test unless every accepted message was dealt with, once where that is promised, and nothing of it
 * is left in the spool. */
void world_check(struct world *world);

#endif
