/* Sentences for people who have never seen SMTP, by the numbers of the catalogues: the words of the annotated
 * view. "They" are the client, "we" are the gate. The texts stand in phrase_*.def and in phrase.c; a test
 * walks the catalogues and fails where one has no sentence. */
#ifndef JOURNAL_PHRASE_H
#define JOURNAL_PHRASE_H

#include "base/slice.h"
#include "core/ask.h"
#include "wire/command.h"

struct finding_phrase {
    const char *because; /* "its address has no name in the name service" */
    const char *means;   /* whole sentences */
    const char *remedy;  /* what the sender can do */
};

struct ask_phrase {
    const char *asks, *found, *none, *unsure; /* {} is what was asked, or the answer */
};

/* Each is constant text; NULL for a number that is not in its catalogue. */
const struct finding_phrase *phrase_finding(uint64_t number);
const char *phrase_reply(uint64_t number);
const struct ask_phrase *phrase_ask(uint64_t kind);
const char *phrase_event(uint64_t kind);
const char *phrase_command(enum verb verb);     /* what the client wants by it */
const char *phrase_verdict(uint64_t verdict);   /* what is done: "So we refuse." */
const char *phrase_otherwise(uint64_t verdict); /* what would have been done, had it not been for observe */
const char *phrase_stage(uint64_t stage);       /* when: "when they named the recipient" */
const char *phrase_state(uint64_t state);       /* what the gate does: "we wait for a command" */
const char *phrase_ending(uint64_t why);        /* how it ended, as a sentence */
const char *phrase_code(uint64_t code);         /* what the first digit of a reply means */
const char *phrase_memory(struct slice key);    /* what a question to the store is for; NULL: not known */

#endif
