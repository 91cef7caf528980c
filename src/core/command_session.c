/* The commands that touch no mail: RSET, QUIT, NOOP, HELP, VRFY, EXPN, TURN (with ETRN and AUTH, which belong
 * to other ports), and what is no command at all (RFC 5321 sections 4.1.1.5 to 4.1.1.10). */
#include "core/machine.h"

static bool alone(struct turn *turn)
{
    if (!turn->command.argument.len)
        return true;
    say_with(turn->step, SAY_NO_ARGUMENT_WANTED, verb_name(turn->command.verb), SLICE_NONE);
    return false;
}

bool command_rset_parse(struct turn *turn)
{
    return alone(turn);
}

void command_rset_proceed(struct turn *turn)
{
    struct step *step = turn->step;
    session_drop_mail(step);
    session_set_state(step, session_rest_state(step->session));
    say(step, SAY_RSET);
}

bool command_quit_parse(struct turn *turn)
{
    return alone(turn);
}

void command_quit_proceed(struct turn *turn)
{
    session_close(turn->step, END_QUIT, SAY_CLOSING);
}

bool command_noop_parse(struct turn *turn)
{
    (void)turn;
    return true;
}

void command_noop_proceed(struct turn *turn)
{
    say(turn->step, SAY_NOOP);
}

bool command_help_parse(struct turn *turn)
{
    (void)turn;
    return true;
}

/* The policy's page, not that of one reply. */
static struct slice help_url(struct turn *turn)
{
    struct slice url = turn->facts.site->set.policy_url;
    size_t at = slice_find_slice(url, SLICE(SAY_URL_NUMBER));
    if (at == SLICE_NOT_FOUND)
        return url;
    return turn_format(turn, "%.*sindex%.*s", SLICE_ARGS(slice_head(url, at)),
                       SLICE_ARGS(slice_from(url, at + sizeof SAY_URL_NUMBER - 1)));
}

void command_help_proceed(struct turn *turn)
{
    struct slice url = help_url(turn);
    struct slice more = url.len ? url : SLICE("commands as in RFC 5321; ask the postmaster for more");
    say_text(turn->step, SAY_HELP,
             turn_format(turn, "this is Postern, an SMTP gate\n%.*s", SLICE_ARGS(more)));
}

bool command_vrfy_parse(struct turn *turn)
{
    (void)turn;
    return true;
}

void command_vrfy_proceed(struct turn *turn)
{
    say(turn->step, SAY_VRFY);
}

bool command_expn_parse(struct turn *turn)
{
    (void)turn;
    return true;
}

void command_expn_proceed(struct turn *turn)
{
    say(turn->step, SAY_EXPN_REFUSED);
}

bool command_turn_parse(struct turn *turn)
{
    (void)turn;
    return true;
}

void command_turn_proceed(struct turn *turn)
{
    say_with(turn->step, SAY_TURN_REFUSED, verb_name(turn->command.verb), SLICE_NONE);
}

bool command_empty_parse(struct turn *turn)
{
    say(turn->step, SAY_EMPTY_LINE);
    return false;
}

void command_empty_proceed(struct turn *turn)
{
    (void)turn;
}

/* A field of a message's header where a command belongs: it may be a slip. A second one, though the first was
 * refused, comes from a client that does not listen: it sends its message, whatever was said to DATA. */
static bool is_deaf(struct turn *turn)
{
    struct session *session = turn->step->session;
    return turn->command.header_like && session->helo.len && ++conduct_of(session)->fields > 1;
}

/* "The connection should have been dropped after a few lines of bogus requests." */
bool command_unknown_parse(struct turn *turn)
{
    struct session *session = turn->step->session;
    struct slice word = session->secret ? SLICE("****") : slice_head(turn->command.word, 64);
    if (!foreign_line(turn))
        return false;
    if (is_deaf(turn))
        turn_find(turn, FIND_HEADER_AS_COMMAND, "it sends header fields as commands, the last one \"%.*s\"",
                  SLICE_ARGS(word));
    if (++session->junk == turn->facts.site->set.limit_junk)
        turn_find(turn, FIND_JUNK, "%u words that are no SMTP commands, the last one \"%.*s\"", session->junk,
                  SLICE_ARGS(word));
    return true;
}

/* There is too much of it, but nobody minds. */
void command_unknown_proceed(struct turn *turn)
{
    say(turn->step, SAY_UNKNOWN_COMMAND);
}
