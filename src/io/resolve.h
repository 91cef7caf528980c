/* Names of configured hosts to addresses, by the system's resolver (getaddrinfo) on helper threads: for the
 * few names that stand in the configuration. Answers are kept for a short while; a name that is asked for
 * while its question is on the way shares the answer, and one that was known stays
 * known while its question fails. */
#ifndef IO_RESOLVE_H
#define IO_RESOLVE_H

#include "base/address.h"

struct loop;
struct resolve;

#define RESOLVE_ADDRESSES 8
#define RESOLVE_KEEP_MS   60000 /* getaddrinfo tells no time to live */
#define RESOLVE_FAILED_MS 5000

struct resolve_answer {
    size_t count;                                /* 0: none, and `trouble` says why */
    struct address addresses[RESOLVE_ADDRESSES]; /* in the order in which to try them; port 0 */
    struct slice trouble;
};

/* Called from the loop, exactly once, never from inside resolve_ask; the answer is good for the call. */
typedef void resolve_done(void *whom, uint64_t number, const struct resolve_answer *answer);

struct resolve *resolve_new(struct loop *loop);
/* True: the answer was known and stands in *ret_answer (good until the next call). False: it will come to
 * `done` with `number`. */
bool resolve_ask(struct resolve *resolve, struct slice name, uint64_t number, resolve_done *done, void *whom,
                 struct resolve_answer *ret_answer);
void resolve_forget(struct resolve *resolve, const void *whom, uint64_t number);
/* Questions that are under way end by themselves. NULL is taken. */
void resolve_free(struct resolve *resolve);

#endif
