#include "journal/reader.h"

#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define TURN_EVENTS 256 /* of one stream, before the next has its turn */

struct stream {
    struct segment_name name; /* role and number count */
    char text[SEGMENT_STREAM_SIZE];
    struct segment_file file; /* fd -1: none is open */
    uint32_t sequence;        /* of the file that is read, or that was last; 0: none was */
    uint64_t offset;          /* of the next record */
};

/* The file that somebody looked back in, open for the next who does: sessions that end one behind the other
 * have their beginnings close together. */
struct look_back {
    struct segment_file file;
    const char *stream; /* NULL: none is open */
    uint32_t sequence;
};

struct journal_reader {
    struct journal_reader_settings settings;
    char folder[3072];
    struct segment_listing listing;
    struct stream **streams; /* each stays where it is: their names are lent out */
    size_t stream_count;
    size_t turn;    /* the stream whose turn it is */
    unsigned taken; /* events in this turn */
    struct look_back *back;
    int inotify;
    bool opened;
    bool stale; /* files have come or gone since the listing was made */
    struct journal_reader_counts counts;
};

/* --- streams ------------------------------------------------------------------------------------------- */

static struct stream *stream_find(const struct journal_reader *reader, const struct segment_name *name)
{
    for (size_t i = 0; i < reader->stream_count; i++)
        if (segment_stream_compare(&reader->streams[i]->name, name) == 0)
            return reader->streams[i];
    return NULL;
}

static const struct segment_name *file_after(const struct journal_reader *reader, const struct stream *stream,
                                             uint32_t sequence)
{
    for (size_t i = 0; i < reader->listing.count; i++) {
        const struct segment_name *name = &reader->listing.names[i];
        if (segment_stream_compare(name, &stream->name) == 0 && name->sequence > sequence)
            return name;
    }
    return NULL;
}

static const struct segment_name *file_last(const struct journal_reader *reader, const struct stream *stream)
{
    const struct segment_name *last = NULL;
    for (const struct segment_name *next; (next = file_after(reader, stream, last ? last->sequence : 0));)
        last = next;
    return last;
}

static bool stream_open(struct journal_reader *reader, struct stream *stream, const struct segment_name *name)
{
    struct error error = {0};
    segment_file_close(&stream->file);
    if (segment_file_open(reader->folder, name, &stream->file, &error) == 0)
        return true;
    stream->file.fd = -1;
    if (error.number != ENOENT)
        reader->counts.error = error;
    return false;
}

/* Opens the first file behind `sequence` that can be read. One that has vanished is missed; one that may not
 * be read, or is none, is passed over: what matters then is that the others are read. */
static bool stream_open_after(struct journal_reader *reader, struct stream *stream, uint32_t sequence)
{
    for (const struct segment_name *name; (name = file_after(reader, stream, sequence));) {
        stream->sequence = sequence = name->sequence;
        if (stream_open(reader, stream, name)) {
            stream->offset = stream->file.header.size;
            return true;
        }
        reader->counts.missing++;
    }
    return false;
}

static void stream_start_at(struct journal_reader *reader, struct stream *stream, struct journal_mark place)
{
    if (place.sequence == 0 || !stream_open_after(reader, stream, place.sequence - 1))
        return;
    if (stream->sequence == place.sequence && place.offset > stream->offset)
        stream->offset = place.offset;
}

static void stream_start(struct journal_reader *reader, struct stream *stream)
{
    struct journal_mark place;
    if (reader->settings.place &&
        reader->settings.place(reader->settings.data, slice_text(stream->text), &place)) {
        stream_start_at(reader, stream, place);
    } else if (!reader->opened && reader->settings.from == JOURNAL_FROM_END) {
        const struct segment_name *last = file_last(reader, stream);
        if (stream_open_after(reader, stream, last->sequence - 1))
            stream->offset = segment_file_size(&stream->file);
    }
}

static void stream_add(struct journal_reader *reader, const struct segment_name *name)
{
    struct stream *stream = memory_take(sizeof *stream);
    stream->name = *name;
    stream->file.fd = -1;
    segment_stream_print(name, stream->text);
    size_t count = reader->stream_count;
    reader->streams = memory_resize(reader->streams, count * sizeof stream, (count + 1) * sizeof stream);
    reader->streams[reader->stream_count++] = stream;
    stream_start(reader, stream);
}

/* Goes to the next milestone behind damage; false: there is none yet. */
static bool stream_skip(struct journal_reader *reader, struct stream *stream)
{
    uint64_t next = segment_file_milestone_after(&stream->file, stream->offset + 1);
    if (!next)
        return false;
    reader->counts.damaged += next - stream->offset;
    stream->offset = next;
    return true;
}

/* The file has no more. Its writer finishes a file before it begins the next: so when the next was already
 * listed, what was read just now was the end. */
static bool stream_go_on(struct journal_reader *reader, struct stream *stream)
{
    if (!file_after(reader, stream, stream->sequence))
        return false;
    uint64_t size = segment_file_size(&stream->file);
    if (size > stream->offset)
        reader->counts.damaged += size - stream->offset;
    return stream_open_after(reader, stream, stream->sequence);
}

static bool stream_next(struct journal_reader *reader, struct stream *stream, struct journal_item *ret_item)
{
    if (stream->file.fd < 0 && !stream_open_after(reader, stream, stream->sequence))
        return false;
    for (size_t size;;) {
        uint64_t at = stream->offset;
        switch (segment_file_read(&stream->file, at, &ret_item->event, &size)) {
        case SEGMENT_RECORD:
            stream->offset += size;
            if (ret_item->event.kind == EVENT_NONE)
                continue;
            ret_item->stream = slice_text(stream->text);
            ret_item->at = (struct journal_mark){stream->sequence, (uint32_t)at};
            ret_item->next = (struct journal_mark){stream->sequence, (uint32_t)stream->offset};
            return true;
        case SEGMENT_BAD:
            if (!stream_skip(reader, stream) && !stream_go_on(reader, stream))
                return false;
            break;
        case SEGMENT_END:
        case SEGMENT_TORN:
            if (!stream_go_on(reader, stream))
                return false;
            break;
        }
    }
}

bool journal_reader_next(struct journal_reader *reader, struct journal_item *ret_item)
{
    for (size_t tried = 0; tried <= reader->stream_count && reader->stream_count; tried++) {
        struct stream *stream = reader->streams[reader->turn % reader->stream_count];
        if (reader->taken < TURN_EVENTS && stream_next(reader, stream, ret_item)) {
            reader->taken++;
            reader->counts.events++;
            return true;
        }
        reader->turn = (reader->turn + 1) % reader->stream_count;
        reader->taken = 0;
    }
    return false;
}

static void look_back_close(struct look_back *back)
{
    if (back->stream)
        segment_file_close(&back->file);
    back->stream = NULL;
}

/* NULL: the item's file is gone. */
static struct segment_file *look_back_open(const struct journal_reader *reader,
                                           const struct journal_item *item)
{
    struct look_back *back = reader->back;
    if (back->stream == item->stream.at && back->sequence == item->at.sequence)
        return &back->file;
    look_back_close(back);
    for (size_t i = 0; i < reader->listing.count; i++) {
        char stream[SEGMENT_STREAM_SIZE];
        const struct segment_name *name = &reader->listing.names[i];
        segment_stream_print(name, stream);
        if (name->sequence != item->at.sequence || !slice_equal(item->stream, slice_text(stream)) ||
            segment_file_open(reader->folder, name, &back->file, NULL) < 0)
            continue;
        back->stream = item->stream.at;
        back->sequence = item->at.sequence;
        return &back->file;
    }
    return NULL;
}

void journal_reader_before(const struct journal_reader *reader, const struct journal_item *item,
                           struct history *history)
{
    const uint32_t previous = item->event.stamp.previous;
    struct segment_file *file = previous && previous <= item->at.offset ? look_back_open(reader, item) : NULL;
    if (file)
        history_before(history, file, item->at.offset - previous);
}

/* --- the folder ---------------------------------------------------------------------------------------- */

/* Somebody emptied the folder and the numbers began anew: so does the reader. */
static void streams_restart(struct journal_reader *reader)
{
    look_back_close(reader->back);
    for (size_t i = 0; i < reader->stream_count; i++) {
        struct stream *stream = reader->streams[i];
        const struct segment_name *last = file_last(reader, stream);
        if (!last || last->sequence >= stream->sequence)
            continue;
        segment_file_close(&stream->file);
        stream->sequence = 0;
    }
}

/* Leaves in the listing what is wanted. */
static void listing_sift(const struct journal_reader *reader, struct segment_listing *listing)
{
    const struct journal_reader_settings *settings = &reader->settings;
    size_t kept = 0;
    for (size_t i = 0; i < listing->count && settings->wanted; i++) {
        const struct segment_name *name = &listing->names[i];
        bool last = i + 1 == listing->count || segment_stream_compare(name, name + 1) != 0;
        if (settings->wanted(settings->data, name, last ? NULL : name + 1))
            listing->names[kept++] = *name;
    }
    if (settings->wanted)
        listing->count = kept;
}

static void relist(struct journal_reader *reader)
{
    struct segment_listing listing;
    struct error error = {0};
    if (segment_list(reader->folder, &listing, &error) < 0) {
        reader->counts.error = error;
        return;
    }
    listing_sift(reader, &listing);
    segment_listing_drop(&reader->listing);
    reader->listing = listing;
    reader->stale = false;
    streams_restart(reader);
    for (size_t i = 0; i < listing.count; i++)
        if (!stream_find(reader, &listing.names[i]))
            stream_add(reader, &listing.names[i]);
}

void journal_reader_look(struct journal_reader *reader)
{
    char room[4096] __attribute__((aligned(8)));
    if (reader->inotify < 0)
        reader->stale = true;
    for (ssize_t n; reader->inotify >= 0 && (n = read(reader->inotify, room, sizeof room)) > 0;) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const void *)(room + at);
            if (event->mask != IN_MODIFY)
                reader->stale = true;
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
    if (reader->stale)
        relist(reader);
}

int journal_reader_fd(const struct journal_reader *reader)
{
    return reader->inotify;
}

int journal_reader_open(const struct journal_reader_settings *settings, struct journal_reader **ret_reader,
                        struct error *error)
{
    struct segment_listing listing;
    if (segment_list(settings->folder, &listing, error) < 0)
        return -1;
    segment_listing_drop(&listing);
    struct journal_reader *reader = memory_take(sizeof *reader);
    reader->back = memory_take(sizeof *reader->back);
    reader->settings = *settings;
    snprintf(reader->folder, sizeof reader->folder, "%s", settings->folder);
    reader->inotify = settings->unwatched ? -1 : inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    const uint32_t mask = IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_ONLYDIR;
    if (reader->inotify >= 0 && inotify_add_watch(reader->inotify, reader->folder, mask) < 0) {
        close(reader->inotify);
        reader->inotify = -1;
    }
    relist(reader);
    reader->opened = true;
    *ret_reader = reader;
    return 0;
}

void journal_reader_close(struct journal_reader *reader)
{
    if (!reader)
        return;
    for (size_t i = 0; i < reader->stream_count; i++) {
        segment_file_close(&reader->streams[i]->file);
        memory_give(reader->streams[i], sizeof *reader->streams[i]);
    }
    memory_give(reader->streams, reader->stream_count * sizeof *reader->streams);
    segment_listing_drop(&reader->listing);
    if (reader->inotify >= 0)
        close(reader->inotify);
    look_back_close(reader->back);
    memory_give(reader->back, sizeof *reader->back);
    memory_give(reader, sizeof *reader);
}

/* --- counts -------------------------------------------------------------------------------------------- */

bool journal_reader_stream(const struct journal_reader *reader, size_t index,
                           struct journal_stream_state *ret_state)
{
    if (index >= reader->stream_count)
        return false;
    const struct stream *stream = reader->streams[index];
    uint64_t behind = 0, size = stream->file.fd >= 0 ? segment_file_size(&stream->file) : 0;
    if (size > stream->offset)
        behind = size - stream->offset;
    for (const struct segment_name *name = file_after(reader, stream, stream->sequence); name;
         name = file_after(reader, stream, name->sequence))
        behind += segment_size(reader->folder, name);
    *ret_state = (struct journal_stream_state){
        slice_text(stream->text), {stream->sequence, (uint32_t)stream->offset}, behind};
    return true;
}

bool journal_reader_place(const struct journal_reader *reader, size_t index, struct slice *ret_stream,
                          struct journal_mark *ret_place)
{
    if (index >= reader->stream_count)
        return false;
    const struct stream *stream = reader->streams[index];
    *ret_stream = slice_text(stream->text);
    *ret_place = (struct journal_mark){stream->sequence, (uint32_t)stream->offset};
    return true;
}

void journal_reader_counts(const struct journal_reader *reader, struct journal_reader_counts *ret_counts)
{
    struct journal_stream_state state;
    *ret_counts = reader->counts;
    ret_counts->behind = 0;
    for (size_t i = 0; journal_reader_stream(reader, i, &state); i++)
        ret_counts->behind += state.behind;
}
