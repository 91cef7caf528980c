/* Adding records: with the lock held, never with the disk. */
#include "journal/writer_part.h"

#include "base/checksum.h"
#include "base/memory.h"

#include <string.h>
#include <sys/random.h>

/* --- blocks (under the lock) --------------------------------------------------------------------------- */

static struct block *block_last(const struct journal_writer *writer)
{
    return list_is_empty(&writer->blocks) ? NULL : LIST_OF(writer->blocks.prev, struct block, link);
}

static struct block *block_new(struct journal_writer *writer)
{
    struct block *block;
    if (writer->block_count >= writer->block_max)
        return NULL;
    if (list_is_empty(&writer->spare)) {
        block = memory_take(sizeof *block);
    } else {
        block = LIST_OF(writer->spare.next, struct block, link);
        list_remove(&block->link);
        writer->spare_count--;
    }
    block->sequence = writer->header.name.sequence;
    block->started_us = writer->header.started_us;
    block->offset = (uint32_t)writer->offset;
    block->len = block->written = 0;
    list_add_last(&writer->blocks, &block->link);
    writer->block_count++;
    return block;
}

void writer_block_done(struct journal_writer *writer, struct block *block)
{
    list_remove(&block->link);
    writer->block_count--;
    if (writer->spare_count >= SPARE_MOST) {
        memory_give(block, sizeof *block);
        return;
    }
    list_add_first(&writer->spare, &block->link);
    writer->spare_count++;
}

/* The last block, where so much more goes into it; else NULL. */
static struct block *block_for(const struct journal_writer *writer, size_t size)
{
    struct block *block = block_last(writer);
    bool fits = block && block->sequence == writer->header.name.sequence && BLOCK_SIZE - block->len >= size;
    return fits ? block : NULL;
}

/* Room for size octets that go to the file in one run, or NULL. */
static char *room(struct journal_writer *writer, size_t size)
{
    struct block *block = block_for(writer, size);
    if (!block)
        block = block_new(writer);
    if (!block)
        return NULL;
    char *at = block->octets + block->len;
    block->len += (uint32_t)size;
    writer->offset += size;
    writer->waiting += size;
    return at;
}

/* --- adding (under the lock) --------------------------------------------------------------------------- */

static uint32_t get_u32(const char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static int64_t record_time(const char *record)
{
    int64_t unix_us;
    memcpy(&unix_us, record + 24, sizeof unix_us);
    return unix_us;
}

static bool put(struct journal_writer *writer, const struct buf *buf)
{
    char *at = room(writer, buf->len);
    if (at)
        memcpy(at, buf->at, buf->len);
    return at != NULL;
}

static bool begin_file(struct journal_writer *writer, int64_t unix_us)
{
    struct segment_header next = writer->header;
    uint64_t offset = writer->offset;
    next.name.sequence++;
    next.name.started_unix = unix_us / 1000000;
    next.started_us = unix_us;
    if (getrandom(next.marker, sizeof next.marker, 0) != (ssize_t)sizeof next.marker)
        return false; /* cannot happen for so few octets once the system is up */
    struct segment_header before = writer->header;
    struct buf buf;
    buf_init(&buf, SEGMENT_HEADER_MAX + SEGMENT_MILESTONE);
    segment_header_add(&buf, &next);
    next.size = buf.len;
    segment_milestone_add(&buf, next.marker, &(struct event_stamp){.unix_us = unix_us});
    writer->header = next;
    writer->offset = 0;
    bool begun = put(writer, &buf);
    if (begun) {
        writer->milestone = next.size;
    } else {
        writer->header = before;
        writer->offset = offset;
    }
    buf_drop(&buf);
    return begun;
}

static bool add_milestone(struct journal_writer *writer, int64_t unix_us)
{
    uint64_t at = writer->offset;
    struct event_stamp stamp = {.unix_us = unix_us, .previous = (uint32_t)(at - writer->milestone)};
    struct buf buf;
    buf_init(&buf, SEGMENT_MILESTONE);
    segment_milestone_add(&buf, writer->header.marker, &stamp);
    bool added = put(writer, &buf);
    if (added)
        writer->milestone = at;
    buf_drop(&buf);
    return added;
}

static bool would_pass_limit(const struct journal_writer *writer, size_t size)
{
    bool empty = writer->offset <= writer->header.size + SEGMENT_MILESTONE;
    return !empty && writer->offset + size + SEGMENT_MILESTONE > writer->segment_octets;
}

static bool is_too_old(const struct journal_writer *writer, int64_t unix_us)
{
    return writer->segment_age_us && unix_us - writer->header.started_us >= writer->segment_age_us;
}

/* A file is never larger than its limit, but for one with a single record. */
static bool ready_for(struct journal_writer *writer, size_t size, int64_t unix_us)
{
    if (writer->offset == 0 || would_pass_limit(writer, size) || is_too_old(writer, unix_us))
        return begin_file(writer, unix_us);
    if (writer->offset - writer->milestone >= SEGMENT_BLOCK)
        return add_milestone(writer, unix_us);
    return true;
}

/* Tells a record how far back the one before it begins, and makes its checksum. */
static inline void chain(char *record, size_t size, uint32_t previous)
{
    memcpy(record + 20, &previous, sizeof previous);
    uint32_t checksum = checksum_add(0, slice_of(record + 8, size - 8));
    memcpy(record + 4, &checksum, sizeof checksum);
}

/* Where the chain's last record begins; where there is none in this file: `at`, that the first one's way back
 * is 0. */
static uint32_t chain_last(const struct journal_writer *writer, const struct journal_mark *mark, uint32_t at)
{
    return mark->sequence == writer->header.name.sequence ? mark->offset : at;
}

static bool add_one(struct journal_writer *writer, struct slice record, struct journal_mark *mark)
{
    char *at = NULL;
    if (ready_for(writer, record.len, record_time(record.at)))
        at = room(writer, record.len);
    if (!at)
        return false;
    memcpy(at, record.at, record.len);
    if (mark) {
        uint32_t offset = (uint32_t)(writer->offset - record.len);
        chain(at, record.len, offset - chain_last(writer, mark, offset));
        *mark = (struct journal_mark){writer->header.name.sequence, offset};
    }
    writer->counts.records++;
    writer->counts.octets += record.len;
    return true;
}

/* The size of the record at the front. */
static size_t first_size(struct slice records)
{
    assert(records.len >= EVENT_HEAD_SIZE);
    size_t size = get_u32(records.at);
    assert(size >= EVENT_HEAD_SIZE && size <= EVENT_SIZE_MAX && size <= records.len);
    return size;
}

/* Whether all of them go behind what is there: nothing stands before or between them, and no file begins. */
static bool is_plain(const struct journal_writer *writer, size_t size)
{
    return writer->offset != 0 && !writer->lost_untold &&
           writer->offset + size - writer->milestone <= SEGMENT_BLOCK && block_for(writer, size);
}

static void add_plain(struct journal_writer *writer, struct slice records, struct journal_mark *mark)
{
    uint32_t offset = (uint32_t)writer->offset;
    uint32_t last = mark ? chain_last(writer, mark, offset) : 0;
    uint64_t count = 0;
    char *at = room(writer, records.len);
    memcpy(at, records.at, records.len);
    for (size_t done = 0, size; done < records.len; done += size, count++) {
        size = first_size(slice_from(records, done));
        if (mark)
            chain(at + done, size, offset + (uint32_t)done - last);
        last = offset + (uint32_t)done;
    }
    if (mark && count)
        *mark = (struct journal_mark){writer->header.name.sequence, last};
    writer->counts.records += count;
    writer->counts.octets += records.len;
}

/* What was lost, and that the disk refused, is told as soon as there is room. */
void writer_tell_losses(struct journal_writer *writer, int64_t unix_us)
{
    struct event_stamp stamp = {.unix_us = unix_us};
    const char *reason = writer->trouble.text[0] ? writer->trouble.text : "the disk was too slow";
    struct buf buf;
    buf_init(&buf, EVENT_SIZE_MAX);
    struct event_events_lost lost = {.count = writer->lost_untold, .reason = slice_text(reason)};
    event_add_events_lost(&buf, &stamp, &lost);
    if (add_one(writer, buf_slice(&buf), NULL))
        writer->lost_untold = 0;
    buf_drop(&buf);
}

void writer_tell_failures(struct journal_writer *writer, int64_t unix_us)
{
    struct event_stamp stamp = {.unix_us = unix_us};
    struct buf buf;
    buf_init(&buf, EVENT_SIZE_MAX);
    struct event_trouble trouble = {.what = SLICE("writing the journal"),
                                    .reason = slice_text(writer->trouble.text),
                                    .effect = SLICE("events waited in memory until the disk took them")};
    event_add_trouble(&buf, &stamp, &trouble);
    if (add_one(writer, buf_slice(&buf), NULL))
        writer->failures_untold = 0;
    buf_drop(&buf);
}

bool writer_hurry(const struct journal_writer *writer)
{
    return writer->ending || writer->flushing || writer->waiting >= EAGER_OCTETS ||
           writer->counts.written < writer->hurried;
}

/* The signal comes when the lock is free: the helper would run at once, and wait for it. */
void writer_unlock_wake(struct journal_writer *writer)
{
    bool wanted = (writer->asleep && writer->waiting) || (writer->pausing && writer_hurry(writer));
    if (wanted)
        writer->asleep = writer->pausing = false;
    pthread_mutex_unlock(&writer->lock);
    if (wanted)
        pthread_cond_signal(&writer->wake);
}

/* Returns how many were dropped. */
static size_t add_each(struct journal_writer *writer, struct slice records, struct journal_mark *mark)
{
    size_t lost = 0;
    for (size_t size; records.len; records = slice_from(records, size)) {
        size = first_size(records);
        if (writer->lost_untold)
            writer_tell_losses(writer, record_time(records.at));
        if (writer->lost_untold || !add_one(writer, slice_head(records, size), mark))
            writer->lost_untold++, lost++;
    }
    writer->counts.lost += lost;
    return lost;
}

size_t journal_writer_add(struct journal_writer *writer, struct slice records, struct journal_mark *mark)
{
    size_t lost = 0;
    pthread_mutex_lock(&writer->lock);
    /* What belongs together, the last events of a session above all, stays together in a file. */
    if (would_pass_limit(writer, records.len) || (records.len && is_too_old(writer, record_time(records.at))))
        writer->offset = 0;
    if (is_plain(writer, records.len))
        add_plain(writer, records, mark);
    else
        lost = add_each(writer, records, mark);
    writer_unlock_wake(writer);
    return lost;
}
