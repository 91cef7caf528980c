#include "journal/history.h"

#include "base/memory.h"

#include <string.h>

#define SLACK_US   2000000 /* by which clocks and records may be out of order */
#define DAY        86400
#define EVENTS_MAX 1000000 /* of one session: beyond it no more are gathered */

void history_init(struct history *history, uint64_t session)
{
    *history = (struct history){.session = session};
    arena_init(&history->arena, NULL, 0);
}

void history_drop(struct history *history)
{
    arena_drop(&history->arena);
    memory_give(history->events, history->room * sizeof *history->events);
    history_init(history, history->session);
}

/* --- adding -------------------------------------------------------------------------------------------- */

/* The event's texts are moved into the arena. */
static void take_texts(struct history *history, struct event *event)
{
    for (size_t i = 0; event->info && i < event->info->field_count; i++) {
        const struct event_field *field = &event->info->fields[i];
        if (field->type != EVENT_TYPE_TEXT)
            continue;
        struct slice *text = (void *)((char *)&event->body + field->offset);
        *text = arena_copy(&history->arena, *text);
    }
}

static void add(struct history *history, const struct event *event)
{
    if (history->count == EVENTS_MAX)
        return;
    if (history->count == history->room) {
        size_t room = history->room ? history->room * 2 : 64, size = sizeof *history->events;
        history->events = memory_resize(history->events, history->room * size, room * size);
        history->room = room;
    }
    history->events[history->count] = *event;
    take_texts(history, &history->events[history->count++]);
    history->opened = history->opened || event->kind == EVENT_KIND_session_opened;
    history->ended = history->ended || event->kind == EVENT_KIND_session_ended;
}

void history_add(struct history *history, struct slice records)
{
    struct event event;
    size_t size;
    for (; event_read(records, &event, &size) == EVENT_DONE; records = slice_from(records, size))
        add(history, &event);
}

/* By time; what happened at the same time stays in the order of the records. */
struct sorted {
    struct event event;
    size_t place;
};

static int time_order(const void *left, const void *right)
{
    const struct sorted *a = left, *b = right;
    if (a->event.stamp.unix_us != b->event.stamp.unix_us)
        return a->event.stamp.unix_us < b->event.stamp.unix_us ? -1 : 1;
    return a->place < b->place ? -1 : 1;
}

static void sort(struct history *history)
{
    if (history->count < 2)
        return;
    struct sorted *all = memory_take(history->count * sizeof *all);
    for (size_t i = 0; i < history->count; i++)
        all[i] = (struct sorted){history->events[i], i};
    memory_sort(all, history->count, sizeof *all, time_order);
    for (size_t i = 0; i < history->count; i++)
        history->events[i] = all[i].event;
    memory_give(all, history->count * sizeof *all);
}

/* --- by the chain -------------------------------------------------------------------------------------- */

static void reverse(struct history *history, size_t first, size_t last)
{
    for (; first + 1 < last; first++) {
        struct event event = history->events[first];
        history->events[first] = history->events[--last];
        history->events[last] = event;
    }
}

static void follow_back(struct history *history, struct segment_file *file, uint64_t offset)
{
    size_t first = history->count, size;
    struct event event;
    for (uint64_t at = offset; segment_file_read(file, at, &event, &size) == SEGMENT_RECORD;) {
        if (event.stamp.session != history->session)
            break;
        uint32_t previous = event.stamp.previous;
        add(history, &event);
        if (!previous || previous > at - file->header.size)
            break;
        at -= previous;
    }
    reverse(history, first, history->count);
}

/* What stands right behind the record at `offset`, up to what is another's. */
static void follow_on(struct history *history, struct segment_file *file, uint64_t offset)
{
    struct event event;
    size_t size;
    for (uint64_t at = offset; segment_file_read(file, at, &event, &size) == SEGMENT_RECORD; at += size) {
        if (event.kind == EVENT_NONE)
            continue; /* a milestone came between */
        if (event.stamp.session != history->session)
            return;
        if (at != offset)
            add(history, &event);
    }
}

void history_before(struct history *history, struct segment_file *file, uint64_t offset)
{
    follow_back(history, file, offset);
}

/* First on and then back: so each part of a packed file is unpacked once. */
void history_chain(struct history *history, struct segment_file *file, uint64_t offset)
{
    size_t first = history->count;
    follow_on(history, file, offset);
    size_t behind = history->count - first;
    follow_back(history, file, offset);
    reverse(history, first, history->count);
    reverse(history, first, history->count - behind);
    reverse(history, history->count - behind, history->count);
}

/* --- by the id ----------------------------------------------------------------------------------------- */

/* Looks at one event; false: nothing more can come. */
struct look {
    bool (*at)(struct history *history, const struct event *event, void *data);
    void *data;
};

static bool scan_file(struct history *history, struct segment_file *file, int64_t from_us,
                      const struct look *look)
{
    struct event event;
    size_t size;
    for (uint64_t at = segment_file_seek(file, from_us);;) {
        switch (segment_file_read(file, at, &event, &size)) {
        case SEGMENT_RECORD:
            at += size;
            if (event.kind != EVENT_NONE && !look->at(history, &event, look->data))
                return false;
            break;
        case SEGMENT_BAD:
            at = segment_file_milestone_after(file, at + 1);
            if (!at)
                return true;
            break;
        case SEGMENT_END:
        case SEGMENT_TORN: return true;
        }
    }
}

struct span {
    const char *role;
    int number;      /* -1: all of the role */
    int64_t from_us; /* from here in the files that were begun before */
    int64_t until;   /* seconds: no file that was begun later */
    bool everything; /* also in files that should not have it */
};

/* The file that was being written at that time, and all later ones. */
static bool in_span(const struct segment_listing *listing, size_t index, const struct span *span)
{
    const struct segment_name *name = &listing->names[index], *next = name + 1;
    if (strcmp(name->role, span->role) != 0 || (span->number >= 0 && name->number != (unsigned)span->number))
        return false;
    if (name->started_unix > span->until)
        return false;
    bool last = index + 1 == listing->count || segment_stream_compare(name, next) != 0;
    return span->everything || last || next->started_unix >= span->from_us / 1000000;
}

static void scan(struct history *history, const char *folder, const struct segment_listing *listing,
                 const struct span *span, const struct look *look)
{
    for (size_t i = 0; i < listing->count; i++) {
        struct segment_file file;
        if (!in_span(listing, i, span) || segment_file_open(folder, &listing->names[i], &file, NULL) < 0)
            continue;
        bool more = scan_file(history, &file, span->everything ? 0 : span->from_us, look);
        segment_file_close(&file);
        if (!more)
            return;
    }
}

/* What follows the end of a session stands right behind it. */
static bool look_for_own(struct history *history, const struct event *event, void *data)
{
    (void)data;
    if (event->stamp.session != history->session)
        return !history->ended;
    add(history, event);
    return true;
}

static void load_own(struct history *history, const char *folder, const struct segment_listing *listing)
{
    int64_t us = event_id_unix_ms(history->session) * 1000;
    struct span span = {.role = "gate",
                        .number = (int)segment_gate(history->session),
                        .from_us = us - SLACK_US,
                        .until = INT64_MAX};
    scan(history, folder, listing, &span, &(struct look){look_for_own, NULL});
    if (history->count)
        return;
    /* The clock may have been set meanwhile: a day's files are worth a second look. */
    span.everything = true;
    span.from_us = us - DAY * INT64_C(1000000);
    span.until = us / 1000000 + DAY;
    scan(history, folder, listing, &span, &(struct look){look_for_own, NULL});
}

/* --- the courier's ------------------------------------------------------------------------------------- */

struct messages {
    char id[EVENT_ID_SIZE];
    size_t stored;
    size_t removed;
};

static bool is_about(const struct event *event, const char *id)
{
    static const char *const fields[] = {"queue_id", "about"};
    for (size_t i = 0; event->info && i < event->info->field_count; i++) {
        const struct event_field *field = &event->info->fields[i];
        for (size_t k = 0; k < sizeof fields / sizeof *fields; k++)
            if (field->type == EVENT_TYPE_TEXT && strcmp(field->name, fields[k]) == 0 &&
                slice_starts(
                    *(const struct slice *)(const void *)((const char *)&event->body + field->offset),
                    slice_text(id)))
                return true;
    }
    return false;
}

static bool look_for_messages(struct history *history, const struct event *event, void *data)
{
    struct messages *messages = data;
    bool about = event->stamp.session == history->session || is_about(event, messages->id);
    if (about)
        add(history, event);
    if (about && event->kind == EVENT_KIND_message_removed)
        messages->removed++;
    return messages->removed < messages->stored;
}

static void load_messages(struct history *history, const char *folder, const struct segment_listing *listing)
{
    struct messages messages = {.stored = 0};
    event_id_print(history->session, messages.id);
    for (size_t i = 0; i < history->count; i++)
        messages.stored += history->events[i].kind == EVENT_KIND_message_stored;
    struct span span = {.role = "courier",
                        .number = -1,
                        .from_us = event_id_unix_ms(history->session) * 1000 - SLACK_US,
                        .until = INT64_MAX};
    if (messages.stored)
        scan(history, folder, listing, &span, &(struct look){look_for_messages, &messages});
}

/* Its own part in one file; what came before that file, or a wrong place, leaves nothing. */
static void load_chain(struct history *history, const char *folder, const struct segment_listing *listing,
                       unsigned gate, const struct journal_mark *ended)
{
    struct segment_file file;
    for (size_t i = 0; i < listing->count; i++) {
        const struct segment_name *name = &listing->names[i];
        bool wanted = name->number == gate && name->sequence == ended->sequence &&
                      strcmp(name->role, "gate") == 0;
        if (!wanted || segment_file_open(folder, name, &file, NULL) < 0)
            continue;
        history_chain(history, &file, ended->offset);
        segment_file_close(&file);
    }
    if (!history->opened)
        history_drop(history);
}

int history_load(struct history *history, const char *folder, struct error *error)
{
    return history_load_at(history, folder, 0, NULL, error);
}

int history_load_at(struct history *history, const char *folder, unsigned gate,
                    const struct journal_mark *ended, struct error *error)
{
    struct segment_listing listing;
    if (segment_list(folder, &listing, error) < 0)
        return -1;
    if (ended)
        load_chain(history, folder, &listing, gate, ended);
    if (!history->count)
        load_own(history, folder, &listing);
    load_messages(history, folder, &listing);
    segment_listing_drop(&listing);
    sort(history);
    return 0;
}
