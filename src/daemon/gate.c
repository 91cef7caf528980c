#include "daemon/gate.h"
#include "base/memory.h"
#include "checks/list.h"
#include "daemon/conn.h"
#include "daemon/heir.h"
#include "daemon/listener.h"
#include "daemon/questions.h"
#include "daemon/relay.h"
#include "daemon/role.h"
#include "io/digest.h"
#include "io/files.h"
#include "io/store.h"
#include "queue/mailboxes.h"
#include "queue/spool.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { TICK_MS = 1000, OVERLAY_MOST = 10000 };

/* --- numbers ------------------------------------------------------------------------------------------- */

/* The id has 6 bits for the gate and 16 for a counter; a slot over 63 takes the counter's upper half. */
uint64_t gate_session_id(struct gate *gate)
{
    uint64_t unix_ms = (uint64_t)loop_unix_us(gate->loop) / 1000;
    if (unix_ms > gate->id_last_ms) {
        gate->id_last_ms = unix_ms;
        gate->id_count = 0;
    } else if (gate->id_count == 0x7fff) {
        gate->id_last_ms++; /* also where the clock was set back: an id never comes twice */
        gate->id_count = 0;
    } else {
        gate->id_count++;
    }
    unsigned slot = gate->worker->slot;
    return event_id_make((int64_t)gate->id_last_ms, slot & 63, gate->id_count | (slot >> 6) << 15);
}

static struct event_stamp stamp_now(const struct gate *gate)
{
    return (struct event_stamp){.session = 0, .unix_us = loop_unix_us(gate->loop)};
}

/* Each second: what the status shows, and what the machine is to know. */
static void tick_due(struct loop_timer *timer)
{
    struct gate *gate = LIST_OF(timer, struct gate, tick);
    struct counters *counters = gate->worker->counters;
    unsigned slot = gate->worker->slot;
    struct journal_counts counts;
    journal_writer_counts(gate->journal, &counts);
    counters_set(counters, slot, COUNTER_EVENTS_LOST, counts.lost);
    counters_set(counters, slot, COUNTER_MEMORY, memory_in_use());
    counters_set(counters, slot, COUNTER_CONN_SIZE, conn_size());
    for (unsigned i = 0; i < LOOP_LAG_CLASSES; i++)
        counters_set(counters, slot, (enum counter)(COUNTER_LAG + i), loop_lag_us(gate->loop)[i]);
    questions_count(gate->questions);
    gate->world.short_of_disk = spool_short_of_disk(gate->spool, loop_now_ms(gate->loop));
    loop_timer_set(gate->loop, timer, loop_now_ms(gate->loop) + TICK_MS);
}

/* --- for the relay ------------------------------------------------------------------------------------- */

static void relay_record(void *data, struct slice records)
{
    struct gate *gate = data;
    journal_writer_add(gate->journal, records, NULL);
}

/* The inner server took a message when its session had ended: the client will bring it again, and is to be
 * told that it was taken. */
static void relay_late(void *data, struct slice key, const struct stored *stored)
{
    struct gate *gate = data;
    int64_t now_ms = loop_unix_us(gate->loop) / 1000;
    int64_t until_ms = now_ms + (int64_t)gate->site->set.relay_remember;
    struct event_stamp stamp = stamp_now(gate);
    struct journal_mark mark = {0, 0};
    struct buf events;
    buf_init(&events, EVENT_SIZE_MAX);
    event_add_told(
        &events, &stamp,
        &(struct event_told){
            .verb = STORE_PUT, .key = key, .value = stored->text, .expires_ms = (uint64_t)until_ms});
    journal_writer_add(gate->journal, buf_slice(&events), &mark);
    buf_drop(&events);
    struct store_write write = {
        .verb = STORE_PUT, .key = key, .value = stored->text, .expires_unix_ms = until_ms};
    store_overlay_tell(gate->overlay, &write, (struct store_position){mark.sequence, mark.offset}, now_ms);
}

/* --- the end ------------------------------------------------------------------------------------------- */

void gate_look_for_end(struct gate *gate)
{
    if (!gate->draining || gate->drained)
        return;
    if (gate->conns.used || relay_busy(gate->relay) || spool_busy(gate->spool))
        return;
    gate->drained = true;
    loop_stop(gate->loop);
}

static void end_due(struct loop_timer *timer)
{
    struct gate *gate = LIST_OF(timer, struct gate, end);
    gate->drained = true;
    loop_stop(gate->loop);
}

/* A relay's or spool's last result may come after the last connection has gone; there is no call for that. */
static void drain_tick(struct loop_timer *timer)
{
    struct gate *gate = LIST_OF(timer, struct gate, look);
    gate_look_for_end(gate);
    loop_timer_set(gate->loop, timer, loop_now_ms(gate->loop) + 50);
}

static void sweep(struct gate *gate, struct slice listens)
{
    uint16_t listen;
    for (; listens.len >= sizeof listen; listens = slice_from(listens, sizeof listen)) {
        memcpy(&listen, listens.at, sizeof listen);
        listeners_sweep(gate->listeners, listen);
    }
}

static void drain(struct gate *gate, const struct worker_message *message)
{
    uint64_t now_ms = loop_now_ms(gate->loop);
    if (!gate->draining) {
        sweep(gate, message->payload);
        listeners_close(gate->listeners);
        gate->listeners = NULL;
        gate->draining = true;
        loop_timer_set(gate->loop, &gate->look, now_ms);
    }
    if (message->value == WORKER_NO_HURRY)
        return;
    relay_stop(gate->relay);
    loop_timer_set(gate->loop, &gate->end, now_ms + message->value);
    conns_stop(gate);
}

/* --- the supervisor ------------------------------------------------------------------------------------ */

static void adopt(struct gate *gate, const struct worker_message *message)
{
    struct worker_listener adopted[WORKER_FDS_MAX];
    for (size_t i = 0; i < message->fd_count; i++) {
        adopted[i] = (struct worker_listener){.fd = message->fds[i]};
        memcpy(&adopted[i].listen, message->payload.at + i * sizeof adopted[i].listen,
               sizeof adopted[i].listen);
    }
    if (gate->listeners)
        listeners_adopt(gate->listeners, message->number, adopted, message->fd_count, NULL);
}

static void message_came(void *data, const struct worker_message *message)
{
    struct gate *gate = data;
    switch (message->kind) {
    case WORKER_DRAIN: drain(gate, message); break;
    case WORKER_ADOPT: adopt(gate, message); break;
    case WORKER_RELEASE:
        if (gate->listeners)
            listeners_release(gate->listeners, message->number);
        break;
    case WORKER_EVENT: journal_writer_add(gate->journal, message->payload, NULL); break;
    case WORKER_FLUSH:
        flush_begin(&gate->flush, gate->worker, gate->loop, gate->journal, message->number);
        break;
    case WORKER_READY:
    case WORKER_FLUSHED:
    case WORKER_TROUBLE: break; /* these go the other way */
    }
}

/* --- the beginning ------------------------------------------------------------------------------------- */

static void folders_name(struct gate *gate)
{
    struct gate_folders *ret = &gate->folders;
    role_folder(gate->worker, "spool", ret->spool);
    snprintf(ret->incoming, sizeof ret->incoming, "%s/incoming", ret->spool);
    snprintf(ret->mailboxes, sizeof ret->mailboxes, "%s/mailboxes", ret->spool);
    role_folder(gate->worker, "store", ret->store);
}

static int store_begin(struct gate *gate, struct error *error)
{
    struct store_lmdb_settings settings = {.folder = slice_text(gate->folders.store)};
    char stream[32];
    int len = snprintf(stream, sizeof stream, "gate-%u", gate->worker->slot);
    if (store_lmdb_open(&settings, &gate->store, error) < 0)
        return -1;
    gate->overlay = store_overlay_new(gate->store, slice_of(stream, (size_t)len), OVERLAY_MOST);
    return 0;
}

static int spool_begin(struct gate *gate, struct error *error)
{
    struct spool_settings settings = {
        .inbox = gate->inbox,
        .files = &files_system,
        .folder = gate->folders.spool,
        .gate = gate->worker->slot & 63,
        .room_min = gate->site->set.limit_disk_free,
    };
    drafts_init(&gate->drafts, &files_system, gate->folders.incoming, gate_session_id(gate));
    gate->mailboxes = mailboxes_open(gate->folders.mailboxes);
    return spool_open(&settings, &gate->spool, error);
}

static void relay_begin(struct gate *gate)
{
    struct relay_gate services = {
        .gate = gate,
        .loop = gate->loop,
        .inbox = gate->inbox,
        .record = relay_record,
        .late = relay_late,
    };
    gate->relay = relay_new(&services, gate->site);
}

static int world_begin(struct gate *gate, struct error *error)
{
    gate->world = (struct session_world){.site = gate->site, .digest = digest_openssl(), .unsealed = true};
    session_world_checks(&gate->world, check_list);
    if (getrandom(&gate->world.seed, sizeof gate->world.seed, 0) != (ssize_t)sizeof gate->world.seed)
        return error_set(error, errno, "the system has no random octets");
    return 0;
}

/* The inbox drains before connections go on, and both before the loop waits again: an answer that is there at
 * once costs no turn. */
static int gate_begin(struct gate *gate, struct error *error)
{
    struct inbox_receiver receiver = {conn_answered, conn_stored, gate};
    if (world_begin(gate, error) < 0)
        return -1;
    gate->tick.due = tick_due;
    gate->end.due = end_due;
    gate->look.due = drain_tick;
    guard_init(&gate->guard, gate->site->set.limit_memory);
    guard_room(&gate->guard, gate->site->set.limit_connections); /* before there are threads */
    gate->loop = loop_open(error);
    if (!gate->loop)
        return -1;
    gate->inbox = inbox_open(gate->loop, &receiver, error);
    if (!gate->inbox)
        return -1;
    folders_name(gate);
    gate->heir = heir_new(gate->worker);
    if (role_journal_open(gate->worker, &gate->journal, error) < 0 || store_begin(gate, error) < 0 ||
        spool_begin(gate, error) < 0)
        return -1;
    relay_begin(gate);
    gate->questions = questions_new(gate);
    conns_init(gate);
    gate->listeners = listeners_open(gate, error);
    gate->port = gate->listeners ? worker_attach(gate->worker, gate->loop, message_came, gate, error) : NULL;
    return gate->port ? 0 : -1;
}

/* Those who post into the inbox end before it, and what they end with is not waited for. */
static void gate_done(struct gate *gate)
{
    if (gate->in)
        conns_done(gate);
    listeners_close(gate->listeners);
    worker_detach(gate->port);
    questions_free(gate->questions);
    relay_free(gate->relay);
    spool_close(gate->spool);
    mailboxes_close(gate->mailboxes);
    store_overlay_free(gate->overlay);
    store_close(gate->store);
    heir_free(gate->heir);
    journal_writer_close(gate->journal);
    inbox_close(gate->inbox);
    loop_close(gate->loop);
    memory_give(gate, sizeof *gate);
}

int gate_run(const struct worker *worker)
{
    struct error error;
    struct gate *gate = memory_take(sizeof *gate);
    gate->worker = worker;
    gate->site = worker->site;
    if (gate_begin(gate, &error) < 0) {
        gate_done(gate);
        return worker_fail(worker, &error);
    }
    role_record_start(worker, gate->journal, loop_unix_us(gate->loop));
    heir_begin(gate->heir, gate->loop, gate->journal);
    tick_due(&gate->tick);
    worker_ready(worker);
    loop_run(gate->loop);
    heir_finish(gate->heir);
    role_record_stop(worker, gate->journal, loop_unix_us(gate->loop));
    gate_done(gate);
    return 0;
}
