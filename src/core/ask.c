#include "core/ask.h"

static const char *const kind_words[ASK_KIND_LIMIT] = {
#define ASK(name, number, word, key, answer) [number] = word,
#include "core/ask.def"
#undef ASK
};

static const char *const status_words[] = {
    [ANSWER_PENDING] = "pending", [ANSWER_FOUND] = "found",     [ANSWER_NONE] = "none",
    [ANSWER_FAILED] = "failed",   [ANSWER_TIMEOUT] = "timeout",
};

const char *ask_word(enum ask_kind kind)
{
    return (unsigned)kind < ASK_KIND_LIMIT ? kind_words[kind] : NULL;
}

bool ask_kind_parse(struct slice word, enum ask_kind *ret_kind)
{
    for (unsigned i = 0; i < ASK_KIND_LIMIT; i++) {
        if (!kind_words[i] || !slice_equal(word, slice_text(kind_words[i])))
            continue;
        *ret_kind = (enum ask_kind)i;
        return true;
    }
    return false;
}

const char *answer_word(enum answer_status status)
{
    return (unsigned)status < sizeof status_words / sizeof *status_words ? status_words[status] : NULL;
}
