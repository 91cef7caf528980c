/* What the services of Postfix say in the log (version 2.3 to 3.9): smtpd, cleanup, qmgr and those that
 * deliver.
 *
 *   connect from host.example[192.0.2.7]
 *   NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 <b@d.example>: Relay access denied;
 * from=<a@b.example> to=<b@d.example> proto=ESMTP helo=<friend> 4F1B2C3D4E: client=host.example[192.0.2.7]
 *   4F1B2C3D4E: message-id=<1@b.example>
 *   4F1B2C3D4E: from=<a@b.example>, size=1762, nrcpt=1 (queue active)
 *   4F1B2C3D4E: to=<c@d.example>, orig_to=<x@d.example>, relay=…, dsn=2.0.0, status=sent (250 …)
 *   4F1B2C3D4E: removed
 *
 * Where a recipient was rewritten, orig_to is the one that the client gave. */
#ifndef WIRE_MAILLOG_POSTFIX_H
#define WIRE_MAILLOG_POSTFIX_H

#include "wire/maillog_head.h"
#include "wire/maillog_record.h"

/* Always fills ret_record; its kind is MAILLOG_UNKNOWN where the message has none of the forms. The program
 * is one of Postfix's, but not postscreen. */
void maillog_postfix_parse(enum maillog_program program, struct slice message,
                           struct maillog_record *ret_record);

/* "NOQUEUE: reject: RCPT from CLIENT: 554 …; from=<a> to=<b> proto=ESMTP helo=<c>" from behind the colon of
 * NOQUEUE: smtpd and postscreen have it alike, the latter with commas. False: it is none. */
bool maillog_postfix_refusal(struct slice text, struct maillog_record *record);

#endif
