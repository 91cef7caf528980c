/* The inside of the statistics: what stats.c and stats_record.c share and nobody else sees. */
#ifndef JOURNAL_STATS_PART_H
#define JOURNAL_STATS_PART_H

#include "base/arena.h"
#include "journal/segment.h"
#include "journal/stats.h"

#define STATS_RING 64 /* minutes that are kept: those of the last hour, and what keeps them apart */

/* The file of a stream that is being read. */
struct stats_stream {
    char name[SEGMENT_STREAM_SIZE];
    size_t name_len;
    const char *lent; /* where the name of its newest event stands, or NULL */
    uint32_t sequence;
    bool changed; /* since its record was saved */
    struct stats_counts counts;
};

/* A file that was read to its end before its last record was saved. */
struct stats_ended {
    struct stats_ended *next;
    struct slice key, value; /* in `ended_texts` */
};

struct stats_minute {
    int64_t number; /* minutes since 1970 */
    bool changed;
    uint64_t at[STAT_LIMIT];
};

struct stats {
    struct stats_counts gone;   /* files that are no more */
    struct stats_counts closed; /* files that are there, and were read to their ends */
    struct stats_stream **streams;
    size_t stream_count;
    struct stats_stream *newest; /* whose event was counted last, or NULL */
    struct stats_ended *ended;
    size_t ended_count;
    struct arena ended_texts;
    struct stats_minute minutes[STATS_RING];
    struct arena saving;         /* keys and values of the last stats_save */
    struct stats_minute *minute; /* that of the event that was counted last, or NULL */
    int64_t minute_us;           /* when it begins */
    int64_t hour_reset; /* the hour, in minutes since 1970, from whose counts `hour_less` is taken; 0: none */
    uint64_t hour_less[STAT_LIMIT];
};

/* Adds from to `to`, or takes it off. */
void stats_counts_add(struct stats_counts *to, const struct stats_counts *from);
void stats_counts_take(struct stats_counts *to, const struct stats_counts *from);
struct stats_stream *stats_stream_find(const struct stats *stats, struct slice name);
struct stats_stream *stats_stream_make(struct stats *stats, struct slice name, uint32_t sequence);

/* --- stats_record.c */

/* A record is: version (one octet), the time of the oldest event (u64, microseconds), then for each cell that
 * is not zero how far it is behind the one before, and its count, as LEB128. Little-endian. */
#define STATS_RECORD_VERSION 1
#define STATS_RECORD_MAX     65536
#define STATS_KEY_SIZE       80

void stats_record_print(int64_t first_us, const uint64_t *cells, size_t count, struct buf *out);
/* False: damaged; what of it was read is in *ret_counts. Cells that this program does not know are left out.
 */
bool stats_record_read(struct slice record, struct stats_counts *ret_counts);
/* "stats segment gate-0 00000003" */
struct slice stats_segment_key(const struct stats_stream *stream, char room[STATS_KEY_SIZE]);

#endif
