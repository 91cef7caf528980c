#include "journal/unended.h"

#include "base/arena.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/table.h"
#include "core/ask.h"
#include "core/finding.h"
#include "journal/history.h"
#include "journal/summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TURN_OCTETS   (64u * 1024u)
#define TURN_SESSIONS 8u
#define SURE_US       (INT64_C(600) * 1000000) /* a gate that lived longer has given all ends */
#define PARTS_MOST    4u                       /* of a session, each in a file; older ones are left out */

/* A session without an end, so far. */
struct open {
    struct link link;
    uint64_t id;
    struct journal_mark parts[PARTS_MOST]; /* its last record in each of the last files that have any */
    unsigned part_count;
};

struct unended {
    struct unended_settings settings;
    char folder[3072];
    struct segment_listing listing; /* of the stream alone */
    int64_t from_us;
    size_t at; /* the file that is read */
    struct segment_file file;
    bool reading;
    uint64_t offset;
    struct table table;
    struct link opens; /* those that began first stand first */
};

/* --- where to begin ------------------------------------------------------------------------------------ */

static bool listing_read(struct unended *unended)
{
    struct segment_listing *listing = &unended->listing;
    size_t kept = 0;
    if (segment_list(unended->folder, listing, NULL) < 0)
        return false;
    for (size_t i = 0; i < listing->count; i++)
        if (strcmp(listing->names[i].role, "gate") == 0 && listing->names[i].number == unended->settings.gate)
            listing->names[kept++] = listing->names[i];
    listing->count = kept;
    return kept > 0;
}

/* What a file says of the process that wrote it. */
struct edges {
    bool begins;     /* a process began with it */
    bool stops;      /* and one ended with it, as it should */
    int64_t last_us; /* its last record; 0: there is none */
};

/* The first record that is not a milestone. */
static bool begins(struct segment_file *file)
{
    struct event event;
    size_t size;
    for (uint64_t at = file->header.size; segment_file_read(file, at, &event, &size) == SEGMENT_RECORD;
         at += size)
        if (event.kind != EVENT_NONE)
            return event.kind == EVENT_KIND_process_started;
    return false;
}

static struct edges edges_of(const struct unended *unended, size_t index)
{
    struct edges edges = {.begins = false};
    struct segment_file file;
    struct event event;
    size_t size;
    if (segment_file_open(unended->folder, &unended->listing.names[index], &file, NULL) < 0)
        return edges;
    edges.begins = begins(&file);
    uint64_t at = segment_file_milestone_before(&file, UINT64_MAX);
    for (at = at ? at : file.header.size; segment_file_read(&file, at, &event, &size) == SEGMENT_RECORD;
         at += size) {
        edges.last_us = event.stamp.unix_us;
        edges.stops = event.kind == EVENT_KIND_process_stopped;
    }
    segment_file_close(&file);
    return edges;
}

/* From the newest file back to the first that is of interest. A gate that did not live long may have been
 * killed before it had given the ends that the one before it left: then that one's time counts, too. False:
 * nothing was left open. */
static bool begin_find(struct unended *unended)
{
    const struct segment_listing *listing = &unended->listing;
    struct edges edges = edges_of(unended, listing->count - 1);
    int64_t life_end_us = edges.last_us;
    if (edges.stops)
        return false;
    unended->from_us = life_end_us - unended->settings.longest_us;
    unended->at = listing->count - 1;
    for (size_t i = listing->count - 1;; i--) {
        const struct segment_name *name = &listing->names[i];
        unended->at = i;
        if (i == 0)
            return true;
        struct edges before = edges_of(unended, i - 1);
        bool sure = edges.begins && life_end_us - name->started_unix * 1000000 >= SURE_US;
        if (edges.begins && before.stops)
            return true;
        if (edges.begins && !sure && before.last_us - unended->settings.longest_us < unended->from_us)
            unended->from_us = before.last_us - unended->settings.longest_us;
        if (edges.begins)
            life_end_us = before.last_us;
        if (name->started_unix * 1000000 < unended->from_us)
            return true;
        edges = before;
    }
}

struct unended *unended_new(const struct unended_settings *settings)
{
    struct unended *unended = memory_take(sizeof *unended);
    unended->settings = *settings;
    unended->file.fd = -1;
    snprintf(unended->folder, sizeof unended->folder, "%s", settings->folder);
    list_init(&unended->opens);
    table_init(&unended->table, 0); /* ids are our own gates' */
    if (listing_read(unended) && begin_find(unended))
        return unended;
    unended_free(unended);
    return NULL;
}

/* --- reading ------------------------------------------------------------------------------------------- */

static struct slice key_of(const uint64_t *id)
{
    return slice_of((const char *)id, sizeof *id);
}

static void open_forget(struct unended *unended, struct open *open)
{
    table_remove(&unended->table, key_of(&open->id));
    list_remove(&open->link);
    memory_give(open, sizeof *open);
}

static struct open *open_new(struct unended *unended, uint64_t id)
{
    struct open *open = memory_take(sizeof *open);
    open->id = id;
    list_add_last(&unended->opens, &open->link);
    table_put(&unended->table, key_of(&open->id), open);
    return open;
}

static void part_note(struct open *open, struct journal_mark place)
{
    struct journal_mark *parts = open->parts;
    bool same = open->part_count && parts[open->part_count - 1].sequence == place.sequence;
    if (!same && open->part_count == PARTS_MOST) {
        memmove(parts, parts + 1, (PARTS_MOST - 1) * sizeof *parts);
        open->part_count--;
    }
    if (!same)
        open->part_count++;
    parts[open->part_count - 1] = place;
}

/* Records come behind a session's end, too: none but the first is a sign of life. */
static void take(struct unended *unended, const struct event *event, uint64_t offset)
{
    uint64_t id = event->stamp.session;
    if (!id || event->kind == EVENT_NONE)
        return;
    struct open *open = table_get(&unended->table, key_of(&id));
    if (event->kind == EVENT_KIND_session_ended) {
        if (open)
            open_forget(unended, open);
        return;
    }
    if (!open && event->kind == EVENT_KIND_session_opened)
        open = open_new(unended, id);
    if (!open)
        return;
    part_note(open, (struct journal_mark){unended->file.header.name.sequence, (uint32_t)offset});
}

/* False: there is no other file. */
static bool file_next(struct unended *unended)
{
    while (!unended->reading && unended->at < unended->listing.count) {
        const struct segment_name *name = &unended->listing.names[unended->at++];
        if (segment_file_open(unended->folder, name, &unended->file, NULL) < 0)
            continue;
        unended->reading = true;
        unended->offset = segment_file_seek(&unended->file, unended->from_us);
    }
    return unended->reading;
}

static void file_end(struct unended *unended)
{
    segment_file_close(&unended->file);
    unended->reading = false;
}

/* False: all is read. Behind damage it goes on at the next milestone. */
static bool read_some(struct unended *unended)
{
    struct event event;
    size_t size;
    if (!file_next(unended))
        return false;
    for (uint64_t end = unended->offset + TURN_OCTETS; unended->offset < end;) {
        if (segment_file_read(&unended->file, unended->offset, &event, &size) == SEGMENT_RECORD) {
            take(unended, &event, unended->offset);
            unended->offset += size;
            continue;
        }
        uint64_t on = segment_file_milestone_after(&unended->file, unended->offset + 1);
        unended->offset = on;
        if (!on) {
            file_end(unended);
            break;
        }
    }
    return true;
}

/* --- ends ---------------------------------------------------------------------------------------------- */

static const struct segment_name *name_of(const struct unended *unended, uint32_t sequence)
{
    for (size_t i = 0; i < unended->listing.count; i++)
        if (unended->listing.names[i].sequence == sequence)
            return &unended->listing.names[i];
    return NULL;
}

static void history_gather(struct unended *unended, const struct open *open, struct history *history)
{
    for (unsigned i = 0; i < open->part_count; i++) {
        const struct segment_name *name = name_of(unended, open->parts[i].sequence);
        bool at_hand = unended->file.fd >= 0 && unended->file.header.name.sequence == open->parts[i].sequence;
        if (!at_hand)
            segment_file_close(&unended->file);
        if (at_hand || (name && segment_file_open(unended->folder, name, &unended->file, NULL) == 0))
            history_before(history, &unended->file, open->parts[i].offset);
    }
}

static void reply_add(struct event_session_ended *ended, const struct event_reply_sent *reply)
{
    ended->octets_out += reply->text.len + 2;
    ended->accepted += reply->answers == 6 && reply->code / 100 == 2; /* the end of a message */
    if (reply->code < 400)
        return;
    ended->negative++;
    ended->last_negative = reply->text;
}

static void ended_learn(struct event_session_ended *ended, const struct event *event, struct arena *arena)
{
    const union event_body *body = &event->body;
    switch ((unsigned)event->kind) {
    case EVENT_KIND_session_opened: ended->fingerprint = body->session_opened.fingerprint; break;
    case EVENT_KIND_octets_received: ended->octets_in += body->octets_received.count; break;
    case EVENT_KIND_reply_sent: reply_add(ended, &body->reply_sent); break;
    case EVENT_KIND_tls_started:
        ended->tls = arena_format(arena, "%.*s %.*s", SLICE_ARGS(body->tls_started.version),
                                  SLICE_ARGS(body->tls_started.cipher));
        break;
    default: break;
    }
}

static bool has_address(struct slice addresses, const struct address *peer)
{
    struct slice word;
    struct address one;
    while (slice_word(&addresses, &word))
        if (address_parse(word, &one) && address_equal_host(&one, peer))
            return true;
    return false;
}

static bool has_word(struct slice words, struct slice wanted)
{
    struct slice word;
    while (slice_word(&words, &word))
        if (slice_equal(word, wanted))
            return true;
    return false;
}

/* The first name that the client's address points to and that points back. */
static struct slice name_confirmed(const struct history *history, const struct address *peer)
{
    struct slice names = SLICE_NONE;
    for (size_t i = 0; i < history->count; i++) {
        const struct event_question_answered *answer = &history->events[i].body.question_answered;
        if (history->events[i].kind != EVENT_KIND_question_answered || answer->status != ANSWER_FOUND)
            continue;
        if (answer->kind == ASK_POINTER && has_address(answer->key, peer))
            names = answer->value;
        bool forward = answer->kind == ASK_ADDRESS4 || answer->kind == ASK_ADDRESS6;
        if (forward && has_word(names, answer->key) && has_address(answer->value, peer))
            return answer->key;
    }
    return SLICE_NONE;
}

/* As the gate has them: words of findings, each once, and what else is worth a flag. */
static struct slice flags_of(const struct summary *summary, struct arena *arena)
{
    struct slice flags = SLICE_NONE, schizo = slice_text(finding_info(FIND_HELO_SCHIZOPHRENIC)->word);
    for (size_t i = 0; i < summary->finding_count; i++) {
        struct slice word = summary->findings[i];
        word = slice_equal(word, schizo) ? SLICE("schizo") : word;
        flags = flags.len ? arena_format(arena, "%.*s,%.*s", SLICE_ARGS(flags), SLICE_ARGS(word)) : word;
    }
    return arena_format(arena, "%.*s%s%skilled", SLICE_ARGS(flags), flags.len ? "," : "",
                        summary->peer.family == ADDRESS_IPV6 ? "ipv6," : "");
}

static void end_add(const struct history *history, int64_t now_us, struct buf *records)
{
    struct event_stamp stamp = {.session = history->session, .unix_us = now_us};
    struct event_session_ended ended = {.why = END_KILLED};
    struct summary summary;
    struct arena arena;
    arena_init(&arena, NULL, 0);
    summary_make(history, &arena, &summary);
    for (size_t i = 0; i < history->count; i++)
        ended_learn(&ended, &history->events[i], &arena);
    ended.peer = summary.peer;
    ended.ptr = summary.ptr.len ? summary.ptr : name_confirmed(history, &summary.peer);
    ended.helo = summary.helo;
    ended.tried = summary.tried;
    ended.flags = flags_of(&summary, &arena);
    int64_t took_us = history->events[history->count - 1].stamp.unix_us - history->events[0].stamp.unix_us;
    ended.took_ms = took_us > 0 ? (uint64_t)took_us / 1000 : 0;
    event_add_session_ended(records, &stamp, &ended);
    arena_drop(&arena);
}

/* Records are chains of one session: what they tell is in order. */
static void open_end(struct unended *unended, struct open *open, int64_t now_us, struct buf *records)
{
    struct history history;
    history_init(&history, open->id);
    history_gather(unended, open, &history);
    if (history.count)
        end_add(&history, now_us, records);
    history_drop(&history);
    open_forget(unended, open);
}

bool unended_turn(struct unended *unended, int64_t now_us, struct buf *records)
{
    if (read_some(unended))
        return true;
    for (unsigned i = 0; i < TURN_SESSIONS && !list_is_empty(&unended->opens); i++)
        open_end(unended, LIST_OF(unended->opens.next, struct open, link), now_us, records);
    return !list_is_empty(&unended->opens);
}

void unended_free(struct unended *unended)
{
    if (!unended)
        return;
    while (!list_is_empty(&unended->opens))
        open_forget(unended, LIST_OF(unended->opens.next, struct open, link));
    table_drop(&unended->table);
    segment_file_close(&unended->file);
    segment_listing_drop(&unended->listing);
    memory_give(unended, sizeof *unended);
}
