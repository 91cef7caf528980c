/* The replay harness: the real session machine in a scripted world with virtual time.
 *
 * script.c reads a script, site.c makes its configuration, world.c is the world round one session, run.c
 * plays a script in six ways, matrix.c counts what all scripts together have reached.
 *
 * The world answers by itself what is asked of it, and says that a message was stored, but for what the
 * script keeps in its own hand: `manual` keeps recipient, remembered and commit, `manual WORD…` exactly
 * these, `manual all` everything. A line
 *
 *     fact KIND KEY-PATTERN = STATUS [VALUE]
 *
 * at its head is an answer; the first that matches counts. Without one, everybody exists but "nobody…" and,
 * softly, "later…"; only what this session has told is remembered; and there is no resolver.
 *
 * `secret TEXT` says what may stand in no record.
 *
 * With lines `now SETUP` at its head the session is played again, from its records, under the script's
 * configuration and these; the line `what-if PATTERN` tells what must come of it: `same`, `unknown: QUESTION
 * KEY`, or `changed: STAGE: ACTION [FINDING] #REPLY; now …`.
 *
 * Checks that look at names run only where a script wants them, since most scripts make up their names as
 * they please: checks NAME … at its head, or checks all. */
#ifndef REPLAY_H
#define REPLAY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/random.h"
#include "core/machine.h"

/* --- script -------------------------------------------------------------------------------------------- */

enum verb_kind {
    DO_AT,      /* at SECONDS */
    DO_OPEN,    /* open ADDRESS [port N] [local ADDRESS] [slots N] [host N] [carry WORDS,…] [tls] [proxy]
                   [no-memory] [own-list] [syn SIGNATURE] */
    DO_SEND,    /* > TEXT (a line; CRLF is added) */
    DO_RAW,     /* >> TEXT (as it stands) */
    DO_EXPECT,  /* < PATTERN (the next line of the server) */
    DO_QUIET,   /* the server has said nothing more */
    DO_ASK,     /* ask WORD PATTERN: this was asked */
    DO_ANSWER,  /* answer STATUS [VALUE]: to the ask before */
    DO_COMMIT,  /* commit PATTERN: route, sender and recipients of what is to be stored */
    DO_STORED,  /* stored STATUS [CODE ENHANCED TEXT] or [QUEUE-ID] */
    DO_CONTENT, /* = PATTERN (the next line of the spooled content) */
    DO_TLS,     /* tls up | tls failed REASON */
    DO_EOF,     /* the client closes */
    DO_STOP,    /* the gate stops */
    DO_CLOSED,  /* the server closes */
    DO_STATE,   /* state WORD */
    DO_EVENT,   /* event WORD FIELD=PATTERN … (a later one than those matched before) */
    DO_TELL,    /* tell PATTERN: value that is to be remembered (a later one than those matched before) */
    DO_DISK     /* disk short | disk fine */
};

struct order {
    struct order *next;
    enum verb_kind kind;
    uint64_t at_ms;
    struct slice text; /* arguments; SEND and RAW: the octets */
    unsigned line;
};

struct script {
    struct arena arena;
    const char *file;
    struct slice title;
    struct order *orders;
    struct order *setup;  /* set, route, own, fact, … : text holds the whole line */
    struct slice secret;  /* stands in no record, or empty */
    struct slice what_if; /* what playing it again under the lines `now …` gives, or empty */
    struct slice by_hand; /* what the script alone answers: words of questions, and "commit" */
    bool no_join;         /* joining its lines would change its meaning */
    bool no_split;        /* octet by octet would change its meaning */
};

/* Prints what is wrong with it and returns false. */
bool script_read(const char *file, struct script *ret_script);
void script_drop(struct script *script);
bool answer_read(struct slice *text, enum answer_status *ret_status); /* takes the word off */
/* \r \n \t \\ \xHH; the result lives in the arena. */
struct slice unescape(struct arena *arena, struct slice text);

/* --- world --------------------------------------------------------------------------------------------- */

struct open_ask {
    uint32_t number;
    enum ask_kind kind;
    struct slice key; /* in the world's arena */
};

struct store;

#define WORLD_ASKS 64

struct world {
    struct store *store; /* in memory: what was told is there at once */
    struct arena arena;
    struct site *site;
    struct session_world shared;
    const struct check *checks[64]; /* of checks/list.h, those that the script wants */
    struct session *session;
    void *memory;
    struct outbox outbox;
    struct random random;
    uint64_t now_ms;
    uint64_t timer_ms;  /* 0: none */
    struct buf heard;   /* all that the server has sent */
    struct buf events;  /* all records */
    struct buf waiting; /* octets of the client that were not consumed yet */
    struct buf content; /* spooled */
    struct buf told;
    struct open_ask asks[WORLD_ASKS];
    size_t ask_count;
    uint32_t last_ask; /* matched by the script's last `ask` */
    bool committed;    /* a commit awaits its answer */
    struct slice commit_text;
    bool spooling, start_tls, closed;
    unsigned kept;      /* messages stored or taken */
    unsigned promised;  /* 250 after a message */
    const char *broken; /* an invariant that did not hold, in words */
    /* how the script is played */
    bool by_octet, any_order, needless, all_time_out;
    bool more; /* the answer at hand is followed by another at once */
    bool now;  /* its site is that of the script with the lines `now …` */
    const struct script *script;
    unsigned step_limit;
};

void world_init(struct world *world, const struct script *script);
void world_site(struct world *world, const struct script *script);          /* world->site, by world_init */
void world_checks_choose(struct world *world, const struct script *script); /* likewise */
void world_open(struct world *world, struct slice arguments);
void world_send(struct world *world, struct slice octets);
void world_answer(struct world *world, uint32_t number, enum answer_status status, struct slice value);
void world_stored(struct world *world, const struct stored *stored);
void world_input(struct world *world, struct input *input); /* times are filled in */
/* Lets time pass: what is due happens. */
void world_until(struct world *world, uint64_t at_ms);
/* Whether the script keeps this in its own hand: the word of a question, or "commit". */
bool world_by_hand(const struct world *world, const char *word);
/* Answers what is asked, but for what the script answers, and offers what waits, until nothing moves. */
void world_settle(struct world *world);
void world_done(struct world *world);
struct slice world_state(const struct world *world);

/* --- matrix -------------------------------------------------------------------------------------------- */

void matrix_command(struct slice state, struct slice line);
void matrix_event(const struct event *event);
/* A script proves what the finding does in this mode. */
void matrix_mode(unsigned finding, enum mode mode);
/* Prints the matrix and returns the number of holes. */
unsigned matrix_report(bool whole);

/* --- again --------------------------------------------------------------------------------------------- */

/* Plays what the world has recorded again, under its own configuration: nothing may be different. NULL, or
 * what is, in words. */
const char *again_differs(struct world *world);
/* Plays it again under the script's lines `now …`. NULL: that gives what the script says; or in words what.
 */
const char *again_what_if(const struct world *world, const struct script *script);

/* --- run ----------------------------------------------------------------------------------------------- */

/* Plays the script in all its ways; prints what went wrong. */
bool run_script(const struct script *script);
/* Plays it once as written, to the end of its session, and adds all records. */
void run_records(const struct script *script, struct buf *ret_records);

#endif
