/* postern play --mbox: what the gate would have done with the messages of an archive. play_mbox.c walks
 * through files, play_message.c plays one message, play_tally.c counts and shows. */
#ifndef CLI_PLAY_MBOX_H
#define CLI_PLAY_MBOX_H

#include "cli/archive.h"
#include "cli/cli.h"
#include "core/finding.h"
#include "io/store.h"
#include "io/suffix.h"
#include "journal/history.h"

/* `postern play` with --mbox: arguments are [LABEL=]FILE and [LABEL=]FOLDER. Returns the exit status. */
int play_mbox(struct cli *cli, int argc, char **argv);

/* --- one message --------------------------------------------------------------------------------------- */

enum play_end { PLAY_ACCEPTED, PLAY_DEFERRED, PLAY_REJECTED, PLAY_END_COUNT };

const char *play_end_word(enum play_end end);

struct played {
    enum play_end end;
    struct slice reply; /* the one that it ended with, its first line; in the arena */
    uint64_t sum;       /* of the weights, the greatest */
    bool found[FIND_LIMIT];
    struct history history;
};

struct play_ground {
    const struct site *site;
    struct store *store;   /* what is remembered between messages, or NULL */
    struct suffix *suffix; /* or NULL */
    int64_t unix_seconds;  /* now */
};

/* The history is to be dropped. */
void play_message(const struct play_ground *ground, const struct archived *archived, struct arena *arena,
                  struct played *ret_played);

/* --- all of them --------------------------------------------------------------------------------------- */

#define PLAY_LABELS_MAX 6

struct play_count {
    struct slice label; /* empty: none was given */
    uint64_t messages[ARCHIVE_STATUS_COUNT];
    uint64_t ends[PLAY_END_COUNT]; /* at the first try */
    uint64_t later;                /* of those deferred: accepted at the second */
    uint64_t hits[FIND_LIMIT];     /* at the first try, and had all been let pass */
};

void play_count_add(struct play_count *count, const struct played *played);
/* A table for people, an object a label for programs. */
void play_counts_show(const struct cli *cli, const struct site *site, const struct play_count *counts,
                      size_t count);
/* One line for a message. */
void play_message_show(const struct cli *cli, struct slice label, const char *file,
                       const struct played *played);

#endif
