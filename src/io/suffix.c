#include "io/suffix.h"
#include "base/memory.h"
#include "wire/domain.h"

#include <libpsl.h>

struct suffix {
    psl_ctx_t *list;
};

struct suffix *suffix_open(void)
{
    psl_ctx_t *list = psl_latest(NULL);
    if (!list)
        return NULL;
    struct suffix *suffix = memory_take(sizeof *suffix);
    suffix->list = list;
    return suffix;
}

/* psl_free takes libpsl's own list, too, and leaves it as it is. */
void suffix_close(struct suffix *suffix)
{
    if (!suffix)
        return;
    psl_free(suffix->list);
    memory_give(suffix, sizeof *suffix);
}

struct slice suffix_registered(const struct suffix *suffix, struct slice name, struct arena *arena)
{
    struct domain_facts facts;
    if (domain_check(name, true, &facts) != DOMAIN_DONE || facts.numeric || facts.dot_last)
        return SLICE_NONE;
    const struct slice text = arena_copy(arena, name);
    return slice_text(psl_registrable_domain(suffix->list, text.at));
}
