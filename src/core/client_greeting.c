#include "core/client_parts.h"

/*
 * greeting → EHLO or LHLO → [ STARTTLS → TLS → EHLO ] → idle ; EHLO refused → HELO → idle   (RFC
 * 5321 4.1.1.1, 3207)
 */

/* RFC 5321 section 3.1: whoever is greeted with 554 says QUIT. */
static void refuse_politely(struct client *client, const struct reply *reply)
{
    client_say(client, SLICE("QUIT"));
    client_fail_reply(client, reply);
}

static void say_hello(struct client *client, struct slice verb)
{
    bool added = buf_add(&client->out->send, verb);
    if (added)
        client_say(client, client->told_helo.len ? client->told_helo : client->settings.helo);
}

void client_say_ehlo(struct client *client)
{
    say_hello(client, client->settings.protocol == CLIENT_LMTP ? SLICE("LHLO ") : SLICE("EHLO "));
    client_enter(client, CLIENT_STATE_EHLO);
}

void client_on_greeting(struct client *client, const struct reply *reply)
{
    if (reply->code == 220)
        client_say_ehlo(client);
    else
        refuse_politely(client, reply);
}

/* Greeting and EHLO are over; a job waits behind XCLIENT, or none. */
static void hello_done(struct client *client)
{
    client->was_ready = true;
    if (client->job)
        client_begin_envelope(client);
    else
        client_become_idle(client);
}

static bool wants_tls(const struct client *client)
{
    return client->settings.tls != ROUTE_TLS_NEVER && !client->tls_up;
}

static void capabilities_take(struct client *client, const struct reply *reply)
{
    capability_parse(reply, &client->capability);
    struct slice told = client->told, helo = client->told_helo;
    struct arena old = client->greeting;
    arena_init(&client->greeting, NULL, 0);
    client->capability.greeting = arena_copy(&client->greeting, client->capability.greeting);
    client->told = told.len ? arena_copy(&client->greeting, told) : SLICE_NONE;
    client->told_helo = helo.len ? arena_copy(&client->greeting, helo) : SLICE_NONE;
    arena_drop(&old);
}

static void capabilities_forget(struct client *client)
{
    client->capability = (struct capability){.set = 0};
}

static void say_starttls(struct client *client)
{
    client_say(client, SLICE("STARTTLS"));
    client_enter(client, CLIENT_STATE_STARTTLS);
}

void client_on_ehlo(struct client *client, const struct reply *reply)
{
    if (reply->code / 100 == 2) {
        capabilities_take(client, reply);
        if (wants_tls(client) && client->capability.set & CAPABILITY_STARTTLS)
            say_starttls(client);
        else if (wants_tls(client) && client->settings.tls == ROUTE_TLS_MUST)
            client_fail(client, "the server does not offer STARTTLS, which the route demands");
        else
            hello_done(client);
        return;
    }
    capabilities_forget(client);
    /* It may be the other's name that the server does not like. */
    if (reply->code / 100 == 5 && client->told_helo.len > 0) {
        client->told_helo = SLICE_NONE;
        client_say_ehlo(client);
        return;
    }
    bool must = wants_tls(client) && client->settings.tls == ROUTE_TLS_MUST;
    if (reply->code / 100 != 5 || client->settings.protocol == CLIENT_LMTP || must) {
        refuse_politely(client, reply);
        return;
    }
    say_hello(client, SLICE("HELO "));
    client_enter(client, CLIENT_STATE_HELO);
}

void client_on_helo(struct client *client, const struct reply *reply)
{
    if (reply->code / 100 == 2)
        hello_done(client);
    else
        refuse_politely(client, reply);
}

void client_on_starttls(struct client *client, const struct reply *reply)
{
    if (reply->code == 220) {
        client->out->start_tls = true;
        client_enter(client, CLIENT_STATE_TLS);
    } else if (client->settings.tls == ROUTE_TLS_MUST || reply->code == 421) {
        refuse_politely(client, reply);
    } else {
        hello_done(client);
    }
}

/* Nothing that was said before the handshake holds behind it (RFC 3207 section 4.2). */
void client_tls_up(struct client *client)
{
    client->tls_up = true;
    capabilities_forget(client);
    client_say_ehlo(client);
}
