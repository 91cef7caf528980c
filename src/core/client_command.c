#include "core/client_parts.h"

#include <assert.h>

/*
 * MAIL FROM:<path> *( SP parameter ) CRLF ; RCPT TO:<path> *( SP parameter ) CRLF   (RFC 5321 section 4.1.1)
 * Parameters stand only where their extension is offered: BODY (6152), SMTPUTF8 (6531), SIZE (1870), RET,
 * ENVID, NOTIFY, ORCPT (3461). What was declared as 8BITMIME goes without BODY to a server that lacks it, as
 * all the others do it: nobody gains from losing the message.
 */

static bool offers(const struct client *client, unsigned capability)
{
    return (client->capability.set & capability) != 0;
}

/* Whether it may stand in a command: no control octet, the length within RFC 5321 section 4.5.3.1.3 and some.
 */
static bool is_sendable(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7f)
            return false;
    return text.len <= 1024;
}

static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] > 0x7f)
            return false;
    return true;
}

/* A parameter's value: neither blank nor control octet. */
static bool is_word(struct slice text)
{
    return text.len > 0 && is_sendable(text) && slice_find(text, ' ') == SLICE_NOT_FOUND;
}

/* A path is written between brackets: one that closes them outside quotes would begin something else. */
static bool is_path(struct slice address)
{
    bool quoted = false;
    for (size_t i = 0; i < address.len; i++) {
        char octet = address.at[i];
        if (quoted && octet == '\\')
            i++;
        else if (octet == '"')
            quoted = !quoted;
        else if (!quoted && (octet == '<' || octet == '>' || octet == ' '))
            return false;
    }
    return !quoted && is_sendable(address);
}

static bool needs_utf8(const struct client_job *job)
{
    if (job->transaction && job->transaction->smtputf8)
        return true;
    for (size_t i = 0; i < job->recipient_count; i++)
        if (!is_ascii(job->recipients[i].address))
            return true;
    return !is_ascii(job->sender);
}

static bool paths_are_good(const struct client_job *job)
{
    for (size_t i = 0; i < job->recipient_count; i++)
        if (job->recipients[i].address.len == 0 || !is_path(job->recipients[i].address))
            return false;
    return is_path(job->sender);
}

bool client_job_refuse(struct client *client)
{
    struct client_job *job = client->job;
    const struct transaction *transaction = job->transaction;
    uint64_t most = client->capability.size;
    if (!paths_are_good(job))
        job->reply = client_reply_own(553, SLICE("5.1.3"), SLICE("the address cannot stand in a command"));
    else if (needs_utf8(job) && !offers(client, CAPABILITY_SMTPUTF8))
        job->reply = client_reply_own(553, SLICE("5.6.7"),
                                      SLICE("the server does not take international messages"));
    else if (transaction && transaction->body == BODY_BINARYMIME && !job->verify)
        job->reply = client_reply_own(554, SLICE("5.6.3"), SLICE("a binary message cannot be passed on"));
    else if (most > 0 && job->content_octets > most)
        job->reply = client_reply_own(552, SLICE("5.3.4"),
                                      SLICE("the message is larger than the server takes"));
    else
        return false;
    return true;
}

static void add(struct client *client, struct slice text)
{
    bool added = buf_add(&client->out->send, text);
    assert(added);
}

static void add_path(struct client *client, struct slice verb, struct slice address)
{
    add(client, verb);
    add(client, address);
    add(client, SLICE(">"));
}

static void add_dsn_of_mail(struct client *client, const struct transaction *transaction)
{
    if (transaction->ret == RET_FULL)
        add(client, SLICE(" RET=FULL"));
    if (transaction->ret == RET_HDRS)
        add(client, SLICE(" RET=HDRS"));
    if (!is_word(transaction->envid) || !is_ascii(transaction->envid))
        return;
    add(client, SLICE(" ENVID="));
    add(client, transaction->envid);
}

static void add_size(struct client *client, uint64_t octets)
{
    bool added = buf_add_format(&client->out->send, " SIZE=%llu", (unsigned long long)octets);
    assert(added);
}

void client_add_mail(struct client *client)
{
    const struct client_job *job = client->job;
    const struct transaction *transaction = job->transaction;
    add_path(client, SLICE("MAIL FROM:<"), job->sender);
    if (offers(client, CAPABILITY_SIZE) && job->content_octets > 0)
        add_size(client, job->content_octets);
    if (transaction && transaction->body == BODY_8BITMIME && offers(client, CAPABILITY_8BITMIME))
        add(client, SLICE(" BODY=8BITMIME"));
    if (needs_utf8(job))
        add(client, SLICE(" SMTPUTF8"));
    if (transaction && offers(client, CAPABILITY_DSN) && !job->verify)
        add_dsn_of_mail(client, transaction);
    add(client, SLICE("\r\n"));
}

static void add_notify(struct client *client, unsigned notify)
{
    static const struct {
        unsigned bit;
        struct slice word;
    } words[] = {{NOTIFY_NEVER, {"NEVER", 5}},
                 {NOTIFY_SUCCESS, {"SUCCESS", 7}},
                 {NOTIFY_FAILURE, {"FAILURE", 7}},
                 {NOTIFY_DELAY, {"DELAY", 5}}};
    struct slice before = SLICE(" NOTIFY=");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!(notify & words[i].bit))
            continue;
        add(client, before);
        add(client, words[i].word);
        before = SLICE(",");
    }
}

void client_add_rcpt(struct client *client, const struct client_recipient *recipient)
{
    const struct recipient *given = recipient->recipient;
    add_path(client, SLICE("RCPT TO:<"), recipient->address);
    if (given && offers(client, CAPABILITY_DSN) && !client->job->verify) {
        add_notify(client, given->notify);
        if (is_word(given->orcpt) && (is_ascii(given->orcpt) || needs_utf8(client->job))) {
            add(client, SLICE(" ORCPT="));
            add(client, given->orcpt);
        }
    }
    add(client, SLICE("\r\n"));
}
