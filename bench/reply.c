#include "reply.h"

#include <stdbool.h>

enum { LINE_MAX_OCTETS = 512 };

/* One octet before the line's end; false: not a reply. */
static bool octet_take(struct reply *reply, char octet)
{
    uint16_t at = reply->at++;
    if (at < 3) {
        if (octet < '0' || octet > '9')
            return false;
        reply->code = (uint16_t)(at ? reply->code * 10 + (octet - '0') : octet - '0');
        return true;
    }
    if (at == 3) {
        reply->more = octet == '-';
        return octet == '-' || octet == ' ';
    }
    return octet != '\0' && at < LINE_MAX_OCTETS - 2;
}

static enum reply_status line_end(struct reply *reply)
{
    if (reply->at < 3 || reply->code < 200 || reply->code > 599)
        return REPLY_BAD;
    if (reply->first && reply->first != reply->code)
        return REPLY_BAD;
    reply->first = reply->code;
    bool more = reply->more;
    reply->at = 0;
    reply->more = 0;
    reply->cr = 0;
    return more ? REPLY_PARTIAL : REPLY_DONE;
}

enum reply_status reply_take(struct reply *reply, const char *data, size_t size, size_t *ret_used)
{
    for (size_t i = 0; i < size; i++) {
        enum reply_status status = REPLY_PARTIAL;
        if (reply->cr)
            status = data[i] == '\n' ? line_end(reply) : REPLY_BAD;
        else if (data[i] == '\r')
            reply->cr = 1;
        else if (data[i] == '\n' || !octet_take(reply, data[i]))
            status = REPLY_BAD;
        if (status != REPLY_PARTIAL) {
            *ret_used = i + 1;
            return status;
        }
    }
    *ret_used = size;
    return REPLY_PARTIAL;
}
