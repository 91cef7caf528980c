/* Runs one check to its end with answers from a table. */
#ifndef CHECKS_ANSWERS_H
#define CHECKS_ANSWERS_H

#include "rig.h"

#include <stdio.h>

struct row {
    enum ask_kind kind;
    const char *key;
    enum answer_status status;
    const char *value;
};

static inline void row_answer(struct ask *ask, const struct row *rows)
{
    for (; rows && rows->kind; rows++)
        if (rows->kind == ask->kind && slice_equal(ask->key, slice_text(rows->key))) {
            ask->status = (uint8_t)rows->status;
            ask->value = slice_text(rows->value);
            return;
        }
    fail_msg("asked for %s %.*s, and that is in no table", ask_word(ask->kind), SLICE_ARGS(ask->key));
}

/* Returns how many questions were asked. The rows end with kind 0. */
static inline size_t rig_run(struct rig *rig, const struct check *check, const struct row *rows)
{
    rig->turn.check = check;
    for (int i = 0; i < 10; i++) {
        rig->turn.found_count = rig->turn.learn_count = 0;
        if (check->run(&rig->turn) == CHECK_DONE)
            return rig->outbox.count;
        for (struct ask *ask = rig->session->asks; ask; ask = ask->next)
            if (ask->status == ANSWER_PENDING)
                row_answer(ask, rows);
    }
    fail_msg("%s does not come to its end", check->name);
    return 0;
}

/* The findings' words, parted by blanks, in the order in which they were made. */
static inline const char *rig_words(const struct rig *rig)
{
    static char words[256];
    size_t len = 0;
    words[0] = '\0';
    for (size_t i = 0; i < rig->turn.found_count; i++)
        len += (size_t)snprintf(words + len, sizeof words - len, "%s%s", i ? " " : "",
                                finding_info(rig->turn.found[i].finding)->word);
    return words;
}

#endif
