/* RCPT (RFC 5321 section 4.1.1.3). */
#include "core/machine.h"

#include "base/text.h"

/* So many recipients are looked through as fast as a table is asked, and nearly all messages have fewer. */
enum { RECIPIENTS_FEW = 32 };

static bool in_order(struct turn *turn)
{
    const struct session *session = turn->step->session;
    bool fine = session->state == STATE_MAIL || session->state == STATE_RCPT;
    if (session->state == STATE_GREETED)
        say(turn->step, SAY_NEED_HELO);
    else if (!fine)
        say(turn->step, SAY_NEED_MAIL);
    return fine;
}

static bool path_parse(struct turn *turn)
{
    enum path_status status = path_parse_forward(turn->command.argument, &turn->arena, &turn->path,
                                                 &turn->parameters);
    if (status == PATH_DONE && !turn->path.unbracketed)
        return true;
    if (status == PATH_LONG)
        say(turn->step, SAY_PATH_TOO_LONG);
    else if (status == PATH_DONE || status == PATH_KEYWORD || status == PATH_SYNTAX)
        say(turn->step, SAY_RCPT_SYNTAX);
    else
        say(turn->step, SAY_BAD_RECIPIENT);
    return false;
}

static bool params_parse(struct turn *turn, struct rcpt_params *ret_params)
{
    const struct session *session = turn->step->session;
    struct slice culprit = SLICE_NONE;
    *ret_params = (struct rcpt_params){0};
    if (!turn->parameters.len)
        return true;
    enum params_status status = rcpt_params_parse(turn->parameters, ret_params, &culprit);
    bool offered = session->esmtp && session->world->site->set.offer_dsn && session->carried & CARRY_DSN;
    if (status == PARAMS_UNKNOWN || (status == PARAMS_DONE && !offered))
        say_with(turn->step, SAY_UNKNOWN_PARAMETER, culprit.len ? culprit : SLICE("NOTIFY or ORCPT"),
                 SLICE_NONE);
    else if (status != PARAMS_DONE)
        say_with(turn->step, SAY_BAD_PARAMETER, culprit, SLICE_NONE);
    else
        return true;
    return false;
}

static const struct route *first_route(const struct site *site)
{
    for (size_t i = 0; i < site->route_count; i++)
        if (text_is_alnum(*site->routes[i].name.at))
            return &site->routes[i];
    return NULL;
}

/* The bare <Postmaster> (RFC 5321 section 4.5.1) is that of our first domain. */
static void find_route(struct turn *turn)
{
    struct facts *facts = &turn->facts;
    const struct site *site = facts->site;
    struct slice local = turn->path.local_plain;
    facts->recipient = &turn->path;
    facts->recipient_address = turn->path.mailbox;
    facts->postmaster = turn->path.postmaster || slice_equal_fold(local, SLICE("postmaster"));
    if (turn->path.postmaster) {
        facts->route = first_route(site);
        facts->recipient_address = turn_format(
            turn, "postmaster@%.*s", SLICE_ARGS(facts->route ? facts->route->name : site->set.host_name));
    } else if (!turn->path.literal)
        facts->route = site_route(site, turn->path.domain, facts->own);
}

static bool within_limits(struct turn *turn)
{
    const struct session *session = turn->step->session;
    const struct transaction *transaction = &session->mail->transaction;
    const struct facts *facts = &turn->facts;
    if (transaction->recipient_count >= session->world->site->set.limit_recipients)
        say(turn->step, SAY_TOO_MANY_RECIPIENTS);
    else if (turn->path.utf8 && !transaction->smtputf8)
        say(turn->step, SAY_UTF8_SENDER_REFUSED);
    else if (transaction->route && facts->route && facts->route != transaction->route)
        say_with(turn->step, SAY_OTHER_ROUTE, facts->recipient_address, SLICE_NONE);
    else
        return true;
    return false;
}

bool command_rcpt_parse(struct turn *turn)
{
    struct rcpt_params params;
    if (!in_order(turn) || !path_parse(turn) || !params_parse(turn, &params))
        return false;
    find_route(turn);
    if (!within_limits(turn))
        return false;
    if (turn->path.extra_space || turn->command.extra_space)
        turn_find(turn, FIND_EXTRA_SPACE, "blanks where RCPT has none: \"%.*s\"",
                  SLICE_ARGS(turn->command.argument));
    return true;
}

static bool is_double(const struct mail *mail, struct slice address)
{
    if (mail->addresses.used)
        return table_get(&mail->addresses, address) != NULL;
    for (const struct recipient *r = mail->transaction.recipients; r; r = r->next)
        if (slice_equal(r->address, address))
            return true;
    return false;
}

/* The table begins with all that are there when they become many. */
static void address_remember(struct mail *mail, struct recipient *recipient)
{
    if (mail->transaction.recipient_count <= RECIPIENTS_FEW)
        return;
    struct recipient *from = mail->addresses.used ? recipient : mail->transaction.recipients;
    for (; from; from = from->next)
        table_put(&mail->addresses, from->address, from);
}

/* The same recipient twice is one recipient; both commands are answered alike. */
static void recipient_add(struct turn *turn)
{
    struct mail *mail = turn->step->session->mail;
    struct transaction *transaction = &mail->transaction;
    if (is_double(mail, turn->facts.recipient_address))
        return;
    struct rcpt_params params = {0};
    struct slice culprit;
    rcpt_params_parse(turn->parameters, &params, &culprit);
    struct recipient *recipient = arena_take(&mail->arena, sizeof *recipient);
    recipient->address = arena_copy(&mail->arena, turn->facts.recipient_address);
    recipient->orcpt = arena_copy(&mail->arena, params.orcpt_whole);
    recipient->notify = (uint8_t)params.notify;
    if (mail->last_recipient)
        mail->last_recipient->next = recipient;
    else
        transaction->recipients = recipient;
    mail->last_recipient = recipient;
    transaction->recipient_count++;
    transaction->route = turn->facts.route;
    address_remember(mail, recipient);
}

void command_rcpt_proceed(struct turn *turn)
{
    struct mail *mail = turn->step->session->mail;
    const struct route *route = turn->facts.route;
    if (turn->shed)
        mail->shed++;
    else
        recipient_add(turn);
    mail->others += !turn->facts.postmaster;
    RECORD(turn->step, recipient_judged, .transaction = mail->transaction.number,
           .recipient = turn->facts.recipient_address, .code = 250, .number = SAY_RECIPIENT_OK,
           .route = route ? route->name : SLICE_NONE);
    session_set_state(turn->step, STATE_RCPT);
    say(turn->step, SAY_RECIPIENT_OK);
}
