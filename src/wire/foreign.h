/* Which protocol somebody speaks who does not speak SMTP, told from the first octets.
 *
 * HTTP: RFC 9112 section 3; SIP: RFC 3261 section 7.1; SSH: RFC 4253 section 4.2; TLS: RFC 8446 section 5.1
 * and 4.1.2; RDP: an X.224 connection request in a TPKT (RFC 1006 section 6, X.224 section 13.3) with its
 * cookie; SOCKS: RFC 1928 section 3, and version 4 before it. */
#ifndef WIRE_FOREIGN_H
#define WIRE_FOREIGN_H

#include "base/slice.h"

enum foreign_kind {
    FOREIGN_NONE, /* nothing foreign about it */
    FOREIGN_HTTP,
    FOREIGN_SIP,
    FOREIGN_SSH,
    FOREIGN_TLS,
    FOREIGN_RDP,
    FOREIGN_SOCKS,
    FOREIGN_BINARY, /* none of these, and no text either */
    FOREIGN_KINDS
};

#define FOREIGN_TEXT 160u /* octets of evidence, its NUL included */
#define FOREIGN_NEED 512u /* octets with which the answer is always given */

struct foreign {
    enum foreign_kind kind;
    char evidence[FOREIGN_TEXT]; /* printable: the request line, the cookie, the first octets */
    size_t evidence_len;
};

/* `first` is all that the client has sent so far, or a line that was taken for a command, with its end. True:
 * the answer is there. False: it begins with octets that no command begins with, and more of them are needed
 * to name it; with `last` there is always an answer. A text without the end of its line, below FOREIGN_NEED
 * octets, is FOREIGN_NONE so far: ask again when the line has come. */
bool foreign_parse(struct slice first, bool last, struct foreign *ret_foreign);

const char *foreign_name(enum foreign_kind kind); /* "HTTP", "TLS", "binary data"; "SMTP" for NONE */

#endif
