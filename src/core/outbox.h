/* What a step of the session machine wants done: the shell does it after the step, in this order: write the
 * events to the journal, put `send` on the way to the client, then the actions one by one.
 *
 * The shell owns the outbox, one for all its sessions, and clears it between steps. Slices in actions point
 * into the input of the step or the session's memory: they are good until the next step of that session. */
#ifndef CORE_OUTBOX_H
#define CORE_OUTBOX_H

#include "base/arena.h"
#include "base/buf.h"
#include "core/ask.h"
#include "core/event.h"

struct transaction;

enum outbox_kind {
    OUTBOX_ASK,          /* answer with INPUT_ANSWER, always, or never after FORGET */
    OUTBOX_FORGET,       /* the question's answer is no longer wanted */
    OUTBOX_START_TLS,    /* when `send` has been written; then INPUT_TLS_UP or INPUT_TLS_FAILED */
    OUTBOX_SPOOL_BEGIN,  /* a message begins */
    OUTBOX_SPOOL,        /* its next octets */
    OUTBOX_SPOOL_CANCEL, /* it is not wanted */
    OUTBOX_COMMIT,       /* store it or relay it; answer with INPUT_STORED, always */
    OUTBOX_TELL, /* something is to be remembered under the key until a time (told as an event, too) */
    OUTBOX_CLOSE /* when `send` has been written; the session is over, no step may follow */
};

struct outbox_action {
    enum outbox_kind kind;
    enum ask_kind ask;                     /* ASK */
    uint32_t number;                       /* ASK, FORGET: the question's */
    struct slice key;                      /* ASK, TELL; COMMIT: the key of ASK_REMEMBERED */
    struct slice octets;                   /* SPOOL: the octets; TELL: the value */
    enum tell verb;                        /* TELL */
    int64_t until_unix_ms;                 /* TELL; 0: for ever */
    const struct transaction *transaction; /* ASK: NULL or lent; COMMIT: till INPUT_STORED */
};

#define OUTBOX_ACTIONS    128
#define OUTBOX_TIMER_KEEP UINT64_MAX

struct outbox {
    struct buf send;
    struct buf events;
    struct arena texts; /* of TELL: until the next step */
    struct outbox_action actions[OUTBOX_ACTIONS];
    size_t count;
    uint64_t timer_ms; /* give INPUT_TIMER at this time (monotonic ms); OUTBOX_TIMER_KEEP: as it was */
};

void outbox_init(struct outbox *outbox);
void outbox_clear(struct outbox *outbox);
void outbox_done(struct outbox *outbox);

#endif
