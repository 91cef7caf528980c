/* The start of a connection: is there room for it, and who is behind it. */
#include "core/machine.h"

#include "wire/proxy.h"

static void record_opening(struct step *step, const struct opened *opened)
{
    RECORD(step, session_opened, .peer = opened->peer, .local = opened->local, .sequence = opened->sequence,
           .slots_used = opened->slots_used, .slots_max = step->session->world->site->set.limit_connections,
           .host_used = opened->host_used, .fingerprint = opened->fingerprint);
}

static enum say refusal(const struct session *session, const struct opened *opened)
{
    const struct settings *set = &session->world->site->set;
    if (opened->short_of_memory)
        return SAY_NO_MEMORY;
    if (opened->slots_used > set->limit_connections)
        return SAY_TOO_BUSY;
    if (opened->host_used > set->limit_host_connections && !session->own && !opened->proxy)
        return SAY_TOO_MANY_FROM_HOST;
    return SAY_NOTHING;
}

/* While a check waits, the banner waits, too. */
void opening_greet(struct step *step)
{
    struct session *session = step->session;
    struct turn turn;
    turn_init(&turn, step);
    policy_greet(&turn);
    bool welcome = stage_run(&turn, STAGE_CONNECT);
    if (turn.waiting)
        session->pending = PENDING_OPENING;
    else if (session->state != STATE_CLOSED)
        session_drop_stage(step);
    if (welcome)
        banner_begin(step);
    turn_done(&turn);
}

void opening_run(struct step *step)
{
    struct session *session = step->session;
    const struct opened *opened = &step->input->opened;
    session->opened_ms = session->active_ms = session->tick_ms;
    session->peer = opened->peer;
    session->local = opened->local;
    session->sequence = opened->sequence;
    session->carried = opened->carried;
    session->tls_offered = opened->tls_offered;
    session->own = networks_contain(&session->world->site->own, &opened->peer);
    session->may_xclient = networks_contain(&session->world->site->xclient, &opened->peer);
    if (opened->fingerprint.len)
        learnt_of(session)->fingerprint = arena_copy(&session->life, opened->fingerprint);
    record_opening(step, opened);
    enum say last_word = refusal(session, opened);
    if (last_word)
        session_close(step, END_BY_US, last_word);
    else if (opened->proxy)
        session_set_state(step, STATE_PROXY);
    else
        opening_greet(step);
}

size_t opening_proxy(struct step *step, struct slice octets)
{
    struct session *session = step->session;
    struct proxy proxy;
    switch (proxy_parse(octets, &proxy)) {
    case PROXY_PARTIAL: return 0;
    case PROXY_BAD: session_close(step, END_BY_US, SAY_PROXY_BAD); return octets.len;
    case PROXY_DONE: break;
    }
    if (!proxy.local) {
        session->peer = proxy.source;
        fingerprint_forget(session);
        session->local = proxy.destination;
        session->own = networks_contain(&session->world->site->own, &session->peer);
        session->may_xclient = networks_contain(&session->world->site->xclient, &session->peer);
        RECORD(step, session_proxied, .how = SLICE("PROXY"), .peer = session->peer, .local = session->local);
    }
    opening_greet(step);
    return proxy.taken;
}
