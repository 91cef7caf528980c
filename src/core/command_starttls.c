/* STARTTLS (RFC 3207). */
#include "core/machine.h"

bool command_starttls_parse(struct turn *turn)
{
    struct step *step = turn->step;
    const struct session *session = step->session;
    if (turn->command.argument.len)
        say_with(step, SAY_NO_ARGUMENT_WANTED, SLICE("STARTTLS"), SLICE_NONE);
    else if (session->tls.len)
        say(step, SAY_TLS_ALREADY);
    else if (!session->tls_offered || !session->world->site->set.offer_starttls)
        say(step, SAY_STARTTLS_REFUSED);
    else if (session->state != STATE_GREETED && session->state != STATE_READY)
        say_with(step, SAY_NOT_IN_TRANSACTION, SLICE("STARTTLS"), SLICE_NONE);
    else
        return true;
    return false;
}

/* Octets right behind the command were sent before the handshake: were they read after it, somebody between
 * could put words into the client's mouth. */
void command_starttls_proceed(struct turn *turn)
{
    struct step *step = turn->step;
    size_t line_end = slice_find(step->input->bytes, '\n');
    if (step->input->kind == INPUT_BYTES && line_end + 1 < step->input->bytes.len) {
        struct slice behind = slice_from(step->input->bytes, line_end + 1);
        record_finding(step, FIND_TLS_INJECTION,
                       turn_format(turn, "%zu octets of plain text came right behind STARTTLS", behind.len));
        session_close(step, END_BY_US, SAY_TLS_INJECTION);
        return;
    }
    say(step, SAY_STARTTLS);
    session_set_state(step, STATE_TLS);
    step_act(step, OUTBOX_START_TLS);
}
