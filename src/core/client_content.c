#include "core/client_parts.h"

#include <assert.h>

void client_begin_content(struct client *client)
{
    client->job->done_anything = true;
    client->dots = (struct dot_encoder){.octets = 0};
    client_enter(client, CLIENT_STATE_CONTENT);
}

static void pieces_send(struct client *client, const struct dot_out *out)
{
    for (size_t i = 0; i < out->count; i++) {
        bool added = buf_add(&client->out->send, out->pieces[i]);
        assert(added);
    }
}

static void end_of_content(struct client *client)
{
    struct dot_out out;
    do {
        dot_encode_end(&client->dots, &out);
        pieces_send(client, &out);
    } while (!out.end);
    client->job->dot_sent = true;
    client->dots_due = client->settings.protocol == CLIENT_LMTP ? client->accepted : 1;
    client->answered = 0;
    client_enter(client, CLIENT_STATE_DOT);
}

void client_content(struct client *client, struct slice piece)
{
    /* The server spoke while the piece was fetched. */
    if (client->state == CLIENT_STATE_EARLY)
        return;
    assert(client->state == CLIENT_STATE_CONTENT && piece.len <= CLIENT_PIECE_MAX);
    if (piece.len == 0) {
        end_of_content(client);
        return;
    }
    while (piece.len > 0) {
        struct dot_out out;
        piece = slice_from(piece, dot_encode(&client->dots, piece, &out));
        pieces_send(client, &out);
    }
    client_wait(client);
}

/* A refusal before the end decides; a yes before the end is no yes to the message. */
void client_on_early(struct client *client, const struct reply *reply)
{
    if (reply->code < 400) {
        client_fail_reply(client, reply);
        return;
    }
    client->job->reply = client_reply_copy(client, reply);
    client_close(client);
}

static void recipient_done(struct client_recipient *recipient, const struct client_reply *reply)
{
    recipient->reply = *reply;
    recipient->delivered = reply->code / 100 == 2;
}

/* SMTP: one reply for all who were accepted. */
static void on_dot_smtp(struct client *client, const struct client_reply *reply)
{
    struct client_job *job = client->job;
    job->reply = *reply;
    for (size_t i = 0; i < job->recipient_count; i++)
        if (job->recipients[i].accepted)
            recipient_done(&job->recipients[i], reply);
}

/* LMTP (RFC 2033 section 4.2): one for each who was accepted, in their order. */
static void on_dot_lmtp(struct client *client, const struct client_reply *reply)
{
    struct client_job *job = client->job;
    while (!job->recipients[client->answered].accepted)
        client->answered++;
    recipient_done(&job->recipients[client->answered++], reply);
    if (job->reply.code < 400 && (job->reply.code == 0 || reply->code >= 400))
        job->reply = *reply;
}

void client_on_dot(struct client *client, const struct reply *reply)
{
    if (reply->code / 100 == 3) {
        client_fail_reply(client, reply);
        return;
    }
    struct client_reply copy = client_reply_copy(client, reply);
    client->dots_due--;
    if (client->settings.protocol == CLIENT_LMTP)
        on_dot_lmtp(client, &copy);
    else
        on_dot_smtp(client, &copy);
    if (reply->code == 421)
        client_fail_reply(client, reply);
    else if (client->dots_due == 0)
        client_become_idle(client);
    else
        client_wait(client);
}
