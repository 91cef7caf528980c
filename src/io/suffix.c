#include "io/suffix.h"
#include "base/memory.h"
#include "wire/domain.h"

#include <libpsl.h>

/* The list's look-up takes some microseconds, and a gate's clients come again: the last names that fell on
 * each place are kept. */
#define KEPT     256u
#define NAME_MAX 80u /* longer ones are looked up each time */

struct kept {
    uint8_t name_len; /* 0: none */
    uint8_t domain_len;
    char name[NAME_MAX];
};

struct suffix {
    psl_ctx_t *list;
    struct kept kept[KEPT];
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

/* A registered domain is always the name's end. */
static struct slice end_of(struct slice name, size_t len)
{
    return slice_from(name, name.len - len);
}

static size_t look_up(const struct suffix *suffix, struct slice name, struct arena *arena)
{
    struct domain_facts facts;
    if (domain_check(name, true, &facts) != DOMAIN_DONE || facts.numeric || facts.dot_last)
        return 0;
    const struct slice text = arena_copy(arena, name);
    return slice_text(psl_registrable_domain(suffix->list, text.at)).len;
}

struct slice suffix_registered(struct suffix *suffix, struct slice name, struct arena *arena)
{
    if (name.len == 0 || name.len > NAME_MAX)
        return arena_copy(arena, end_of(name, look_up(suffix, name, arena)));
    struct kept *kept = &suffix->kept[slice_hash(name, 0) % KEPT];
    if (!slice_equal(slice_of(kept->name, kept->name_len), name)) {
        kept->domain_len = (uint8_t)look_up(suffix, name, arena);
        kept->name_len = (uint8_t)name.len;
        memcpy(kept->name, name.at, name.len);
    }
    return arena_copy(arena, end_of(name, kept->domain_len));
}
