/* A notice as a message: counts by class and cause, the busiest clients, and a few sessions in full.
 *
 * It is plain ASCII in lines of at most 200 octets, with CRLF: whatever a peer sent, nothing in it can be
 * taken for a field, and no server on its way has to change it. It says of itself that a program made it
 * (Auto-Submitted: auto-generated, RFC 3834), so that no other program answers it. */
#ifndef JOURNAL_NOTICE_MAIL_H
#define JOURNAL_NOTICE_MAIL_H

#include "journal/notice.h"

#define NOTICE_MAIL_MAX (1u << 20) /* octets; examples that do not fit are left out */

struct notice_mail {
    const struct notice *notice;
    struct slice host; /* our name */
    struct slice to;   /* the recipient's address */
    int64_t now_ms;
    int (*zone_minutes)(int64_t unix_seconds); /* NULL: UTC */
    /* Adds the transcript of the example's session, lines ended by LF, plain ASCII. False: the journal has it
     * no more. May be NULL. */
    bool (*transcript)(void *data, const struct notice_example *example, struct buf *out);
    void *data;
};

/* Adds header and body. */
void notice_mail_compose(const struct notice_mail *mail, struct buf *out);

/* "policy 500, protocol 3": what a notice holds, in words. */
void notice_mail_sums(const struct notice *notice, struct buf *out);

#endif
