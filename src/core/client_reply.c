#include "core/client_parts.h"

#include <assert.h>
#include <string.h>

/* How many replies are awaited; SIZE_MAX where the connection ends anyway. */
static size_t replies_due(const struct client *client)
{
    switch ((enum client_state)client->state) {
    case CLIENT_STATE_NEW:
    case CLIENT_STATE_TLS:
    case CLIENT_STATE_IDLE:
    case CLIENT_STATE_CLOSED:
    case CLIENT_STATE_COUNT: return 0;
    case CLIENT_STATE_GREETING:
    case CLIENT_STATE_EHLO:
    case CLIENT_STATE_HELO:
    case CLIENT_STATE_STARTTLS:
    case CLIENT_STATE_XCLIENT:
    case CLIENT_STATE_RESET: return 1;
    case CLIENT_STATE_ENVELOPE: return client_replies_due(client);
    case CLIENT_STATE_DOT: return client->dots_due;
    case CLIENT_STATE_CONTENT:
    case CLIENT_STATE_EARLY:
    case CLIENT_STATE_QUIT: return SIZE_MAX;
    }
    return 0;
}

/* Whether octets behind the last reply that is awaited can be left to the state that follows it: nothing is
 * sent because of it. Elsewhere they would be taken for the reply to a command that was not sent yet. */
static bool last_may_have_more_behind(const struct client *client)
{
    switch ((enum client_state)client->state) {
    case CLIENT_STATE_NEW:
    case CLIENT_STATE_TLS:
    case CLIENT_STATE_IDLE:
    case CLIENT_STATE_CLOSED:
    case CLIENT_STATE_COUNT:
    case CLIENT_STATE_GREETING:
    case CLIENT_STATE_EHLO:
    case CLIENT_STATE_HELO:
    case CLIENT_STATE_STARTTLS:
    case CLIENT_STATE_XCLIENT: return false;
    case CLIENT_STATE_ENVELOPE: return client_envelope_may_end(client);
    case CLIENT_STATE_DOT:
    case CLIENT_STATE_RESET:
    case CLIENT_STATE_CONTENT:
    case CLIENT_STATE_EARLY:
    case CLIENT_STATE_QUIT: return true;
    }
    return false;
}

static void on_reply(struct client *client, const struct reply *reply)
{
    switch ((enum client_state)client->state) {
    case CLIENT_STATE_GREETING: client_on_greeting(client, reply); break;
    case CLIENT_STATE_EHLO: client_on_ehlo(client, reply); break;
    case CLIENT_STATE_HELO: client_on_helo(client, reply); break;
    case CLIENT_STATE_STARTTLS: client_on_starttls(client, reply); break;
    case CLIENT_STATE_XCLIENT: client_on_xclient(client, reply); break;
    case CLIENT_STATE_ENVELOPE: client_on_envelope(client, reply); break;
    case CLIENT_STATE_EARLY: client_on_early(client, reply); break;
    case CLIENT_STATE_DOT: client_on_dot(client, reply); break;
    case CLIENT_STATE_RESET: client_on_reset(client, reply); break;
    case CLIENT_STATE_QUIT: client_close(client); break;
    case CLIENT_STATE_NEW:
    case CLIENT_STATE_TLS:
    case CLIENT_STATE_IDLE:
    case CLIENT_STATE_CONTENT:
    case CLIENT_STATE_CLOSED:
    case CLIENT_STATE_COUNT: assert(!"a reply is awaited"); break;
    }
}

static void out_of_turn(struct client *client)
{
    if (client->state == CLIENT_STATE_TLS)
        client_fail(client, "plain text came behind the reply to STARTTLS");
    else
        client_fail(client, "the server spoke while nothing was asked of it");
}

/* One reply off the front of the input. Returns the octets used up; 0: more are needed, or it is over. */
static size_t take_reply(struct client *client, struct slice input)
{
    struct reply reply;
    size_t due = replies_due(client);
    if (due == 0) {
        out_of_turn(client);
        return 0;
    }
    if (client->state == CLIENT_STATE_CONTENT)
        client_enter(client, CLIENT_STATE_EARLY);
    switch (reply_parse(input, &reply)) {
    case REPLY_PARTIAL: return 0;
    case REPLY_BAD:
        client_fail(client, "what came in place of %s is no reply", client_awaited(client));
        return 0;
    case REPLY_DONE: break;
    }
    if (due == 1 && reply.taken < input.len && !last_may_have_more_behind(client))
        client_fail(client, "more came than %s", client_awaited(client));
    else
        on_reply(client, &reply);
    return reply.taken;
}

/* Returns how many octets were used up. */
static size_t take_replies(struct client *client, struct slice input)
{
    size_t taken = 0;
    while (taken < input.len && client->state != CLIENT_STATE_CLOSED) {
        size_t one = take_reply(client, slice_from(input, taken));
        if (one == 0)
            break;
        taken += one;
    }
    return taken;
}

/* Only a line feed can end a reply: without one the octets are only kept, so that a server that dribbles
 * costs no more than one that does not. */
static void take_behind(struct client *client, struct slice octets)
{
    size_t room = client->in.max - client->in.len;
    while (octets.len > 0 && client->state != CLIENT_STATE_CLOSED) {
        struct slice part = slice_head(octets, room);
        buf_add(&client->in, part);
        octets = slice_from(octets, part.len);
        if (slice_find(part, '\n') != SLICE_NOT_FOUND || client->in.len >= REPLY_SIZE_MAX)
            buf_take_front(&client->in, take_replies(client, buf_slice(&client->in)));
        room = client->in.max - client->in.len;
    }
}

void client_take(struct client *client, struct slice octets)
{
    if (client->in.len == 0)
        octets = slice_from(octets, take_replies(client, octets));
    if (octets.len > 0 && client->state != CLIENT_STATE_CLOSED)
        take_behind(client, octets);
    if (client->in.len == 0)
        buf_drop(&client->in);
}

/* --- replies as results -------------------------------------------------------------------------------- */

/* Printable ASCII and well-formed UTF-8 stay, anything else becomes '?'. */
static size_t clean_copy(char *to, size_t room, struct slice text)
{
    size_t len = 0;
    while (text.len > 0) {
        size_t size = slice_utf8_size(text);
        bool good = size > 1 || (size == 1 && text.at[0] >= ' ' && text.at[0] != 0x7f);
        size_t from = good ? size : 1;
        if (len + from > room)
            break;
        if (good)
            memcpy(to + len, text.at, size);
        else
            to[len] = '?';
        len += from;
        text = slice_from(text, from);
    }
    return len;
}

/* The text of all lines, parted by blanks. */
static size_t text_join(const struct reply *reply, char text[CLIENT_TEXT_MAX])
{
    size_t len = 0, at = 0;
    struct slice line;
    while (len < CLIENT_TEXT_MAX && reply_line(reply, &at, &line)) {
        if (len > 0)
            text[len++] = ' ';
        len += clean_copy(text + len, CLIENT_TEXT_MAX - len, slice_trim(line));
    }
    return len;
}

struct client_reply client_reply_copy(struct client *client, const struct reply *reply)
{
    char text[CLIENT_TEXT_MAX];
    struct client_reply copy = {.code = (uint16_t)reply->code};
    size_t len = text_join(reply, text);
    copy.text = arena_copy(&client->results, slice_of(text, len));
    const struct enhanced *enhanced = &reply->enhanced;
    if (enhanced->class != 0)
        copy.enhanced = arena_format(&client->results, "%u.%u.%u", enhanced->class, enhanced->subject,
                                     enhanced->detail);
    return copy;
}

struct client_reply client_reply_own(unsigned code, struct slice enhanced, struct slice text)
{
    return (struct client_reply){.code = (uint16_t)code, .enhanced = enhanced, .text = text};
}

void client_fail_reply(struct client *client, const struct reply *reply)
{
    char text[CLIENT_TEXT_MAX];
    size_t len = text_join(reply, text);
    client_fail(client, "%s was %u %.*s", client_awaited(client), reply->code, (int)len, text);
}
