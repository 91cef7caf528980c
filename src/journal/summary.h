/* A session in a few facts, made from its events: for tables, for programs, and in one sentence. */
#ifndef JOURNAL_SUMMARY_H
#define JOURNAL_SUMMARY_H

#include "journal/history.h"

#define SUMMARY_LIST 1000

/* Why the mail of a session was not taken: the gravest verdict that was done, or where there was none the
 * first refusal that is not just a consequence of others. */
struct summary_cause {
    uint64_t verdict;    /* DEFER, REJECT, DROP, DISCARD or TRAP; 0: no verdict */
    uint64_t finding;    /* that decided; 0: the sum, or no verdict */
    struct slice reason; /* what was seen */
    uint64_t sum, threshold;
    struct slice parts; /* "early-talk 10, no-ptr 2" */
    uint64_t number;    /* the reply's number; 0: nothing was said */
    uint64_t code;
    struct slice reply; /* its first line */
    bool of_mail;       /* it was the reply to a sender, a recipient or a message */
};

struct summary {
    uint64_t session;
    int64_t began_us;
    struct address peer; /* behind a listed proxy: the one it named */
    struct slice ptr;    /* its confirmed name, or empty */
    struct slice helo;
    struct slice sender;      /* of the first message; empty for the null sender */
    struct slice *recipients; /* those that were named, refused or not, the first SUMMARY_LIST of them */
    size_t recipient_count;
    struct slice *findings; /* words, each once */
    size_t finding_count;
    uint64_t verdict; /* the gravest: 0 pass, 1 defer, 2 reject, 3 drop */
    uint64_t stage;   /* where it fell */
    struct slice reason;
    uint64_t number;    /* of the last negative reply; 0: there was none */
    uint64_t code;      /* its code */
    struct slice reply; /* its first line */
    uint64_t tried;     /* MAIL commands that were taken */
    uint64_t accepted;  /* messages */
    uint64_t octets;    /* received in the session */
    uint64_t content;   /* octets of the first message */
    uint64_t took_ms;
    uint64_t why; /* it ended */
    struct summary_cause cause;
    struct summary_cause first; /* what was refused first, where the cause is that too much was refused */
    struct slice failed;        /* what kept a message from being taken, on our side; or empty */
    /* the courier's */
    struct slice delivered_to; /* the first target */
    size_t delivered;
    size_t deferred; /* recipients' copies that wait */
    size_t undeliverable;
    struct slice trouble; /* the last reason for it */
    uint64_t discarded;   /* messages that were thrown away */
    bool opened, ended, has_sender;
    bool mail_at_hand; /* while it is made: the reply that comes next is to a sender, recipient or message */
    bool ehlo_left;    /* it went away when EHLO was refused */
};

/* Texts point into the history, lists into the arena. */
void summary_make(const struct history *history, struct arena *arena, struct summary *ret_summary);

/* One sentence for people, in words: who, what came of it, and why, for somebody who has never seen SMTP. No
 * stranger's text in it can steer a terminal. */
void summary_sentence(const struct summary *summary, struct buf *out);

/* Takes the first of the parts of a sum, "early-talk 10, no-ptr 2", off the front. False: there is none. */
bool summary_part(struct slice *parts, struct slice *ret_word, int64_t *ret_weight);

/* One object with the keys id time address ptr helo from to findings verdict reply number octets seconds, in
 * one line without its end. With a `sentence`: that, too. */
void summary_json(const struct summary *summary, struct slice sentence, struct buf *out);

#endif
