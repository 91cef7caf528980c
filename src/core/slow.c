/* The tarpit: suspects get negative replies late, each later than the one before, and all replies octet by
 * octet. It costs them time and us nothing but the text and a timer: no descriptor more, no loop. What a
 * message is answered with is not slowed: who gives up waiting for a 250 sends again what has arrived. */
#include "core/machine.h"

#include "base/memory.h"
#include "core/slow.h"

#include <assert.h>
#include <string.h>

/* Longer replies begin at once: what drips keeps within what a tarpitted client may cost. */
#define DRIP_MAX 512u

struct drip {
    uint32_t len;
    uint32_t at;
    char octets[];
};

static_assert(sizeof(struct drip) + DRIP_MAX + sizeof(struct conduct) <= 1024,
              "a client in the tarpit costs less than a KiB beside its session");

void drip_free(struct drip *drip)
{
    if (drip)
        memory_give(drip, sizeof *drip + drip->len);
}

static bool is_suspect(const struct session *session)
{
    const struct settings *set = &session->world->site->set;
    return conduct_is_suspect(session) && conduct_tests(session) && (set->slow_first || set->slow_octet);
}

bool slow_is_meant(const struct session *session)
{
    return is_suspect(session) && conduct_mode(session, FIND_SLOW) == MODE_ENFORCE;
}

static bool is_slow(struct step *step)
{
    struct session *session = step->session;
    bool message = step->input->kind == INPUT_STORED || session->state == STATE_STORING;
    if (message || session->state == STATE_CLOSED || session->state == STATE_TLS || session->pending ||
        !is_suspect(session))
        return false;
    struct conduct *conduct = conduct_of(session);
    enum mode mode = conduct_mode(session, FIND_SLOW);
    if (mode != MODE_OFF && !conduct->slow)
        record_finding(step, FIND_SLOW, SLICE("a suspect: its replies go out slowly"));
    conduct->slow = mode != MODE_OFF;
    return mode == MODE_ENFORCE;
}

static uint64_t delay_ms(struct session *session)
{
    const struct settings *set = &session->world->site->set;
    struct conduct *conduct = session->conduct;
    unsigned doublings = conduct->delays < 20 ? conduct->delays : 20;
    conduct->delays++;
    uint64_t delay = set->slow_first << doublings;
    return delay < set->slow_most ? delay : set->slow_most;
}

static void drip_begin(struct step *step, struct slice reply)
{
    struct drip *drip = memory_take(sizeof *drip + reply.len);
    drip->len = (uint32_t)reply.len;
    memcpy(drip->octets, reply.at, reply.len);
    conduct_of(step->session)->drip = drip;
    trace_moved(step, TRACE_DRIPS);
}

void slow_take(struct step *step, size_t start)
{
    struct session *session = step->session;
    struct buf *send = &step->outbox->send;
    if (session->dripped || session->own || !is_slow(step))
        return;
    struct slice reply = slice_from(buf_slice(send), start);
    size_t at_once = reply.len > DRIP_MAX ? reply.len - DRIP_MAX : 0;
    bool negative = reply.at[0] == '4' || reply.at[0] == '5';
    uint64_t wait_ms = session->world->site->set.slow_octet;
    if (negative)
        wait_ms += delay_ms(session);
    if (!wait_ms)
        return;
    drip_begin(step, slice_from(reply, at_once));
    send->len = (uint32_t)(start + at_once);
    hold_begin(step, HOLD_REPLY, session->tick_ms + wait_ms);
}

static void drip_end(struct session *session)
{
    drip_free(session->conduct->drip);
    session->conduct->drip = NULL;
    session->said_ms = session->active_ms = session->tick_ms;
}

/* By the clock, not from now: a gate that is late for once would else be in step with all that waited
 * meanwhile, and they come together for ever. */
static uint64_t next_ms(const struct session *session, uint64_t due_ms, uint64_t octet_ms)
{
    return due_ms + octet_ms > session->tick_ms ? due_ms + octet_ms : session->tick_ms + octet_ms;
}

void slow_next(struct step *step)
{
    struct session *session = step->session;
    struct drip *drip = session->conduct->drip;
    uint64_t due_ms = session->conduct->due_ms;
    uint64_t octet_ms = session->world->site->set.slow_octet;
    size_t count = octet_ms ? 1 : drip->len - drip->at;
    (void)buf_add(&step->outbox->send, slice_of(drip->octets + drip->at, count));
    drip->at += (uint32_t)count;
    session->dripped = true;
    if (drip->at == drip->len)
        drip_end(session);
    else
        hold_begin(step, HOLD_REPLY, next_ms(session, due_ms, octet_ms));
}

bool slow_drips(const struct session *session)
{
    return session->pending == PENDING_TIME && session->conduct->hold == HOLD_REPLY &&
           session->tick_ms >= session->conduct->due_ms;
}

void slow_flush(struct step *step)
{
    struct session *session = step->session;
    struct drip *drip = session->conduct ? session->conduct->drip : NULL;
    if (!drip)
        return;
    (void)buf_add(&step->outbox->send, slice_of(drip->octets + drip->at, drip->len - drip->at));
    drip_end(session);
}
