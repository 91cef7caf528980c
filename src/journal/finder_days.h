/* The part of a finder that looks into the history's days: the newest first, the next ones meanwhile. */
#ifndef JOURNAL_FINDER_DAYS_H
#define JOURNAL_FINDER_DAYS_H

#include "journal/day_find.h"

#define SOUGHT_HITS 32u /* of a day, that are found ahead */

/* A day that is looked into. */
struct sought {
    int64_t day;
    struct day_find *find; /* NULL: it could not be opened */
    enum day_status status;
    struct error error;
    bool partial; /* it is being made anew */
    struct day_hit hits[SOUGHT_HITS];
    size_t hit_count, hit_given;
    uint64_t count; /* where all are counted */
};

struct finder_days;

struct finder_days_settings {
    const char *folder;
    const struct filter *filter; /* stays the caller's */
    int64_t *days;               /* ascending; those that cannot be wanted are taken out */
    size_t *count;
    size_t wanted; /* sessions; 0: all are counted */
};

/* No day is opened before it is asked for. */
struct finder_days *finder_days_new(const struct finder_days_settings *settings);
/* The next older day, whether it could be opened or not; NULL: there is none. The one before is closed. */
struct sought *finder_days_next(struct finder_days *days);
/* Which day comes next; false: none. */
bool finder_days_peek(const struct finder_days *days, int64_t *ret_day);
/* The day has another session. */
bool sought_next(struct sought *sought, struct day_hit *ret_hit);
void finder_days_free(struct finder_days *days); /* NULL is taken */

/* Adds the sessions (uint64_t) that any of the days names for the campaign. */
void finder_days_members(const char *folder, const int64_t *days, size_t count, uint64_t campaign,
                         struct buf *sessions);

#endif
