#include "core/client_parts.h"

#include "base/memory.h"
#include "base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

/* For each state those that may follow it; CLOSED may follow every one. */
#define TO(state) (1u << CLIENT_STATE_##state)
static const uint32_t state_next[CLIENT_STATE_COUNT] = {
    [CLIENT_STATE_NEW] = TO(GREETING),
    [CLIENT_STATE_GREETING] = TO(EHLO) | TO(QUIT),
    [CLIENT_STATE_EHLO] = TO(EHLO) | TO(HELO) | TO(STARTTLS) | TO(IDLE) | TO(ENVELOPE) | TO(QUIT),
    [CLIENT_STATE_HELO] = TO(IDLE) | TO(ENVELOPE) | TO(QUIT),
    [CLIENT_STATE_STARTTLS] = TO(TLS) | TO(IDLE) | TO(QUIT),
    [CLIENT_STATE_TLS] = TO(EHLO),
    [CLIENT_STATE_IDLE] = TO(XCLIENT) | TO(ENVELOPE) | TO(QUIT),
    [CLIENT_STATE_XCLIENT] = TO(EHLO) | TO(ENVELOPE),
    [CLIENT_STATE_ENVELOPE] = TO(CONTENT) | TO(RESET) | TO(IDLE) | TO(QUIT),
    [CLIENT_STATE_CONTENT] = TO(EARLY) | TO(DOT),
    [CLIENT_STATE_EARLY] = 0,
    [CLIENT_STATE_DOT] = TO(IDLE) | TO(QUIT),
    [CLIENT_STATE_RESET] = TO(IDLE) | TO(QUIT),
    [CLIENT_STATE_QUIT] = 0,
    [CLIENT_STATE_CLOSED] = 0,
};
#undef TO

/* How long a server may take to say goodbye: nobody waits for it. */
#define QUIT_MS 2000u

static uint64_t state_ms(const struct client *client)
{
    switch ((enum client_state)client->state) {
    case CLIENT_STATE_NEW:
    case CLIENT_STATE_IDLE:
    case CLIENT_STATE_CLOSED:
    case CLIENT_STATE_COUNT: return 0;
    case CLIENT_STATE_DOT: return client->settings.dot_ms;
    case CLIENT_STATE_QUIT: return client->settings.reply_ms < QUIT_MS ? client->settings.reply_ms : QUIT_MS;
    case CLIENT_STATE_GREETING:
    case CLIENT_STATE_EHLO:
    case CLIENT_STATE_HELO:
    case CLIENT_STATE_STARTTLS:
    case CLIENT_STATE_TLS:
    case CLIENT_STATE_XCLIENT:
    case CLIENT_STATE_ENVELOPE:
    case CLIENT_STATE_CONTENT:
    case CLIENT_STATE_EARLY:
    case CLIENT_STATE_RESET: return client->settings.reply_ms;
    }
    return 0;
}

const char *client_awaited(const struct client *client)
{
    switch ((enum client_state)client->state) {
    case CLIENT_STATE_NEW:
    case CLIENT_STATE_IDLE:
    case CLIENT_STATE_CLOSED:
    case CLIENT_STATE_COUNT: return "nothing";
    case CLIENT_STATE_GREETING: return "its greeting";
    case CLIENT_STATE_EHLO:
        return client->settings.protocol == CLIENT_LMTP ? "its reply to LHLO" : "its reply to EHLO";
    case CLIENT_STATE_HELO: return "its reply to HELO";
    case CLIENT_STATE_STARTTLS: return "its reply to STARTTLS";
    case CLIENT_STATE_TLS: return "the TLS handshake";
    case CLIENT_STATE_XCLIENT: return "its reply to XCLIENT";
    case CLIENT_STATE_ENVELOPE:
        if (client->answered == 0)
            return "its reply to MAIL";
        if (client->job && client->answered <= client->job->recipient_count)
            return "its reply to RCPT";
        return client->job && client->job->verify ? "its reply to RSET" : "its reply to DATA";
    case CLIENT_STATE_CONTENT: return "it to take the message";
    case CLIENT_STATE_EARLY: return "the end of a reply that came too early";
    case CLIENT_STATE_DOT: return "its reply to the message";
    case CLIENT_STATE_RESET: return "its reply to RSET";
    case CLIENT_STATE_QUIT: return "its reply to QUIT";
    }
    return "nothing";
}

void client_wait(struct client *client)
{
    uint64_t ms = state_ms(client);
    client->due_ms = ms ? client->now_ms + ms : 0;
}

void client_enter(struct client *client, enum client_state state)
{
    assert(client->state != CLIENT_STATE_CLOSED);
    assert(state == CLIENT_STATE_CLOSED || state_next[client->state] & 1u << state);
    client->state = (uint8_t)state;
    client_wait(client);
    if (state == CLIENT_STATE_CLOSED)
        client->out->close = true;
}

void client_say(struct client *client, struct slice line)
{
    bool added = buf_add(&client->out->send, line) && buf_add(&client->out->send, SLICE("\r\n"));
    assert(added);
}

void client_end_job(struct client *client)
{
    struct client_job *job = client->job;
    if (!job)
        return;
    job->closed = client->state == CLIENT_STATE_CLOSED || client->state == CLIENT_STATE_QUIT;
    client->job = NULL;
    client->out->job_done = true;
}

void client_close(struct client *client)
{
    client_enter(client, CLIENT_STATE_CLOSED);
    client_end_job(client);
}

void client_fail(struct client *client, const char *format, ...)
{
    char text[CLIENT_TEXT_MAX + 1];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    assert(len >= 0);
    size_t kept = (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    client->trouble = arena_copy(&client->arena, slice_of(text, kept));
    if (client->job && client->job->reply.code == 0)
        client->job->reply = client_reply_own(0, SLICE_NONE, client->trouble);
    client_close(client);
}

/* Once a server that was told of a client offers XCLIENT no more, the connection is that client's for ever.
 */
void client_become_idle(struct client *client)
{
    bool used_up = client->told.len > 0 && !(client->capability.set & CAPABILITY_XCLIENT);
    client->was_ready = true;
    client_enter(client, used_up ? CLIENT_STATE_QUIT : CLIENT_STATE_IDLE);
    if (used_up)
        client_say(client, SLICE("QUIT"));
    client_end_job(client);
}

static void start_job(struct client *client, struct client_job *job)
{
    assert(client->state == CLIENT_STATE_IDLE && !client->job && job->recipient_count > 0);
    arena_drop(&client->results);
    client->job = job;
    job->refused_here = job->done_anything = job->dot_sent = job->closed = false;
    job->reply = client_reply_own(0, SLICE_NONE, SLICE_NONE);
    for (size_t i = 0; i < job->recipient_count; i++) {
        job->recipients[i].reply = job->reply;
        job->recipients[i].accepted = job->recipients[i].delivered = false;
    }
    if (!client_tell_xclient(client))
        client_begin_envelope(client);
}

static void timer_expired(struct client *client)
{
    char text[TEXT_UNIT_SIZE];
    if (client->due_ms == 0 || client->now_ms < client->due_ms)
        return;
    if (client->state == CLIENT_STATE_QUIT) {
        client_close(client);
        return;
    }
    text_print_duration(state_ms(client), text);
    client_fail(client, "waited %s for %s", text, client_awaited(client));
}

static void connection_ended(struct client *client, struct slice why)
{
    if (client->state == CLIENT_STATE_IDLE || client->state == CLIENT_STATE_QUIT)
        client_close(client);
    else
        client_fail(client, "the connection ended while we waited for %s%s%.*s", client_awaited(client),
                    why.len ? ": " : "", SLICE_ARGS(why));
}

static void step(struct client *client, const struct client_input *input)
{
    switch (input->kind) {
    case CLIENT_CONNECTED:
        client_tell_proxy(client);
        client_enter(client, CLIENT_STATE_GREETING);
        break;
    case CLIENT_OCTETS: client_take(client, input->octets); break;
    case CLIENT_START: start_job(client, input->job); break;
    case CLIENT_CONTENT: client_content(client, input->octets); break;
    case CLIENT_TLS_UP: client_tls_up(client); break;
    case CLIENT_TLS_FAILED:
        client_fail(client, "the TLS handshake failed: %.*s", SLICE_ARGS(input->octets));
        break;
    case CLIENT_TIMER: timer_expired(client); break;
    case CLIENT_EOF: connection_ended(client, input->octets); break;
    case CLIENT_QUIT:
        client_say(client, SLICE("QUIT"));
        client_enter(client, CLIENT_STATE_QUIT);
        break;
    }
}

void client_step(struct client *client, const struct client_input *input, struct client_output *output)
{
    assert(client->state != CLIENT_STATE_CLOSED && output->send.max >= CLIENT_SEND_MAX);
    output->start_tls = output->job_done = output->close = false;
    client->out = output;
    client->now_ms = input->now_ms;
    step(client, input);
    client->out = NULL;
    output->ready = client->state == CLIENT_STATE_IDLE;
    output->want_content = client->state == CLIENT_STATE_CONTENT;
    output->timer_ms = client->due_ms;
}

struct client *client_new(const struct client_settings *settings, const struct transaction *tell_about)
{
    struct client *client = memory_take(sizeof *client);
    client->settings = *settings;
    client->tell_about = tell_about;
    arena_init(&client->arena, NULL, 0);
    arena_init(&client->greeting, NULL, 0);
    arena_init(&client->results, NULL, 0);
    buf_init(&client->in, (size_t)2 * REPLY_SIZE_MAX);
    client->settings.helo = arena_copy(&client->arena, settings->helo);
    return client;
}

const struct capability *client_capabilities(const struct client *client)
{
    return &client->capability;
}

bool client_is_idle(const struct client *client)
{
    return client->state == CLIENT_STATE_IDLE;
}

struct slice client_trouble(const struct client *client)
{
    return client->trouble;
}

bool client_was_ready(const struct client *client)
{
    return client->was_ready;
}

bool client_has_tls(const struct client *client)
{
    return client->tls_up;
}

void client_free(struct client *client)
{
    if (!client)
        return;
    buf_drop(&client->in);
    arena_drop(&client->results);
    arena_drop(&client->greeting);
    arena_drop(&client->arena);
    memory_give(client, sizeof *client);
}
