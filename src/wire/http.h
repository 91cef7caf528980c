/* An HTTP request on a mail port, and what it carries: somebody uses a web proxy that is open to everybody to
 * reach us, with SMTP commands as the request's body (RFC 9112 sections 3 and 5; RFC 9110 section 7.2;
 * X-Forwarded-For is no standard).
 *
 * It is read line by line and nothing of it is kept but what is named here, each cut at HTTP_VALUE octets and
 * to what is printable. */
#ifndef WIRE_HTTP_H
#define WIRE_HTTP_H

#include "base/arena.h"

#define HTTP_LINE       512u
#define HTTP_VALUE      200u
#define HTTP_RECIPIENTS 8u

struct http {
    struct arena *arena;
    struct slice method;
    struct slice target;
    struct slice host;
    struct slice forwarded_for; /* whom the proxy says that it serves: nobody has verified that */
    struct slice helo;          /* of the SMTP commands inside */
    struct slice sender;
    struct slice recipients[HTTP_RECIPIENTS];
    uint32_t recipient_count; /* all of them, also those beyond HTTP_RECIPIENTS */
    uint32_t commands;        /* HELO, EHLO, MAIL and RCPT lines */
    uint64_t octets;
    uint32_t lines;
    bool mail; /* a MAIL line came; its sender may be empty */
    uint32_t line_len;
    char line[HTTP_LINE]; /* the line at hand, cut */
};

/* The values are taken from the arena: 13 of them at most. It must live as long as *http. */
void http_init(struct http *http, struct arena *arena);
/* The octets in their order, in pieces of any size. */
void http_feed(struct http *http, struct slice octets);
/* The octets have come to their end: the last line may lack its own. */
void http_end(struct http *http);

#endif
