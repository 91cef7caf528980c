/* Clients that do not speak SMTP. */
#include "core/machine.h"

#include "wire/foreign.h"

#define NAMING_MS 1000

static bool collects(const struct session *session, enum foreign_kind kind)
{
    return kind == FOREIGN_HTTP &&
           (conduct_drops(session, FIND_FOREIGN_PROTOCOL) || conduct_drops(session, FIND_HTTP_TUNNEL));
}

/* HTTP gets no answer, so that it goes on; the others hear what this port is for. */
static void met(struct turn *turn, const struct foreign *foreign)
{
    struct step *step = turn->step;
    struct session *session = step->session;
    conduct_of(session)->foreign = true;
    turn_find(turn, FIND_FOREIGN_PROTOCOL, "%s: %.*s", foreign_name(foreign->kind),
              (int)foreign->evidence_len, foreign->evidence);
    if (collects(session, foreign->kind)) {
        record_finding(step, FIND_FOREIGN_PROTOCOL, turn->found[0].evidence);
        turn->found_count = 0;
        tunnel_begin(step);
        return;
    }
    policy_judge(turn, STAGE_CONNECT);
    turn->found_count = 0;
    if (foreign->kind == FOREIGN_HTTP && session->state != STATE_CLOSED)
        tunnel_begin(step);
}

static bool is_over(const struct session *session)
{
    return session->state == STATE_CLOSED || session->state == STATE_FOREIGN;
}

enum foreign_result foreign_meet(struct step *step, struct slice octets)
{
    struct session *session = step->session;
    struct foreign foreign;
    if (session->conduct && session->conduct->foreign)
        return FOREIGN_IS_NOT;
    if (!foreign_parse(octets, session->conduct && session->conduct->name_now, &foreign)) {
        if (!session->pending)
            hold_begin(step, HOLD_NAMING, session->tick_ms + NAMING_MS);
        return FOREIGN_WAITS;
    }
    if (foreign.kind == FOREIGN_NONE)
        return FOREIGN_IS_NOT;
    struct turn turn;
    turn_init(&turn, step);
    met(&turn, &foreign);
    turn_done(&turn);
    if (session->state == STATE_FOREIGN)
        tunnel_take(step, octets);
    return is_over(session) ? FOREIGN_TAKEN : FOREIGN_IS_NOT;
}

bool foreign_line(struct turn *turn)
{
    struct session *session = turn->step->session;
    struct foreign foreign;
    if (session->state != STATE_GREETED || (session->conduct && session->conduct->foreign))
        return true;
    foreign_parse(turn->line, true, &foreign);
    if (foreign.kind == FOREIGN_NONE)
        return true;
    met(turn, &foreign);
    tunnel_line(turn->step, turn->line);
    return !is_over(session);
}
