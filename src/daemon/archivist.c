#include "daemon/archivist.h"

#include "base/memory.h"
#include "daemon/flush.h"
#include "daemon/role.h"
#include "journal/archive.h"
#include "journal/day.h"
#include "journal/packing.h"
#include "wire/json.h"

#include <sys/resource.h>

enum {
    EVENTS_A_TURN = 5000,  /* read before the loop is looked at again */
    COMMIT_MS = 1000,      /* from a session's end to its place in the history, at most */
    RETRY_MS = 5000,       /* after the disk has refused */
    TICK_MS = 1000,        /* the slow look at the folder */
    TIDY_MS = 60000,       /* between two looks for days that are over, or too old */
    LOOK_MS = 10000,       /* between two looks for journal files that are closed */
    PACK_OCTETS = 1 << 20, /* packed before the loop is looked at again */
    PACK_IDLE = 600,       /* seconds after which the last file of a stream without a writer is closed */
    PACK_SETTLE = 5,       /* seconds for which both forms of a file are there */
    DRAIN_EVENTS = 500000, /* read at the end; the next start reads the rest */
    NICE = 10              /* gates come first */
};

struct archivist {
    const struct worker *worker;
    const struct site *site;
    struct loop *loop;
    struct worker_port *port;
    struct control *control;
    struct journal_writer *journal; /* its own stream */
    struct archive *archive;
    struct packing *packing; /* NULL: files stay as they are */
    bool packs;              /* there is something to pack */
    uint64_t look_ms;
    struct loop_watch watch;
    struct loop_timer commit;
    struct loop_timer tick;
    struct flush flush;
    struct loop_hook hook;
    bool more; /* the last turn ended before the journal did */
    uint64_t tidy_ms;
    uint64_t refused, tidy_refused, pack_refused; /* in a row */
    char folder[ROLE_PATH_SIZE], history[ROLE_PATH_SIZE];
};

/* --- what it says -------------------------------------------------------------------------------------- */

static void trouble(struct archivist *archivist, const char *what, const struct error *error,
                    const char *effect)
{
    role_record_trouble(archivist->journal,
                        &(struct event_trouble){.what = slice_text(what),
                                                .reason = slice_text(error->text),
                                                .effect = slice_text(effect)},
                        loop_unix_us(archivist->loop));
}

static void day_damaged(void *data, const char *path, const struct error *error)
{
    struct archivist *archivist = data;
    struct event_stamp stamp = {.unix_us = loop_unix_us(archivist->loop)};
    struct buf events;
    buf_init(&events, EVENT_SIZE_MAX);
    event_add_history_damaged(
        &events, &stamp,
        &(struct event_history_damaged){.file = slice_text(path), .reason = slice_text(error->text)});
    journal_writer_add(archivist->journal, buf_slice(&events), NULL);
    buf_drop(&events);
}

/* --- reading and writing ------------------------------------------------------------------------------- */

static void commit_within(struct archivist *archivist, uint64_t ms)
{
    if (!loop_timer_is_set(&archivist->commit))
        loop_timer_set(archivist->loop, &archivist->commit, loop_now_ms(archivist->loop) + ms);
}

/* A disk that refuses is told of once, and tried again for as long as it takes. */
static bool commit(struct archivist *archivist)
{
    struct error error;
    if (archive_commit(archivist->archive, &error) == 0) {
        archivist->refused = 0;
        return true;
    }
    if (!archivist->refused++)
        trouble(archivist, "write the history", &error,
                "it is tried again; until then sessions are looked for in the journal itself");
    return false;
}

static void read_on(struct archivist *archivist)
{
    archivist->more = archive_turn(archivist->archive, EVENTS_A_TURN);
    if (archive_is_dirty(archivist->archive))
        commit_within(archivist, COMMIT_MS);
    if (archivist->more)
        loop_again(archivist->loop);
}

static void commit_due(struct loop_timer *timer)
{
    struct archivist *archivist = LIST_OF(timer, struct archivist, commit);
    if (!commit(archivist))
        commit_within(archivist, RETRY_MS);
    else
        read_on(archivist); /* a full batch may have stopped it */
}

static void pack_refused(struct archivist *archivist, const struct error *error)
{
    archivist->packs = false;
    if (!archivist->pack_refused++)
        trouble(archivist, "pack closed journal files", error,
                "it is tried again; until then they take more room");
}

static void pack_look(struct archivist *archivist)
{
    struct error error;
    archivist->look_ms = loop_now_ms(archivist->loop) + LOOK_MS;
    if (packing_look(archivist->packing, loop_unix_us(archivist->loop) / 1000000, PACK_IDLE, PACK_SETTLE,
                     &error) < 0)
        pack_refused(archivist, &error);
    else
        archivist->packs = true;
    loop_again(archivist->loop);
}

static void pack_on(struct archivist *archivist)
{
    struct error error;
    int more = packing_turn(archivist->packing, PACK_OCTETS, &error);
    archivist->packs = more > 0;
    if (more < 0)
        pack_refused(archivist, &error);
    else
        archivist->pack_refused = 0;
    if (archivist->packs)
        loop_again(archivist->loop);
}

static void hook_run(struct loop_hook *hook)
{
    struct archivist *archivist = LIST_OF(hook, struct archivist, hook);
    if (archivist->more)
        read_on(archivist);
    if (archivist->packs)
        pack_on(archivist);
}

static void written(struct loop_watch *watch, unsigned ready)
{
    struct archivist *archivist = LIST_OF(watch, struct archivist, watch);
    (void)ready;
    archive_look(archivist->archive);
    if (!archivist->refused)
        read_on(archivist);
}

static void tidy(struct archivist *archivist)
{
    struct error error;
    archivist->tidy_ms = loop_now_ms(archivist->loop) + TIDY_MS;
    if (archive_tidy(archivist->archive, loop_unix_us(archivist->loop) / 1000000, &error) == 0)
        archivist->tidy_refused = 0;
    else if (!archivist->tidy_refused++)
        trouble(archivist, "tidy the history", &error, "it is tried again; until then it takes disk space");
}

static void tick_due(struct loop_timer *timer)
{
    struct archivist *archivist = LIST_OF(timer, struct archivist, tick);
    if (loop_now_ms(archivist->loop) >= archivist->tidy_ms)
        tidy(archivist);
    if (archivist->packing && !archivist->packs && loop_now_ms(archivist->loop) >= archivist->look_ms)
        pack_look(archivist);
    archive_look(archivist->archive);
    if (!archivist->refused)
        read_on(archivist);
    loop_timer_set(archivist->loop, timer, loop_now_ms(archivist->loop) + TICK_MS);
}

/* --- what it is asked ---------------------------------------------------------------------------------- */

static void put_packing(const struct archivist *archivist, struct json *json)
{
    struct packing_counts counts;
    packing_counts(archivist->packing, &counts);
    json_put_u64(json, "packed_files", counts.files);
    json_put_u64(json, "packed_before", counts.before);
    json_put_u64(json, "packed_after", counts.after);
    json_put_u64(json, "packed_waiting", counts.waiting);
}

static void put_counts(struct archivist *archivist, struct json *json)
{
    struct archive_counts counts;
    archive_counts(archivist->archive, &counts);
    int64_t lag_us = loop_unix_us(archivist->loop) - counts.newest_us;
    json_put_u64(json, "events", counts.events);
    json_put_u64(json, "sessions", counts.sessions);
    json_put_u64(json, "gathered", counts.gathered);
    json_put_u64(json, "open", counts.open);
    json_put_u64(json, "behind", counts.behind);
    json_put_u64(json, "total", counts.total);
    json_put_u64(json, "lag_ms",
                 counts.behind && counts.newest_us && lag_us > 0 ? (uint64_t)lag_us / 1000 : 0);
    json_put_u64(json, "damaged", counts.damaged);
    json_put_u64(json, "refused", counts.refused);
    json_put_bool(json, "mending", counts.mending);
    if (counts.error.text[0])
        json_put_text(json, "error", slice_text(counts.error.text));
    if (archivist->packing)
        put_packing(archivist, json);
}

static void status_say(struct archivist *archivist, struct control *control, slab_handle request)
{
    struct json json;
    struct buf text;
    buf_init(&text, 16 * 1024);
    json_begin(&json, &text);
    json_object_open(&json);
    json_put_text(&json, "process", SLICE("archivist"));
    put_counts(archivist, &json);
    json_object_close(&json);
    if (json_end(&json))
        control_line(control, request, buf_slice(&text));
    buf_drop(&text);
}

static const char *check(struct archivist *archivist, const struct control_request *request)
{
    struct error error;
    int64_t day;
    if (!day_name_parse(control_text(request, "day"), &day))
        return "there is no such day";
    if (!archive_check(archivist->archive, day, &error))
        read_on(archivist);
    return NULL;
}

static const char *rebuild(struct archivist *archivist)
{
    struct error error;
    loop_remove(archivist->loop, &archivist->watch); /* its descriptor is the reader's, which goes */
    if (archive_rebuild(archivist->archive, &error) < 0)
        trouble(archivist, "remove the history", &error, "what could not be removed is used on");
    archivist->watch = (struct loop_watch){.ready = written, .fd = archive_fd(archivist->archive)};
    if (archivist->watch.fd >= 0 && loop_add(archivist->loop, &archivist->watch, LOOP_READ, &error) < 0)
        archivist->watch.fd = -1; /* the slow look is enough */
    read_on(archivist);
    return NULL;
}

static void commanded(void *data, struct control *control, const struct control_request *request)
{
    struct archivist *archivist = data;
    const char *complaint = "the archivist knows the commands status, check and rebuild";
    if (slice_equal(request->command, SLICE("status"))) {
        status_say(archivist, control, request->handle);
        complaint = NULL;
    } else if (slice_equal(request->command, SLICE("check"))) {
        complaint = check(archivist, request);
    } else if (slice_equal(request->command, SLICE("rebuild"))) {
        complaint = rebuild(archivist);
    }
    if (complaint)
        control_error(control, request->handle, slice_text(complaint));
    else
        control_done(control, request->handle);
}

/* --- the supervisor ------------------------------------------------------------------------------------ */

static void drain(struct archivist *archivist)
{
    archive_look(archivist->archive);
    (void)archive_turn(archivist->archive, DRAIN_EVENTS);
    (void)commit(archivist);
    loop_stop(archivist->loop);
}

static void message_came(void *data, const struct worker_message *message)
{
    struct archivist *archivist = data;
    if (message->kind == WORKER_DRAIN)
        drain(archivist);
    else if (message->kind == WORKER_EVENT)
        journal_writer_add(archivist->journal, message->payload, NULL);
    else if (message->kind == WORKER_FLUSH)
        flush_begin(&archivist->flush, archivist->worker, archivist->loop, archivist->journal,
                    message->number);
}

/* --- beginning and end --------------------------------------------------------------------------------- */

static int archive_begin(struct archivist *archivist, struct error *error)
{
    struct archive_settings settings = {.journal = archivist->folder,
                                        .history = archivist->history,
                                        .damaged = day_damaged,
                                        .data = archivist};
    if (archive_open(&settings, &archivist->archive, error) < 0)
        return -1;
    if (archivist->site->set.journal_compression)
        archivist->packing = packing_new(archivist->folder, (int)archivist->site->set.journal_compression);
    archivist->watch.fd = archive_fd(archivist->archive);
    archivist->watch.ready = written;
    return archivist->watch.fd < 0 ? 0 : loop_add(archivist->loop, &archivist->watch, LOOP_READ, error);
}

static int control_begin(struct archivist *archivist, struct error *error)
{
    struct control_handler handler = {commanded, archivist};
    archivist->control = role_control_open(archivist->worker, archivist->loop, &handler, error);
    return archivist->control ? 0 : -1;
}

static int archivist_begin(struct archivist *archivist, struct error *error)
{
    archivist->watch.fd = -1;
    archivist->commit.due = commit_due;
    archivist->tick.due = tick_due;
    archivist->hook.run = hook_run;
    role_folder(archivist->worker, "journal", archivist->folder);
    role_folder(archivist->worker, "history", archivist->history);
    archivist->loop = loop_open(error);
    if (!archivist->loop)
        return -1;
    loop_hook_add(archivist->loop, &archivist->hook);
    if (role_journal_open(archivist->worker, &archivist->journal, error) < 0 ||
        archive_begin(archivist, error) < 0 || control_begin(archivist, error) < 0)
        return -1;
    archivist->port = worker_attach(archivist->worker, archivist->loop, message_came, archivist, error);
    return archivist->port ? 0 : -1;
}

static void archivist_done(struct archivist *archivist)
{
    worker_detach(archivist->port);
    control_close(archivist->control);
    if (archivist->loop)
        loop_remove(archivist->loop, &archivist->watch);
    packing_free(archivist->packing);
    archive_close(archivist->archive);
    journal_writer_close(archivist->journal);
    loop_close(archivist->loop);
    memory_give(archivist, sizeof *archivist);
}

int archivist_run(const struct worker *worker)
{
    struct error error;
    struct archivist *archivist = memory_take(sizeof *archivist);
    archivist->worker = worker;
    archivist->site = worker->site;
    (void)setpriority(PRIO_PROCESS, 0, NICE); /* where that is refused it does without */
    if (archivist_begin(archivist, &error) < 0) {
        archivist_done(archivist);
        return worker_fail(worker, &error);
    }
    role_record_start(worker, archivist->journal, loop_unix_us(archivist->loop));
    tick_due(&archivist->tick);
    worker_ready(worker);
    loop_run(archivist->loop);
    archivist_done(archivist);
    return 0;
}
