/* Checks: each looks at one thing and finds. It never replies and never decides.
 *
 * `run` is straight-line code: it asks for what it needs, and returns CHECK_WAIT where an answer is not here
 * yet; it is run again from its top when answers have come. What a run that returns CHECK_WAIT found, told or
 * learnt is thrown away. So a check may be run twice, or needlessly, and nothing changes. */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H

#include "core/ask.h"
#include "core/facts.h"
#include "core/finding.h"

enum stage { STAGE_CONNECT, STAGE_HELO, STAGE_MAIL, STAGE_RCPT, STAGE_DATA, STAGE_MESSAGE, STAGE_COUNT };

const char *stage_word(unsigned stage); /* "connect" */

enum check_result { CHECK_DONE, CHECK_WAIT };

/* For whom a check is run. */
enum audience {
    AUDIENCE_ALL,
    AUDIENCE_OUTSIDERS, /* all but our own networks */
    AUDIENCE_STRANGERS  /* neither our own networks, nor known */
};

/* A fact that a check establishes for those that come after it. */
enum learn {
    LEARN_NAME,        /* facts.peer_name: the client's confirmed name */
    LEARN_KNOWN,       /* facts.known: any text but an empty one */
    LEARN_POOL,        /* facts.pool */
    LEARN_FINGERPRINT, /* facts.fingerprint */
    LEARN_AUTH_DOMAIN, /* facts.auth_domain: until the end of the transaction */
    LEARN_SPF_FIELD,   /* a whole header field for the message of the transaction, with its line end */
    LEARN_AS,          /* facts.as */
    LEARN_COUNTRY,     /* facts.country */
    LEARN_ALLOWANCE,   /* facts.allowance: nothing that may be forgiven counts */
    LEARN_POLITE,      /* when EHLO was refused to it on its last visit, it said QUIT */
    LEARN_COUNT
};

struct turn;

/* Where `starts` comes before `joins`, the check is run in advance at `starts`, and again whenever something
 * that it asked has been answered, so that its questions are on their way: nothing that it finds, tells or
 * learns then counts, and nobody waits for it. At `joins` it is run for good, with the answers that have come
 * until then. A run in advance sees the facts of its own moment: whatever comes with a later command is
 * empty.
 *
 * `once`: it comes to its end once in a session, or, where it starts at MAIL or later, once in a transaction,
 * and what it found counts until that is over. Otherwise it is run at each command of its stage, and what it
 * found at MAIL counts for the transaction, at RCPT for that recipient, at the end of the message for that
 * message.
 *
 * `behind`: of a message that a trusted forwarder brings, the client behind it is judged at the end, where
 * that is wanted (trusted.received). All such checks are then run in their order with facts of that client:
 * its address, the HELO name that it gave the forwarder, the message's sender. What they find counts for that
 * message alone, and what they learn is known to each other only. They are not run for the forwarder then. */
struct check {
    const char *name;
    const char *doc;
    enum stage starts; /* not behind `joins` */
    enum stage joins;  /* where its findings count */
    bool once;
    bool about_address;     /* judges the client's address: not for those who bring other people's mail */
    bool behind;            /* at the end of a message it is run for the client behind a trusted forwarder */
    enum audience audience; /* who is not in it costs nothing */
    const uint8_t *finds; /* FIND_…, 0 at the end: where all of them are off it is not run. NULL: always */
    bool (*wanted)(
        const struct site *site); /* false: the site has nothing for it, it is not run. NULL: always */
    enum check_result (*run)(struct turn *turn);
};

#define CHECKS_MAX 64 /* as many as a set has bits */

/* Which checks a site wants: sets of their places in the list, by stage. */
struct check_plan {
    uint64_t begins[STAGE_COUNT]; /* in advance */
    uint64_t joins[STAGE_COUNT];
    uint64_t mail; /* all that start with a transaction */
    uint64_t helo; /* all that start at HELO */
    uint64_t behind;
};

/* The facts of this turn. */
const struct facts *turn_facts(const struct turn *turn);
/* Whether all checks before this one in the list are done in this run. A check that builds on what they find
 * or learn returns CHECK_WAIT where it is false, and is run again. */
bool turn_ready(const struct turn *turn);
/* Whether what this run finds, tells and learns counts; false in advance, where nothing needs to be put into
 * words. */
bool turn_counts(const struct turn *turn);
/* The sum of the weights so far: of the session, the transaction, and what was found in this turn. */
int turn_sum(struct turn *turn);
/* What the finding adds to it; 0: it was not found, or weighs nothing. */
int turn_share(struct turn *turn, enum finding finding);
/* The strongest action that anything found so far calls for by itself or by the sum. */
enum action turn_action(struct turn *turn);
/* Whether what speaks for the client (weights below nothing) outweighs what speaks against it. */
bool turn_is_vouched(struct turn *turn);
/* The answer, or NULL: not here yet. The key is copied. An answer FAILED or TIMEOUT is an answer, too. */
const struct ask *turn_ask(struct turn *turn, enum ask_kind kind, struct slice key);
/* The same for what is not worth waiting for: it is asked only in advance, and where it is NULL the check
 * need not wait. */
const struct ask *turn_peek(struct turn *turn, enum ask_kind kind, struct slice key);
/* Whether the finding can change what becomes of the command: by a weight or by an action. */
bool turn_weighs(struct turn *turn, enum finding finding);
/* The same, where nobody should wait for it longer than wait_ms from now on. */
const struct ask *turn_ask_within(struct turn *turn, enum ask_kind kind, struct slice key, uint64_t wait_ms);
/* A fact was observed; the evidence is a sentence in words, without a final dot. */
void turn_find(struct turn *turn, enum finding finding, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, with the words that the client is told: they stand where the reply has room for them. */
void turn_find_saying(struct turn *turn, enum finding finding, struct slice words, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with a weight of its own instead of that of the finding's rule, for what is weighed by lists of
 * the configuration; below nothing it speaks for the client. Each evidence counts once. */
void turn_find_weighing(struct turn *turn, enum finding finding, int weight, struct slice words,
                        const char *format, ...) __attribute__((format(printf, 5, 6)));
/* To be remembered beyond the session, under a key that begins with the check's own word. For TELL_ADD the
 * value is what to add, in decimal digits. ttl_ms: how long it counts; 0: for ever. */
void turn_tell(struct turn *turn, enum tell verb, struct slice key, struct slice value, uint64_t ttl_ms);
/* A fact for the checks behind this one, and for all that come later. */
void turn_learn(struct turn *turn, enum learn what, struct slice value);
/* Texts that live as long as the turn. */
struct slice turn_join(struct turn *turn, struct slice a, struct slice b);
struct slice turn_format(struct turn *turn, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
