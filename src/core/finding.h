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

enum action { ACTION_NONE, ACTION_DEFER, ACTION_REJECT, ACTION_DROP };
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

#endif
