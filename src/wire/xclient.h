/* XCLIENT (Postfix's extension; facts of its public README): a trusted front tells whom it speaks for. */
#ifndef WIRE_XCLIENT_H
#define WIRE_XCLIENT_H

#include "base/address.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"

enum xclient_name {
    XCLIENT_NAME,
    XCLIENT_ADDR,
    XCLIENT_PORT,
    XCLIENT_PROTO,
    XCLIENT_HELO,
    XCLIENT_LOGIN,
    XCLIENT_DESTADDR,
    XCLIENT_DESTPORT,
    XCLIENT_COUNT
};

enum xclient_state {
    XCLIENT_ABSENT,
    XCLIENT_GIVEN,
    XCLIENT_UNAVAILABLE, /* [UNAVAILABLE]: does not exist */
    XCLIENT_TEMPUNAVAIL  /* [TEMPUNAVAIL]: could not be found out just now */
};

struct xclient {
    enum xclient_state state[XCLIENT_COUNT];
    struct slice text[XCLIENT_COUNT]; /* decoded; into the argument or the arena; empty unless GIVEN */
    struct address client;            /* of ADDR, port of PORT */
    struct address destination;       /* of DESTADDR, port of DESTPORT */
};

enum xclient_status {
    XCLIENT_DONE,
    XCLIENT_SYNTAX,   /* no `name=value`, no xtext, or nothing at all */
    XCLIENT_UNKNOWN,  /* an attribute that we do not know */
    XCLIENT_REPEATED, /* an attribute twice */
    XCLIENT_VALUE     /* an address, port or protocol that is none; a value with control octets */
};

/* The argument of the XCLIENT command. ret_culprit (not NULL) is the attribute that is wrong. Values hold
 * printable ASCII or UTF-8 only. */
enum xclient_status xclient_parse(struct slice argument, struct arena *arena, struct xclient *ret_xclient,
                                  struct slice *ret_culprit);
/* "NAME=… ADDR=…" (IPv6: the caller puts "IPV6:" in front) of what is not ABSENT and stands in the bits
 * `names` (1 << enum xclient_name), for the client side. client and destination are not looked at, text is.
 * False: the buf's maximum; nothing was added. */
bool xclient_format(struct buf *buf, const struct xclient *xclient, unsigned names);

struct slice xclient_attribute(enum xclient_name name); /* "NAME", …; constant */

#endif
