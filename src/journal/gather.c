#include "journal/gather.h"

#include "base/list.h"
#include "base/memory.h"
#include "base/table.h"

#include <string.h>

#define SLACK_US 2000000 /* by which clocks and records may be out of order */

/* A session that has not ended. */
struct open_session {
    struct link link;
    uint64_t id;
    int64_t opened_us;
    uint32_t sequence; /* of the file with its last record */
    uint64_t last;     /* where that begins */
    bool broken;
    struct buf records;
    const struct segment_header *header;
};

/* Headers live as long as the gather: sessions name theirs. */
struct kept_header {
    struct link link;
    struct segment_header header;
};

struct gather {
    struct gather_settings settings;
    struct segment_listing listing;
    size_t next_file;
    struct segment_file file;
    bool reading;
    uint64_t offset;
    const struct segment_header *header;
    struct link headers;
    struct table sessions;
    struct link order; /* the oldest first */
    uint64_t kept;     /* octets of the open ones */
    struct open_session *given;
    struct gather_counts counts;
};

/* --- sessions ------------------------------------------------------------------------------------------ */

static struct slice key_of(const uint64_t *id)
{
    return slice_of((const char *)id, sizeof *id);
}

static void session_free(struct gather *gather, struct open_session *session)
{
    if (!session)
        return;
    gather->kept -= session->records.len;
    buf_drop(&session->records);
    list_remove(&session->link);
    memory_give(session, sizeof *session);
}

static void session_forget(struct gather *gather, struct open_session *session)
{
    table_remove(&gather->sessions, key_of(&session->id));
    session_free(gather, session);
}

/* Their gate has ended, or nothing more is there. */
static void sessions_end(struct gather *gather)
{
    while (!list_is_empty(&gather->order)) {
        struct open_session *session = LIST_OF(gather->order.next, struct open_session, link);
        gather->counts.lost += session->broken;
        gather->counts.open += !session->broken;
        session_forget(gather, session);
    }
}

static void sessions_break(struct gather *gather)
{
    for (struct link *at = gather->order.next; at != &gather->order; at = at->next)
        LIST_OF(at, struct open_session, link)->broken = true;
}

static struct open_session *session_new(struct gather *gather, const struct event *event)
{
    struct open_session *session = memory_take(sizeof *session);
    session->id = event->stamp.session;
    session->opened_us = event->stamp.unix_us;
    session->header = gather->header;
    buf_init(&session->records, GATHER_SESSION_MOST);
    list_add_last(&gather->order, &session->link);
    table_put(&gather->sessions, key_of(&session->id), session);
    return session;
}

/* Each record tells where its session's last one stands in the file: so it is seen when one is missing. A
 * record without a chain was put in by somebody else. */
static bool is_chained(const struct gather *gather, const struct open_session *session,
                       const struct event *event)
{
    bool same_file = session->sequence == gather->file.header.name.sequence;
    if (!event->stamp.previous)
        return true;
    return same_file && session->last == gather->offset - event->stamp.previous;
}

static void session_add(struct gather *gather, struct open_session *session, const struct event *event,
                        struct slice record)
{
    bool first = !session->records.len;
    if (!first && !is_chained(gather, session, event))
        session->broken = true;
    session->sequence = gather->file.header.name.sequence;
    session->last = gather->offset;
    if (session->broken)
        return;
    session->broken = !buf_add(&session->records, record);
    gather->kept += session->broken ? 0 : record.len;
}

static void make_room(struct gather *gather)
{
    while (gather->kept > GATHER_MOST && !list_is_empty(&gather->order)) {
        gather->counts.lost++;
        session_forget(gather, LIST_OF(gather->order.next, struct open_session, link));
    }
}

static bool is_wanted(const struct gather *gather, int64_t opened_us)
{
    return opened_us >= gather->settings.since_us && opened_us <= gather->settings.until_us;
}

/* --- records ------------------------------------------------------------------------------------------- */

/* A gate that begins says so at once: what the one before it had open is over. */
static void system_event(struct gather *gather, const struct event *event)
{
    bool begins = gather->offset <= gather->header->size + SEGMENT_MILESTONE;
    if (event->kind == EVENT_KIND_events_lost)
        sessions_break(gather);
    if (event->kind == EVENT_KIND_process_started && begins)
        sessions_end(gather);
}

/* True: the session has ended, and is whole. */
static bool take(struct gather *gather, const struct event *event, struct slice record)
{
    uint64_t id = event->stamp.session;
    if (!id) {
        system_event(gather, event);
        return false;
    }
    struct open_session *session = table_get(&gather->sessions, key_of(&id));
    if (event->kind == EVENT_KIND_session_opened && !session && is_wanted(gather, event->stamp.unix_us))
        session = session_new(gather, event);
    if (!session) {
        gather->counts.headless += event->kind == EVENT_KIND_session_ended &&
                                   event->body.session_ended.why != END_KILLED &&
                                   is_wanted(gather, event_id_unix_ms(id) * 1000);
        return false;
    }
    session_add(gather, session, event, record);
    if (event->kind != EVENT_KIND_session_ended) {
        make_room(gather);
        return false;
    }
    table_remove(&gather->sessions, key_of(&session->id));
    if (event->body.session_ended.why == END_KILLED) {
        gather->counts.open++; /* nobody knows how it would have gone on */
        session_free(gather, session);
        return false;
    }
    if (session->broken) {
        gather->counts.lost++;
        session_free(gather, session);
        return false;
    }
    gather->given = session;
    return true;
}

/* --- files --------------------------------------------------------------------------------------------- */

static const struct segment_header *header_keep(struct gather *gather)
{
    struct kept_header *kept = memory_take(sizeof *kept);
    kept->header = gather->file.header;
    list_add_last(&gather->headers, &kept->link);
    return &kept->header;
}

/* All of it is older than what is asked for: the next file of the same gate begins before that. */
static bool is_too_old(const struct gather *gather, size_t index)
{
    const struct segment_name *name = &gather->listing.names[index], *next = name + 1;
    return index + 1 < gather->listing.count && segment_stream_compare(name, next) == 0 &&
           gather->settings.since_us != INT64_MIN &&
           next->started_unix * 1000000 < gather->settings.since_us - SLACK_US;
}

static bool is_of_gate(const struct segment_name *name)
{
    return strcmp(name->role, "gate") == 0;
}

/* False: there is none. Sessions go on in the next file of their gate, and nowhere else. */
static bool file_next(struct gather *gather)
{
    while (gather->next_file < gather->listing.count) {
        size_t index = gather->next_file++;
        const struct segment_name *name = &gather->listing.names[index];
        if (index && segment_stream_compare(name, name - 1) != 0)
            sessions_end(gather);
        if (!is_of_gate(name) || is_too_old(gather, index))
            continue;
        if (segment_file_open(gather->settings.folder, name, &gather->file, &gather->counts.error) < 0) {
            gather->counts.unreadable++;
            sessions_break(gather);
            continue;
        }
        gather->reading = true;
        gather->header = header_keep(gather);
        gather->offset = gather->header->size;
        if (gather->settings.since_us != INT64_MIN && list_is_empty(&gather->order))
            gather->offset = segment_file_seek(&gather->file, gather->settings.since_us - SLACK_US);
        gather->counts.done += gather->offset;
        return true;
    }
    sessions_end(gather);
    return false;
}

static void file_end(struct gather *gather)
{
    segment_file_close(&gather->file);
    gather->reading = false;
}

/* What stands between here and the next milestone is passed over. False: there is none. */
static bool skip_damage(struct gather *gather)
{
    uint64_t on = segment_file_milestone_after(&gather->file, gather->offset + 1);
    uint64_t to = on ? on : segment_file_size(&gather->file);
    gather->counts.damaged += to > gather->offset ? to - gather->offset : 0;
    gather->offset = to;
    sessions_break(gather);
    return on != 0;
}

/* Where a writer is at work, the last record may be half there. */
static bool is_damage(struct gather *gather, enum segment_status status)
{
    return status == SEGMENT_BAD ||
           (status == SEGMENT_TORN && segment_file_milestone_after(&gather->file, gather->offset + 1));
}

static bool read_on(struct gather *gather)
{
    struct event event;
    size_t size;
    for (;;) {
        enum segment_status status = segment_file_read(&gather->file, gather->offset, &event, &size);
        if (status != SEGMENT_RECORD) {
            if (is_damage(gather, status) && skip_damage(gather))
                continue;
            return false;
        }
        struct slice record = segment_file_record(&gather->file, gather->offset, size);
        bool whole = event.kind && take(gather, &event, record);
        gather->offset += size;
        gather->counts.done += size;
        if (whole)
            return true;
    }
}

/* --- outside ------------------------------------------------------------------------------------------- */

static uint64_t octets_total(struct gather *gather)
{
    uint64_t total = 0;
    struct segment_file file;
    for (size_t i = 0; i < gather->listing.count; i++) {
        if (!is_of_gate(&gather->listing.names[i]) || is_too_old(gather, i) ||
            segment_file_open(gather->settings.folder, &gather->listing.names[i], &file, NULL) < 0)
            continue;
        total += segment_file_size(&file);
        segment_file_close(&file);
    }
    return total;
}

int gather_open(const struct gather_settings *settings, struct gather **ret_gather, struct error *error)
{
    struct gather *gather = memory_take(sizeof *gather);
    gather->settings = *settings;
    if (segment_list(settings->folder, &gather->listing, error) < 0) {
        memory_give(gather, sizeof *gather);
        return -1;
    }
    list_init(&gather->order);
    list_init(&gather->headers);
    table_init(&gather->sessions, 0); /* ids are our own gates' */
    gather->counts.total = octets_total(gather);
    *ret_gather = gather;
    return 0;
}

bool gather_next(struct gather *gather, struct gathered *ret_gathered)
{
    session_free(gather, gather->given);
    gather->given = NULL;
    while (gather->reading || file_next(gather)) {
        if (!read_on(gather)) {
            file_end(gather);
            continue;
        }
        const struct open_session *given = gather->given;
        gather->counts.sessions++;
        *ret_gathered = (struct gathered){.session = given->id,
                                          .opened_us = given->opened_us,
                                          .records = buf_slice(&given->records),
                                          .header = given->header};
        return true;
    }
    return false;
}

void gather_counts(const struct gather *gather, struct gather_counts *ret_counts)
{
    *ret_counts = gather->counts;
}

void gather_close(struct gather *gather)
{
    if (!gather)
        return;
    if (gather->reading)
        file_end(gather);
    session_free(gather, gather->given);
    sessions_end(gather);
    while (!list_is_empty(&gather->headers)) {
        struct kept_header *kept = LIST_OF(gather->headers.next, struct kept_header, link);
        list_remove(&kept->link);
        memory_give(kept, sizeof *kept);
    }
    table_drop(&gather->sessions);
    segment_listing_drop(&gather->listing);
    memory_give(gather, sizeof *gather);
}
