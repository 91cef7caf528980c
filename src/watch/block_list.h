/* The block list: what rules propose and what persons decide, each entry once, in bounded memory.
 *
 * Pure: time is an argument, and the same calls in the same order give the same list. What has changed is
 * told in two ways: as notes, for people, which the next call forgets; and as fresh entries, which the store
 * is to have and which stay so until it has them.
 *
 * A rule suggests, or where the list makes entries puts a host in force: but a network, in which others live,
 * and who wrote to a trap wait for a person always. What is in force, or was declined, no rule touches.
 *
 * An entry in force stays the first step's time; made anew after that time was over, the second one's, and so
 * on; the last step's from then on. Strikes are forgotten BLOCK_STRIKES_KEPT_MS after the last one's end.
 *
 * Where the list is full the oldest that tells less makes room: first what is over, then what is suggested,
 * then what was declined, then what rules put in force. What a person has put in force stays; and nothing
 * makes room for what tells less than it does: a suggestion that finds no room is dropped. */
#ifndef WATCH_BLOCK_LIST_H
#define WATCH_BLOCK_LIST_H

#include "watch/block.h"

#define BLOCK_STEPS_MAX       8u
#define BLOCK_STRIKES_KEPT_MS (INT64_C(180) * 86400000)
#define BLOCK_SUGGESTION_MS                                                                                  \
    (INT64_C(14) * 86400000)       /* a suggestion that nobody answers, after its last evidence */
#define BLOCK_LIST_FRESH_MAX 4096u /* entries that the store lacks */
#define BLOCK_LIST_FRESH_CALLS                                                                               \
    1024u /* so many of them, and the store is to be written before more is asked for */

struct block_list_settings {
    bool makes;                       /* rules put hosts in force; else they only suggest */
    uint32_t most;                    /* entries, 1 or more */
    int64_t step_ms[BLOCK_STEPS_MAX]; /* 0: for good */
    unsigned steps;                   /* 1 or more */
    int64_t declined_ms;              /* how long a no counts */
    uint64_t seed;                    /* of the table: secret where strangers choose what comes */
};

/* What a rule has found. */
struct block_proposal {
    struct prefix prefix;
    enum block_rule rule;
    const char *reason;
    uint64_t campaign; /* 0: none */
    uint64_t sessions[BLOCK_SESSIONS_MAX];
    uint32_t session_count;
};

/* What a person wants. */
struct block_order {
    struct slice by; /* login name */
    int64_t now_ms;
};

enum block_answer {
    BLOCK_DONE,
    BLOCK_ABSENT,  /* there is no such entry, or it is not in a state for that */
    BLOCK_ALREADY, /* it is so already */
    BLOCK_FULL     /* no room in the list */
};

struct block_list;

struct block_list *block_list_new(const struct block_list_settings *settings);
void block_list_free(struct block_list *list); /* NULL is taken */

/* Takes back what was packed before, more than `most` of them as well. False: one of that prefix is there. */
bool block_list_restore(struct block_list *list, const struct block *block);

/* True: it was suggested or put in force by this. */
bool block_list_propose(struct block_list *list, const struct block_proposal *proposal, int64_t now_ms);
/* A rule has seen that its suggestion was wrong; what a person decided stays. */
bool block_list_withdraw(struct block_list *list, const struct prefix *prefix, const char *why,
                         int64_t now_ms);
/* It must not be in force any more; its strike is taken back. `why` must live until the notes
 * are taken. */
bool block_list_forbid(struct block_list *list, const struct prefix *prefix, const char *why, int64_t now_ms);
/* Somebody was turned away by it. */
void block_list_hit(struct block_list *list, const struct prefix *prefix, int64_t unix_ms);
/* Ends what is over, as far as BLOCK_LIST_FRESH_CALLS lets it. */
void block_list_time(struct block_list *list, int64_t now_ms);

/* In force for so long, whatever it was before; for_ms 0: for good, below 0: as the steps have it. One that
 * is in force gets the new time and reason, and no strike. */
enum block_answer block_list_add(struct block_list *list, const struct block_order *order,
                                 const struct block_proposal *proposal, int64_t for_ms);
enum block_answer block_list_approve(struct block_list *list, const struct block_order *order,
                                     const struct prefix *prefix);
/* A suggestion: no rule makes it again for a while. */
enum block_answer block_list_decline(struct block_list *list, const struct block_order *order,
                                     const struct prefix *prefix);
/* One in force or suggested ends; no rule makes it again for a while. Its strike stays. */
enum block_answer block_list_remove(struct block_list *list, const struct block_order *order,
                                    const struct prefix *prefix);
/* The same, and its last strike is taken back; also where it is over already. */
enum block_answer block_list_undo(struct block_list *list, const struct block_order *order,
                                  const struct prefix *prefix);

const struct block *block_list_find(const struct block_list *list, const struct prefix *prefix);
/* Walks all: start with *at = 0; false at the end. An entry keeps its place for life. */
bool block_list_next(const struct block_list *list, size_t *at, const struct block **ret_block);

/* --- what has changed ----------------------------------------------------------------------------------- */

enum block_note_kind {
    BLOCK_NOTE_SUGGESTED,
    BLOCK_NOTE_MADE,
    BLOCK_NOTE_DECLINED,
    BLOCK_NOTE_REMOVED,
    BLOCK_NOTE_EXPIRED
};

struct block_note {
    enum block_note_kind kind;
    const char *why;    /* REMOVED: in some words; else "" */
    struct block block; /* as it is now; REMOVED and EXPIRED: as it was, but for who decided */
};

/* Takes the next note of the call before; false: there are no more. */
bool block_list_note(struct block_list *list, struct block_note *ret_note);

/* Walks the entries that the store lacks, in the order in which they changed; NULL begins and ends. One whose
 * state is 0 is to be removed there; it may be followed by another of the same prefix. */
const struct block *block_list_fresh(const struct block_list *list, const struct block *before);
size_t block_list_fresh_count(const struct block_list *list);
void block_list_stored(struct block_list *list); /* it has them all */

struct block_list_counts {
    uint32_t of[BLOCK_STATE_LIMIT]; /* entries, by their state */
    uint64_t hits, made, suggested; /* since block_list_new */
    uint64_t crowded;               /* that made room, or found none */
    uint64_t generation;            /* grows with each change of what is in force */
};

void block_list_counts(const struct block_list *list, struct block_list_counts *ret_counts);

#endif
