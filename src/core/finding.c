#include "core/finding.h"

static const struct finding_info infos[FIND_LIMIT] = {
#define FINDING(name, number, word, weight, action, doc) [number] = {word, doc, weight, ACTION_##action},
#include "core/finding.def"
#undef FINDING
};

static const char *const mode_words[] = {
    [MODE_OFF] = "off",
    [MODE_OBSERVE] = "observe",
    [MODE_ENFORCE] = "enforce",
};

static const char *const action_words[] = {
    [ACTION_NONE] = "none",
    [ACTION_DEFER] = "defer",
    [ACTION_REJECT] = "reject",
    [ACTION_DROP] = "drop",
};

const struct finding_info *finding_info(unsigned number)
{
    return number < FIND_LIMIT && infos[number].word ? &infos[number] : NULL;
}

bool finding_parse(struct slice word, enum finding *ret_finding)
{
    for (unsigned i = 0; i < FIND_LIMIT; i++) {
        if (!infos[i].word || !slice_equal(word, slice_text(infos[i].word)))
            continue;
        *ret_finding = (enum finding)i;
        return true;
    }
    return false;
}

const char *mode_word(unsigned mode)
{
    return mode < sizeof mode_words / sizeof *mode_words ? mode_words[mode] : NULL;
}

const char *action_word(unsigned action)
{
    return action < sizeof action_words / sizeof *action_words ? action_words[action] : NULL;
}
