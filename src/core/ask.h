/* Questions: everything that a session wants to know from outside is asked, remembered and recorded.
 *
 * Within one stage a question is remembered under (kind, key): asking again gives the same answer, and two
 * checks share one question. FAILED and TIMEOUT are answers, too: whoever asks decides in one visible line
 * whether it then fails open or closed. */
#ifndef CORE_ASK_H
#define CORE_ASK_H

#include "base/slice.h"

enum ask_kind {
    ASK_NOTHING = 0,
#define ASK(name, number, word, key, answer) ASK_##name = number,
#include "core/ask.def"
#undef ASK
    ASK_KIND_LIMIT = 64
};

enum answer_status { ANSWER_PENDING, ANSWER_FOUND, ANSWER_NONE, ANSWER_FAILED, ANSWER_TIMEOUT };

const char *ask_word(enum ask_kind kind); /* "recipient"; NULL for an unknown kind */
bool ask_kind_parse(struct slice word, enum ask_kind *ret_kind);
const char *answer_word(enum answer_status status); /* "found", "none", "failed", "timeout", "pending" */

/* What is to be done to the store: how a tell is to be remembered. Numbers as in event.def (told). */
enum tell {
    TELL_PUT = 1,    /* the value, instead of what was there */
    TELL_REMOVE = 2, /* what was there */
    TELL_ADD = 3,    /* the value, a number, to the counter that was there */
    TELL_SEEN = 4    /* the key was met once more, with the value */
};

/* One question of a session's stage and, once it is there, its answer. */
struct ask {
    struct ask *next;   /* of the same stage */
    struct slice key;   /* in the stage's arena */
    struct slice value; /* in the stage's arena */
    uint64_t asked_ms;
    uint32_t wait_ms; /* how long it may keep somebody waiting; 0: as long as limits.question-time */
    uint32_t number;  /* names it between session and shell: never 0, never used twice in a session */
    uint8_t kind;     /* enum ask_kind */
    uint8_t status;   /* enum answer_status */
    bool needed;      /* something waits for it */
};

/* What the shell brings back. The slices are borrowed for the step. */
struct answer {
    uint32_t number;
    enum answer_status status; /* not PENDING */
    struct slice value;
    bool more; /* the next input is another answer: what waits need not go on before */
};

#endif
