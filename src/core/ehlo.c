/* EHLO refused, and what comes of it: a mail server says HELO then (RFC 5321 section 3.2), many a bot goes
 * away; and who says HELO under another name is two. */
#include "core/machine.h"

static bool is_refusable(const struct session *session)
{
    if (!conduct_tests(session) || session->polite)
        return false;
    switch ((enum ehlo_refuse)session->world->site->set.ehlo_refuse) {
    case EHLO_REFUSE_OFF: return false;
    case EHLO_REFUSE_SUSPECT: return conduct_is_suspect(session);
    case EHLO_REFUSE_UNKNOWN: return true;
    }
    return false;
}

/* In TLS it would be of no use: the names of before are forgotten, and so is that EHLO got through. */
bool ehlo_accept(struct turn *turn)
{
    struct step *step = turn->step;
    struct session *session = step->session;
    if (!is_refusable(session) || session->tls.len)
        return true;
    enum mode mode = conduct_mode(session, FIND_EHLO_REFUSED);
    if (mode == MODE_OFF)
        return true;
    record_finding(step, FIND_EHLO_REFUSED,
                   turn_format(turn, "EHLO %.*s; the weights sum to %d",
                               SLICE_ARGS(slice_head(turn->command.argument, 64)), (int)session->sum));
    if (mode != MODE_ENFORCE)
        return true;
    conduct_of(session)->refused = true;
    if (!session->helo.len && !session->conduct->first_name.len)
        session->conduct->first_name = arena_copy(&session->life, turn->command.argument);
    say(step, SAY_EHLO_REFUSED);
    return false;
}

/* Names that follow each other are the rule's exception, so the first is kept only once there are two. */
void ehlo_compare(struct turn *turn)
{
    struct session *session = turn->step->session;
    struct slice name = turn->command.argument, first = session->helo;
    if (session->conduct && session->conduct->first_name.len)
        first = session->conduct->first_name;
    if (session->own || !first.len || slice_equal_fold(first, name))
        return;
    conduct_of(session)->first_name = first;
    char address[ADDRESS_TEXT_SIZE];
    size_t len = address_print(&session->peer, address);
    turn_find_saying(turn, FIND_HELO_SCHIZOPHRENIC, slice_of(address, len),
                     "it said %.*s first, and now %.*s", SLICE_ARGS(slice_head(first, 64)),
                     SLICE_ARGS(slice_head(name, 64)));
}

#define KEY_SIZE (ADDRESS_PORT_TEXT_SIZE + 16)

/* The host is remembered, but of machines without a name their network, where they went without a word. Keys
 * and values are those of the check "visit", places as it has them. */
static struct slice visit_key(const struct session *session, bool politely, struct arena *arena)
{
    const struct address *peer = &session->peer;
    bool six = peer->family == ADDRESS_IPV6, network = !politely && !session->name.len;
    char text[ADDRESS_PORT_TEXT_SIZE];
    struct prefix prefix = {.bits = six ? 64 : 24};
    prefix.network = address_network(peer, prefix.bits);
    if (six || (network && !address_is_loopback(peer)))
        prefix_print(&prefix, text);
    else
        address_print(peer, text);
    return arena_format(arena, "ehlo %s %s", network ? "net" : "host", text);
}

void ehlo_close(struct step *step, bool politely)
{
    struct session *session = step->session;
    char room[KEY_SIZE];
    struct arena arena;
    if (!session->conduct->refused || session->helo.len)
        return;
    arena_init(&arena, room, sizeof room);
    record_observation(step, FIND_EHLO_NO_HELO,
                       politely ? SLICE("EHLO was refused and HELO never came, but QUIT")
                                : SLICE("EHLO was refused and HELO never came"));
    step_tell(step, &(struct tell_item){TELL_PUT, visit_key(session, politely, &arena),
                                        politely ? SLICE("polite") : SLICE("no-helo"),
                                        session->world->site->set.ehlo_remember});
    arena_drop(&arena);
}
