/* Findings: observed facts with stable words. The table is finding.def. */
#ifndef CORE_FINDING_H
#define CORE_FINDING_H

#include "base/slice.h"

enum finding {
    FIND_NOTHING = 0,
#define FINDING(name, number, word, weight, action, doc) FIND_##name = number,
#include "core/finding.def"
#undef FINDING
    FIND_LIMIT = 256
};

/* What is done, of itself or by the sum. The numbers stand in the journal as verdicts; action_strength orders
 * them. */
enum action {
    ACTION_NONE = 0,    /* as a verdict: pass */
    ACTION_DEFER = 1,   /* 4yz: come again */
    ACTION_REJECT = 2,  /* 5yz */
    ACTION_DROP = 3,    /* the session is closed */
    ACTION_SLOW = 4,    /* it goes on, slowly */
    ACTION_DISCARD = 5, /* the recipient or message seems to be taken, and is thrown away */
    ACTION_TRAP = 6     /* likewise: the address is a spamtrap */
};
enum mode { MODE_OFF, MODE_OBSERVE, MODE_ENFORCE };

struct finding_info {
    const char *word;
    const char *doc;
    int weight;
    enum action action;
};

const struct finding_info *finding_info(unsigned number); /* NULL: there is none */
bool finding_parse(struct slice word, enum finding *ret_finding);
const char *mode_word(unsigned mode);
const char *action_word(unsigned action);
/* Of two actions the stronger one is done: none, slow, defer, discard, reject, trap, drop. */
unsigned action_strength(enum action action);
/* Not a matter of policy: nothing can forgive it, and its rule cannot be changed. */
bool finding_is_firm(unsigned number);

#endif
