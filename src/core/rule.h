/* Rules: what is done about each finding. The presets stand in finding.def, the configuration changes them.
 */
#ifndef CORE_RULE_H
#define CORE_RULE_H

#include "core/finding.h"

#define RULE_WEIGHT_MAX 1000 /* and as much below nothing */

struct rule {
    int32_t weight;
    uint8_t mode;   /* enum mode */
    uint8_t action; /* enum action: what it does whatever the sum says */
};

#define RULE_MODE   1u
#define RULE_WEIGHT 2u
#define RULE_ACTION 4u

/* Some fields of one rule. */
struct rule_change {
    struct rule rule;
    uint8_t fields; /* RULE_ bits: which of them */
    uint8_t finding;
};

void rules_preset(struct rule rules[FIND_LIMIT]);
/* Reads "mode", "weight" or "action" and its value. On failure *ret_expected tells what was expected. */
bool rule_change_read(struct rule_change *change, struct slice field, struct slice value,
                      const char **ret_expected);
void rule_change_apply(const struct rule_change *change, struct rule *rule);

#endif
