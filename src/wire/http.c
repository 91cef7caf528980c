#include "wire/http.h"

#include "wire/command.h"

/*
 * request = request-line *( field-line ) CRLF body
 * What stands in the body are the lines of an SMTP client. Whoever does this does not care much for the
 * grammar of either, so a command is taken for one wherever it stands: no field name has a blank in it.
 */

void http_init(struct http *http, struct arena *arena)
{
    *http = (struct http){.arena = arena};
}

static struct slice keep(struct http *http, struct slice value)
{
    value = slice_head(slice_trim(value), HTTP_VALUE);
    char *text = arena_take(http->arena, value.len + 1);
    for (size_t i = 0; i < value.len; i++)
        text[i] = value.at[i] >= ' ' && value.at[i] < 0x7f ? value.at[i] : '?';
    return slice_of(text, value.len);
}

/* "FROM:<a@b> SIZE=1" gives a@b, "TO: a@b" too. */
static struct slice path_of(struct slice argument)
{
    struct slice rest = argument, word;
    size_t colon = slice_find(argument, ':'), open, end;
    if (colon != SLICE_NOT_FOUND)
        rest = slice_from(argument, colon + 1);
    open = slice_find(rest, '<');
    if (open == SLICE_NOT_FOUND)
        return slice_word(&rest, &word) ? word : SLICE_NONE;
    rest = slice_from(rest, open + 1);
    end = slice_find(rest, '>');
    return slice_head(rest, end);
}

static void command_came(struct http *http, const struct command *command)
{
    switch (command->verb) {
    case VERB_HELO:
    case VERB_EHLO:
        if (!http->helo.len)
            http->helo = keep(http, command->argument);
        break;
    case VERB_MAIL:
        if (!http->mail)
            http->sender = keep(http, path_of(command->argument));
        http->mail = true;
        break;
    case VERB_RCPT:
        if (http->recipient_count < HTTP_RECIPIENTS)
            http->recipients[http->recipient_count] = keep(http, path_of(command->argument));
        http->recipient_count++;
        break;
    default: return;
    }
    http->commands++;
}

static void field_came(struct http *http, struct slice line)
{
    struct slice name;
    if (slice_find(line, ':') == SLICE_NOT_FOUND || !slice_cut(&line, ':', &name))
        return;
    if (!http->host.at && slice_equal_fold(name, SLICE("Host")))
        http->host = keep(http, line);
    else if (!http->forwarded_for.at && slice_equal_fold(name, SLICE("X-Forwarded-For")))
        http->forwarded_for = keep(http, line);
}

static void request_came(struct http *http, struct slice line)
{
    struct slice word;
    if (slice_word(&line, &word))
        http->method = keep(http, word);
    if (slice_word(&line, &word))
        http->target = keep(http, word);
}

static void line_came(struct http *http, struct slice line)
{
    struct command command;
    if (line.len && line.at[line.len - 1] == '\r')
        line.len--;
    if (http->lines++ == 0) {
        request_came(http, line);
        return;
    }
    command_parse(line, &command);
    command_came(http, &command);
    field_came(http, line);
}

void http_feed(struct http *http, struct slice octets)
{
    http->octets += octets.len;
    while (octets.len) {
        size_t end = slice_find(octets, '\n');
        struct slice part = slice_head(octets, end);
        struct slice kept = slice_head(part, HTTP_LINE - http->line_len);
        if (kept.len)
            memcpy(http->line + http->line_len, kept.at, kept.len);
        http->line_len += (uint32_t)kept.len;
        if (end == SLICE_NOT_FOUND)
            return;
        line_came(http, slice_of(http->line, http->line_len));
        http->line_len = 0;
        octets = slice_from(octets, end + 1);
    }
}

void http_end(struct http *http)
{
    if (http->line_len)
        line_came(http, slice_of(http->line, http->line_len));
    http->line_len = 0;
}
