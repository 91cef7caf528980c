/* The start of a connection: is there room for it, and who is behind it. */
#include "core/machine.h"

#include "base/text.h"
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

/* Connections, this one included. */
struct crowd {
    uint64_t host_used, network_used; /* open */
    uint64_t host_rate, network_rate; /* that began within a minute */
};

static bool no_room_for(struct step *step, const struct crowd *crowd)
{
    const struct settings *set = &step->session->world->site->set;
    const struct room rooms[] = {
        {FIND_CONCURRENCY, crowd->host_used, set->limit_host_connections,
         "connections are open from its address"},
        {FIND_CONCURRENCY, crowd->network_used,
         larger(set->limit_network_connections, set->limit_host_connections),
         "connections are open from its network"},
        {FIND_RATE, crowd->host_rate, set->limit_host_rate,
         "connections came from its address within a minute"},
        {FIND_RATE, crowd->network_rate, set->limit_network_rate,
         "connections came from its network within a minute"},
    };
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
        if (is_crowded(&rooms[i]))
            return refused_for(step, &rooms[i]);
    return false;
}

/* True: there is none for it. A front's own connections are many: whom it names is counted. */
static bool no_room(struct step *step, const struct opened *opened)
{
    const struct session *session = step->session;
    const struct room slots = {FIND_BUSY, opened->slots_used, session->world->site->set.limit_connections,
                               "connections are open"};
    if (is_crowded(&slots))
        return refused_for(step, &slots);
    if (session->own || opened->proxy || session->may_xclient)
        return false;
    return no_room_for(step, &(struct crowd){opened->host_used, opened->network_used, opened->host_rate,
                                             opened->network_rate});
}

static bool crowd_read(struct slice text, struct crowd *ret_crowd)
{
    uint64_t *const counts[] = {&ret_crowd->host_used, &ret_crowd->network_used, &ret_crowd->host_rate,
                                &ret_crowd->network_rate};
    struct slice word;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (!slice_word(&text, &word) || !text_parse_u64(word, counts[i]))
            return false;
    return true;
}

/* False: it is being asked how many there are of whom a front has named, or they are too many. */
static bool room_behind(struct turn *turn)
{
    struct session *session = turn->step->session;
    char text[ADDRESS_TEXT_SIZE];
    struct crowd crowd;
    if (!session->named)
        return true;
    const struct ask *ask = turn_ask(turn, ASK_ROOM, slice_of(text, address_print(&session->peer, text)));
    if (!ask)
        return false;
    session->named = false;
    if (ask->status != ANSWER_FOUND || session->own || !crowd_read(ask->value, &crowd)) /* fails open */
        return true;
    return !no_room_for(turn->step, &crowd);
}

/* While a check waits, the banner waits, too. */
void opening_greet(struct step *step)
{
    struct session *session = step->session;
    struct turn turn;
    turn_init(&turn, step);
    policy_greet(&turn);
    bool welcome = room_behind(&turn) && stage_run(&turn, STAGE_CONNECT);
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
    session->own_list = opened->own_list;
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
        session->named = true;
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
