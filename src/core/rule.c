#include "core/rule.h"

#include "base/text.h"

void rules_preset(struct rule rules[FIND_LIMIT])
{
    for (unsigned i = 0; i < FIND_LIMIT; i++) {
        const struct finding_info *info = finding_info(i);
        rules[i] = (struct rule){0};
        if (info)
            rules[i] = (struct rule){info->weight, MODE_ENFORCE, (uint8_t)info->action};
    }
}

static bool weight_parse(struct slice text, int32_t *ret_weight)
{
    uint64_t number;
    bool below = slice_starts(text, SLICE("-"));
    if (!text_parse_u64(slice_from(text, below), &number) || number > RULE_WEIGHT_MAX)
        return false;
    *ret_weight = below ? -(int32_t)number : (int32_t)number;
    return true;
}

/* The place of a word, or -1. */
static int word_place(const char *(*word)(unsigned), struct slice text)
{
    for (unsigned i = 0; word(i); i++)
        if (slice_equal(text, slice_text(word(i))))
            return (int)i;
    return -1;
}

bool rule_change_read(struct rule_change *change, struct slice field, struct slice value,
                      const char **ret_expected)
{
    int place = 0;
    if (slice_equal(field, SLICE("weight"))) {
        *ret_expected = "a weight from -1000 to 1000";
        change->fields |= RULE_WEIGHT;
        return weight_parse(value, &change->rule.weight);
    }
    if (slice_equal(field, SLICE("mode"))) {
        *ret_expected = "off, observe or enforce";
        place = word_place(mode_word, value);
        change->rule.mode = (uint8_t)place;
        change->fields |= RULE_MODE;
        return place >= 0;
    }
    *ret_expected = "none, slow, defer, discard, reject, trap or drop";
    place = slice_equal(field, SLICE("action")) ? word_place(action_word, value) : -1;
    change->rule.action = (uint8_t)place;
    change->fields |= RULE_ACTION;
    return place >= 0;
}

void rule_change_apply(const struct rule_change *change, struct rule *rule)
{
    if (change->fields & RULE_WEIGHT)
        rule->weight = change->rule.weight;
    if (change->fields & RULE_MODE)
        rule->mode = change->rule.mode;
    if (change->fields & RULE_ACTION)
        rule->action = change->rule.action;
}
