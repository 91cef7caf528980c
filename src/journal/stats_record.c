/* The checkpoint of the statistics: records under keys. */
#include "base/buf.h"
#include "base/leb.h"
#include "base/text.h"
#include "journal/stats_part.h"

#include <stdio.h>
#include <string.h>

#define MINUTE_PREFIX "stats minute "

enum { HEAD_SIZE = 9 };

/* --- one record ----------------------------------------------------------------------------------------- */

void stats_record_print(int64_t first_us, const uint64_t *cells, size_t count, struct buf *out)
{
    char head[HEAD_SIZE] = {STATS_RECORD_VERSION}, pair[2 * LEB_MAX];
    uint64_t first = (uint64_t)first_us;
    size_t before = 0;
    for (unsigned i = 1; i < HEAD_SIZE; i++, first >>= 8)
        head[i] = (char)(first & 0xff);
    buf_add(out, slice_of(head, sizeof head));
    for (size_t i = 0; i < count; i++) {
        if (!cells[i])
            continue;
        char *end = leb_put(leb_put(pair, i - before), cells[i]);
        buf_add(out, slice_of(pair, (size_t)(end - pair)));
        before = i;
    }
}

bool stats_record_read(struct slice record, struct stats_counts *ret_counts)
{
    uint64_t first = 0, cell = 0, further, count;
    memset(ret_counts, 0, sizeof *ret_counts);
    if (record.len < HEAD_SIZE || record.at[0] != STATS_RECORD_VERSION)
        return false;
    for (unsigned i = HEAD_SIZE; i-- > 1;)
        first = first << 8 | (unsigned char)record.at[i];
    ret_counts->first_us = (int64_t)first;
    for (struct slice rest = slice_from(record, HEAD_SIZE); rest.len;) {
        if (!leb_get(&rest, &further) || !leb_get(&rest, &count) || further > UINT32_MAX)
            return false;
        cell += further;
        if (cell < STATS_CELLS)
            ret_counts->at[cell] = count;
    }
    return true;
}

/* --- keys ----------------------------------------------------------------------------------------------- */

struct slice stats_segment_key(const struct stats_stream *stream, char room[STATS_KEY_SIZE])
{
    int len = snprintf(room, STATS_KEY_SIZE, STATS_SEGMENT_PREFIX "%s %08u", stream->name,
                       (unsigned)stream->sequence);
    return slice_of(room, (size_t)len);
}

bool stats_key_parse(struct slice key, struct stats_file *ret_file)
{
    uint64_t sequence;
    if (!slice_starts(key, SLICE(STATS_SEGMENT_PREFIX)))
        return false;
    struct slice rest = slice_from(key, sizeof STATS_SEGMENT_PREFIX - 1);
    size_t blank = slice_find(rest, ' ');
    if (blank == SLICE_NOT_FOUND || !blank || blank >= SEGMENT_STREAM_SIZE)
        return false;
    if (!text_parse_u64(slice_from(rest, blank + 1), &sequence) || !sequence || sequence > UINT32_MAX)
        return false;
    *ret_file = (struct stats_file){slice_head(rest, blank), (uint32_t)sequence};
    return true;
}

/* --- saving --------------------------------------------------------------------------------------------- */

struct saving {
    struct stats *stats;
    struct buf record;
    void (*put)(void *data, struct slice key, struct slice value);
    void *data;
};

static void save(struct saving *saving, struct slice key, int64_t first_us, const uint64_t *cells,
                 size_t count)
{
    struct arena *arena = &saving->stats->saving;
    buf_clear(&saving->record);
    stats_record_print(first_us, cells, count, &saving->record);
    struct slice value = arena_copy(arena, buf_slice(&saving->record));
    saving->put(saving->data, arena_copy(arena, key), value);
}

static void minute_save(struct saving *saving, size_t place)
{
    const struct stats_minute *minute = &saving->stats->minutes[place];
    char room[STATS_KEY_SIZE];
    int len = snprintf(room, sizeof room, MINUTE_PREFIX "%02zu", place);
    int64_t unix_us = minute->number * 60 * 1000000;
    save(saving, slice_of(room, (size_t)len), unix_us, minute->at, STAT_LIMIT);
}

size_t stats_unsaved(const struct stats *stats)
{
    return stats->ended_count + stats->stream_count + STATS_RING;
}

void stats_save(struct stats *stats, void (*put)(void *data, struct slice key, struct slice value),
                void *data)
{
    struct saving saving = {.stats = stats, .put = put, .data = data};
    char room[STATS_KEY_SIZE];
    arena_drop(&stats->saving);
    buf_init(&saving.record, STATS_RECORD_MAX);
    for (const struct stats_ended *ended = stats->ended; ended; ended = ended->next)
        put(data, ended->key, ended->value);
    for (size_t i = 0; i < stats->stream_count; i++) {
        const struct stats_stream *stream = stats->streams[i];
        if (stream->changed)
            save(&saving, stats_segment_key(stream, room), stream->counts.first_us, stream->counts.at,
                 STATS_CELLS);
    }
    for (size_t i = 0; i < STATS_RING; i++)
        if (stats->minutes[i].changed)
            minute_save(&saving, i);
    buf_drop(&saving.record);
}

void stats_saved(struct stats *stats)
{
    stats->ended = NULL;
    stats->ended_count = 0;
    arena_drop(&stats->ended_texts);
    arena_drop(&stats->saving);
    for (size_t i = 0; i < stats->stream_count; i++)
        stats->streams[i]->changed = false;
    for (size_t i = 0; i < STATS_RING; i++)
        stats->minutes[i].changed = false;
}

/* --- loading -------------------------------------------------------------------------------------------- */

/* Of a stream's files the newest is the one that is being read. */
static void segment_load(struct stats *stats, const struct stats_file *file,
                         const struct stats_counts *counts)
{
    struct stats_stream *stream = stats_stream_find(stats, file->stream);
    if (stream && file->sequence < stream->sequence) {
        stats_counts_add(&stats->closed, counts);
        return;
    }
    if (stream)
        stats_counts_add(&stats->closed, &stream->counts);
    else
        stream = stats_stream_make(stats, file->stream, file->sequence);
    stream->sequence = file->sequence;
    stream->counts = *counts;
}

static bool minute_load(struct stats *stats, struct slice key, const struct stats_counts *counts)
{
    uint64_t place;
    if (!text_parse_u64(slice_from(key, sizeof MINUTE_PREFIX - 1), &place) || place >= STATS_RING)
        return false;
    int64_t number = counts->first_us / 60 / 1000000;
    if ((uint64_t)number % STATS_RING != place)
        return false;
    stats->minutes[place].number = number;
    memcpy(stats->minutes[place].at, counts->at, sizeof stats->minutes[place].at);
    return true;
}

bool stats_load(struct stats *stats, struct slice key, struct slice value)
{
    struct stats_counts counts;
    struct stats_file file;
    if (!stats_record_read(value, &counts))
        return false;
    if (slice_equal(key, SLICE(STATS_GONE))) {
        stats->gone = counts;
        return true;
    }
    if (slice_starts(key, SLICE(MINUTE_PREFIX)))
        return minute_load(stats, key, &counts);
    if (!stats_key_parse(key, &file))
        return false;
    segment_load(stats, &file, &counts);
    return true;
}

/* --- files that are gone -------------------------------------------------------------------------------- */

bool stats_move(struct stats *stats, struct slice key, struct slice value, bool back)
{
    struct stats_counts counts;
    struct stats_file file;
    if (!stats_key_parse(key, &file) || !stats_record_read(value, &counts))
        return false;
    struct stats_stream *stream = stats_stream_find(stats, file.stream);
    bool current = stream && stream->sequence == file.sequence;
    struct stats_counts *from = current ? &stream->counts : &stats->closed;
    if (back) {
        stats_counts_add(from, &counts);
        stats_counts_take(&stats->gone, &counts);
    } else {
        stats_counts_take(from, &counts);
        stats_counts_add(&stats->gone, &counts);
    }
    return true;
}

void stats_gone_print(const struct stats *stats, struct buf *out)
{
    stats_record_print(stats->gone.first_us, stats->gone.at, STATS_CELLS, out);
}
