/* Who has a mailbox here: the table that the courier publishes and the gates look recipients up in.
 *
 * The courier makes it of each route's listed names, aliases and Maildir folders, and replaces the file as a
 * whole (rename). A gate maps it and looks up without locks; that a newer one is there it learns from a mark
 * in the one it has mapped, and from a look at the file's name once a second in case that mark was never
 * made.
 *
 * Local parts are compared without regard to case, in all scripts that have it (fold.h). With separators
 * (deliver.separators) joe+lists is tried as it stands, then as joe. postmaster is taken at every domain of
 * ours. */
#ifndef QUEUE_MAILBOXES_H
#define QUEUE_MAILBOXES_H

#include "base/error.h"
#include "core/ask.h"
#include "core/site.h"

struct mailboxes;

enum mailbox_status {
    MAILBOX_FOUND,
    MAILBOX_NONE,
    MAILBOX_ASK,    /* the route has `mailboxes ask`: its target knows (relay_ask_recipient) */
    MAILBOX_UNKNOWN /* there is no table yet, or it does not know the route: try again later */
};

/* file is …/spool/mailboxes. Never fails: a table that is missing is looked for again. */
struct mailboxes *mailboxes_open(const char *file);
/* address: LOCAL@DOMAIN as sent, or a bare postmaster. */
enum mailbox_status mailboxes_find(struct mailboxes *mailboxes, const struct site *site,
                                   const struct route *route, struct slice address, uint64_t now_ms);
void mailboxes_close(struct mailboxes *mailboxes); /* NULL is taken */

/* What a Maildir, LMTP or SMTP route of the queue carries, as ASK_RECIPIENT wants it said: notifications are
 * the courier's own work, and 8-bit content is kept as it came. */
#define MAILBOXES_CARRY "8bitmime smtputf8 dsn size"

/* The answer to ASK_RECIPIENT for a route of the queue, key as in ask.def ("ROUTE LOCAL@DOMAIN"). False: it
 * is for relay_ask_recipient to answer. ret_value is constant text. */
bool mailboxes_answer(struct mailboxes *mailboxes, const struct site *site, struct slice key, uint64_t now_ms,
                      enum answer_status *ret_status, struct slice *ret_value);

/* A local part as a name of a folder: not empty, under 200 octets, well-formed UTF-8, no `/`, no control
 * octet, not beginning with a dot (so neither "." nor ".."). */
bool mailbox_name_is_safe(struct slice name);

#endif
