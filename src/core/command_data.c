/* DATA (RFC 5321 section 4.1.1.4). */
#include "core/machine.h"

bool command_data_parse(struct turn *turn)
{
    struct step *step = turn->step;
    const struct session *session = step->session;
    if (turn->command.argument.len)
        say_with(step, SAY_NO_ARGUMENT_WANTED, SLICE("DATA"), SLICE_NONE);
    else if (session->state == STATE_GREETED)
        say(step, SAY_NEED_HELO);
    else if (session->state == STATE_BDAT)
        say(step, SAY_BDAT_MIXED);
    else if (session->state == STATE_MAIL)
        say(step, SAY_NO_RECIPIENTS);
    else if (session->state != STATE_RCPT)
        say(step, SAY_NEED_MAIL);
    else
        return true;
    return false;
}

void command_data_proceed(struct turn *turn)
{
    message_begin(turn->step, false);
    session_set_state(turn->step, STATE_DATA);
    say(turn->step, SAY_SEND_MESSAGE);
}
