#include "core/client_parts.h"

#include <assert.h>

/*
 * The commands of a job are numbered: 0 is MAIL, 1 to n are the RCPTs, n+1 is the last: DATA, or RSET to end
 * a verification. With PIPELINING they go in one batch (RFC 2920 section 3.1), else one by one. The reply to
 * the command `answered` is the next one due.
 */

/* A batch stops here and goes on as replies come: the rest of a very long list must not fill `send`. */
#define BATCH_OCTETS 16384u

static size_t last_command(const struct client *client)
{
    return client->job->recipient_count + 1;
}

size_t client_replies_due(const struct client *client)
{
    return client->sent - client->answered;
}

bool client_envelope_may_end(const struct client *client)
{
    return client->job->verify && client->answered == last_command(client);
}

static bool pipelines(const struct client *client)
{
    return (client->capability.set & CAPABILITY_PIPELINING) != 0;
}

/* Whether the message may follow, as far as replies have come. */
static bool may_go_on(const struct client *client)
{
    const struct client_job *job = client->job;
    size_t refused = client->answered - 1 - client->accepted;
    return !client->mail_refused && client->accepted > 0 && !(job->all_or_nothing && refused > 0);
}

static void command_send(struct client *client, size_t number)
{
    if (number == 0)
        client_add_mail(client);
    else if (number < last_command(client))
        client_add_rcpt(client, &client->job->recipients[number - 1]);
    else
        client_say(client, client->job->verify ? SLICE("RSET") : SLICE("DATA"));
}

static void send_more(struct client *client)
{
    while (client->sent <= last_command(client)) {
        bool now = pipelines(client) ? client->out->send.len < BATCH_OCTETS
                                     : client->sent == client->answered;
        if (!now)
            return;
        command_send(client, client->sent++);
    }
}

void client_begin_envelope(struct client *client)
{
    client->sent = client->answered = client->accepted = 0;
    client->mail_refused = false;
    client_enter(client, CLIENT_STATE_ENVELOPE);
    if (client_job_refuse(client)) {
        client->job->refused_here = true;
        client_become_idle(client);
        return;
    }
    send_more(client);
}

/* The server and we are in step, but nothing (more) is to be done: the transaction, if any, is taken back. */
static void stop(struct client *client)
{
    if (client->mail_refused) {
        client_become_idle(client);
        return;
    }
    client_say(client, SLICE("RSET"));
    client_enter(client, CLIENT_STATE_RESET);
    client_end_job(client);
}

void client_on_reset(struct client *client, const struct reply *reply)
{
    if (reply->code / 100 == 2)
        client_become_idle(client);
    else
        client_fail_reply(client, reply);
}

static void decide(struct client_job *job, struct client_reply reply)
{
    if (job->reply.code == 0)
        job->reply = reply;
}

static void on_mail(struct client *client, const struct reply *reply)
{
    if (reply->code / 100 == 2)
        return;
    client->mail_refused = true;
    decide(client->job, client_reply_copy(client, reply));
}

/* Behind a refused MAIL the replies to RCPT say nothing of the recipients. */
static void on_rcpt(struct client *client, struct client_recipient *recipient, const struct reply *reply)
{
    struct client_job *job = client->job;
    if (client->mail_refused)
        return;
    recipient->reply = client_reply_copy(client, reply);
    recipient->accepted = reply->code / 100 == 2;
    client->accepted += recipient->accepted;
    if (!recipient->accepted && job->all_or_nothing && !job->verify)
        decide(job, recipient->reply);
}

/* All recipients were refused: the first refusal stands for the job. */
static void decide_by_recipients(struct client *client)
{
    struct client_job *job = client->job;
    if (client->accepted == 0 && !client->mail_refused)
        decide(job, job->recipients[0].reply);
}

/* 354 to a batch whose recipients were not all taken cannot be unsaid, and no reply may be trusted to undo a
 * lone dot (RFC 2920 section 3.1 would send one): the connection goes, and nothing was passed on. */
static void on_data(struct client *client, const struct reply *reply)
{
    bool go_on = may_go_on(client);
    decide_by_recipients(client);
    if (reply->code == 354 && go_on) {
        client_begin_content(client);
    } else if (reply->code == 354) {
        client_close(client);
    } else if (reply->code >= 400) {
        decide(client->job, client_reply_copy(client, reply));
        stop(client);
    } else {
        client_fail_reply(client, reply);
    }
}

static void on_verified(struct client *client, const struct reply *reply)
{
    decide(client->job, client_reply_copy(client, reply));
    if (reply->code / 100 == 2)
        client_become_idle(client);
    else
        client_fail_reply(client, reply);
}

/* Without pipelining what comes next depends on what came. */
static bool stop_early(struct client *client)
{
    const struct client_job *job = client->job;
    bool all_heard = client->answered == job->recipient_count + 1;
    if (client->answered < client->sent)
        return false;
    if (client->mail_refused)
        return true;
    return all_heard && !job->verify && client->sent == client->answered && !may_go_on(client);
}

/* 421: the server closes. 2yz, 4yz and 5yz answer a command; the rest belongs nowhere. */
static void on_first_replies(struct client *client, size_t number, const struct reply *reply)
{
    unsigned class = reply->code / 100;
    if (class == 3) {
        client->answered--;
        client_fail_reply(client, reply);
        return;
    }
    if (number == 0)
        on_mail(client, reply);
    else
        on_rcpt(client, &client->job->recipients[number - 1], reply);
    if (reply->code == 421) {
        decide(client->job, client_reply_copy(client, reply));
        client->answered--;
        client_fail_reply(client, reply);
    } else if (stop_early(client)) {
        decide_by_recipients(client);
        stop(client);
    } else {
        client_wait(client);
        send_more(client);
    }
}

void client_on_envelope(struct client *client, const struct reply *reply)
{
    size_t number = client->answered++;
    if (number < last_command(client)) {
        on_first_replies(client, number, reply);
        return;
    }
    client->answered--;
    if (reply->code == 421) {
        if (!client->job->verify)
            decide_by_recipients(client);
        decide(client->job, client_reply_copy(client, reply));
        client_fail_reply(client, reply);
    } else if (client->job->verify) {
        on_verified(client, reply);
    } else {
        on_data(client, reply);
    }
}
