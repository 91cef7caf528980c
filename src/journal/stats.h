/* Statistics: what the events of the journal add up to, in three columns: since the start of the records,
 * in this clock hour, in the last 60 minutes. Pure: time is an argument, and events are dated by their own
 * stamps.
 *
 * What is counted is kept by the journal's files: for each file its own counts, and one sum for all files
 * that are gone. So the statistics can be proved at any time: those of a file are what reading it again
 * gives, and the whole is the sum. The hour and the 60 minutes come from a ring of minutes.
 *
 * Its checkpoint is a number of records under keys ("stats gone", "stats minute 17", "stats segment gate-0
 * 00000003"), which the keeper writes to the store in the same batch as its places in the journal. */
#ifndef JOURNAL_STATS_H
#define JOURNAL_STATS_H

#include "core/event.h"
#include "journal/stat.h"

/* --- what one event adds -------------------------------------------------------------------------------- */

/* Beside the numbers of journal/stat.h there are sums that only Prometheus shows: how often a verdict was
 * given for a finding, and histograms of times. All together are cells; their places never change. */
#define STATS_REASONS         STAT_LIMIT
#define STATS_REASON_COUNT    4096 /* observed × 8 verdicts × 256 findings */
#define STATS_HISTOGRAMS      (STATS_REASONS + STATS_REASON_COUNT)
#define STATS_HISTOGRAM_COUNT 32
#define STATS_BUCKETS         15 /* of a histogram: those with a bound, and the rest */
#define STATS_HISTOGRAM_CELLS 16 /* the buckets, and the sum in milliseconds */
#define STATS_CELLS           (STATS_HISTOGRAMS + STATS_HISTOGRAM_COUNT * STATS_HISTOGRAM_CELLS)

unsigned stats_reason_cell(uint64_t verdict, uint64_t finding, bool observed); /* 0: out of range */

enum stats_histogram {
    STATS_STAGE_CONNECT, /* and the other stages behind it: from the command to its reply */
    STATS_STAGE_HELO,
    STATS_STAGE_MAIL,
    STATS_STAGE_RCPT,
    STATS_STAGE_DATA,
    STATS_STAGE_MESSAGE,
    STATS_SESSION,       /* from the connection to its end */
    STATS_TLS,           /* a handshake */
    STATS_DNS,           /* an answer to a question for name servers, cached or not */
    STATS_STORE,         /* an answer of the store */
    STATS_VERIFICATION,  /* whether a recipient exists */
    STATS_MESSAGE_STORE, /* until a message was synced */
    STATS_MESSAGE_RELAY, /* until the mail server behind had answered to a message */
    STATS_DELIVERY,      /* from taking a message to a recipient's copy having arrived */
    STATS_HISTOGRAM_LIMIT
};

/* Upper bounds in milliseconds, STATS_BUCKETS - 1 of them. */
const uint32_t *stats_bounds(enum stats_histogram histogram);

struct stats_item {
    unsigned cell;
    uint64_t count;
};

#define STATS_ITEMS_MAX 8

/* What the event adds; returns how many items it wrote. */
size_t stats_of(const struct event *event, struct stats_item items[STATS_ITEMS_MAX]);

struct stats_counts {
    int64_t first_us; /* the oldest event that was counted; 0: none was */
    uint64_t at[STATS_CELLS];
};

/* --- the three columns ---------------------------------------------------------------------------------- */

struct stats;

struct stats *stats_new(void);
void stats_free(struct stats *stats); /* NULL is taken */

/* The file that an event stands in. */
struct stats_file {
    struct slice stream; /* what stands there is the same name, as long as there are statistics */
    uint32_t sequence;
};

/* Counts the event of that file. The events of a stream come in the order of its files. */
void stats_add(struct stats *stats, const struct stats_file *file, const struct event *event, int64_t now_us);
/* Whether the stream was read further than this file: its files began anew. Then those that were counted
 * must be moved to what is gone (stats_move) before the event is added. */
bool stats_is_restart(const struct stats *stats, const struct stats_file *file);

struct stats_view {
    int64_t since_us; /* the oldest event; 0: none was counted */
    int64_t now_us;
    int zone_minutes; /* east of UTC: where the clock hours begin */
    uint64_t total[STATS_CELLS];
    uint64_t hour[STAT_LIMIT];
    uint64_t sixty[STAT_LIMIT];
};

/* 60 kB: not for the stack of deep callers. */
void stats_look(const struct stats *stats, int64_t now_us, int zone_minutes, struct stats_view *ret_view);
/* For tests: the hour's column begins anew; the others are as they were. */
void stats_reset_hour(struct stats *stats, int64_t now_us, int zone_minutes);

/* --- the checkpoint ------------------------------------------------------------------------------------- */

#define STATS_PREFIX         "stats "
#define STATS_GONE           "stats gone"
#define STATS_SEGMENT_PREFIX "stats segment "

/* How many records stats_save would give at most. */
size_t stats_unsaved(const struct stats *stats);
/* Gives each record that has changed since the last stats_saved. Keys and values live until the next call of
 * stats_save or stats_saved. */
void stats_save(struct stats *stats, void (*put)(void *data, struct slice key, struct slice value),
                void *data);
/* They are safe, and need not be given again. */
void stats_saved(struct stats *stats);

/* Takes a record back, into statistics to which nothing was added yet, in any order. False: it is none, or
 * damaged. */
bool stats_load(struct stats *stats, struct slice key, struct slice value);

/* The file that a record belongs to; false: to none. The stream is a part of the key. */
bool stats_key_parse(struct slice key, struct stats_file *ret_file);
/* A saved record of a file that is gone becomes a part of the sum of those; `back`: it does not, after all.
 * False: the record is damaged, and nothing was done. */
bool stats_move(struct stats *stats, struct slice key, struct slice value, bool back);
/* The record of that sum, as text for the key "stats gone". */
void stats_gone_print(const struct stats *stats, struct buf *out);

#endif
