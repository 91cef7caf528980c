/* What the store has, as the answer to a session's question (core/ask.def: stored, remembered, seen, count).
 */
#ifndef IO_STORE_ANSWER_H
#define IO_STORE_ANSWER_H

#include "core/ask.h"
#include "io/store.h"

/* One of both: an overlay stands for its store, too. */
struct store_source {
    struct store *store;
    struct store_overlay *overlay; /* NULL: there is none */
};

struct store_answer {
    enum answer_status status;
    struct slice value; /* lives as long as this struct, and until the next call for the store */
    char text[STORE_TOUCHES_SIZE];
    struct error error;
};

void store_answer(const struct store_source *source, enum ask_kind kind, struct slice key,
                  int64_t now_unix_ms, struct store_answer *ret_answer);

#endif
