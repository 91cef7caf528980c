/* Delivery status notifications (RFC 3461, 3462, 3464; RFC 6533 where an address is not ASCII): when one is
 * due, and how it reads.
 *
 * Never for the null sender, never against NOTIFY, never for what was refused at the gate. */
#ifndef QUEUE_NOTIFY_H
#define QUEUE_NOTIFY_H

#include "queue/content.h"
#include "queue/message.h"

enum notify_action {
    NOTIFY_ACTION_NONE,
    NOTIFY_ACTION_FAILED,
    NOTIFY_ACTION_DELAYED,
    NOTIFY_ACTION_DELIVERED,
    NOTIFY_ACTION_RELAYED,
    NOTIFY_ACTION_EXPANDED
};
const char *notify_action_word(enum notify_action action); /* "failed", … as in the Action field */

/* Whether this outcome of a recipient is to be told to the sender. DEFERRED stands for a delay that has
 * become long; preset: the administrator wants delays told where the sender did not say (retry.warn). */
enum notify_action notify_due(const struct message *message, const struct recipient *recipient,
                              enum outcome outcome, bool preset);

/* One recipient's part of a notification. */
struct notify_item {
    const struct recipient *recipient; /* as the client named it */
    struct slice final_address;        /* as it was tried; empty: the recipient's */
    enum notify_action action;
    const struct result *result; /* of this address; what it lacks is left out */
};

struct notify_form {
    const struct message *about;
    const struct notify_item *items;
    size_t count;      /* at least 1 */
    struct slice host; /* our name */
    const char *id;    /* the notification's own, for its Message-ID and boundary */
    uint64_t chance;   /* a random number that nobody can foresee, for the boundary */
    int64_t now_unix_ms;
    int64_t retry_until_unix_ms; /* for delays */
};

#define NOTIFY_HEADER_MAX (256u * 1024u) /* octets of the header that are returned */

struct notify_shape {
    bool whole;     /* all of the original belongs between `before` and `behind`; else nothing */
    bool utf8;      /* to be sent with SMTPUTF8 */
    bool eight_bit; /* … with BODY=8BITMIME */
};

/* The notification's content, in two parts; where only the header is returned it stands in `before`. header:
 * the original's header section, with its last line end. Lines end in CRLF. */
void notify_compose(const struct notify_form *form, struct slice header, struct buf *before,
                    struct buf *behind, struct notify_shape *ret_shape);

/* The header section at the front of a content, NOTIFY_HEADER_MAX at most, into buf. */
int notify_read_header(struct content *content, struct buf *buf, struct error *error);

#endif
