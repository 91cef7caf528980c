/* Which entries an export tells, and which exceptions: what the files of export share. */
#ifndef WATCH_EXPORT_PART_H
#define WATCH_EXPORT_PART_H

#include "watch/export.h"

/* In the order of families, then of addresses, the wider network first. */
struct export_choice {
    const struct export_entry **entries;    /* in force, each prefix once, none within an allowance */
    const struct export_entry **exceptions; /* allowances within one of them, none within another */
    size_t count, exception_count;
    size_t room; /* of both */
};

void export_choose(const struct export_entry *entries, size_t count, int64_t now_ms,
                   struct export_choice *ret_choice);
/* Whether the prefix lies within an exception. */
bool export_choice_excepts(const struct export_choice *choice, const struct prefix *prefix);
/* Whether an exception lies within the prefix. */
bool export_choice_parts(const struct export_choice *choice, const struct prefix *prefix);
void export_choice_drop(struct export_choice *choice);

#endif
