#include "wire/maillog_record.h"

#include "base/text.h"

/* Where the quoted text that begins at `at` ends, behind its quote; or at + 1 where it has no end. */
static size_t behind_quoted(struct slice text, size_t at)
{
    for (size_t i = at + 1; i < text.len; i++) {
        if (text.at[i] == '\\')
            i++;
        else if (text.at[i] == '"')
            return i + 1;
    }
    return at + 1;
}

bool maillog_take_path(struct slice *text, struct slice *ret_path)
{
    if (!text->len || text->at[0] != '<')
        return false;
    const size_t close = slice_find(*text, '>');
    size_t end = close;

    /* Nearly none has quotes: then the first bracket is the one. */
    if (close != SLICE_NOT_FOUND && memchr(text->at, '"', close))
        for (end = 1; end < text->len && text->at[end] != '>';)
            end = text->at[end] == '"' ? behind_quoted(*text, end) : end + 1;
    if (end >= text->len) /* cut short by the logger */
        end = text->len;
    *ret_path = slice_of(text->at + 1, end - 1);
    *text = slice_from(*text, end + 1);
    return true;
}

bool maillog_next_recipient(struct slice *rest, struct slice *ret_recipient)
{
    if (!rest->len)
        return false;
    if (rest->at[0] != '<')
        return slice_cut(rest, ',', ret_recipient);
    (void)maillog_take_path(rest, ret_recipient);
    if (rest->len && rest->at[0] == ',')
        *rest = slice_from(*rest, 1);
    return true;
}

/* "192.0.2.7", "2001:db8::7", "IPv6:2001:db8::7" */
static bool address_read(struct slice text, struct address *ret_address)
{
    if (slice_starts(text, SLICE("IPv6:")))
        text = slice_from(text, 5);
    return address_parse(text, ret_address);
}

static void take_port(struct slice *text, struct address *address)
{
    unsigned port = 0;
    size_t end = 1;

    if (text->len < 2 || text->at[0] != ':' || !text_is_digit(text->at[1]))
        return;
    for (; end < text->len && end <= 5 && text_is_digit(text->at[end]); end++)
        port = port * 10 + (unsigned)(text->at[end] - '0');
    if (port <= UINT16_MAX)
        address->port = (uint16_t)port;
    *text = slice_from(*text, end);
}

bool maillog_take_client(struct slice *text, struct maillog_record *record)
{
    const size_t open = slice_find(*text, '[');
    const struct slice name = slice_head(*text, open);

    if (open == SLICE_NOT_FOUND || slice_find(name, ' ') != SLICE_NOT_FOUND)
        return false;
    struct slice rest = slice_from(*text, open + 1);
    const size_t close = slice_find(slice_head(rest, 64), ']');
    if (close == SLICE_NOT_FOUND || !address_read(slice_head(rest, close), &record->address))
        return false;
    rest = slice_from(rest, close + 1);
    take_port(&rest, &record->address);
    record->has |= MAILLOG_HAS_CLIENT;
    if (name.len) {
        record->has |= MAILLOG_HAS_NAME;
        record->name = slice_equal(name, SLICE("unknown")) ? SLICE_NONE : name;
    }
    *text = rest;
    return true;
}

bool maillog_address_in(struct slice text, struct address *ret_address)
{
    const size_t close = slice_find_last(text, ']');
    const size_t open = slice_find_last(slice_head(text, close), '[');

    if (close == SLICE_NOT_FOUND || open == SLICE_NOT_FOUND)
        return false;
    return address_read(slice_of(text.at + open + 1, close - open - 1), ret_address);
}

/* 4yz or 5yz; else what an enhanced code says: 5.7.1 is 550, 4.2.0 is 450. */
void maillog_set_reply(struct maillog_record *record, struct slice reply)
{
    const bool class = reply.len >= 3 && (reply.at[0] == '4' || reply.at[0] == '5');

    record->reply = reply;
    record->code = 0;
    if (class && text_is_digit(reply.at[1]) && text_is_digit(reply.at[2]))
        record->code = (uint16_t)((reply.at[0] - '0') * 100 + (reply.at[1] - '0') * 10 + reply.at[2] - '0');
    else if (class && reply.at[1] == '.' && text_is_digit(reply.at[2]))
        record->code = reply.at[0] == '5' ? 550 : 450;
}
