/* The start of a connection: is there room for it, and who is behind it. */
#include "core/machine.h"

#include "wire/proxy.h"

static void record_opening(struct step *step, const struct opened *opened)
{
    RECORD(step, session_opened, .peer = opened->peer, .local = opened->local, .sequence = opened->sequence,
           .slots_used = opened->slots_used, .slots_max = step->session->world->site->set.limit_connections,
           .host_used = opened->host_used, .fingerprint = opened->fingerprint,
           .network_used = opened->network_used, .host_rate = opened->host_rate,
           .network_rate = opened->network_rate, .terms = trace_terms(opened));
}

/* Of what there may be `most`, there are `used`. */
struct room {
    enum finding finding;
    uint64_t used, most; /* most 0: no limit */
    const char *what;
};

static bool is_crowded(const struct room *room)
{
    return room->most && room->used > room->most;
}

/* True: that was said, and it is over. */
static bool refused_for(struct step *step, const struct room *room)
{
    struct turn turn;
    turn_init(&turn, step);
    record_finding(step, room->finding,
                   turn_format(&turn, "%llu %s, %llu may be", (unsigned long long)room->used, room->what,
                               (unsigned long long)room->most));
    bool refused = !policy_judge(&turn, STAGE_CONNECT);
    turn_done(&turn);
    return refused;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* True: there is none for it. Behind a proxy the address is the proxy's. */
static bool no_room(struct step *step, const struct opened *opened)
{
    struct session *session = step->session;
    const struct settings *set = &session->world->site->set;
    const struct room rooms[] = {
        {FIND_BUSY, opened->slots_used, set->limit_connections, "connections are open"},
        {FIND_CONCURRENCY, opened->host_used, set->limit_host_connections,
         "connections are open from its address"},
        {FIND_CONCURRENCY, opened->network_used,
         larger(set->limit_network_connections, set->limit_host_connections),
         "connections are open from its network"},
        {FIND_RATE, opened->host_rate, set->limit_host_rate,
         "connections came from its address within a minute"},
        {FIND_RATE, opened->network_rate, set->limit_network_rate,
         "connections came from its network within a minute"},
    };
    size_t count = session->own || opened->proxy ? 1 : sizeof rooms / sizeof *rooms;
    for (size_t i = 0; i < count; i++)
        if (is_crowded(&rooms[i]))
            return refused_for(step, &rooms[i]);
    return false;
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
    say_within(step, STAGE_CONNECT);
    if (opened->short_of_memory)
        session_close(step, END_BY_US, SAY_NO_MEMORY);
    else if (no_room(step, opened))
        return;
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
    say_within(step, STAGE_CONNECT);
    opening_greet(step);
    return proxy.taken;
}
