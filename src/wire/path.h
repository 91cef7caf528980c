/* Reverse-path and forward-path, the arguments of MAIL and RCPT (RFC 5321 section 4.1.2, RFC 6531
 * section 3.3). */
#ifndef WIRE_PATH_H
#define WIRE_PATH_H

#include "base/address.h"
#include "base/arena.h"
#include "base/slice.h"

/* RFC 5321 section 4.5.3.1.1 wants 64 taken; the senders that list software makes of its readers' addresses
 * get longer. */
#define PATH_LOCAL_MAX 128
#define PATH_SIZE_MAX  256 /* section 4.5.3.1.3, brackets included; a source route does not count */

/* Everything but PATH_DONE leaves the path unusable; `whole` is set where it was found, for the log. */
enum path_status {
    PATH_DONE,
    PATH_KEYWORD,   /* the argument does not begin with FROM: or TO: */
    PATH_EMPTY,     /* nothing there, or <> where a recipient must stand */
    PATH_SYNTAX,    /* brackets, blanks, source route or quotes out of order */
    PATH_LOCAL,     /* the local part is malformed or missing */
    PATH_NO_DOMAIN, /* a local part alone, and it is not postmaster; local and local_plain are set */
    PATH_DOMAIN,    /* the domain is malformed */
    PATH_LITERAL,   /* the address literal is malformed */
    PATH_LONG,      /* local part over 128 octets, domain over 255, or the whole over 256 */
    PATH_OCTET,     /* a control octet (CR, LF, NUL, HT, DEL, …) inside */
    PATH_UTF8,      /* malformed UTF-8 */
    PATH_STATUS_COUNT
};

/* Slices point into the argument; local_plain points into the argument too, or into the arena. */
struct path {
    struct slice whole;       /* what stood between the brackets, source route included */
    struct slice mailbox;     /* local@domain as sent, without the source route; empty for the null path */
    struct slice local;       /* as sent, quotes kept */
    struct slice local_plain; /* without quotes and backslashes */
    struct slice domain; /* as sent, brackets of a literal included; empty for null and bare postmaster */
    struct address literal_address; /* ADDRESS_NONE unless `literal` */
    bool null;                      /* <> */
    bool postmaster;                /* <Postmaster> without a domain, in any case of letters */
    bool literal;                   /* the domain is an address literal */
    bool quoted;                    /* the local part is a quoted string */
    bool utf8;                      /* octets over 127 somewhere: needs SMTPUTF8 */
    bool source_route;              /* <@a,@b:c@d>: parsed and ignored (RFC 5321 appendix C) */
    bool extra_space;               /* blanks between colon and path, or inside the brackets at the ends */
    bool unbracketed;               /* no angle brackets: the session decides */
    bool percent;                   /* the local part holds a `%` */
    bool bang;                      /* … a `!` */
    bool at;                        /* … an `@` (quoted): a relay trick as well */
    bool dots;                      /* dots at an end of the local part, or two in a row: tolerated, for there
                                       are such mailboxes */
    bool underscore;                /* the domain holds a `_` */
};

/* The argument of MAIL ("FROM:<a@b.example> SIZE=1") or RCPT ("TO: <a@b.example>"), keyword included.
 * ret_parameters is the rest behind the path, blanks off at both ends, for param_next. The arena is used for
 * local_plain alone, and only where a quoted local part holds a backslash. UTF-8 is parsed and flagged, the
 * session decides by SMTPUTF8. Without brackets the path ends at the first blank. */
enum path_status path_parse_reverse(struct slice argument, struct arena *arena, struct path *ret_path,
                                    struct slice *ret_parameters);
enum path_status path_parse_forward(struct slice argument, struct arena *arena, struct path *ret_path,
                                    struct slice *ret_parameters);

/* A mailbox alone, "local@domain" without brackets: configuration, alias tables. Blanks are not taken. */
enum path_status path_parse_mailbox(struct slice text, struct arena *arena, struct path *ret_path);

/* A word for logs: "done", "keyword", "empty", … Constant text. */
struct slice path_status_name(enum path_status status);

#endif
