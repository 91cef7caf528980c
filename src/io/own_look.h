/* Our own block list and the allowances, looked up in the store (core/own_list.h). Which lengths of prefixes
 * are in use is read once a version of the store, however many clients come; so where there are no entries
 * nothing is asked at all, and a new entry counts at once. */
#ifndef IO_OWN_LOOK_H
#define IO_OWN_LOOK_H

#include "core/own_list.h"
#include "io/store_answer.h"

struct own_look {
    struct own_lengths lengths;
    uint64_t version; /* of the store, when they were read; 0: never */
};

/* Whether there is any entry. A store that fails, or has what is no such text, has none: it fails open. */
bool own_look_any(struct own_look *look, struct store *store, int64_t now_unix_ms);
/* The answer to ASK_OWN, with the lengths that are known. The value lives as long as *ret_answer. */
struct own_answer {
    enum answer_status status;
    struct slice value;
    char text[OWN_ENTRY_SIZE];
    struct error error;
};
void own_look_answer(const struct own_look *look, struct store *store, struct slice key, int64_t now_unix_ms,
                     struct own_answer *ret_answer);

#endif
