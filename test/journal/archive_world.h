/* What the tests of the history share: a folder with a journal and its history, a crowd of sessions, and what
 * is to be found of them. */
#ifndef ARCHIVE_WORLD_H
#define ARCHIVE_WORLD_H

#include "crowd.h"
#include "journal/archive.h"
#include "journal/finder.h"
#include "unit.h"

#define BEGIN_US INT64_C(1784932200000000) /* 2026-07-24T22:30:00Z: midnight comes on the way */
#define HOUR_US  INT64_C(3600000000)
#define MOST     20000

struct world {
    char folder[FOLDER_SIZE];
    char journal[96], history[96];
    struct crowd_session *sessions; /* that have ended */
    size_t count;
};

int world_make(void **state);
int world_drop(void **state);

struct crowd *crowd_begin(struct world *world, uint64_t sessions, uint64_t seed);
/* What ends is kept in the world. */
void crowd_take(struct world *world, struct crowd *crowd, unsigned steps);
/* To its end; nothing was lost. */
void crowd_finish(struct world *world, struct crowd *crowd);

/* Counts the days that are set aside. */
struct archive *archive_begin(const struct world *world, unsigned *damages);
/* All that is there, then closed. */
void archive_finish(struct archive *archive);
void archive_all(const struct world *world);

typedef bool (*matcher)(const struct crowd_session *session);

extern const struct crowd_session *one; /* an example, for the matchers */
const struct crowd_session *example(const struct world *world);
bool has_verdict(const struct crowd_session *session);

struct finder *finder_begin(const struct world *world, const struct filter *filter);
/* All that match are found, each once, in the order of time, and are counted. */
void finds(struct world *world, const struct filter *filter, matcher matches);
/* By every field. */
void finds_everything(struct world *world);
/* Each day's file is sound and does not contradict itself. Returns how many sessions they have. */
uint64_t is_sound(const struct world *world);

#endif
