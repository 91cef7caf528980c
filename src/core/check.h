/* Checks: each looks at one thing and finds. It never replies and never decides.
 *
 * `run` is straight-line code: it asks for what it needs, and returns CHECK_WAIT where an answer is not here
 * yet; it is run again from its top when answers have come. What a run that returns CHECK_WAIT found or told
 * is thrown away. So a check may be run twice, or needlessly, and nothing changes. */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H

#include "core/ask.h"
#include "core/facts.h"
#include "core/finding.h"

enum stage { STAGE_CONNECT, STAGE_HELO, STAGE_MAIL, STAGE_RCPT, STAGE_DATA, STAGE_MESSAGE, STAGE_COUNT };

const char *stage_word(unsigned stage); /* "connect" */

enum check_result { CHECK_DONE, CHECK_WAIT };

struct turn;

struct check {
    const char *name;
    const char *doc;
    enum stage stage; /* where its findings count */
    enum check_result (*run)(struct turn *turn);
};

/* The facts of this turn. */
const struct facts *turn_facts(const struct turn *turn);
/* The answer, or NULL: not here yet. The key is copied. An answer FAILED or TIMEOUT is an answer, too. */
const struct ask *turn_ask(struct turn *turn, enum ask_kind kind, struct slice key);
/* A fact was observed; the evidence is a sentence in words, without a final dot. */
void turn_find(struct turn *turn, enum finding finding, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, with the words that the client is told: they stand where the reply has room for them. */
void turn_find_saying(struct turn *turn, enum finding finding, struct slice words, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Texts that live as long as the turn. */
struct slice turn_join(struct turn *turn, struct slice a, struct slice b);
struct slice turn_format(struct turn *turn, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
