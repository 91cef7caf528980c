/* MAIL (RFC 5321 section 4.1.1.2). */
#include "core/machine.h"

#include "base/memory.h"

static bool in_order(struct turn *turn)
{
    const struct session *session = turn->step->session;
    if (session->state == STATE_GREETED)
        say(turn->step, SAY_NEED_HELO);
    else if (session->state != STATE_READY)
        say(turn->step, SAY_NESTED_MAIL);
    return session->state == STATE_READY;
}

static bool path_parse(struct turn *turn)
{
    enum path_status status = path_parse_reverse(turn->command.argument, &turn->arena, &turn->path,
                                                 &turn->parameters);
    if (status == PATH_DONE && !turn->path.unbracketed)
        return true;
    if (status == PATH_LONG)
        say(turn->step, SAY_PATH_TOO_LONG);
    else if (status == PATH_DONE || status == PATH_KEYWORD || status == PATH_EMPTY || status == PATH_SYNTAX)
        say(turn->step, SAY_MAIL_SYNTAX);
    else
        say(turn->step, SAY_BAD_SENDER);
    return false;
}

static bool offered(const struct session *session, const struct mail_params *params,
                    struct slice *ret_culprit)
{
    const struct settings *set = &session->world->site->set;
    if (!session->esmtp)
        *ret_culprit = SLICE("of ESMTP after HELO");
    else if (params->smtputf8 && !(set->offer_smtputf8 && session->carried & CARRY_SMTPUTF8))
        *ret_culprit = SLICE("SMTPUTF8");
    else if (params->body == BODY_BINARYMIME ||
             (params->body == BODY_8BITMIME && !(session->carried & CARRY_8BITMIME)))
        *ret_culprit = SLICE("BODY");
    else if ((params->ret != RET_NONE || params->envid.len) &&
             !(set->offer_dsn && session->carried & CARRY_DSN))
        *ret_culprit = SLICE("RET or ENVID");
    else
        return true;
    return false;
}

/* What was given, into *ret_params. */
static bool params_parse(struct turn *turn, struct mail_params *ret_params)
{
    struct slice culprit = SLICE_NONE;
    *ret_params = (struct mail_params){0};
    if (!turn->parameters.len)
        return true;
    enum params_status status = mail_params_parse(turn->parameters, ret_params, &culprit);
    if (status == PARAMS_UNKNOWN ||
        (status == PARAMS_DONE && !offered(turn->step->session, ret_params, &culprit)))
        say_with(turn->step, SAY_UNKNOWN_PARAMETER, culprit, SLICE_NONE);
    else if (status != PARAMS_DONE)
        say_with(turn->step, SAY_BAD_PARAMETER, culprit, SLICE_NONE);
    else
        return true;
    return false;
}

static bool within_limits(struct turn *turn, const struct mail_params *params)
{
    const struct session *session = turn->step->session;
    const struct settings *set = &session->world->site->set;
    if (params->size > set->limit_message) {
        struct slice limit = turn_format(turn, "%llu", (unsigned long long)set->limit_message);
        say_with(turn->step, SAY_TOO_BIG_DECLARED, limit, SLICE_NONE);
    } else if (session->transactions >= set->limit_transactions)
        say(turn->step, SAY_TOO_MANY_TRANSACTIONS);
    else if (session->world->short_of_disk)
        say(turn->step, SAY_DISK_FULL);
    else if (turn->path.utf8 && !params->smtputf8)
        say(turn->step, SAY_UTF8_SENDER_REFUSED);
    else
        return true;
    return false;
}

bool command_mail_parse(struct turn *turn)
{
    struct mail_params params;
    if (!in_order(turn) || !path_parse(turn) || !params_parse(turn, &params) || !within_limits(turn, &params))
        return false;
    if (turn->path.extra_space || turn->command.extra_space)
        turn_find(turn, FIND_EXTRA_SPACE, "blanks where MAIL has none: \"%.*s\"",
                  SLICE_ARGS(turn->command.argument));
    turn->facts.sender = turn->path.mailbox;
    turn->facts.smtputf8 = params.smtputf8;
    return true;
}

static void describe_client(const struct session *session, struct transaction *transaction)
{
    transaction->session = session->id;
    transaction->number = session->transactions;
    transaction->peer = session->peer;
    transaction->local = session->local;
    transaction->peer_name = session->name;
    transaction->helo = session->helo;
    transaction->esmtp = session->esmtp;
    transaction->tls = session->tls.len > 0;
}

void command_mail_proceed(struct turn *turn)
{
    struct session *session = turn->step->session;
    struct mail_params params = {0};
    struct slice culprit;
    mail_params_parse(turn->parameters, &params, &culprit);
    struct mail *mail = memory_take(sizeof *mail);
    arena_init(&mail->arena, NULL, 0);
    table_init(&mail->addresses, session->world->seed);
    session->mail = mail;
    session->transactions++;
    struct transaction *transaction = &mail->transaction;
    describe_client(session, transaction);
    transaction->sender = arena_copy(&mail->arena, turn->path.mailbox);
    transaction->body = params.body == BODY_NONE ? BODY_7BIT : params.body;
    transaction->smtputf8 = params.smtputf8;
    transaction->ret = params.ret;
    transaction->envid = arena_copy(&mail->arena, params.envid);
    transaction->size_declared = params.size;
    turn_keep_mail(turn);
    RECORD(turn->step, mail_started, .transaction = transaction->number, .sender = transaction->sender,
           .size = params.size, .parameters = turn->parameters);
    session_set_state(turn->step, STATE_MAIL);
    say(turn->step, SAY_SENDER_OK);
}
