/* HELO and EHLO (RFC 5321 section 4.1.1.1). */
#include "core/machine.h"

#include "wire/domain.h"

/* Our syntax is tolerant: what is wrong with a name is a matter of checks and weights, not of grammar. But a
 * name that could break a Received field or a log line is refused. */
static bool name_parse(struct turn *turn)
{
    struct slice name = turn->command.argument;
    struct slice word, rest = name;
    bool usable = slice_word(&rest, &word) && !slice_trim(rest).len && word.len <= DOMAIN_SIZE_MAX &&
                  slice_is_printable(word) && slice_find(word, '(') == SLICE_NOT_FOUND &&
                  slice_find(word, '<') == SLICE_NOT_FOUND;
    if (!usable)
        say_with(turn->step, SAY_HELO_WANTS_NAME, verb_name(turn->command.verb), SLICE_NONE);
    return usable;
}

bool command_helo_parse(struct turn *turn)
{
    return name_parse(turn);
}

bool command_ehlo_parse(struct turn *turn)
{
    return name_parse(turn);
}

/* A second greeting acts as RSET (RFC 5321 section 4.1.4). */
static void greeted(struct turn *turn, bool esmtp)
{
    struct step *step = turn->step;
    struct session *session = step->session;
    session_drop_mail(step);
    if (!slice_equal(session->helo, turn->command.argument))
        session->helo = arena_copy(&session->life, turn->command.argument);
    session->esmtp = esmtp;
    session_set_state(step, STATE_READY);
}

void command_helo_proceed(struct turn *turn)
{
    greeted(turn, false);
    say_with(turn->step, SAY_HELO, turn->facts.site->set.host_name, turn->command.argument);
}

static struct slice offers(const struct session *session, struct arena *arena)
{
    const struct settings *set = &session->world->site->set;
    bool carry_utf8 = set->offer_smtputf8 && session->carried & CARRY_SMTPUTF8 &&
                      session->carried & CARRY_8BITMIME;
    return arena_format(arena, "%s\nSIZE %llu%s\nENHANCEDSTATUSCODES%s%s%s%s%s",
                        set->offer_pipelining ? "\nPIPELINING" : "", (unsigned long long)set->limit_message,
                        session->carried & CARRY_8BITMIME ? "\n8BITMIME" : "",
                        set->offer_chunking ? "\nCHUNKING" : "", carry_utf8 ? "\nSMTPUTF8" : "",
                        set->offer_dsn && session->carried & CARRY_DSN ? "\nDSN" : "",
                        session->tls_offered && set->offer_starttls && !session->tls.len ? "\nSTARTTLS" : "",
                        session->may_xclient ? "\nXCLIENT NAME ADDR PORT PROTO HELO DESTADDR DESTPORT" : "");
}

void command_ehlo_proceed(struct turn *turn)
{
    struct session *session = turn->step->session;
    greeted(turn, true);
    struct slice list = offers(session, &turn->arena);
    struct slice text = arena_format(&turn->arena, "%.*s greets %.*s%.*s",
                                     SLICE_ARGS(turn->facts.site->set.host_name),
                                     SLICE_ARGS(turn->command.argument), SLICE_ARGS(list));
    say_text(turn->step, SAY_EHLO, text);
}
