/* What sendmail says in its log, from version 8.8 on, and Postern's own mail log, which has the same form:
 *
 *   h6O8Bj01: ruleset=check_eoh, …, relay=[192.0.2.7], reject=553 5.0.0 Unidentified messages …
 *   h6O8Bj01: from=<a@b.example>, size=1762, class=0, nrcpts=1, msgid=<…>, proto=ESMTP, relay=host
 * [192.0.2.7] h6O8Bj01: to=<c@d.example>,<e@d.example>, delay=00:00:01, …, dsn=2.0.0, stat=Sent (…) h6O8Bj01:
 * <c@d.example>... User unknown
 *
 * The queue id may be missing, and "..." may stand for what somebody left out of a published excerpt. */
#ifndef WIRE_MAILLOG_SENDMAIL_H
#define WIRE_MAILLOG_SENDMAIL_H

#include "wire/maillog_record.h"

/* Always fills ret_record; its kind is MAILLOG_UNKNOWN where the message has none of the forms. */
void maillog_sendmail_parse(struct slice message, struct maillog_record *ret_record);

#endif
