#include "journal/stats.h"

#include "base/memory.h"
#include "journal/stats_part.h"

#include <stdio.h>
#include <string.h>

enum { HOUR_MINUTES = 60 };

#define HALF_HOUR_US (INT64_C(1800) * 1000000)
#define LONG_AGO_US  (INT64_C(3660) * 1000000) /* no minute of the last sixty begins so early */

static const int64_t minute_us = INT64_C(60) * 1000000;

/* --- counts --------------------------------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
    return !a || (b && b < a) ? b : a;
}

void stats_counts_add(struct stats_counts *to, const struct stats_counts *from)
{
    to->first_us = earlier(to->first_us, from->first_us);
    for (size_t i = 0; i < STATS_CELLS; i++)
        to->at[i] += from->at[i];
}

void stats_counts_take(struct stats_counts *to, const struct stats_counts *from)
{
    for (size_t i = 0; i < STATS_CELLS; i++)
        to->at[i] -= from->at[i];
}

/* --- streams and their files ---------------------------------------------------------------------------- */

static bool is_stream(const struct stats_stream *stream, struct slice name)
{
    return slice_equal(name, slice_of(stream->name, stream->name_len));
}

struct stats_stream *stats_stream_find(const struct stats *stats, struct slice name)
{
    for (size_t i = 0; i < stats->stream_count; i++)
        if (is_stream(stats->streams[i], name))
            return stats->streams[i];
    return NULL;
}

struct stats_stream *stats_stream_make(struct stats *stats, struct slice name, uint32_t sequence)
{
    struct stats_stream *stream = memory_take(sizeof *stream);
    size_t count = stats->stream_count, size = sizeof *stats->streams;
    stream->name_len = slice_head(name, sizeof stream->name - 1).len;
    memcpy(stream->name, name.at, stream->name_len);
    stream->sequence = sequence;
    stats->streams = memory_resize(stats->streams, count * size, (count + 1) * size);
    stats->streams[stats->stream_count++] = stream;
    return stream;
}

/* The file was read to its end. What was not saved of it waits for the next stats_save. */
static void file_end(struct stats *stats, struct stats_stream *stream)
{
    char room[STATS_KEY_SIZE];
    struct buf record;
    stats_counts_add(&stats->closed, &stream->counts);
    if (stream->changed) {
        struct stats_ended *ended = arena_take(&stats->ended_texts, sizeof *ended);
        buf_init(&record, STATS_RECORD_MAX);
        stats_record_print(stream->counts.first_us, stream->counts.at, STATS_CELLS, &record);
        ended->key = arena_copy(&stats->ended_texts, stats_segment_key(stream, room));
        ended->value = arena_copy(&stats->ended_texts, buf_slice(&record));
        ended->next = stats->ended;
        stats->ended = ended;
        stats->ended_count++;
        buf_drop(&record);
    }
    memset(&stream->counts, 0, sizeof stream->counts);
    stream->changed = false;
}

static struct stats_stream *stream_of(struct stats *stats, const struct stats_file *file)
{
    struct stats_stream *stream = stats->newest;
    if (!stream || stream->lent != file->stream.at) {
        stream = stats_stream_find(stats, file->stream);
        if (!stream)
            stream = stats_stream_make(stats, file->stream, file->sequence);
        stream->lent = file->stream.at;
    }
    if (stream->sequence != file->sequence) {
        file_end(stats, stream);
        stream->sequence = file->sequence;
    }
    stats->newest = stream;
    return stream;
}

bool stats_is_restart(const struct stats *stats, const struct stats_file *file)
{
    const struct stats_stream *stream = stats_stream_find(stats, file->stream);
    return stream && file->sequence < stream->sequence;
}

/* --- minutes -------------------------------------------------------------------------------------------- */

static int64_t minute_of(int64_t unix_us)
{
    return unix_us / minute_us;
}

/* An event that is older than the hour counts in no minute, nor does one of the future: the clock was set. No
 * two minutes that are let in share a place, but where the older one is out already. */
static struct stats_minute *minute_look(struct stats *stats, int64_t unix_us, int64_t now_us)
{
    int64_t number = minute_of(unix_us), now = minute_of(now_us);
    if (number <= now - HOUR_MINUTES || number > now + 1)
        return NULL;
    struct stats_minute *minute = &stats->minutes[(uint64_t)number % STATS_RING];
    if (minute->number != number) {
        memset(minute, 0, sizeof *minute);
        minute->number = number;
    }
    minute->changed = true;
    return minute;
}

/* Most events are of the minute of the one before. Where that one was let in, so are they. */
static struct stats_minute *minute_find(struct stats *stats, int64_t unix_us, int64_t now_us)
{
    struct stats_minute *minute = stats->minute;
    if (now_us - unix_us > LONG_AGO_US)
        return NULL;
    if (minute && unix_us >= stats->minute_us && unix_us - stats->minute_us < minute_us &&
        now_us >= unix_us && now_us - unix_us < HALF_HOUR_US) {
        minute->changed = true;
        return minute;
    }
    stats->minute = minute_look(stats, unix_us, now_us);
    stats->minute_us = minute_of(unix_us) * minute_us;
    return stats->minute;
}

void stats_add(struct stats *stats, const struct stats_file *file, const struct event *event, int64_t now_us)
{
    struct stats_item items[STATS_ITEMS_MAX];
    size_t count = stats_of(event, items);
    if (!count)
        return;
    struct stats_stream *stream = stream_of(stats, file);
    struct stats_minute *minute = minute_find(stats, event->stamp.unix_us, now_us);
    stream->changed = true;
    if (!stream->counts.first_us || event->stamp.unix_us < stream->counts.first_us)
        stream->counts.first_us = event->stamp.unix_us;
    for (size_t i = 0; i < count; i++) {
        stream->counts.at[items[i].cell] += items[i].count;
        if (minute && items[i].cell < STAT_LIMIT)
            minute->at[items[i].cell] += items[i].count;
    }
}

/* --- looking -------------------------------------------------------------------------------------------- */

static void total_add(struct stats_view *view, const struct stats_counts *counts)
{
    view->since_us = earlier(view->since_us, counts->first_us);
    for (size_t i = 0; i < STATS_CELLS; i++)
        view->total[i] += counts->at[i];
}

/* The minute in which the clock hour of that time began where we are. */
static int64_t hour_of(int64_t now_us, int zone_minutes)
{
    int64_t local = minute_of(now_us) + zone_minutes;
    return local - local % HOUR_MINUTES - zone_minutes;
}

static void minutes_add(const struct stats *stats, int64_t first, int64_t last, uint64_t sums[STAT_LIMIT])
{
    for (size_t i = 0; i < STATS_RING; i++) {
        const struct stats_minute *minute = &stats->minutes[i];
        if (minute->number < first || minute->number > last)
            continue;
        for (size_t k = 0; k < STAT_LIMIT; k++)
            sums[k] += minute->at[k];
    }
}

/* What was written in this moment may be dated a moment ahead of us: the next minute counts, too. */
void stats_look(const struct stats *stats, int64_t now_us, int zone_minutes, struct stats_view *ret_view)
{
    int64_t now = minute_of(now_us), hour = hour_of(now_us, zone_minutes);
    *ret_view = (struct stats_view){.now_us = now_us, .zone_minutes = zone_minutes};
    total_add(ret_view, &stats->gone);
    total_add(ret_view, &stats->closed);
    for (size_t i = 0; i < stats->stream_count; i++)
        total_add(ret_view, &stats->streams[i]->counts);
    minutes_add(stats, now - HOUR_MINUTES + 1, now + 1, ret_view->sixty);
    minutes_add(stats, hour, now + 1, ret_view->hour);
    for (size_t i = 0; i < STAT_LIMIT && stats->hour_reset == hour; i++)
        ret_view->hour[i] -= stats->hour_less[i];
}

void stats_reset_hour(struct stats *stats, int64_t now_us, int zone_minutes)
{
    stats->hour_reset = hour_of(now_us, zone_minutes);
    memset(stats->hour_less, 0, sizeof stats->hour_less);
    minutes_add(stats, stats->hour_reset, minute_of(now_us) + 1, stats->hour_less);
}

/* --- beginning and end ---------------------------------------------------------------------------------- */

struct stats *stats_new(void)
{
    struct stats *stats = memory_take(sizeof *stats);
    arena_init(&stats->ended_texts, NULL, 0);
    arena_init(&stats->saving, NULL, 0);
    return stats;
}

void stats_free(struct stats *stats)
{
    if (!stats)
        return;
    for (size_t i = 0; i < stats->stream_count; i++)
        memory_give(stats->streams[i], sizeof *stats->streams[i]);
    memory_give(stats->streams, stats->stream_count * sizeof *stats->streams);
    arena_drop(&stats->ended_texts);
    arena_drop(&stats->saving);
    memory_give(stats, sizeof *stats);
}
