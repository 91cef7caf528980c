#include "daemon/keeper_notice.h"

#include "base/memory.h"
#include "base/text.h"
#include "io/files.h"
#include "journal/notice_mail.h"
#include "journal/notice_transcript.h"
#include "journal/notice_watch.h"
#include "queue/message.h"
#include "queue/post.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

enum {
    SESSIONS_KEPT = 200000,
    STALE_MS = 86400000,   /* what happened earlier is no news: a journal that is read anew makes no notice */
    AGAIN_FIRST_MS = 5000, /* after a failure; doubles */
    AGAIN_MOST_MS = 300000,
    TRANSCRIPT_LINES = 120
};

static const char *const keys[NOTICES_PARTS] = {"notice gathered", "notice day", "notice pending"};

struct keeper_notice {
    struct keeper_notice_settings set;
    struct arena arena;
    struct slice to; /* empty: nothing is wanted */
    char spool[280], folder[280];
    struct notices notices;
    struct notice_watch *watch;
    struct buf stored[NOTICES_PARTS]; /* as they stand in the store */
    struct buf fresh[NOTICES_PARTS];  /* as they stand in the batch */
    bool chosen;                      /* the pending notice is in the store */
    bool inherited;                   /* it was there at the start: the courier may have it */
    uint64_t again_ms;                /* not before: it could not be posted */
    uint64_t pause_ms;
    uint64_t queued, failed;
    unsigned counter;
};

static int64_t now_ms(const struct keeper_notice *keeper)
{
    return loop_unix_us(keeper->set.loop) / 1000;
}

static int zone_minutes(int64_t unix_seconds)
{
    const time_t at = (time_t)unix_seconds;
    struct tm local = {0};

    return localtime_r(&at, &local) ? (int)(local.tm_gmtoff / 60) : 0;
}

/* --- the address --------------------------------------------------------------------------------------- */

struct slice keeper_notice_address(const struct site *site, struct arena *arena)
{
    const struct slice to = site->set.notify_to;
    const struct slice domain = site_home_domain(site);

    if (slice_find(to, '@') != SLICE_NOT_FOUND)
        return arena_copy(arena, to);
    return domain.len ? arena_format(arena, "%.*s@%.*s", SLICE_ARGS(to), SLICE_ARGS(domain)) : SLICE_NONE;
}

/* --- beginning and end --------------------------------------------------------------------------------- */

static void notices_begin(struct keeper_notice *keeper)
{
    const struct settings *set = &keeper->set.site->set;
    struct notice_settings settings = {.gather_ms = set->notify_gather,
                                       .rate = set->notify_rate,
                                       .digest_at_ms = set->notify_digest_at,
                                       .examples = set->notify_examples,
                                       .zone_minutes = zone_minutes};
    (void)notice_classes_parse(set->notify_classes, &settings.classes);
    (void)notice_classes_parse(set->notify_digest, &settings.digest);
    notices_init(&keeper->notices, &settings, now_ms(keeper));
    if (settings.classes | settings.digest)
        keeper->to = keeper_notice_address(keeper->set.site, &keeper->arena);
}

static void notices_load(struct keeper_notice *keeper)
{
    struct error error;
    struct slice text;

    for (unsigned i = 0; i < NOTICES_PARTS; i++)
        if (store_get(keeper->set.store, slice_text(keys[i]), now_ms(keeper), &text, &error) == STORE_FOUND) {
            notices_read(&keeper->notices, (enum notices_part)i, text, now_ms(keeper));
            (void)buf_add(&keeper->stored[i], text);
        }
    keeper->inherited = keeper->chosen = keeper->notices.pending.id != 0;
}

/* Switched off: what had gathered would be old news when it is on again. */
static void notices_forget(struct keeper_notice *keeper)
{
    bool any = false;

    for (unsigned i = 0; i < NOTICES_PARTS; i++)
        any = any || keeper->stored[i].len;
    notices_init(&keeper->notices, &keeper->notices.settings, now_ms(keeper));
    keeper->notices.changed = any;
}

static void parts_init(struct keeper_notice *keeper, unsigned part)
{
    buf_init(&keeper->stored[part], NOTICES_PART_MAX);
    buf_init(&keeper->fresh[part], NOTICES_PART_MAX);
}

struct keeper_notice *keeper_notice_new(const struct keeper_notice_settings *settings)
{
    struct keeper_notice *keeper = memory_take(sizeof *keeper);
    const struct settings *set = &settings->site->set;

    keeper->set = *settings;
    arena_init(&keeper->arena, NULL, 0);
    for (unsigned i = 0; i < NOTICES_PARTS; i++)
        parts_init(keeper, i);
    notices_begin(keeper);
    notices_load(keeper);
    if (!keeper->to.len) {
        notices_forget(keeper);
        return keeper;
    }
    (void)snprintf(keeper->spool, sizeof keeper->spool, "%.*s/spool", SLICE_ARGS(set->state_directory));
    (void)snprintf(keeper->folder, sizeof keeper->folder, "%.*s/journal", SLICE_ARGS(set->state_directory));
    keeper->watch = notice_watch_new(SESSIONS_KEPT);
    return keeper;
}

void keeper_notice_free(struct keeper_notice *keeper)
{
    if (!keeper)
        return;
    notice_watch_free(keeper->watch);
    for (unsigned i = 0; i < NOTICES_PARTS; i++) {
        buf_drop(&keeper->stored[i]);
        buf_drop(&keeper->fresh[i]);
    }
    arena_drop(&keeper->arena);
    memory_give(keeper, sizeof *keeper);
}

/* --- events -------------------------------------------------------------------------------------------- */

static void learn(struct keeper_notice *keeper, const struct journal_reader *reader,
                  const struct journal_item *item)
{
    struct history history;
    history_init(&history, item->event.stamp.session);
    journal_reader_before(reader, item, &history);
    notice_watch_forget(keeper->watch, item->event.stamp.session);
    for (size_t i = 0; i < history.count; i++)
        notice_watch_learn(keeper->watch, &history.events[i]);
    history_drop(&history);
}

/* The courier has the notice: whoever posted it need not do so again. */
static void courier_tells(struct keeper_notice *keeper, const struct event *event)
{
    if (!keeper->notices.pending.id || event->stamp.session != keeper->notices.pending.id ||
        event->kind == EVENT_KIND_notice_failed)
        return;
    notices_sent(&keeper->notices);
    keeper->inherited = false;
}

void keeper_notice_event(struct keeper_notice *keeper, const struct journal_reader *reader,
                         const struct journal_item *item)
{
    struct notice_incident incidents[NOTICE_CLASSES];
    const struct event *event = &item->event;
    uint64_t gate;

    if (!keeper->to.len)
        return;
    courier_tells(keeper, event);
    if (event->kind == EVENT_KIND_process_started && slice_starts(item->stream, SLICE("gate-")) &&
        text_parse_u64(slice_from(item->stream, 5), &gate))
        notice_watch_forget_gate(keeper->watch, (unsigned)gate);
    if (event->stamp.unix_us / 1000 < now_ms(keeper) - STALE_MS)
        return;
    if (notice_watch_lacks(keeper->watch, event))
        learn(keeper, reader, item);
    const size_t count = notice_watch_event(keeper->watch, event, incidents);
    for (size_t i = 0; i < count; i++) {
        incidents[i].sequence = item->at.sequence;
        incidents[i].offset = item->at.offset;
        notices_add(&keeper->notices, &incidents[i], now_ms(keeper));
    }
}

/* --- the store ----------------------------------------------------------------------------------------- */

size_t keeper_notice_writes(struct keeper_notice *keeper, struct store_write room[KEEPER_NOTICE_WRITES])
{
    size_t count = 0;

    if (!keeper->notices.changed)
        return 0;
    for (unsigned i = 0; i < NOTICES_PARTS; i++) {
        struct buf *fresh = &keeper->fresh[i];
        buf_clear(fresh);
        notices_print(&keeper->notices, (enum notices_part)i, fresh);
        if (slice_equal(buf_slice(fresh), buf_slice(&keeper->stored[i])))
            continue;
        room[count++] = (struct store_write){.verb = fresh->len ? STORE_PUT : STORE_REMOVE,
                                             .key = slice_text(keys[i]),
                                             .value = buf_slice(fresh),
                                             .at_unix_ms = now_ms(keeper)};
    }
    return count;
}

void keeper_notice_committed(struct keeper_notice *keeper)
{
    if (!keeper->notices.changed)
        return;
    for (unsigned i = 0; i < NOTICES_PARTS; i++) {
        const struct buf before = keeper->stored[i];
        keeper->stored[i] = keeper->fresh[i];
        keeper->fresh[i] = before;
    }
    keeper->notices.changed = false;
    keeper->chosen = keeper->notices.pending.id != 0;
}

/* --- the mail ------------------------------------------------------------------------------------------ */

static bool file_find(const struct segment_listing *listing, const struct notice_example *example,
                      struct segment_name *ret_name)
{
    for (size_t i = 0; i < listing->count; i++) {
        const struct segment_name *name = &listing->names[i];
        if (name->sequence == example->sequence && name->number == segment_gate(example->session) &&
            slice_equal(slice_text(name->role), SLICE("gate"))) {
            *ret_name = *name;
            return true;
        }
    }
    return false;
}

/* Where the session stands is known: to look for it by its time would keep everything else waiting where it
 * is gone. */
static void session_load(const struct keeper_notice *keeper, const struct notice_example *example,
                         struct history *history)
{
    struct segment_listing listing;
    struct segment_name name;
    struct segment_file file;
    struct error error;

    if (segment_list(keeper->folder, &listing, &error) < 0)
        return;
    if (file_find(&listing, example, &name) && segment_file_open(keeper->folder, &name, &file, &error) == 0) {
        history_chain(history, &file, example->offset);
        segment_file_close(&file);
    }
    segment_listing_drop(&listing);
}

static bool transcript(void *data, const struct notice_example *example, struct buf *out)
{
    const struct notice_transcript_settings settings = {TRANSCRIPT_LINES, zone_minutes};
    struct history history;

    history_init(&history, example->session);
    session_load(data, example, &history);
    const bool there = history.count > 0;
    if (there)
        notice_transcript(&history, &settings, out);
    history_drop(&history);
    return there;
}

static int post(struct keeper_notice *keeper, struct error *error)
{
    const struct notice *notice = &keeper->notices.pending;
    const struct notice_mail mail = {.notice = notice,
                                     .host = keeper->set.site->set.host_name,
                                     .to = keeper->to,
                                     .now_ms = now_ms(keeper),
                                     .zone_minutes = zone_minutes,
                                     .transcript = transcript,
                                     .data = keeper};
    struct post new = {.session = notice->id, .to = keeper->to, .now_unix_ms = now_ms(keeper)};
    struct buf content;

    if (getrandom(&new.mark, sizeof new.mark, 0) != sizeof new.mark)
        return error_set(error, errno, "no random number can be had");
    buf_init(&content, NOTICE_MAIL_MAX);
    notice_mail_compose(&mail, &content);
    new.content = buf_slice(&content);
    const int result = post_message(&files_system, keeper->spool, &new, error);
    buf_drop(&content);
    return result;
}

static void record_queued(struct keeper_notice *keeper)
{
    const struct notice *notice = &keeper->notices.pending;
    const struct event_stamp stamp = {.session = notice->id, .unix_us = loop_unix_us(keeper->set.loop)};
    char id[QUEUE_ID_SIZE];
    struct buf sums, events;

    buf_init(&sums, 256);
    buf_init(&events, EVENT_SIZE_MAX);
    queue_id_print(notice->id, 0, id);
    notice_mail_sums(notice, &sums);
    event_add_notice_queued(&events, &stamp,
                            &(struct event_notice_queued){.queue_id = slice_text(id),
                                                          .recipient = keeper->to,
                                                          .sums = buf_slice(&sums),
                                                          .digest = notice->digest});
    journal_writer_add(keeper->set.journal, buf_slice(&events), NULL);
    buf_drop(&events);
    buf_drop(&sums);
}

/* It is told once: a trouble event would make the next notice. */
static void record_failed(struct keeper_notice *keeper, const struct error *error)
{
    const struct event_stamp stamp = {.session = keeper->notices.pending.id,
                                      .unix_us = loop_unix_us(keeper->set.loop)};
    struct buf events;

    buf_init(&events, EVENT_SIZE_MAX);
    event_add_notice_failed(&events, &stamp,
                            &(struct event_notice_failed){.reason = slice_text(error->text)});
    journal_writer_add(keeper->set.journal, buf_slice(&events), NULL);
    buf_drop(&events);
}

static void post_pending(struct keeper_notice *keeper)
{
    const uint64_t now = loop_now_ms(keeper->set.loop);
    struct error error;

    if (now < keeper->again_ms)
        return;
    if (post(keeper, &error) < 0) {
        if (!keeper->pause_ms)
            record_failed(keeper, &error);
        keeper->failed++;
        keeper->pause_ms = keeper->pause_ms ? keeper->pause_ms * 2 : AGAIN_FIRST_MS;
        if (keeper->pause_ms > AGAIN_MOST_MS)
            keeper->pause_ms = AGAIN_MOST_MS;
        keeper->again_ms = now + keeper->pause_ms;
        return;
    }
    record_queued(keeper);
    notices_sent(&keeper->notices);
    keeper->queued++;
    keeper->pause_ms = keeper->again_ms = 0;
    keeper->inherited = false;
}

bool keeper_notice_tick(struct keeper_notice *keeper, bool caught_up)
{
    struct notices *notices = &keeper->notices;
    const int64_t now = now_ms(keeper);

    if (!keeper->to.len)
        return false;
    if (notices->pending.id && keeper->chosen && (caught_up || !keeper->inherited))
        post_pending(keeper);
    else if (notices_due(notices, now) <= now &&
             notices_take(notices, notice_id_make(now, keeper->counter++), now))
        keeper->chosen = false;
    return notices->changed;
}

void keeper_notice_status(const struct keeper_notice *keeper, struct json *json)
{
    uint64_t gathered = 0;

    for (unsigned i = 0; i < NOTICE_CLASSES; i++)
        gathered += keeper->notices.gathered[i].count;
    json_key(json, "notices");
    json_object_open(json);
    json_put_u64(json, "gathered", gathered);
    json_put_u64(json, "waiting", keeper->notices.pending.id != 0);
    json_put_u64(json, "queued", keeper->queued);
    json_put_u64(json, "failed", keeper->failed);
    json_object_close(json);
}
