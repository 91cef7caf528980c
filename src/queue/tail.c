#include "queue/tail.h"

#include "base/checksum.h"
#include "base/memory.h"
#include "queue/field.h"
#include "queue/segment.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK       (256u * 1024u)
#define CHUNK_MAX   (512u * 1024u * 1024u) /* octets of one message with its envelope */
#define MARK_RECORD (RECORD_HEAD + 8u)

static struct tail_message *message_take(struct tail_message **first)
{
    struct tail_message *taken = *first;

    *first = taken->next;
    return taken;
}

void tail_messages_free(struct tail_message *first)
{
    while (first) {
        struct tail_message *gone = message_take(&first);
        message_free(gone->message);
        memory_give(gone, sizeof(*gone));
    }
}

/* --- marks --------------------------------------------------------------------------------------------- */

static int compare_offsets(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static bool is_done(const struct tail *tail, uint64_t offset)
{
    return tail->done_count &&
           bsearch(&offset, tail->done, tail->done_count, sizeof(*tail->done), compare_offsets) != NULL;
}

static void read_marks(struct tail *tail, struct slice octets)
{
    struct record record;

    if (record_read_version(octets, RECORD_FORM_DONE, &tail->done_mark) != RECORD_OK)
        return;
    tail->done_end = RECORD_VERSION_SIZE;
    const size_t most = octets.len / MARK_RECORD;
    tail->done_room = (most + 1) * sizeof(*tail->done);
    tail->done = memory_take(tail->done_room);
    for (size_t at = RECORD_VERSION_SIZE; at + MARK_RECORD <= octets.len; at += MARK_RECORD) {
        /* A mark that cannot be read is a mark that was lost; those behind it may be good. */
        if (record_read(slice_from(octets, at), tail->done_mark, &record) == RECORD_OK &&
            record.kind == RECORD_DONE && record.length == 8)
            tail->done[tail->done_count++] = field_get_u64(record.payload.at);
        tail->done_end = at + MARK_RECORD;
    }
    memory_sort(tail->done, tail->done_count, sizeof(*tail->done), compare_offsets);
}

static int load_marks(struct tail *tail, struct error *error)
{
    struct files *files = tail->files;
    struct files_status status;
    size_t got = 0;

    if (files->open(files, tail->done_path, FILES_WRITE, &tail->done_descriptor, error) < 0)
        return 0;
    if (files->descriptor_status(files, tail->done_descriptor, &status, error) < 0)
        return -1;
    char *at = memory_take((size_t)status.size + 1);
    const int result = files->read(files, tail->done_descriptor, 0, at, (size_t)status.size, &got, error);
    if (result == 0)
        read_marks(tail, slice_of(at, got));
    memory_give(at, (size_t)status.size + 1);
    return result;
}

static int begin_marks(struct tail *tail, const char *folder, uint64_t mark, struct error *error)
{
    struct files *files = tail->files;
    char head[RECORD_VERSION_SIZE];

    if (tail->done_descriptor < 0) {
        if (files->open(files, tail->done_path, FILES_WRITE | FILES_CREATE, &tail->done_descriptor, error) <
            0)
            return -1;
        if (files->sync_folder(files, folder, error) < 0) {
            files->close(files, tail->done_descriptor);
            tail->done_descriptor = -1;
            return -1;
        }
    }
    record_put_version(head, mark, RECORD_FORM_DONE);
    if (files->write(files, tail->done_descriptor, 0, slice_of(head, sizeof(head)), error) < 0)
        return -1;
    tail->done_mark = mark;
    tail->done_end = RECORD_VERSION_SIZE;
    return 0;
}

int tail_mark(struct tail *tail, const uint64_t *offsets, size_t count, uint64_t mark, struct error *error)
{
    char folder[FILES_PATH_MAX];
    char payload[8];
    struct buf records;

    snprintf(folder, sizeof(folder), "%s", tail->done_path);
    *strrchr(folder, '/') = '\0';
    if (!tail->done_end && begin_marks(tail, folder, mark, error) < 0)
        return -1;
    buf_init(&records, UINT32_MAX);
    for (size_t i = 0; i < count; i++) {
        field_put_u64(payload, offsets[i]);
        record_add(&records, tail->done_mark, RECORD_DONE, slice_of(payload, sizeof(payload)));
    }
    int result = tail->files->write(tail->files, tail->done_descriptor, tail->done_end, buf_slice(&records),
                                    error);
    if (result == 0)
        result = tail->files->sync(tail->files, tail->done_descriptor, error);
    /* After a failed sync the same octets are written again, to the same place. */
    if (result == 0)
        tail->done_end += records.len;
    buf_drop(&records);
    return result;
}

/* --- opening and closing ------------------------------------------------------------------------------- */

int tail_open(struct files *files, const char *incoming, const char *done, const char *name,
              struct tail **ret_tail, struct error *error)
{
    struct tail *tail = memory_take(sizeof(*tail));
    char done_name[64];

    tail->files = files;
    tail->descriptor = tail->done_descriptor = -1;
    tail->unsafe_end = &tail->unsafe;
    const size_t stem = strlen(name) - strlen(SEGMENT_SUFFIX);
    snprintf(done_name, sizeof(done_name), "%.*s" DONE_SUFFIX, (int)stem, name);
    if (files_join(tail->path, incoming, name, error) < 0 ||
        files_join(tail->done_path, done, done_name, error) < 0 ||
        files->open(files, tail->path, 0, &tail->descriptor, error) < 0 || load_marks(tail, error) < 0) {
        tail_close(tail);
        return -1;
    }
    *ret_tail = tail;
    return 0;
}

void tail_close(struct tail *tail)
{
    if (!tail)
        return;
    tail_messages_free(tail->unsafe);
    if (tail->done)
        memory_give(tail->done, tail->done_room);
    if (tail->descriptor >= 0)
        tail->files->close(tail->files, tail->descriptor);
    if (tail->done_descriptor >= 0)
        tail->files->close(tail->files, tail->done_descriptor);
    memory_give(tail, sizeof(*tail));
}

int tail_remove(struct tail *tail, const char *incoming, const char *done, const char *damaged,
                char ret_kept[FILES_PATH_MAX], struct error *error)
{
    struct files *files = tail->files;
    int result;

    ret_kept[0] = '\0';
    if (tail->damaged) {
        if (files_join(ret_kept, damaged, strrchr(tail->path, '/') + 1, error) < 0)
            return -1;
        result = files->rename(files, tail->path, ret_kept, error);
        if (result == 0)
            result = files->sync_folder(files, damaged, error);
    } else {
        result = files->remove(files, tail->path, error);
    }
    /* The marks go last: a segment that came back without them would be delivered once more. */
    if (result == 0)
        result = files->sync_folder(files, incoming, error);
    if (result == 0 && tail->done_descriptor >= 0) {
        (void)files->remove(files, tail->done_path, NULL);
        (void)files->sync_folder(files, done, NULL);
    }
    return result;
}

/* --- reading ------------------------------------------------------------------------------------------- */

/* A stretch of the file in memory. */
struct window {
    char *at;
    size_t size; /* of the memory */
    size_t len;  /* octets there are */
    uint64_t offset;
};

static int window_load(struct tail *tail, struct window *window, uint64_t offset, size_t size,
                       struct error *error)
{
    if (size > window->size) {
        window->at = memory_resize(window->at, window->size, size);
        window->size = size;
    }
    window->offset = offset;
    return tail->files->read(tail->files, tail->descriptor, offset, window->at, size, &window->len, error);
}

struct reading {
    struct tail *tail;
    struct window window;
    struct tail_message **ready_end;
    size_t octets; /* of content, handed out */
    size_t octets_max;
    uint64_t suspect; /* one more than where a record could not be read, at the first look */
};

static void unsafe_is_safe(struct reading *reading)
{
    struct tail *tail = reading->tail;

    while (tail->unsafe) {
        struct tail_message *message = message_take(&tail->unsafe);
        message->next = NULL;
        *reading->ready_end = message;
        reading->ready_end = &message->next;
        reading->octets += message->message->content.len + TAIL_MESSAGE_OCTETS;
    }
    tail->unsafe_end = &tail->unsafe;
}

static enum record_status take_message(struct reading *reading, struct slice octets, size_t *ret_size)
{
    struct tail *tail = reading->tail;
    struct message *message = message_new();
    struct slice content;
    const enum record_status status = message_read(octets, tail->mark, message, &content, ret_size);

    if (status != RECORD_OK || is_done(tail, tail->at)) {
        message_free(message);
        return status;
    }
    message->content = arena_copy(&message->arena, content);
    struct tail_message *found = memory_take(sizeof(*found));
    found->message = message;
    found->offset = tail->at;
    *tail->unsafe_end = found;
    tail->unsafe_end = &found->next;
    return RECORD_OK;
}

static enum record_status take_record(struct reading *reading, struct slice octets, size_t *ret_size)
{
    struct tail *tail = reading->tail;
    struct record record;
    enum record_status status = record_read_head(octets, tail->mark, &record);

    if (status != RECORD_OK)
        return status;
    if (record.kind == RECORD_CONTENT)
        return take_message(reading, octets, ret_size);
    if (record.kind != RECORD_SYNCED && record.kind != RECORD_CLOSED)
        return RECORD_BAD;
    status = record_read(octets, tail->mark, &record);
    if (status != RECORD_OK)
        return status;
    *ret_size = RECORD_HEAD + (size_t)record.length;
    unsafe_is_safe(reading);
    tail->final |= record.kind == RECORD_CLOSED;
    tail->ended |= record.kind == RECORD_CLOSED;
    return RECORD_OK;
}

/* Goes through the window from its front. Stops where a record is not whole or not good. */
static enum record_status take_records(struct reading *reading)
{
    struct tail *tail = reading->tail;
    enum record_status status = RECORD_OK;
    size_t size;

    while (status == RECORD_OK && !tail->ended && reading->octets < reading->octets_max) {
        const struct window *window = &reading->window;
        const size_t at = (size_t)(tail->at - window->offset);
        status = take_record(reading, slice_of(window->at + at, window->len - at), &size);
        if (status == RECORD_OK)
            tail->at += size;
    }
    return status;
}

/* Where the next record of a kind stands in the file from `from` on. 1: found; 0: there is none. */
static int find_ahead(struct reading *reading, uint64_t from, enum record_kind kind, uint64_t *ret_at,
                      struct error *error)
{
    struct window *window = &reading->window;

    for (;;) {
        if (window_load(reading->tail, window, from, CHUNK, error) < 0)
            return -1;
        const size_t found = record_find(slice_of(window->at, window->len), reading->tail->mark, kind);
        if (found != SLICE_NOT_FOUND) {
            *ret_at = from + found;
            return 1;
        }
        if (window->len < CHUNK)
            return 0;
        from += CHUNK - RECORD_HEAD + 1;
    }
}

/* No record stands at tail->at. 1: reading goes on at another place; 0: not now, or never. */
static int find_way(struct reading *reading, struct error *error)
{
    struct tail *tail = reading->tail;
    uint64_t synced, content;
    const int safe = find_ahead(reading, tail->at + 1, RECORD_SYNCED, &synced, error);

    if (safe < 0 || (safe == 0 && !tail->final))
        return safe;
    /* The look may have fallen into the middle of the gate's writing: with the SYNCED record there, it is
     * over. */
    if (safe && reading->suspect != tail->at + 1) {
        reading->suspect = tail->at + 1;
        return 1;
    }
    const int found = find_ahead(reading, tail->at + 1, RECORD_CONTENT, &content, error);
    if (found < 0)
        return found;
    if (safe)
        tail->damaged = true;
    if (found && (!safe || content < synced))
        tail->at = content;
    else if (safe)
        tail->at = synced;
    return found || safe;
}

/* The end of what is there. Whether anything will follow is asked once what is there was read: a lock that is
 * free means that reading must be tried a last time. */
static int at_end(struct reading *reading, bool *ret_again, struct error *error)
{
    struct tail *tail = reading->tail;

    if (tail->final) {
        unsafe_is_safe(reading);
        tail->ended = true;
        return 0;
    }
    if (tail->files->lock(tail->files, tail->descriptor, &tail->final, error) < 0)
        return -1;
    *ret_again = tail->final;
    return 0;
}

/* A writer that gave its segment up has cut it: messages that were seen beyond the cut never were safe. */
static int drop_cut(struct tail *tail, struct error *error)
{
    struct files_status status;

    if (!tail->unsafe || !tail->final)
        return 0;
    if (tail->files->descriptor_status(tail->files, tail->descriptor, &status, error) < 0)
        return -1;
    struct tail_message **at = &tail->unsafe;
    while (*at && (*at)->offset < status.size)
        at = &(*at)->next;
    tail_messages_free(*at);
    *at = NULL;
    tail->unsafe_end = at;
    return 0;
}

static int read_version(struct reading *reading, struct error *error)
{
    struct tail *tail = reading->tail;
    struct window *window = &reading->window;

    if (window_load(tail, window, 0, RECORD_VERSION_SIZE, error) < 0)
        return -1;
    const enum record_status status = record_read_version(slice_of(window->at, window->len),
                                                          RECORD_FORM_SEGMENT, &tail->mark);
    if (status == RECORD_OK) {
        tail->at = RECORD_VERSION_SIZE;
        return 0;
    }
    tail->mark = 0;
    if (!tail->final && tail->files->lock(tail->files, tail->descriptor, &tail->final, error) < 0)
        return -1;
    /* Shorter than its first record: its making was broken off, and no message ever was in it. */
    tail->ended = tail->final;
    tail->damaged = tail->final && status == RECORD_BAD;
    return 0;
}

static int read_on(struct reading *reading, struct error *error)
{
    struct tail *tail = reading->tail;
    size_t size = CHUNK;
    bool again = true;

    while (again && !tail->ended && reading->octets < reading->octets_max) {
        const uint64_t before = tail->at;
        if (window_load(tail, &reading->window, tail->at, size, error) < 0)
            return -1;
        const bool whole = reading->window.len < size; /* the window reaches to the end of the file */
        const enum record_status status = take_records(reading);
        if (status == RECORD_OK)
            continue;
        if (status == RECORD_BAD) {
            const int way = find_way(reading, error);
            if (way < 0)
                return -1;
            if (way > 0)
                continue;
        } else if (!whole) {
            size = tail->at == before ? size * 2 : CHUNK;
            if (size > CHUNK_MAX)
                return error_set(error, EFBIG, "%s holds a message that is too large", tail->path);
            continue;
        }
        again = false;
        if (drop_cut(tail, error) < 0 || at_end(reading, &again, error) < 0)
            return -1;
    }
    return 0;
}

int tail_read(struct tail *tail, size_t octets_max, struct tail_message **ret_first, struct error *error)
{
    struct reading reading = {.tail = tail, .octets_max = octets_max, .ready_end = ret_first};
    int result = 0;

    *ret_first = NULL;
    if (!tail->mark)
        result = read_version(&reading, error);
    if (result == 0 && tail->mark)
        result = read_on(&reading, error);
    memory_give(reading.window.at, reading.window.size);
    return result;
}
