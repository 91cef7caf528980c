/* One day of the history: an SQLite file with every session that ended on that day (UTC), by its traits.
 *
 *   session   at, id, stream, sequence, offset, traits
 *   trait     kind, key, n, sessions      what was seen on this day: its number here, and how often
 *   found     n, at                       which sessions have it
 *   member    campaign, session           what the keeper said on this day, of sessions of any day
 *   place     stream, sequence, offset    up to where the journal is in it
 *   meta      word, value
 *
 * `at` is the time of the end within the day in units of 21 us, four octets wide: what is found comes in the
 * order of time without being sorted, and takes a few octets. Two sessions that would have the same stand
 * next to each other. A session is told by its id: adding it again changes nothing.
 *
 * What a writer adds becomes part of the file together with the places, in one transaction. A writer works
 * with a write-ahead log; a day that is settled has none and is read by opening one file. */
#ifndef JOURNAL_DAY_H
#define JOURNAL_DAY_H

#include "journal/sql.h"
#include "journal/traits.h"
#include "journal/writer.h"

#define DAY_SECONDS   86400
#define DAY_NAME_SIZE 16 /* "2026-07-24.db" */
#define DAY_UNIT_US   21

/* Days since 1970 and the file of one. */
static inline int64_t day_of(int64_t unix_us)
{
    const int64_t day_us = DAY_SECONDS * INT64_C(1000000);
    return unix_us >= 0 ? unix_us / day_us : -((day_us - 1 - unix_us) / day_us);
}

void day_name_print(int64_t day, char text[DAY_NAME_SIZE]);
bool day_name_parse(struct slice text, int64_t *ret_day);
/* "FOLDER/2026-07-24.db" */
void day_path(const char *folder, int64_t day, char path[4096]);

int64_t day_at(int64_t unix_us);              /* its `at` */
int64_t day_unix_us(int64_t day, int64_t at); /* and back, to the unit */

struct day_place {
    char stream[32];
    struct journal_mark next; /* what stands before it is in the history */
};

/* A session as it is stored. */
struct day_session {
    const struct traits *traits;
    int64_t ended_us;
    unsigned stream;           /* the gate's number */
    struct journal_mark ended; /* its session_ended */
};

/* A session of any day, when it was seen to belong to a campaign. */
struct day_member {
    int64_t at_us;
    uint64_t campaign, session;
};

/* What is added at once. Without places it says nothing of how far the journal was read. */
struct day_batch {
    const struct day_session *sessions;
    size_t count;
    const struct day_member *members;
    size_t member_count;
    const struct day_place *places;
    size_t place_count;
};

struct day;

enum day_status { DAY_GOOD, DAY_REFUSED, DAY_DAMAGED };

/* Opens a day for writing, makes it where there is none. DAMAGED: the file is no sound database, or none of
 * ours. */
enum day_status day_open(const char *folder, int64_t day, struct day **ret_day, struct error *error);
int64_t day_number(const struct day *day);
/* One transaction: sessions and members, then the places. Anything but GOOD: nothing of it is there.
 * *ret_added: how many sessions were not there before. */
enum day_status day_apply(struct day *day, const struct day_batch *batch, uint64_t *ret_added,
                          struct error *error);
/* The day is made anew from the journal (it was damaged): until this is taken back it is not whole. */
enum day_status day_mark_repair(struct day *day, bool repair, struct error *error);
/* Closes it so that all of it is on disk, in one file: nothing is expected any more. */
enum day_status day_settle(struct day *day, struct error *error);
void day_close(struct day *day); /* NULL is taken */

/* What a day's file says of itself. */
struct day_state {
    int64_t day;
    bool open;   /* a writer was at work and has not settled it */
    bool repair; /* it is made anew */
    uint64_t sessions;
    size_t place_count;
    struct day_place *places; /* memory of place_count of them; day_state_drop */
};

enum day_status day_read_state(const char *folder, int64_t day, struct day_state *ret_state,
                               struct error *error);
void day_state_drop(struct day_state *state);
/* Reads all of it and compares what stands twice. */
enum day_status day_check(const char *folder, int64_t day, struct error *error);

/* Days that have a file, ascending. Negative: the folder cannot be read. */
struct day_listing {
    int64_t *days;
    size_t count, room;
};
int day_list(const char *folder, struct day_listing *ret_listing, struct error *error);
void day_listing_drop(struct day_listing *listing);
/* Removes a day's files. */
int day_remove(const char *folder, int64_t day, struct error *error);

#endif
