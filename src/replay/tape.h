/* A recorded session, made ready to be played again: what came to the machine, when, and what it said.
 *
 * A tape is read from the records of one session, the first its session_opened, the last its session_ended.
 * Times are milliseconds since the session began. */
#ifndef REPLAY_TAPE_H
#define REPLAY_TAPE_H

#include "core/session.h"
#include "core/trace.h"
#include "wire/header.h"

enum tape_kind {
    TAPE_OCTETS,  /* octets came */
    TAPE_OFFER,   /* those that were there already were looked at again */
    TAPE_ANSWER,  /* to a question */
    TAPE_TIME,    /* the machine's time had come, */
    TAPE_PASSED,  /* or had, and what follows came first */
    TAPE_DRIPPED, /* TAPE_TIME, and a slowed reply was out */
    TAPE_TLS_UP,
    TAPE_TLS_FAILED,
    TAPE_STORED,
    TAPE_CLOSED, /* the client closed */
    TAPE_STOP
};

#define TAPE_NONE UINT32_MAX

struct tape_input {
    enum tape_kind kind;
    uint32_t heard;    /* replies that had gone out whole before it came */
    uint32_t due_next; /* the next input, this or later, that is TIME, PASSED or DRIPPED; or TAPE_NONE */
    uint64_t at;
    int64_t unix_us;
    union {
        uint64_t octets;   /* OCTETS: all that had come by then */
        uint64_t due;      /* TIME, PASSED, DRIPPED: when, plus 1; 0: not known */
        uint32_t question; /* ANSWER: by its place */
        struct tls_facts tls;
        struct stored stored;
    };
    bool more; /* ANSWER: another came with it */
};

struct tape_question {
    enum ask_kind kind;
    struct slice key;
    enum answer_status status; /* PENDING: it was forgotten */
    struct slice value;
    uint64_t asked;
    uint64_t took;
    uint32_t input; /* its TAPE_ANSWER, or TAPE_NONE */
    struct slice
        route; /* RECIPIENT: the first domain of the route that the key numbers, or empty: not known */
};

/* What the client sent, in the order in which it was used up. */
enum tape_piece_kind {
    TAPE_LINE,    /* octets that are here, or others that do as well */
    TAPE_CONTENT, /* of a message: they are not here */
    TAPE_REST     /* was never used up; unknown but for its begin */
};

struct tape_piece {
    enum tape_piece_kind kind;
    bool end;           /* CONTENT: the end of the message is among them */
    bool postponed;     /* the shell let others have their turn first */
    bool short_of_disk; /* LINE: when it was judged there was no room */
    uint64_t from, to;  /* octets of the client */
    uint32_t buf_from;  /* in `octets`, where only so many stand for it */
    uint32_t buf_to;
    uint64_t taken_at;
    uint64_t content;            /* CONTENT: decoded octets of the message so far */
    struct content_facts *facts; /* CONTENT: or NULL, the message never came to its end */
};

struct tape_reply {
    uint32_t number; /* SAY_… */
    uint64_t heard;  /* when its last octet went out */
};

/* A verdict that did something, or would have. */
struct tape_verdict {
    uint32_t replies; /* said before it */
    uint8_t stage, action, observed;
    uint32_t finding; /* 0: the sum decided */
    struct slice reason;
};

/* What the weights came to, whether anything was done or not. */
struct tape_sum {
    uint32_t replies; /* said before it */
    uint8_t stage;
    struct slice parts; /* "early-talk 10, no-ptr 2" */
};

#define TAPE_LIST(type, name)                                                                                \
    struct type *name;                                                                                       \
    uint32_t name##_count, name##_room

struct tape {
    struct arena arena; /* texts, and all lists but those below */
    uint64_t session;
    int64_t opened_us;
    struct opened opened;
    struct buf octets;
    TAPE_LIST(tape_input, inputs);
    TAPE_LIST(tape_question, questions);
    TAPE_LIST(tape_piece, pieces);
    TAPE_LIST(tape_reply, replies);
    TAPE_LIST(tape_verdict, verdicts);
    TAPE_LIST(tape_sum, sums);
    /* for people */
    struct slice name, helo, sender, recipient;
    struct address peer;
    uint64_t accepted;
    bool ended;
};

enum tape_status {
    TAPE_FINE,
    TAPE_OLD,    /* recorded by a program that did not record enough */
    TAPE_BROKEN, /* records are missing, or make no sense */
};

void tape_init(struct tape *tape);
/* Replaces what is there. The records are borrowed as long as the tape is used. */
enum tape_status tape_read(struct tape *tape, struct slice records);
void tape_drop(struct tape *tape);

#endif
