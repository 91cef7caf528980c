/* What is known of a client's conduct, made when there is something to know. */
#include "core/machine.h"

#include "base/memory.h"
#include "core/slow.h"
#include "wire/http.h"

struct conduct *conduct_of(struct session *session)
{
    if (!session->conduct)
        session->conduct = arena_take(&session->life, sizeof *session->conduct);
    return session->conduct;
}

void conduct_free(struct session *session)
{
    struct conduct *conduct = session->conduct;
    if (!conduct)
        return;
    if (conduct->http)
        memory_give(conduct->http, sizeof *conduct->http);
    conduct->http = NULL;
    drip_free(conduct->drip);
    conduct->drip = NULL;
}

void fingerprint_forget(struct session *session)
{
    if (session->learnt)
        session->learnt->fingerprint = SLICE_NONE;
}

bool conduct_is_strange(const struct session *session)
{
    return !session->own && !session->known;
}

bool conduct_is_suspect(const struct session *session)
{
    bool heavy = session->sum >= (int32_t)session->world->site->set.policy_suspect;
    return conduct_is_strange(session) && (heavy || session->slow);
}

bool conduct_tests(const struct session *session)
{
    return conduct_is_strange(session) && !policy_spares(session);
}

enum mode conduct_mode(const struct session *session, enum finding finding)
{
    return policy_rule(session, finding).mode;
}

bool conduct_drops(const struct session *session, enum finding finding)
{
    struct rule rule = policy_rule(session, finding);
    return rule.mode == MODE_ENFORCE && rule.action == ACTION_DROP && !policy_spares(session);
}

void conduct_close(struct step *step, bool politely)
{
    const struct conduct *conduct = step->session->conduct;
    if (!conduct)
        return;
    tunnel_report(step);
    ehlo_close(step, politely);
}
