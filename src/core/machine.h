/* The inside of the session machine: what its files share and nobody else sees.
 *
 * The house: session.c takes the inputs apart and keeps the time; command.c makes lines into commands and
 * runs their rows; command_*.c are the commands; stage.c runs checks and turn.c is what they see; policy.c
 * makes a verdict of their findings, mercy.c says for whom nothing is done; message.c takes the content in,
 * finish.c decides at its end, forwarder.c finds out whom a trusted forwarder has it from; talk.c says and
 * records; opening.c is the start of a connection: limits and PROXY. What is held back from a client for its
 * conduct is in conduct.h. */
#ifndef CORE_MACHINE_H
#define CORE_MACHINE_H

#include "base/table.h"
#include "core/check.h"
#include "core/conduct.h"
#include "core/event.h"
#include "core/override.h"
#include "core/say.h"
#include "core/session.h"
#include "core/trace.h"
#include "wire/body_text.h"
#include "wire/command.h"
#include "wire/dot.h"
#include "wire/header.h"
#include "wire/line.h"

enum state {
    STATE_NEW,     /* not opened yet */
    STATE_PROXY,   /* a PROXY header must come */
    STATE_GREETED, /* the banner was sent; no HELO yet */
    STATE_READY,   /* HELO or EHLO is done, no transaction */
    STATE_MAIL,    /* MAIL was accepted */
    STATE_RCPT,    /* a recipient was accepted */
    STATE_DATA,    /* content comes by DATA */
    STATE_CHUNK,   /* octets of a BDAT chunk come */
    STATE_BDAT,    /* between two chunks */
    STATE_STORING, /* the message is complete; storing or relaying it */
    STATE_TLS,     /* the handshake */
    STATE_CLOSED,
    STATE_HELD,    /* the banner is held back */
    STATE_FOREIGN, /* it speaks HTTP: we listen */
    STATE_COUNT
};

enum pending {
    PENDING_NOTHING,
    PENDING_OPENING,
    PENDING_COMMAND,
    PENDING_MESSAGE,
    PENDING_TIME /* conduct.hold */
};

/* What a message needs while it comes in. */
struct intake {
    struct dot dot;
    struct header header;
    struct body_text body;
    struct digest *digest;
    uint64_t octets;  /* of content */
    uint64_t chunked; /* as they came by BDAT */
    uint64_t started_ms;
    uint32_t chunks;
    bool too_big;
    bool spooling;
    const struct content_facts *facts; /* NULL: the octets themselves were here */
};

/* Whom a message comes from through a trusted forwarder. */
struct behind {
    struct address client; /* ADDRESS_NONE: not known */
    struct slice helo;
};

/* One finding, as it was found. */
struct found {
    enum finding finding;
    struct slice evidence;
    struct slice words;        /* for the client, or empty */
    int32_t weight;            /* where `weighs` */
    bool weighs;               /* it brings its own weight, and counts once for each evidence */
    bool behind;               /* of the client behind a trusted forwarder */
    const struct check *check; /* that found it, or NULL: the machine itself */
    struct found *next;        /* where it is kept */
};

/* One transaction and its memory. */
struct mail {
    struct arena arena;
    struct transaction transaction;
    struct recipient *last_recipient;
    struct table addresses; /* of the recipients, once they are too many to look through */
    struct intake *intake;  /* NULL before DATA or BDAT */
    struct slice key;       /* of ASK_REMEMBERED, once the message is complete */
    struct slice promise;   /* the 250 that the client may not have got, until it speaks again */
    struct slice auth_domain;
    struct slice spf_field; /* for the message, or empty */
    struct found *kept;     /* what was found about the transaction */
    struct found *vouched;  /* that the access table speaks for all recipients so far; or NULL */
    struct behind *behind;  /* NULL: not looked for, or not yet */
    uint64_t once;          /* checks that are over, by their places in the list */
    uint32_t class;         /* of its recipients: what overrides and mercy are for them */
    uint32_t others;        /* recipients other than postmaster */
    uint32_t shed;          /* recipients that seem to be taken */
    bool unvouched;         /* of some recipient it does not */
    bool spared;            /* its recipients could be reached whatever was found */
    bool discard;           /* the message seems to be taken */
    bool judged;            /* the message may pass; what waits behind that does not judge it again */
    bool done;              /* the transaction is over; only the promise is kept */
};

/* Checks that have begun in advance, and what they asked. */
struct ahead {
    struct arena arena;
    struct ask *asks; /* the newest first */
    uint64_t open;    /* checks that have not joined, by their places in the list */
    uint64_t waits;   /* those of them that wait for an answer */
    bool answered;    /* since they were last run */
};

/* What checks have learnt of the client; its name stands in the session. */
struct learnt {
    struct slice pool;
    struct slice fingerprint;
    struct slice as;
    struct slice country;
    struct slice allowance; /* the prefix, or empty */
};

#define FIND_SET_WORDS (FIND_LIMIT / 64)
#define NEGATIVE_SIZE  160

struct session {
    const struct session_world *world;
    uint64_t id;
    struct arena life;         /* as long as the session */
    struct arena stage;        /* questions and the line at hand, while something waits */
    struct mail *mail;         /* NULL outside a transaction */
    struct ask *asks;          /* of the stage at hand, the newest first */
    struct progress *progress; /* of the stage at hand, in `stage`; NULL: none */
    struct ahead *ahead;       /* NULL: no check has begun in advance */
    struct learnt *learnt;     /* in life, or NULL: nothing yet */
    struct conduct *conduct;   /* in life, or NULL: nothing out of the way yet */
    struct found *kept;        /* what was found about the client, in life */
    struct slice line;         /* the command that waits, in `stage` */
    struct slice helo;         /* in life */
    struct slice name;         /* the client's confirmed name, in life */
    struct slice tls;          /* version and cipher, in life; empty: plaintext */
    char *negative;            /* the last negative reply, cut, in life */
    uint64_t opened_ms;
    uint64_t active_ms; /* when the client last sent something, or was answered */
    uint64_t tick_ms;   /* the time of this step */
    uint64_t said_ms;   /* when we last said something */
    uint64_t sequence;
    uint64_t octets_in;
    uint64_t octets_out;
    uint64_t chunk_left; /* octets of the BDAT chunk to come */
    uint64_t found[FIND_SET_WORDS];
    uint64_t once; /* checks that are over for this session, by their places in the list */
    struct address peer;
    struct address local;
    uint32_t offered; /* octets offered and not consumed at the last step */
    uint32_t taking;  /* octets that are consumed by what is going on */
    uint32_t ask_number;
    uint32_t commands;
    uint32_t errors;
    uint32_t junk;
    uint32_t negatives;
    uint32_t transactions;
    uint32_t accepted;
    uint32_t carried;
    uint32_t began_ms; /* since opened_ms: when what is answered next came */
    uint16_t said;     /* the number of the last reply */
    int32_t sum;       /* of the weights found about the client */
    uint8_t state;     /* enum state */
    uint8_t pending;   /* enum pending */
    uint8_t ending;    /* enum ending */
    uint8_t negative_len;
    uint8_t verb; /* of the last command */
    bool esmtp;
    bool tls_offered;
    bool chunk_last;
    bool chunk_discard; /* the chunk's octets belong to nothing */
    bool skipping;      /* the rest of a line that was too long */
    bool own;
    bool own_list; /* as it opened */
    bool known;
    bool trusted;
    bool polite;     /* it said QUIT when EHLO had been refused to it, on its last visit */
    bool overlapped; /* the command at hand was found to be followed too early */
    bool dripped;    /* what is said in this step is slow enough already */
    bool slow;       /* the policy wants it slowed */
    bool gone;       /* the client has closed, an answer is awaited */
    bool answered;   /* since what waits has last gone on */
    bool stopping;
    bool may_xclient;
    bool named;           /* by a front: it is not counted yet how many there are of the client */
    bool secret;          /* the line at hand may be AUTH's: it is not shown */
    uint8_t secret_lines; /* further ones that may be */
    uint8_t answering;    /* 1 + the stage that is answered next; 0: none */
};

struct step {
    struct session *session;
    const struct input *input;
    struct outbox *outbox;
};

/* --- session.c */
void session_set_state(struct step *step, enum state state);
/* Where the session stands between commands, from what it has. */
enum state session_rest_state(const struct session *session);
void session_drop_mail(struct step *step);
void session_drop_stage(struct step *step);
/* Says a last word (or SAY_NOTHING) and closes. */
void session_close(struct step *step, enum ending ending, enum say say);
/* Goes on after the answers are in. */
void session_resume(struct step *step);

/* --- talk.c */
void say(struct step *step, enum say number);
void say_with(struct step *step, enum say number, struct slice first, struct slice second);
void say_text(struct step *step, enum say number, struct slice text);
/* The first of several lines, which say_text goes on with later. */
void say_begin(struct step *step, enum say number, struct slice line);
/* From here on it counts how long the stage takes until its reply; STAGE_COUNT: it is none. */
void say_within(struct step *step, enum stage stage);
struct event_stamp step_stamp(const struct step *step);
/* Records one event: RECORD(step, finding, .finding = 3, .evidence = …). */
#define RECORD(step, name, ...)                                                                              \
    do {                                                                                                     \
        struct event_stamp record_stamp = step_stamp(step);                                                  \
        event_add_##name(&(step)->outbox->events, &record_stamp, &(struct event_##name){__VA_ARGS__});       \
    } while (0)
struct outbox_action *step_act(struct step *step, enum outbox_kind kind);
void step_forget(struct step *step, uint32_t number); /* the answer to that question is no longer wanted */
void record_finding(struct step *step, enum finding finding, struct slice evidence);
/* For information: it weighs nothing. */
void record_observation(struct step *step, enum finding finding, struct slice evidence);
void record_ending(struct step *step);

/* A change to the store, as outbox.h and event.def have it. Key and value are copied. ttl_ms 0: for ever. */
struct tell_item {
    enum tell verb;
    struct slice key;
    struct slice value;
    uint64_t ttl_ms;
};
void step_tell(struct step *step, const struct tell_item *tell);

/* --- trace.c: what playing the session again takes, beyond what is recorded for its own sake */
/* As the fields named `at` have it. */
uint64_t trace_at(const struct step *step);
uint64_t trace_terms(const struct opened *opened);
void trace_moved(struct step *step, enum trace_moved what);
/* The machine's time had come, but something else was first. */
void trace_passed(struct step *step);
/* More octets are offered: those are kept that may be looked at, and then not be used up as a line. */
void trace_seen(struct step *step, struct slice octets);
/* Octets were used up, and not as a line. */
void trace_taken(struct step *step, struct slice taken, enum state before);
struct command;
/* Of a line whose secret is not recorded. */
uint64_t trace_shape(const struct command *command, const struct line *line);
#define TRACE_KINDS_SIZE 160
struct slice trace_kinds(const struct header *header, char text[TRACE_KINDS_SIZE]);
/* The Received fields that were kept, a line each. */
struct slice trace_received(const struct header *header, struct arena *arena);
/* Puts what is known in the place of what the octets would have shown. */
void trace_content(struct mail *mail, const struct content_facts *facts);

/* --- opening.c */
void opening_run(struct step *step);
size_t opening_proxy(struct step *step, struct slice octets);
/* Another client, or the first: its checks, then the banner. */
void opening_greet(struct step *step);

/* --- command.c */
size_t command_take(struct step *step, struct slice octets);
void command_resume(struct step *step);

/* --- turn.c, stage.c, policy.c */
#define TURN_FOUND  16
#define TURN_TELLS  16
#define TURN_LEARNS 8

struct learnt_item {
    enum learn what;
    struct slice value;
    bool behind; /* of the client behind a trusted forwarder */
};

struct turn {
    struct step *step;
    struct facts facts;
    struct facts *forwarded;   /* those of the client behind a trusted forwarder; NULL: there is none */
    enum stage stage;          /* STAGE_COUNT: none yet */
    const struct check *check; /* the one that runs, or NULL */
    struct found found[TURN_FOUND];
    size_t found_count;
    struct tell_item tells[TURN_TELLS];
    size_t tell_count;
    struct learnt_item learns[TURN_LEARNS];
    size_t learn_count;
    struct stance stance;
    bool stance_good; /* it is that of the facts */
    bool shed;        /* the recipient only seems to be taken */
    bool in_advance;  /* nothing counts, nobody waits */
    bool unfinished;  /* a check of this run waits */
    bool waiting;     /* an answer is awaited */
    bool at_behind;   /* the check that runs looks at the client behind, and `forwarded` has the facts of the
                         other */
    /* the command at hand */
    struct command command;
    struct slice line; /* without its end */
    size_t behind;     /* octets that the client has sent behind it already */
    struct path path;
    struct slice parameters;
    struct arena arena;
    char room[768];
};

void turn_init(struct turn *turn, struct step *step);
void turn_done(struct turn *turn);
/* Makes the tells and what was learnt come true. */
void turn_apply(struct turn *turn);
/* After MAIL: what was learnt for the transaction, which there was not before. */
void turn_keep_mail(struct turn *turn);
struct learnt *learnt_of(struct session *session);
/* Sets facts.suspect from the sum. */
void turn_suspect(struct turn *turn);
/* True: go on. False: either something is awaited (turn->waiting), or the policy refused and has said so. */
bool stage_run(struct turn *turn, enum stage stage);
/* An answer has come: what waits in advance may ask on. */
void ahead_resume(struct step *step);
void ahead_drop_mail(struct step *step);
void ahead_drop(struct step *step);
void ahead_free(struct session *session);
/* Whether any of the check's findings is of interest. */
bool policy_wants(const struct site *site, const struct check *check);
/* What the overrides say of the turn's facts. */
const struct stance *policy_stance(struct turn *turn);
/* As far as the connection tells: the rule in force for the finding, and whether nothing is done to the
 * client whatever is found: all is but observed, or an override allows it. */
struct rule policy_rule(const struct session *session, enum finding finding);
bool policy_spares(const struct session *session);
/* Before a client's first checks: whether it is trusted, or known by configuration. */
void policy_greet(struct turn *turn);
/* After MAIL: what was found for the transaction, which there was not before. */
void policy_keep_mail(struct turn *turn);
/* Another client is behind the connection: what was found and learnt of the one before is forgotten. */
void policy_forget(struct step *step);
/* Says the reply for what decided. action: DEFER, REJECT or DROP. */
void policy_say(struct turn *turn, enum action action, const struct found *found);
/* Whether what the checks of this run have found ends the session: before its verdict, and nothing is done.
 */
bool policy_drops(struct turn *turn);
/* Records and keeps the findings of the turn, and does what the verdict says. True: go on. */
bool policy_judge(struct turn *turn, enum stage stage);

/* --- forwarder.c */
/* Whether the client's messages tell who is behind it, and that is wanted. */
bool forwarder_is_read(const struct session *session);
/* At the end of a message, once its header is complete: finds out who is behind the forwarder, if one is, so
 * that the checks of that are run for it. */
void forwarder_look(struct turn *turn);
/* The facts of the client behind take the place of those of the client, or go back. */
void forwarder_swap(struct turn *turn);

/* --- command rows: parse is syntax and order, and says what is wrong; proceed acts */
#define COMMAND(name)                                                                                        \
    bool command_##name##_parse(struct turn *turn);                                                          \
    void command_##name##_proceed(struct turn *turn);
COMMAND(helo)
COMMAND(ehlo)
COMMAND(mail)
COMMAND(rcpt)
COMMAND(data)
COMMAND(bdat)
COMMAND(rset)
COMMAND(quit)
COMMAND(noop)
COMMAND(help)
COMMAND(vrfy)
COMMAND(expn)
COMMAND(turn)
COMMAND(starttls)
COMMAND(xclient)
COMMAND(empty)
COMMAND(unknown)
#undef COMMAND

/* --- message.c, finish.c, received.c */
void message_begin(struct step *step, bool chunked);
size_t message_take(struct step *step, struct slice octets);           /* STATE_DATA */
size_t chunk_take(struct step *step, struct slice octets);             /* STATE_CHUNK */
size_t content_take(struct step *step, const struct content *content); /* either, without the octets */
void message_cancel(struct step *step);
void finish_run(struct step *step);    /* the content is complete: judge, then commit */
void finish_stored(struct step *step); /* INPUT_STORED */
struct slice received_field(const struct session *session, const struct transaction *transaction,
                            int64_t unix_us, struct arena *arena);

#endif
