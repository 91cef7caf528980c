/* Words for the numbers that events hold. Each is a constant text, "?" for a number that this program does
 * not know. What findings, questions and answers are called stands in their own catalogues. */
#ifndef JOURNAL_WORDS_H
#define JOURNAL_WORDS_H

#include "core/event.h"

#define JOURNAL_DURATION_SIZE 32
/* "120 ms", "1.5 s", "55 s", "2 min 42 s", "1 h 5 min" */
void journal_duration(uint64_t ms, char text[JOURNAL_DURATION_SIZE]);
#define JOURNAL_COUNT_SIZE 32
/* "1,285" */
void journal_count(uint64_t number, char text[JOURNAL_COUNT_SIZE]);

const char *journal_stage_word(uint64_t stage);     /* verdict.stage: "rcpt" */
const char *journal_verdict_word(uint64_t verdict); /* verdict.verdict: "pass", "defer", "reject", "drop" */
const char *journal_state_word(uint64_t state);     /* state_changed: "greeted" */
const char *journal_ending_word(uint64_t why);      /* session_ended.why: "quit" */
const char *journal_ending_phrase(uint64_t why);    /* "the client said QUIT" */
const char *journal_told_word(uint64_t verb);       /* told.verb: "put" */
const char *journal_moved_word(uint64_t what);      /* session_moved.what: "time" */
const char *journal_mode_word(uint64_t mode);       /* finding.mode: "enforce" */
const char *journal_question_word(uint64_t kind);   /* question_asked.kind: "recipient" */
const char *journal_answer_word(uint64_t status);   /* question_answered.status: "found" */
const char *journal_finding_word(uint64_t number);  /* finding.finding: "relay-denied" */

/* The word for a field that holds a number with a meaning; NULL: the number speaks for itself. */
const char *journal_field_word(enum event_kind kind, const char *field, uint64_t number);

/* Whether the answer confirms a name: it holds the client's address, and its key is among the names, parted
 * by blanks, that this address points to. */
bool journal_confirms(const struct event_question_answered *answered, struct slice pointed,
                      const struct address *client);

#endif
