#include "wire/xclient.h"

#include "base/text.h"
#include "wire/param.h"

/*
 * argument  = attribute *( 1*blank attribute )
 * attribute = name "=" ( "[UNAVAILABLE]" / "[TEMPUNAVAIL]" / xtext )
 * ADDR, DESTADDR: IPv4, or IPv6 with or without "IPV6:" in front; PORT, DESTPORT: 0 to 65535;
 * PROTO: SMTP / ESMTP
 */

static const struct slice attributes[XCLIENT_COUNT] = {
    [XCLIENT_NAME] = {"NAME", 4},         [XCLIENT_ADDR] = {"ADDR", 4},
    [XCLIENT_PORT] = {"PORT", 4},         [XCLIENT_PROTO] = {"PROTO", 5},
    [XCLIENT_HELO] = {"HELO", 4},         [XCLIENT_LOGIN] = {"LOGIN", 5},
    [XCLIENT_DESTADDR] = {"DESTADDR", 8}, [XCLIENT_DESTPORT] = {"DESTPORT", 8},
};

struct slice xclient_attribute(enum xclient_name name)
{
    return attributes[name];
}

static bool address_read(struct slice text, struct address *ret_address)
{
    uint16_t port = ret_address->port;
    if (slice_starts_fold(text, SLICE("IPV6:")))
        text = slice_from(text, 5);
    if (!address_parse(text, ret_address))
        return false;
    ret_address->port = port;
    return true;
}

static bool port_read(struct slice text, uint16_t *ret_port)
{
    uint64_t port;
    if (!text_parse_u64(text, &port) || port > UINT16_MAX)
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

static bool text_is_clean(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7f)
            return false;
    return slice_is_utf8(text);
}

static bool value_read(struct xclient *xclient, enum xclient_name name)
{
    struct slice text = xclient->text[name];
    if (text.len == 0 || !text_is_clean(text))
        return false;
    switch (name) {
    case XCLIENT_ADDR: return address_read(text, &xclient->client);
    case XCLIENT_PORT: return port_read(text, &xclient->client.port);
    case XCLIENT_DESTADDR: return address_read(text, &xclient->destination);
    case XCLIENT_DESTPORT: return port_read(text, &xclient->destination.port);
    case XCLIENT_PROTO:
        return slice_equal_fold(text, SLICE("SMTP")) || slice_equal_fold(text, SLICE("ESMTP"));
    case XCLIENT_NAME:
    case XCLIENT_HELO:
    case XCLIENT_LOGIN:
    case XCLIENT_COUNT: return true;
    }
    return false;
}

static enum xclient_status attribute_parse(struct slice word, struct arena *arena, struct xclient *xclient)
{
    size_t equals = slice_find(word, '=');
    if (equals == SLICE_NOT_FOUND)
        return XCLIENT_SYNTAX;
    struct slice key = slice_head(word, equals), value = slice_from(word, equals + 1);
    enum xclient_name name = 0;
    while (name < XCLIENT_COUNT && !slice_equal_fold(key, attributes[name]))
        name++;
    if (name == XCLIENT_COUNT)
        return XCLIENT_UNKNOWN;
    if (xclient->state[name] != XCLIENT_ABSENT)
        return XCLIENT_REPEATED;
    xclient->state[name] = XCLIENT_GIVEN;
    if (slice_equal_fold(value, SLICE("[UNAVAILABLE]")))
        xclient->state[name] = XCLIENT_UNAVAILABLE;
    if (slice_equal_fold(value, SLICE("[TEMPUNAVAIL]")))
        xclient->state[name] = XCLIENT_TEMPUNAVAIL;
    if (xclient->state[name] != XCLIENT_GIVEN)
        return XCLIENT_DONE;
    if (!xtext_decode(value, arena, &xclient->text[name]))
        return XCLIENT_SYNTAX;
    return value_read(xclient, name) ? XCLIENT_DONE : XCLIENT_VALUE;
}

enum xclient_status xclient_parse(struct slice argument, struct arena *arena, struct xclient *ret_xclient,
                                  struct slice *ret_culprit)
{
    struct slice word;
    bool any = false;
    *ret_xclient = (struct xclient){.client = {.family = ADDRESS_NONE}};
    *ret_culprit = SLICE_NONE;
    while (slice_word(&argument, &word)) {
        enum xclient_status status = attribute_parse(word, arena, ret_xclient);
        if (status != XCLIENT_DONE) {
            *ret_culprit = word;
            return status;
        }
        any = true;
    }
    return any ? XCLIENT_DONE : XCLIENT_SYNTAX;
}

static bool attribute_format(struct buf *buf, const struct xclient *xclient, enum xclient_name name)
{
    if (!buf_add(buf, attributes[name]) || !buf_add_octet(buf, '='))
        return false;
    switch (xclient->state[name]) {
    case XCLIENT_UNAVAILABLE: return buf_add(buf, SLICE("[UNAVAILABLE]"));
    case XCLIENT_TEMPUNAVAIL: return buf_add(buf, SLICE("[TEMPUNAVAIL]"));
    case XCLIENT_GIVEN:
    case XCLIENT_ABSENT: return xtext_encode(buf, xclient->text[name]);
    }
    return false;
}

bool xclient_format(struct buf *buf, const struct xclient *xclient, unsigned names)
{
    uint32_t start = buf->len;
    for (enum xclient_name name = 0; name < XCLIENT_COUNT; name++) {
        if (xclient->state[name] == XCLIENT_ABSENT || !(names & 1u << name))
            continue;
        if ((buf->len > start && !buf_add_octet(buf, ' ')) || !attribute_format(buf, xclient, name)) {
            buf->len = start;
            return false;
        }
    }
    return true;
}
