/* The session waits by itself for a time: it consumes nothing, but sees what is offered. */
#include "core/machine.h"

#include <assert.h>

void hold_begin(struct step *step, enum hold hold, uint64_t due_ms)
{
    struct session *session = step->session;
    struct conduct *conduct = conduct_of(session);
    assert(!session->pending);
    session->pending = PENDING_TIME;
    conduct->hold = (uint8_t)hold;
    conduct->due_ms = due_ms;
}

void hold_end(struct step *step)
{
    struct session *session = step->session;
    assert(session->pending == PENDING_TIME);
    session->pending = PENDING_NOTHING;
    session->conduct->hold = HOLD_NOTHING;
    session->active_ms = session->tick_ms;
}

uint64_t hold_deadline(const struct session *session)
{
    bool holds = session->pending == PENDING_TIME || session->state == STATE_FOREIGN;
    return holds ? session->conduct->due_ms : UINT64_MAX;
}

void hold_due(struct step *step)
{
    struct session *session = step->session;
    if (session->state == STATE_FOREIGN) {
        tunnel_end(step, false);
        return;
    }
    enum hold hold = (enum hold)session->conduct->hold;
    hold_end(step);
    switch (hold) {
    case HOLD_NOTHING: return;
    case HOLD_BANNER: banner_end(step); return;
    case HOLD_NAMING: session->conduct->name_now = true; return;
    case HOLD_REPLY:
        slow_next(step);
        if (!session->pending)
            trace_moved(step, TRACE_DRIPPED);
        return;
    }
}

size_t hold_look(struct step *step, struct slice octets)
{
    struct session *session = step->session;
    switch ((enum hold)session->conduct->hold) {
    case HOLD_NOTHING: return 0;
    case HOLD_BANNER: return banner_early(step, octets);
    case HOLD_NAMING:
        if (foreign_meet(step, octets) == FOREIGN_WAITS)
            return 0;
        if (session->pending == PENDING_TIME)
            hold_end(step);
        return session->state == STATE_CLOSED ? octets.len : 0;
    case HOLD_REPLY: overlap_look(step); return session->state == STATE_CLOSED ? octets.len : 0;
    }
    return 0;
}
