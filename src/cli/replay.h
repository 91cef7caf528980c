/* What the files of `postern replay` share: replay.c the command, replay_work.c the threads that play,
 * replay_tally.c what they count, replay_filter.c which sessions, replay_report.c what is told. */
#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

#include "base/list.h"
#include "cli/cli.h"
#include "journal/gather.h"
#include "replay/player.h"

#include <pthread.h>

/* --- which sessions */

struct replay_filter {
    struct prefix client;
    bool has_client;
    struct slice name, helo, from, to;
    unsigned finding;
    int verdict; /* -1: any */
    bool any;    /* there is something to look for */
};

/* --filter WORD=TEXT, each time it was given. False: the mistake was told. */
bool replay_filter_read(const struct cli *cli, struct replay_filter *ret_filter);
bool replay_filter_fits(const struct replay_filter *filter, const struct tape *tape, struct slice records);

/* --- what is counted */

#define REPLAY_TELLING 20 /* sessions that are named */

/* A session that shows what a change does. */
struct replay_sample {
    uint64_t session;
    int64_t opened_us;
    uint64_t weight; /* how telling it is */
    uint64_t line;
    struct address peer;
    struct slice name, helo, sender, recipient, reason; /* in the tally's arena */
};

/* Sessions that change in the same way. */
struct replay_change {
    struct link link;
    struct play_side then, now; /* without reasons */
    uint64_t sessions;
    struct replay_sample samples[REPLAY_TELLING]; /* the most telling first */
    size_t sample_count;
};

/* Sessions that hang on the same thing that nobody knows. */
struct replay_unknown {
    struct link link;
    enum ask_kind kind;
    struct slice about; /* the blocklist's name; of ASK_NOTHING what it is, in words */
    uint64_t sessions;
    uint64_t sample; /* the first session */
};

struct replay_tally {
    pthread_mutex_t lock;
    struct arena arena;
    struct link changes; /* the most sessions first, once it is sorted */
    struct link unknowns;
    size_t change_count, unknown_count;
    uint64_t same, other_finding, changed, unknown;
    uint64_t old, broken, filtered;
};

void replay_tally_init(struct replay_tally *tally);
/* By any thread. */
void replay_tally_add(struct replay_tally *tally, const struct tape *tape, const struct play_result *result);
void replay_tally_sort(struct replay_tally *tally);
/* The most telling ones of all changes, each change's best first. */
struct replay_telling {
    const struct replay_change *change;
    const struct replay_sample *sample;
};
size_t replay_tally_telling(const struct replay_tally *tally,
                            struct replay_telling ret_telling[REPLAY_TELLING]);
void replay_tally_done(struct replay_tally *tally);

/* --- the threads */

struct replay_team;

struct replay_team *replay_team_new(const struct session_world *world, const struct replay_filter *filter,
                                    struct replay_tally *tally, unsigned threads);
/* Hands a session over; waits while they have enough to do. */
void replay_team_give(struct replay_team *team, struct slice records);
/* Waits until all are played, and ends the threads. */
void replay_team_end(struct replay_team *team);

/* --- the report */

struct replay_report {
    const struct cli *cli;
    const struct site *site;
    const struct replay_tally *tally;
    struct gather_counts counts;
    uint64_t elsewhere; /* sessions that were recorded under another configuration, and left out */
    int64_t first_us, last_us;
    uint64_t took_us;
    uint64_t busy_us; /* of all processors together */
    unsigned threads;
};

void replay_report_show(const struct replay_report *report);

#endif
