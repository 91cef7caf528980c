#include "core/client_parts.h"

#include "wire/xclient.h"

#include <assert.h>

/*
 * PROXY (facts of its public specification), the first octets of the connection. Version 1:
 * header = "PROXY " ( ( "TCP4" / "TCP6" ) SP source SP destination SP port SP port / "UNKNOWN" ) CRLF
 */
static void tell_proxy_v1(struct client *client, const struct address *from, const struct address *to)
{
    char source[ADDRESS_TEXT_SIZE], destination[ADDRESS_TEXT_SIZE];
    address_print(from, source);
    address_print(to, destination);
    bool added = buf_add_format(&client->out->send, "PROXY TCP%u %s %s %u %u\r\n",
                                from->family == ADDRESS_IPV4 ? 4u : 6u, source, destination, from->port,
                                to->port);
    assert(added);
}

static void add_octets(struct client *client, const void *octets, size_t len)
{
    bool added = buf_add(&client->out->send, slice_of(octets, len));
    assert(added);
}

/*
 * Version 2: 12 octets of signature, version and command (0x21 PROXY, 0x20 LOCAL), family (0x11 TCP over
 * IPv4, 0x21 over IPv6, 0 none), length of what follows; source, destination, their ports, all in network
 * order.
 */
static void tell_proxy_v2(struct client *client, const struct address *from, const struct address *to,
                          bool known)
{
    static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";
    size_t size = from->family == ADDRESS_IPV4 ? 4 : 16;
    const uint8_t ports[] = {(uint8_t)(from->port >> 8), (uint8_t)from->port, (uint8_t)(to->port >> 8),
                             (uint8_t)to->port};
    const uint8_t family = from->family == ADDRESS_IPV4 ? 0x11 : 0x21;
    const uint8_t head[] = {known ? 0x21 : 0x20, known ? family : 0, 0,
                            known ? (uint8_t)(2 * size + sizeof ports) : 0};
    add_octets(client, signature, sizeof signature - 1);
    add_octets(client, head, sizeof head);
    if (!known)
        return;
    add_octets(client, from->octets, size);
    add_octets(client, to->octets, size);
    add_octets(client, ports, sizeof ports);
}

void client_tell_proxy(struct client *client)
{
    const struct transaction *about = client->tell_about;
    const struct address *from = about ? &about->peer : &client->settings.self;
    const struct address *to = about ? &about->local : &client->settings.server;
    bool known = from->family != ADDRESS_NONE && from->family == to->family;
    client->tell_about = NULL;
    if (client->settings.tell == ROUTE_TELL_PROXY_V2)
        tell_proxy_v2(client, from, to, known);
    else if (client->settings.tell == ROUTE_TELL_PROXY && known)
        tell_proxy_v1(client, from, to);
    else if (client->settings.tell == ROUTE_TELL_PROXY)
        client_say(client, SLICE("PROXY UNKNOWN"));
}

static void attribute_set(struct xclient *xclient, enum xclient_name name, struct slice text)
{
    xclient->state[name] = text.len ? XCLIENT_GIVEN : XCLIENT_UNAVAILABLE;
    xclient->text[name] = text;
}

/* Facts of the public README: an IPv6 address is written "IPV6:…". */
static void attribute_set_address(struct client *client, struct xclient *xclient, enum xclient_name name,
                                  const struct address *address)
{
    char text[ADDRESS_TEXT_SIZE];
    address_print(address, text);
    struct slice family = address->family == ADDRESS_IPV6 ? SLICE("IPV6:") : SLICE_NONE;
    struct slice value = arena_join(&client->results, family, slice_text(text));
    attribute_set(xclient, name, address->family == ADDRESS_NONE ? SLICE_NONE : value);
}

static void attribute_set_port(struct client *client, struct xclient *xclient, enum xclient_name name,
                               uint16_t port)
{
    attribute_set(xclient, name, port ? arena_format(&client->results, "%u", port) : SLICE_NONE);
}

/* "XCLIENT NAME=… ADDR=…" of the attributes that the server lists, in `results`; empty: none. */
static struct slice xclient_line(struct client *client, const struct transaction *about)
{
    struct xclient xclient = {.client = {.family = ADDRESS_NONE}};
    struct buf line;
    attribute_set(&xclient, XCLIENT_NAME, about->peer_name);
    attribute_set_address(client, &xclient, XCLIENT_ADDR, &about->peer);
    attribute_set_port(client, &xclient, XCLIENT_PORT, about->peer.port);
    attribute_set(&xclient, XCLIENT_PROTO, about->esmtp ? SLICE("ESMTP") : SLICE("SMTP"));
    attribute_set(&xclient, XCLIENT_HELO, about->helo);
    attribute_set_address(client, &xclient, XCLIENT_DESTADDR, &about->local);
    attribute_set_port(client, &xclient, XCLIENT_DESTPORT, about->local.port);
    buf_init(&line, 4096);
    bool added = buf_add(&line, SLICE("XCLIENT ")) &&
                 xclient_format(&line, &xclient, client->capability.xclient);
    struct slice copy = SLICE_NONE;
    if (added && line.len > SLICE("XCLIENT ").len)
        copy = arena_copy(&client->results, buf_slice(&line));
    buf_drop(&line);
    return copy;
}

/* Behind XCLIENT the server expects a greeting under the other's name (facts of the public README): its
 * checks of HELO, and its Received field, are about the other. */
static bool is_name(struct slice helo)
{
    return helo.len > 0 && helo.len < 256 && slice_is_printable(helo) &&
           slice_find(helo, ' ') == SLICE_NOT_FOUND;
}

bool client_tell_xclient(struct client *client)
{
    const struct transaction *about = client->job->transaction;
    if (client->settings.tell != ROUTE_TELL_XCLIENT || !about || client->tell_no_more)
        return false;
    if (!(client->capability.set & CAPABILITY_XCLIENT))
        return false;
    struct slice line = xclient_line(client, about);
    if (line.len == 0 || slice_equal(line, client->told))
        return false;
    client->told = arena_copy(&client->greeting, line);
    client->told_helo = is_name(about->helo) ? arena_copy(&client->greeting, about->helo) : SLICE_NONE;
    client_say(client, line);
    client_enter(client, CLIENT_STATE_XCLIENT);
    return true;
}

/* A server that refuses stays as it was: the message goes there all the same, and nothing is told any more.
 */
void client_on_xclient(struct client *client, const struct reply *reply)
{
    if (reply->code == 220) {
        client_say_ehlo(client);
    } else if (reply->code / 100 == 5) {
        client->tell_no_more = true;
        client->told = client->told_helo = SLICE_NONE;
        client_begin_envelope(client);
    } else {
        client_fail_reply(client, reply);
    }
}
