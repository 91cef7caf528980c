#include "journal/search.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

struct hit {
    uint64_t offset;
    int64_t unix_us;
};

/* One gate's files, from the newest on. */
struct cursor {
    size_t first;  /* of its stream in the listing */
    size_t behind; /* the file that is read stands before it */
    struct segment_file file;
    struct segment_file chain; /* the same file with a window of its own, for what lies further back */
    uint64_t block;            /* where the block begins that is read; 0: no file is open */
    struct hit *hits;          /* of the block, in its order */
    size_t hit_room;
    size_t hit_count;          /* those that are left */
    struct journal_mark limit; /* what stands before it is not wanted */
};

struct search {
    char folder[3072];
    struct segment_listing listing;
    struct cursor *cursors;
    size_t cursor_count;
    struct cursor *at; /* whose hit was given last */
    struct hit hit;
    struct search_counts counts;
};

/* --- one gate's ---------------------------------------------------------------------------------------- */

static void hit_add(struct cursor *cursor, uint64_t offset, int64_t unix_us)
{
    if (cursor->hit_count == cursor->hit_room) {
        size_t room = cursor->hit_room ? cursor->hit_room * 2 : 64, size = sizeof *cursor->hits;
        cursor->hits = memory_resize(cursor->hits, cursor->hit_room * size, room * size);
        cursor->hit_room = room;
    }
    cursor->hits[cursor->hit_count++] = (struct hit){offset, unix_us};
}

static bool is_before_limit(const struct cursor *cursor, uint64_t offset)
{
    uint32_t sequence = cursor->file.header.name.sequence;
    return sequence < cursor->limit.sequence ||
           (sequence == cursor->limit.sequence && offset < cursor->limit.offset);
}

/* Behind damage the rest of a block is not read: its next milestone begins the block that was read before. */
static void block_read(struct cursor *cursor, uint64_t start, uint64_t end)
{
    struct event event;
    size_t size;
    cursor->block = start;
    for (uint64_t at = start; at < end; at += size) {
        if (segment_file_read(&cursor->file, at, &event, &size) != SEGMENT_RECORD)
            return;
        if (event.kind == EVENT_KIND_session_ended && !is_before_limit(cursor, at))
            hit_add(cursor, at, event.stamp.unix_us);
    }
}

static void file_close(struct cursor *cursor)
{
    segment_file_close(&cursor->file);
    segment_file_close(&cursor->chain);
    cursor->block = 0;
}

/* The file before; false: there is none. */
static bool file_before(struct search *search, struct cursor *cursor)
{
    file_close(cursor);
    while (cursor->behind > cursor->first) {
        const struct segment_name *name = &search->listing.names[--cursor->behind];
        struct error error = {0};
        if (name->sequence < cursor->limit.sequence)
            return false;
        if (segment_file_open(search->folder, name, &cursor->file, &error) < 0) {
            search->counts.unreadable++;
            search->counts.error = error;
            continue;
        }
        if (segment_file_open(search->folder, name, &cursor->chain, &error) < 0) {
            segment_file_close(&cursor->file);
            continue;
        }
        uint64_t last = segment_file_milestone_before(&cursor->file, UINT64_MAX);
        block_read(cursor, last ? last : cursor->file.header.size, segment_file_size(&cursor->file));
        return true;
    }
    return false;
}

/* Where the block before begins; 0: there is none in this file. */
static uint64_t block_before(struct cursor *cursor)
{
    struct event event;
    size_t size;
    uint64_t at = cursor->block, first = cursor->file.header.size;
    if (at <= first)
        return 0;
    bool sound = segment_file_read(&cursor->file, at, &event, &size) == SEGMENT_RECORD &&
                 event.kind == EVENT_NONE && event.stamp.previous && event.stamp.previous <= at - first;
    if (sound)
        return at - event.stamp.previous;
    return segment_file_milestone_before(&cursor->file, at);
}

/* Sees to it that there is a hit, if there is any left. */
static bool cursor_fill(struct search *search, struct cursor *cursor)
{
    while (!cursor->hit_count) {
        bool over = cursor->block && is_before_limit(cursor, cursor->block);
        uint64_t end = cursor->block, start = end && !over ? block_before(cursor) : 0;
        if (start)
            block_read(cursor, start, end);
        else if (!file_before(search, cursor))
            return false;
    }
    return true;
}

/* --- all ----------------------------------------------------------------------------------------------- */

static void cursor_add(struct search *search, const struct search_limits *limits, size_t first, size_t behind)
{
    size_t count = search->cursor_count, size = sizeof *search->cursors;
    search->cursors = memory_resize(search->cursors, count * size, (count + 1) * size);
    search->cursors[search->cursor_count++] = (struct cursor){
        .first = first, .behind = behind, .file.fd = -1, .chain.fd = -1};
    if (limits)
        search->cursors[search->cursor_count - 1].limit = limits->place(limits->data,
                                                                        search->listing.names[first].number);
}

int search_open(const char *folder, struct search **ret_search, struct error *error)
{
    return search_open_limited(folder, NULL, ret_search, error);
}

int search_open_limited(const char *folder, const struct search_limits *limits, struct search **ret_search,
                        struct error *error)
{
    struct segment_listing listing;
    if (segment_list(folder, &listing, error) < 0)
        return -1;
    struct search *search = memory_take(sizeof *search);
    snprintf(search->folder, sizeof search->folder, "%s", folder);
    search->listing = listing;
    for (size_t i = 0, next; i < listing.count; i = next) {
        for (next = i; next < listing.count; next++)
            if (segment_stream_compare(&listing.names[i], &listing.names[next]) != 0)
                break;
        search->counts.files += next - i;
        if (strcmp(listing.names[i].role, "gate") == 0)
            cursor_add(search, limits, i, next);
    }
    *ret_search = search;
    return 0;
}

bool search_next(struct search *search, struct event *ret_ended)
{
    size_t size;
    for (;;) {
        struct cursor *newest = NULL;
        for (size_t i = 0; i < search->cursor_count; i++) {
            struct cursor *cursor = &search->cursors[i];
            if (!cursor_fill(search, cursor))
                continue;
            if (!newest ||
                cursor->hits[cursor->hit_count - 1].unix_us > newest->hits[newest->hit_count - 1].unix_us)
                newest = cursor;
        }
        if (!newest)
            return false;
        search->at = newest;
        search->hit = newest->hits[--newest->hit_count];
        if (segment_file_read(&newest->chain, search->hit.offset, ret_ended, &size) == SEGMENT_RECORD)
            return true;
    }
}

void search_at(const struct search *search, unsigned *ret_gate, struct journal_mark *ret_ended)
{
    const struct segment_name *name = &search->at->file.header.name;
    *ret_gate = name->number;
    *ret_ended = (struct journal_mark){name->sequence, (uint32_t)search->hit.offset};
}

void search_history(struct search *search, struct history *history)
{
    history_chain(history, &search->at->chain, search->hit.offset);
    if (history->opened)
        return;
    /* It began in the file before. */
    history_drop(history);
    history_load(history, search->folder, NULL);
}

void search_counts(const struct search *search, struct search_counts *ret_counts)
{
    *ret_counts = search->counts;
}

void search_close(struct search *search)
{
    if (!search)
        return;
    for (size_t i = 0; i < search->cursor_count; i++) {
        file_close(&search->cursors[i]);
        memory_give(search->cursors[i].hits, search->cursors[i].hit_room * sizeof(struct hit));
    }
    memory_give(search->cursors, search->cursor_count * sizeof *search->cursors);
    segment_listing_drop(&search->listing);
    memory_give(search, sizeof *search);
}
