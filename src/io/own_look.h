/* Our own block list and the allowances, looked up in the store (core/own_list.h). Which lengths of prefixes
 * are in use is read a few times a second, however many clients come; so where there are no entries nothing
 * is asked at all, and a new entry counts within that time. */
#ifndef IO_OWN_LOOK_H
#define IO_OWN_LOOK_H

#include "core/own_list.h"
#include "io/store_answer.h"

#define OWN_LOOK_MS 250u

struct own_look {
    struct own_lengths lengths;
    uint64_t again_ms; /* when they are to be read anew; 0: they were never read */
};

/* Whether there is any entry. A store that fails, or has what is no such text, has none: it fails open.
 * now_ms is a clock that never goes back. */
bool own_look_any(struct own_look *look, struct store *store, uint64_t now_ms, int64_t now_unix_ms);
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
