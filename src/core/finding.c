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
    [ACTION_NONE] = "none", [ACTION_DEFER] = "defer",     [ACTION_REJECT] = "reject", [ACTION_DROP] = "drop",
    [ACTION_SLOW] = "slow", [ACTION_DISCARD] = "discard", [ACTION_TRAP] = "trap",
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

unsigned action_strength(enum action action)
{
    switch (action) {
    case ACTION_NONE: return 0;
    case ACTION_SLOW: return 1;
    case ACTION_DEFER: return 2;
    case ACTION_DISCARD: return 3;
    case ACTION_REJECT: return 4;
    case ACTION_TRAP: return 5;
    case ACTION_DROP: return 6;
    }
    return 0;
}

/* Relaying, mailboxes that do not exist, and what would break the mail or the connection. */
bool finding_is_firm(unsigned number)
{
    static const enum finding firm[] = {FIND_RELAY_DENIED, FIND_UNKNOWN_RECIPIENT, FIND_RECIPIENT_UNSURE,
                                        FIND_HEADER_LOOP,  FIND_HEADER_EXCESS,     FIND_ROUTE_PLAIN,
                                        FIND_TLS_INJECTION};
    for (size_t i = 0; i < sizeof firm / sizeof *firm; i++)
        if (firm[i] == number)
            return true;
    return false;
}
