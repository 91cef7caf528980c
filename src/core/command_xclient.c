/* XCLIENT: a listed client names the client behind it; the session begins anew with that one. */
#include "core/machine.h"

#include "wire/domain.h"
#include "wire/xclient.h"

static bool parse(struct turn *turn, struct xclient *ret_xclient)
{
    struct slice culprit = SLICE_NONE;
    if (xclient_parse(turn->command.argument, &turn->arena, ret_xclient, &culprit) == XCLIENT_DONE)
        return true;
    say_with(turn->step, SAY_XCLIENT_SYNTAX, culprit, SLICE_NONE);
    return false;
}

bool command_xclient_parse(struct turn *turn)
{
    const struct session *session = turn->step->session;
    struct xclient xclient;
    if (!session->may_xclient)
        say(turn->step, SAY_XCLIENT_REFUSED);
    else if (session->state != STATE_GREETED && session->state != STATE_READY)
        say_with(turn->step, SAY_NOT_IN_TRANSACTION, SLICE("XCLIENT"), SLICE_NONE);
    else
        return parse(turn, &xclient);
    return false;
}

static bool name_usable(struct slice name)
{
    return name.len && slice_is_printable(name) && domain_check(name, false, NULL) == DOMAIN_DONE;
}

/* The right to XCLIENT stays with the connection: the front may name one client after the other. */
void command_xclient_proceed(struct turn *turn)
{
    struct step *step = turn->step;
    struct session *session = step->session;
    struct xclient xclient;
    struct slice culprit;
    xclient_parse(turn->command.argument, &turn->arena, &xclient, &culprit);
    policy_forget(step);
    if (xclient.client.family) {
        session->peer = xclient.client;
        session->named = true;
    }
    fingerprint_forget(session);
    if (xclient.destination.family)
        session->local = xclient.destination;
    if (xclient.state[XCLIENT_NAME] != XCLIENT_ABSENT)
        session->name = name_usable(xclient.text[XCLIENT_NAME])
                            ? arena_copy(&session->life, xclient.text[XCLIENT_NAME])
                            : SLICE_NONE;
    session->own = networks_contain(&session->world->site->own, &session->peer);
    session->helo = SLICE_NONE;
    session->esmtp = false;
    RECORD(step, session_proxied, .how = SLICE("XCLIENT"), .peer = session->peer, .local = session->local,
           .name = session->name, .helo = xclient.text[XCLIENT_HELO]);
    opening_greet(step);
}
