/* HELO and EHLO (RFC 5321 section 4.1.1.1). */
#include "core/machine.h"

#include "base/text.h"
#include "wire/domain.h"

#include <string.h>

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
    turn->facts.helo = name;
    turn->facts.ehlo = turn->command.verb == VERB_EHLO;
    return usable;
}

bool command_helo_parse(struct turn *turn)
{
    if (!name_parse(turn))
        return false;
    ehlo_compare(turn);
    return true;
}

bool command_ehlo_parse(struct turn *turn)
{
    return command_helo_parse(turn);
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

/* Whoever could not be verified is told so, and greeted. */
static bool unverified(const struct turn *turn)
{
    for (size_t i = 0; i < turn->found_count; i++)
        if (turn->found[i].finding == FIND_HELO_UNVERIFIED)
            return true;
    return false;
}

void command_helo_proceed(struct turn *turn)
{
    greeted(turn, false);
    say_with(turn->step, unverified(turn) ? SAY_HELO_UNVERIFIED : SAY_HELO, turn->facts.site->set.host_name,
             turn->command.argument);
}

/* Said to every client: so it is put together by hand, not by a format. */
struct list {
    char *text;
    size_t len;
};

static void list_add(struct list *list, bool wanted, struct slice keyword)
{
    if (!wanted)
        return;
    memcpy(list->text + list->len, keyword.at, keyword.len);
    list->len += keyword.len;
}

#define OFFERS_SIZE 256

static void offers_add(struct list *list, const struct session *session)
{
    const struct settings *set = &session->world->site->set;
    uint32_t carried = session->carried;
    char digits[TEXT_UNIT_SIZE];
    struct slice size = slice_of(digits, text_print_u64(set->limit_message, digits));
    list_add(list, set->offer_pipelining, SLICE("\nPIPELINING"));
    list_add(list, true, SLICE("\nSIZE "));
    list_add(list, true, size);
    list_add(list, carried & CARRY_8BITMIME, SLICE("\n8BITMIME"));
    list_add(list, true, SLICE("\nENHANCEDSTATUSCODES"));
    list_add(list, set->offer_chunking, SLICE("\nCHUNKING"));
    list_add(list, set->offer_smtputf8 && carried & CARRY_SMTPUTF8 && carried & CARRY_8BITMIME,
             SLICE("\nSMTPUTF8"));
    list_add(list, set->offer_dsn && carried & CARRY_DSN, SLICE("\nDSN"));
    list_add(list, session->tls_offered && set->offer_starttls && !session->tls.len, SLICE("\nSTARTTLS"));
    list_add(list, session->may_xclient, SLICE("\nXCLIENT NAME ADDR PORT PROTO HELO DESTADDR DESTPORT"));
}

void command_ehlo_proceed(struct turn *turn)
{
    struct session *session = turn->step->session;
    struct slice host = turn->facts.site->set.host_name, name = turn->command.argument;
    if (!ehlo_accept(turn))
        return;
    greeted(turn, true);
    struct list list = {arena_take(&turn->arena, host.len + name.len + OFFERS_SIZE), 0};
    list_add(&list, true, host);
    bool doubted = unverified(turn);
    list_add(&list, true, doubted ? SLICE(" cannot verify ") : SLICE(" greets "));
    list_add(&list, true, name);
    offers_add(&list, session);
    say_text(turn->step, doubted ? SAY_EHLO_UNVERIFIED : SAY_EHLO, slice_of(list.text, list.len));
}
