/* Searching one day of the history: the sessions that a filter wants, the newest first. What is seen is the
 * day as it was when it was opened, whoever writes to it meanwhile. */
#ifndef JOURNAL_DAY_FIND_H
#define JOURNAL_DAY_FIND_H

#include "journal/day.h"
#include "journal/filter.h"

struct day_hit {
    uint64_t session;
    int64_t ended_us; /* to DAY_UNIT_US */
    unsigned stream;  /* the gate's number */
    struct journal_mark ended;
};

struct day_find;

/* `filter` is the caller's and stays. REFUSED also where there is no such day. */
enum day_status day_find_open(const char *folder, int64_t day, const struct filter *filter,
                              struct day_find **ret_find, struct error *error);
/* False: there are no more. A file that turns out to be damaged says so in day_find_status. */
bool day_find_next(struct day_find *find, struct day_hit *ret_hit);
/* How many there are in all; what day_find_next has given counts, too. */
uint64_t day_find_count(struct day_find *find);
enum day_status day_find_status(const struct day_find *find, struct error *ret_error);
/* Up to where the stream is in this day; {0, 0}: nothing is known of it. A day is not read for it before it
 * is asked. */
struct journal_mark day_find_place(struct day_find *find, unsigned stream);
bool day_find_is_partial(const struct day_find *find); /* the day is being made anew */
void day_find_close(struct day_find *find);            /* NULL is taken */

/* Has the system read the front of a day's file, where every search begins: for many days at once. */
void day_find_announce(const char *folder, int64_t day);

/* Adds the sessions that the day's `member` names for the campaign: sessions of any day. */
enum day_status day_find_members(const char *folder, int64_t day, uint64_t campaign, struct buf *sessions,
                                 struct error *error);

/* By its id alone. */
enum day_status day_find_session(const char *folder, int64_t day, uint64_t session, bool *ret_found,
                                 struct day_hit *ret_hit, struct error *error);

#endif
