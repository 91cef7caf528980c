/* A session in a few facts, made from its events: for tables, for programs, and in one sentence. */
#ifndef JOURNAL_SUMMARY_H
#define JOURNAL_SUMMARY_H

#include "journal/history.h"

#define SUMMARY_LIST 1000

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
    uint64_t why;        /* it ended */
    struct slice failed; /* what kept a message from being taken, on our side; or empty */
    /* the courier's */
    struct slice delivered_to; /* the first target */
    size_t delivered;
    size_t deferred; /* recipients' copies that wait */
    size_t undeliverable;
    struct slice trouble; /* the last reason for it */
    bool opened, ended, has_sender;
};

/* Texts point into the history, lists into the arena. */
void summary_make(const struct history *history, struct arena *arena, struct summary *ret_summary);

/* One sentence for people, in words: who, what came of it, and why. No stranger's text in it can steer a
 * terminal. */
void summary_sentence(const struct summary *summary, struct buf *out);

/* One object with the keys id time address ptr helo from to findings verdict reply number octets seconds, in
 * one line without its end. With a `sentence`: that, too. */
void summary_json(const struct summary *summary, struct slice sentence, struct buf *out);

#endif
