/* A session in the calling process: the session machine itself, with a client that says what the caller
 * says, answers from the caller, and a clock that jumps to what comes next. Nothing is stored, told or
 * connected to; whatever takes time takes none. For `postern try` and for playing archives.
 *
 * Messages that the machine wants stored seem to be. What the caller does not answer: recipients of the
 * queue's routes are looked up in the configuration's own book, those of relay routes exist; the store is
 * the one that is lent, or empty (then what is told is known in the trial where `store_stays`); names are
 * asked for only where that is wanted, and else FAILED, which is an answer, too. */
#ifndef DAEMON_TRIAL_H
#define DAEMON_TRIAL_H

#include "core/ask.h"
#include "core/site.h"

struct lookups;
struct trial;
struct store;

struct trial_settings {
    const struct site *site;  /* must outlive the trial */
    struct address peer;      /* the client */
    struct address local;     /* the address that it called; ADDRESS_NONE: one of the documentation's */
    struct slice fingerprint; /* of its TCP, or empty: unknown */
    int64_t unix_us;          /* when it begins */
    struct store *store;      /* lent, for what is to be remembered; NULL: nothing is */
    bool store_stays;         /* it is only read: what the session tells is known in the trial alone */
    /* What is known: true with an answer, not PENDING, its value good until the next call. False: see above.
     * May be NULL. */
    bool (*answer)(void *data, enum ask_kind kind, struct slice key, struct answer *ret_answer);
    void *data;
    struct lookups *lookups; /* whom to ask for names (lookup.h), or NULL; must outlive the trial */
};

#define TRIAL_NOT_ASKED "nobody was asked" /* the value of FAILED where names would have been asked for */

/* The client has connected; nothing has been said yet. */
struct trial *trial_new(const struct trial_settings *settings);
void trial_free(struct trial *trial); /* NULL is taken */

/* The client sends octets. */
void trial_say(struct trial *trial, struct slice octets);
/* It sends a message as a file has it, behind DATA: its line ends put right, dots before dots, and the last
 * dot (RFC 5321 section 4.5.2). */
void trial_say_content(struct trial *trial, struct slice message);
/* The next whole reply with its line ends; the first one is the banner. Time passes until it is there. Empty:
 * the gate has closed, or says nothing for an hour. Lives until the next call. */
struct slice trial_hear(struct trial *trial);
/* The client does nothing for so long. */
void trial_wait(struct trial *trial, uint64_t ms);
/* The client closes, and the session ends. */
void trial_leave(struct trial *trial);
bool trial_is_over(const struct trial *trial);
/* All records so far, as in a journal (core/event.h). Lives until the next call. */
struct slice trial_records(const struct trial *trial);

#endif
