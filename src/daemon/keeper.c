#include "daemon/keeper.h"

#include "base/arena.h"
#include "base/memory.h"
#include "base/text.h"
#include "daemon/flush.h"
#include "daemon/keeper_allow.h"
#include "daemon/keeper_blocks.h"
#include "daemon/keeper_exports_list.h"
#include "daemon/keeper_files.h"
#include "daemon/keeper_notice.h"
#include "daemon/keeper_report.h"
#include "daemon/keeper_stats.h"
#include "daemon/keeper_store.h"
#include "daemon/keeper_streams.h"
#include "daemon/keeper_watch.h"
#include "daemon/own_keys.h"
#include "daemon/role.h"
#include "io/store.h"
#include "journal/log_output.h"
#include "journal/maillog.h"
#include "journal/reader.h"
#include "wire/json.h"

#include <string.h>

enum {
    EVENTS_A_TURN = 5000,   /* read before the loop is looked at again */
    COMMIT_MS = 100,        /* for tells: a gate's own are in its overlay until then */
    PLACES_MS = 1000,       /* for places alone */
    TICK_MS = 1000,         /* the slow look at the folder, the sweep */
    RETENTION_MS = 60000,   /* between two looks for old files */
    SWEEP_LEAST = 2000,     /* entries looked at in a tick */
    SWEEP_TICKS = 1800,     /* in so many all entries are looked at */
    WRITES_MOST = 4096,     /* of one transaction */
    SESSIONS_KEPT = 200000, /* for the mail log's lines */
    STREAMS_MOST = 256
};

struct place {
    struct slice stream; /* as the reader lends it */
    struct journal_mark next;
};

struct keeper {
    const struct worker *worker;
    const struct site *site;
    struct loop *loop;
    struct worker_port *port;
    struct control *control;
    struct journal_writer *journal; /* its own stream */
    struct journal_reader *reader;
    struct loop_watch watch;
    struct store *store;
    struct keeper_stats *stats;
    struct maillog *maillog;
    struct log_output *output;
    struct keeper_notice *notice;
    struct keeper_watch *patterns;
    struct keeper_blocks *blocks;
    struct keeper_exports *exports;
    struct keeper_allow *allow;
    struct own_keys *own_keys;
    struct buf lines;

    struct arena arena; /* of the batch */
    struct store_write writes[WRITES_MOST + KEEPER_STATS_WRITES + KEEPER_NOTICE_WRITES + KEEPER_WATCH_WRITES +
                              KEEPER_BLOCKS_WRITES + KEEPER_ALLOW_WRITES + OWN_KEYS_WRITES];
    size_t write_count;
    struct place places[STREAMS_MOST];
    size_t place_count;
    bool moved; /* places since the last commit */

    struct loop_timer commit;
    struct loop_timer tick;
    struct flush flush;
    struct loop_hook hook;
    bool more; /* the last turn ended before the reader did */
    uint64_t sessions, events, applied;
    struct keeper_store_health health;
    int64_t anew_us;       /* as in keeper_store.h */
    int64_t newest_us;     /* the time of the newest event that was read */
    uint64_t retention_ms; /* when old files are looked for next */
    struct keeper_files files;
    char folder[ROLE_PATH_SIZE];
};

/* --- the batch ------------------------------------------------------------------------------------------ */

static void trouble(struct keeper *keeper, const char *what, const struct error *error, const char *effect)
{
    role_record_trouble(keeper->journal,
                        &(struct event_trouble){.what = slice_text(what),
                                                .reason = slice_text(error->text),
                                                .effect = slice_text(effect)},
                        loop_unix_us(keeper->loop));
}

/* The batch stays whole until the store has it: a refusal means that it is tried again with the next timer.
 */
static void commit(struct keeper *keeper)
{
    struct store_stream streams[STREAMS_MOST];
    struct error error;
    if (!keeper->moved)
        return;
    log_output_flush(keeper->output); /* first: behind a place that is stored nothing is read again */
    for (size_t i = 0; i < keeper->place_count; i++)
        streams[i] = (struct store_stream){keeper->places[i].stream,
                                           {keeper->places[i].next.sequence, keeper->places[i].next.offset}};
    size_t count = keeper->write_count;
    count += keeper_stats_commit(keeper->stats, keeper->writes + count);
    count += keeper_notice_writes(keeper->notice, keeper->writes + count);
    count += keeper_watch_writes(keeper->patterns, keeper->writes + count);
    count += keeper_blocks_writes(keeper->blocks, keeper->writes + count);
    count += keeper_allow_writes(keeper->allow, keeper->writes + count);
    count += own_keys_writes(keeper->own_keys, keeper->writes + count); /* for all before it */
    struct store_batch batch = {keeper->writes, count, streams, keeper->place_count};
    if (store_apply(keeper->store, &batch, &error) < 0) {
        if (keeper_store_refused(&keeper->health, loop_unix_us(keeper->loop)))
            trouble(keeper, "write to the store", &error, "it is tried again; until then less is remembered");
        return;
    }
    keeper_stats_committed(keeper->stats);
    keeper->health.refused = 0;
    keeper->applied += keeper->write_count;
    keeper->write_count = 0;
    keeper->moved = false;
    keeper_notice_committed(keeper->notice);
    keeper_watch_committed(keeper->patterns);
    keeper_blocks_committed(keeper->blocks);
    keeper_exports_tick(keeper->exports);
    keeper_allow_committed(keeper->allow);
    own_keys_committed(keeper->own_keys);
    arena_drop(&keeper->arena);
}

static void commit_due(struct loop_timer *timer)
{
    struct keeper *keeper = LIST_OF(timer, struct keeper, commit);
    commit(keeper);
    if (keeper->moved)
        loop_timer_set(keeper->loop, timer, loop_now_ms(keeper->loop) + PLACES_MS);
}

static void commit_within(struct keeper *keeper, uint64_t ms)
{
    uint64_t due_ms = loop_now_ms(keeper->loop) + ms;
    if (!loop_timer_is_set(&keeper->commit) || keeper->commit.timer.due_ms > due_ms)
        loop_timer_set(keeper->loop, &keeper->commit, due_ms);
}

static void tell_add(struct keeper *keeper, const struct event *event)
{
    const struct event_told *told = &event->body.told;
    struct store_write write = {
        .verb = (enum store_verb)told->verb,
        .key = told->key,
        .value = told->value,
        .expires_unix_ms = (int64_t)told->expires_ms,
        .at_unix_ms = event->stamp.unix_us / 1000,
    };
    if (!store_write_is_sane(&write))
        return;
    write.key = arena_copy(&keeper->arena, told->key);
    write.value = arena_copy(&keeper->arena, told->value);
    keeper->writes[keeper->write_count++] = write;
    commit_within(keeper, COMMIT_MS);
}

/* False: there are too many streams. Then it is read again after a restart: no harm but double lines. */
static bool place_set(struct keeper *keeper, struct slice stream, struct journal_mark next)
{
    size_t i = 0;
    while (i < keeper->place_count && keeper->places[i].stream.at != stream.at)
        i++;
    if (i == STREAMS_MOST)
        return false;
    if (i == keeper->place_count)
        keeper->places[keeper->place_count++].stream = stream;
    keeper->places[i].next = next;
    keeper->moved = true;
    return true;
}

static bool place_known(void *data, struct slice stream, struct journal_mark *ret_place)
{
    struct keeper *keeper = data;
    struct store_position position;
    struct error error;
    if (store_position(keeper->store, stream, &position, &error) != STORE_FOUND)
        return false;
    *ret_place = (struct journal_mark){position.sequence, position.offset};
    return true;
}

/* --- reading -------------------------------------------------------------------------------------------- */

static void log_lines(struct keeper *keeper, const struct event *event)
{
    struct slice rest, line;
    buf_clear(&keeper->lines);
    maillog_add(keeper->maillog, event, &keeper->lines);
    rest = buf_slice(&keeper->lines);
    while (slice_cut(&rest, '\n', &line))
        log_output_write(keeper->output, event->stamp.unix_us, event->info->level == 1, line);
}

/* Of a session that began before the keeper did, or whose beginning was forgotten, the mail log learns from
 * the file what it needs. */
static void learn(struct keeper *keeper, const struct journal_item *item)
{
    struct history history;
    history_init(&history, item->event.stamp.session);
    journal_reader_before(keeper->reader, item, &history);
    for (size_t i = 0; i < history.count; i++)
        maillog_learn(keeper->maillog, &history.events[i]);
    history_drop(&history);
}

/* A gate that begins has no sessions yet: what its predecessor left open has no end. */
static void gate_began(struct keeper *keeper, const struct journal_item *item)
{
    uint64_t gate;
    struct slice stream = item->stream;
    if (slice_starts(stream, SLICE("gate-")) && text_parse_u64(slice_from(stream, 5), &gate))
        maillog_forget_gate(keeper->maillog, (unsigned)gate);
}

static void item_take(struct keeper *keeper, const struct journal_item *item)
{
    const struct event *event = &item->event;
    const bool again = event->stamp.unix_us <
                       keeper->anew_us; /* people were told before the store was lost */
    if (!again && maillog_lacks(keeper->maillog, event))
        learn(keeper, item);
    if (event->kind == EVENT_KIND_process_started)
        gate_began(keeper, item);
    keeper->events++;
    if (event->stamp.unix_us > keeper->newest_us)
        keeper->newest_us = event->stamp.unix_us;
    keeper->sessions += event->kind == EVENT_KIND_session_ended;
    if (event->kind == EVENT_KIND_told)
        tell_add(keeper, event);
    if (!again)
        log_lines(keeper, event);
    if (!place_set(keeper, item->stream, item->next))
        return;
    keeper_stats_event(keeper->stats, item, loop_unix_us(keeper->loop));
    if (!again)
        keeper_notice_event(keeper->notice, keeper->reader, item);
    const bool grows = keeper_watch_event(keeper->patterns, keeper->reader, item);
    const bool allows = keeper_allow_event(keeper->allow, event);
    if (keeper_blocks_event(keeper->blocks, event) || grows || allows)
        commit_within(keeper, COMMIT_MS);
}

static bool batch_is_full(const struct keeper *keeper)
{
    return keeper->write_count == WRITES_MOST || keeper_stats_is_full(keeper->stats) ||
           keeper_watch_is_full(keeper->patterns) || keeper_blocks_is_full(keeper->blocks) ||
           keeper_allow_is_full(keeper->allow);
}

/* A store that refuses stops the reading when its batch is full: what comes waits in the files. */
static void read_on(struct keeper *keeper)
{
    struct journal_item item;
    unsigned count = 0;
    keeper->more = false;
    while (count++ < EVENTS_A_TURN && !batch_is_full(keeper) && journal_reader_next(keeper->reader, &item))
        item_take(keeper, &item);
    bool full = batch_is_full(keeper);
    if (full)
        commit(keeper);
    keeper->more = count > EVENTS_A_TURN || (full && !batch_is_full(keeper));
    if (keeper->moved)
        commit_within(keeper, PLACES_MS);
    log_output_flush(keeper->output);
    if (keeper->more)
        loop_again(keeper->loop);
}

static void hook_run(struct loop_hook *hook)
{
    struct keeper *keeper = LIST_OF(hook, struct keeper, hook);
    if (keeper->more)
        read_on(keeper);
}

static void written(struct loop_watch *watch, unsigned ready)
{
    struct keeper *keeper = LIST_OF(watch, struct keeper, watch);
    (void)ready;
    journal_reader_look(keeper->reader);
    read_on(keeper);
}

static void retain(struct keeper *keeper)
{
    struct error error = {0};
    keeper->retention_ms = loop_now_ms(keeper->loop) + RETENTION_MS;
    if (keeper_files_retain(&keeper->files, keeper->reader, keeper->stats, loop_unix_us(keeper->loop),
                            &error))
        trouble(keeper, "remove old journal files", &error,
                "it is tried again; until then they take disk space");
}

/* What is over goes within half an hour, however many entries there are. */
static void sweep(struct keeper *keeper)
{
    struct store_counts counts = {0};
    struct error error;
    store_counts(keeper->store, &counts, &error);
    size_t most = counts.entries / SWEEP_TICKS;
    store_sweep(keeper->store, loop_unix_us(keeper->loop) / 1000, most > SWEEP_LEAST ? most : SWEEP_LEAST,
                &error);
}

/* What a notice's next step is waits for the store to have the one before. */
static void notices_turn(struct keeper *keeper)
{
    while (keeper_notice_tick(keeper->notice, !keeper->more)) {
        keeper->moved = true;
        commit(keeper);
        if (keeper->moved)
            return;
    }
}

static void tick_due(struct loop_timer *timer)
{
    struct keeper *keeper = LIST_OF(timer, struct keeper, tick);
    struct error error;
    if (loop_now_ms(keeper->loop) >= keeper->retention_ms)
        retain(keeper);
    journal_reader_look(keeper->reader);
    read_on(keeper);
    notices_turn(keeper);
    if (!keeper->moved)
        keeper_store_well(&keeper->health, keeper->journal, loop_unix_us(keeper->loop));
    keeper->moved = keeper_watch_tick(keeper->patterns, !keeper->more) || keeper->moved;
    keeper->moved = keeper_blocks_tick(keeper->blocks) || keeper->moved;
    keeper_exports_tick(keeper->exports);
    keeper->moved = keeper_allow_tick(keeper->allow) || keeper->moved;
    keeper->moved = own_keys_are_due(keeper->own_keys) || keeper->moved;
    sweep(keeper);
    store_lmdb_clear_dead(keeper->store, &error);
    loop_timer_set(keeper->loop, timer, loop_now_ms(keeper->loop) + TICK_MS);
}

/* --- what it is asked ----------------------------------------------------------------------------------- */

/* How old the newest event is that was read, while there are others behind it. */
static uint64_t lag_ms(const struct keeper *keeper, uint64_t behind)
{
    int64_t lag_us = loop_unix_us(keeper->loop) - keeper->newest_us;
    return behind && keeper->newest_us && lag_us > 0 ? (uint64_t)lag_us / 1000 : 0;
}

static void put_counts(struct keeper *keeper, struct json *json)
{
    struct journal_reader_counts counts;
    struct store_counts store = {0};
    struct error error;
    journal_reader_counts(keeper->reader, &counts);
    store_counts(keeper->store, &store, &error);
    json_put_u64(json, "events", counts.events);
    json_put_u64(json, "sessions", keeper->sessions);
    json_put_u64(json, "behind", counts.behind);
    json_put_u64(json, "lag_ms", lag_ms(keeper, counts.behind));
    json_put_u64(json, "damaged", counts.damaged);
    json_put_u64(json, "missing", counts.missing);
    json_put_u64(json, "removed", keeper->files.removed);
    json_put_u64(json, "applied", keeper->applied);
    json_put_u64(json, "refused", keeper->health.refused);
    json_put_u64(json, "entries", store.entries);
    json_put_u64(json, "log_lost", log_output_lost(keeper->output));
    keeper_notice_status(keeper->notice, json);
    keeper_watch_status(keeper->patterns, json);
    keeper_blocks_status(keeper->blocks, json);
    keeper_exports_status(keeper->exports, json);
    keeper_allow_status(keeper->allow, json);
}

static void status_say(struct keeper *keeper, struct control *control, slab_handle request)
{
    struct json json;
    struct buf text;
    buf_init(&text, 64 * 1024);
    json_begin(&json, &text);
    json_object_open(&json);
    json_put_text(&json, "process", SLICE("keeper"));
    put_counts(keeper, &json);
    keeper_streams_put(keeper->reader, &json);
    json_object_close(&json);
    if (json_end(&json))
        control_line(control, request, buf_slice(&text));
    buf_drop(&text);
}

/* Who asks for a block or an allowance wants to know that it is in force. */
static void blocks_command(struct keeper *keeper, struct control *control,
                           const struct control_request *request)
{
    if (!keeper_blocks_command(keeper->blocks, control, request))
        return;
    keeper->moved = true;
    commit(keeper);
    keeper_blocks_answer(keeper->blocks, control, request->handle);
}

static void allow_command(struct keeper *keeper, struct control *control,
                          const struct control_request *request)
{
    if (!keeper_allow_command(keeper->allow, control, request))
        return;
    keeper->moved = true;
    commit(keeper);
    keeper_allow_answer(keeper->allow, control, request->handle);
}

static void commanded(void *data, struct control *control, const struct control_request *request)
{
    struct keeper *keeper = data;
    struct keeper_store store = {keeper->store, keeper->journal, loop_unix_us(keeper->loop)};
    if (slice_equal(request->command, SLICE("store"))) {
        keeper_store_command(&store, control, request);
    } else if (slice_equal(request->command, SLICE("stats"))) {
        keeper_stats_command(keeper->stats, control, request, store.unix_us);
    } else if (slice_equal(request->command, SLICE("campaigns"))) {
        keeper_watch_command(keeper->patterns, control, request);
    } else if (slice_equal(request->command, SLICE("blocks"))) {
        blocks_command(keeper, control, request);
    } else if (slice_equal(request->command, SLICE("allow"))) {
        allow_command(keeper, control, request);
    } else if (slice_equal(request->command, SLICE("report"))) {
        const struct keeper_report report = {keeper->site, keeper->journal, store.unix_us};
        keeper_report_command(&report, control, request);
    } else if (slice_equal(request->command, SLICE("status"))) {
        status_say(keeper, control, request->handle);
        control_done(control, request->handle);
    } else {
        control_error(
            control, request->handle,
            SLICE("the keeper knows the commands status, stats, store, campaigns, blocks, allow and report"));
    }
}

/* --- the supervisor ------------------------------------------------------------------------------------- */

/* The others have ended: what they wrote is there. */
static void drain(struct keeper *keeper)
{
    journal_reader_look(keeper->reader);
    for (uint64_t before = UINT64_MAX; before != keeper->events;) {
        before = keeper->events;
        read_on(keeper);
    }
    commit(keeper);
    loop_stop(keeper->loop);
}

static void message_came(void *data, const struct worker_message *message)
{
    struct keeper *keeper = data;
    if (message->kind == WORKER_DRAIN)
        drain(keeper);
    else if (message->kind == WORKER_EVENT)
        journal_writer_add(keeper->journal, message->payload, NULL);
    else if (message->kind == WORKER_FLUSH)
        flush_begin(&keeper->flush, keeper->worker, keeper->loop, keeper->journal, message->number);
}

/* --- beginning and end --- */

static int store_begin(struct keeper *keeper, struct error *error)
{
    char folder[ROLE_PATH_SIZE];
    role_folder(keeper->worker, "store", folder);
    struct store_lmdb_settings settings = {.folder = slice_text(folder), .writer = true};
    keeper->anew_us = keeper_store_anew_us(folder);
    if (store_lmdb_open(&settings, &keeper->store, error) < 0)
        return -1;
    return keeper_stats_open(keeper->store, keeper->folder, &keeper->stats, error);
}

static int log_begin(struct keeper *keeper, struct error *error)
{
    const struct settings *set = &keeper->site->set;
    struct log_output_settings settings = {.to = (enum log_to)set->log_to,
                                           .file = set->log_file,
                                           .facility = set->log_facility,
                                           .host = set->host_name};
    keeper->maillog = maillog_new(SESSIONS_KEPT);
    return log_output_open(&settings, &keeper->output, error);
}

static int reader_begin(struct keeper *keeper, struct error *error)
{
    struct journal_reader_settings settings = {
        .folder = keeper->folder, .from = JOURNAL_FROM_START, .place = place_known, .data = keeper};
    if (journal_reader_open(&settings, &keeper->reader, error) < 0)
        return -1;
    keeper->watch.fd = journal_reader_fd(keeper->reader);
    keeper->watch.ready = written;
    return keeper->watch.fd < 0 ? 0 : loop_add(keeper->loop, &keeper->watch, LOOP_READ, error);
}

static int control_begin(struct keeper *keeper, struct error *error)
{
    struct control_handler handler = {commanded, keeper};
    keeper->control = role_control_open(keeper->worker, keeper->loop, &handler, error);
    return keeper->control ? 0 : -1;
}

static int parts_begin(struct keeper *keeper, struct error *error)
{
    struct keeper_notice_settings notice = {keeper->site, keeper->loop, keeper->store, keeper->journal};
    struct keeper_blocks_settings blocks = {keeper->site, keeper->loop, keeper->store, keeper->journal, NULL};
    struct keeper_watch_settings patterns = {keeper->site,    keeper->loop,   keeper->store,
                                             keeper->journal, keeper->folder, NULL};
    keeper->own_keys = own_keys_new(keeper->store, loop_unix_us(keeper->loop) / 1000);
    keeper->allow = keeper_allow_new(
        &(struct keeper_allow_settings){keeper->loop, keeper->store, keeper->journal, keeper->own_keys});
    keeper->notice = keeper_notice_new(&notice);
    blocks.own_keys = keeper->own_keys;
    patterns.blocks = keeper->blocks = keeper_blocks_new(&blocks);
    keeper->patterns = keeper_watch_new(&patterns);
    return keeper_exports_of_blocks(&blocks, keeper->blocks, &keeper->exports, error);
}

static int keeper_begin(struct keeper *keeper, struct error *error)
{
    keeper->watch.fd = -1;
    keeper->commit.due = commit_due;
    keeper->tick.due = tick_due;
    keeper->hook.run = hook_run;
    arena_init(&keeper->arena, NULL, 0);
    buf_init(&keeper->lines, 64 * 1024);
    role_folder(keeper->worker, "journal", keeper->folder);
    keeper->files = (struct keeper_files){.set = &keeper->site->set, .folder = keeper->folder};
    keeper->loop = loop_open(error);
    if (!keeper->loop)
        return -1;
    loop_hook_add(keeper->loop, &keeper->hook);
    if (role_journal_open(keeper->worker, &keeper->journal, error) < 0 || store_begin(keeper, error) < 0 ||
        log_begin(keeper, error) < 0 || reader_begin(keeper, error) < 0 || control_begin(keeper, error) < 0)
        return -1;
    if (parts_begin(keeper, error) < 0)
        return -1;
    keeper->port = worker_attach(keeper->worker, keeper->loop, message_came, keeper, error);
    return keeper->port ? 0 : -1;
}

static void keeper_done(struct keeper *keeper)
{
    worker_detach(keeper->port);
    control_close(keeper->control);
    if (keeper->loop)
        loop_remove(keeper->loop, &keeper->watch);
    journal_reader_close(keeper->reader);
    log_output_close(keeper->output);
    maillog_free(keeper->maillog);
    keeper_stats_close(keeper->stats);
    keeper_notice_free(keeper->notice);
    keeper_watch_free(keeper->patterns);
    keeper_exports_close(keeper->exports);
    keeper_blocks_free(keeper->blocks);
    keeper_allow_free(keeper->allow);
    own_keys_free(keeper->own_keys);
    store_close(keeper->store);
    journal_writer_close(keeper->journal);
    buf_drop(&keeper->lines);
    arena_drop(&keeper->arena);
    loop_close(keeper->loop);
    memory_give(keeper, sizeof *keeper);
}

int keeper_run(const struct worker *worker)
{
    struct error error;
    struct keeper *keeper = memory_take(sizeof *keeper);
    keeper->worker = worker;
    keeper->site = worker->site;
    if (keeper_begin(keeper, &error) < 0) {
        keeper_done(keeper);
        return worker_fail(worker, &error);
    }
    role_record_start(worker, keeper->journal, loop_unix_us(keeper->loop));
    tick_due(&keeper->tick);
    worker_ready(worker);
    loop_run(keeper->loop);
    keeper_done(keeper);
    return 0;
}
