/* BDAT (RFC 3030): the octets of a chunk follow its line at once, whatever is answered. So a chunk that is
 * refused is swallowed, octet by octet: it must never be read as commands. */
#include "core/machine.h"

static enum say what_is_wrong(const struct session *session)
{
    switch ((enum state)session->state) {
    case STATE_GREETED: return SAY_NEED_HELO;
    case STATE_MAIL: return SAY_NO_RECIPIENTS;
    case STATE_RCPT:
    case STATE_BDAT: return SAY_NOTHING;
    default: return SAY_NEED_MAIL;
    }
}

/* The length is needed even when the command is refused: without one the stream is lost. */
bool command_bdat_parse(struct turn *turn)
{
    struct step *step = turn->step;
    struct session *session = step->session;
    uint64_t size;
    bool last;
    if (!command_parse_bdat(turn->command.argument, &size, &last)) {
        say(step, SAY_BDAT_SYNTAX);
        session_close(step, END_BY_US, SAY_TOO_MANY_ERRORS);
        return false;
    }
    enum say wrong = what_is_wrong(session);
    if (!wrong)
        return true;
    say(step, wrong);
    session->chunk_left = size;
    session->chunk_discard = true;
    if (size)
        session_set_state(step, STATE_CHUNK);
    return false;
}

void command_bdat_proceed(struct turn *turn)
{
    struct step *step = turn->step;
    struct session *session = step->session;
    uint64_t size;
    bool last;
    command_parse_bdat(turn->command.argument, &size, &last);
    if (!session->mail->intake)
        message_begin(step, true);
    session->mail->intake->chunks++;
    session->chunk_left = size;
    session->chunk_last = last;
    session->chunk_discard = false;
    session_set_state(step, STATE_CHUNK);
    if (!size)
        chunk_take(step, SLICE_NONE);
}
