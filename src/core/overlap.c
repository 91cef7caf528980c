/* Pipelining, judged command by command: what stands behind a command before its reply was sent?
 *
 * RFC 2920 section 3.1: once EHLO has offered PIPELINING, MAIL, RCPT and RSET may be followed at once; EHLO,
 * DATA, VRFY, EXPN, TURN, QUIT and NOOP stand last in their group. BDAT's octets follow it (RFC 3030), and so
 * may whatever comes after a chunk that is not the last. Behind the end of a message the next group, or QUIT,
 * may follow. Only octets that are here before the reply count: how TCP has cut them up, or how soon the next
 * ones come after it, is of no interest. */
#include "core/machine.h"

static bool is_offered(const struct session *session)
{
    return session->esmtp && session->world->site->set.offer_pipelining;
}

static bool may_be_followed(const struct session *session, enum verb verb)
{
    switch (verb) {
    case VERB_MAIL:
    case VERB_RCPT:
    case VERB_RSET: return is_offered(session);
    case VERB_BDAT:     /* its octets follow, whatever is answered */
    case VERB_STARTTLS: /* worse, and a finding of its own */
    case VERB_NONE:     /* no command: junk is the finding */
    case VERB_UNKNOWN:
    case VERB_LHLO: return true;
    default: return false;
    }
}

static bool judge(struct turn *turn, enum verb verb)
{
    struct session *session = turn->step->session;
    session->overlapped = true;
    turn_find(turn, FIND_PIPELINING, "%zu octets came behind %.*s, before the reply to it", turn->behind,
              SLICE_ARGS(verb_name(verb)));
    bool pass = policy_judge(turn, STAGE_CONNECT);
    turn->found_count = 0;
    return pass;
}

bool overlap_judge(struct turn *turn)
{
    const struct session *session = turn->step->session;
    enum verb verb = turn->command.verb;
    if (!turn->behind || session->own || session->overlapped || may_be_followed(session, verb))
        return true;
    return judge(turn, verb);
}

void overlap_look(struct step *step)
{
    struct session *session = step->session;
    enum verb verb = (enum verb)session->verb;
    if (session->own || session->overlapped || may_be_followed(session, verb))
        return;
    struct turn turn;
    turn_init(&turn, step);
    turn.behind = step->input->bytes.len;
    judge(&turn, verb);
    turn_done(&turn);
}

/* Whether the octets are, or may become, one of the commands that may follow a message. */
static bool may_follow_message(struct slice behind)
{
    static const struct slice commands[] = {{"MAIL", 4}, {"RSET", 4}, {"QUIT", 4}};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (slice_starts_fold(behind, slice_head(commands[i], behind.len)))
            return true;
    return false;
}

void overlap_note(struct step *step, struct slice behind)
{
    struct session *session = step->session;
    if (!behind.len || session->own || session->overlapped ||
        (is_offered(session) && may_follow_message(behind)))
        return;
    session->overlapped = true;
    record_observation(step, FIND_PIPELINING,
                       SLICE("octets came behind the end of the message, before the reply to it"));
}
