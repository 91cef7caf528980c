/* What the files of the policy share: policy.c makes the verdict, mercy.c says what it must not do. */
#ifndef CORE_POLICY_PART_H
#define CORE_POLICY_PART_H

#include "core/machine.h"

/* All that counts at this command, one after the other: of the turn, the transaction, the session. */
struct walk {
    const struct turn *turn;
    size_t index;
    const struct found *next;
    unsigned lists; /* begun */
};

/* NULL: that was all. */
const struct found *policy_walk(struct walk *walk);
/* A copy goes to the end of the list, so that they stand in the order in which they were found. */
void policy_list_add(struct found **list, struct arena *arena, const struct found *found);

static inline bool policy_is_content(enum stage stage)
{
    return stage == STAGE_DATA || stage == STAGE_MESSAGE;
}

/* Who need not fear what. */
struct mercy {
    bool allowed;    /* an override or an allowance lets it pass */
    bool postmaster; /* only "drop" is done */
    bool unblocked;  /* an allow beats our own block list, or may yet: it decides nothing now */
};

/* --- mercy.c */
struct mercy mercy_make(struct turn *turn, enum stage stage);
/* Nothing is done for this mercy: why, for the record. */
struct slice mercy_words(struct turn *turn, struct mercy mercy);
/* A recipient is taken: whether the access table speaks for all of the message's. */
void mercy_keep(struct turn *turn);

#endif
