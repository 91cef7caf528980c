/* What Postfix's postscreen says in the log: it has no queue ids and looks up no names; the client's address
 * and port name the session.
 *
 *   CONNECT from [192.0.2.7]:40000 to [198.51.100.1]:25
 *   PREGREET 11 after 0.08 from [192.0.2.7]:40000: EHLO friend\r\n
 *   DNSBL rank 7 for [192.0.2.7]:40000
 *   NOQUEUE: reject: RCPT from [192.0.2.7]:40000: 550 5.7.1 Service unavailable; client [192.0.2.7] blocked
 *       using dnsbl.example; from=<a@b.example>, to=<c@d.example>, proto=ESMTP, helo=<friend>
 *   HANGUP after 0.5 from [192.0.2.7]:40000 in tests after SMTP handshake
 *   DISCONNECT [192.0.2.7]:40000 */
#ifndef WIRE_MAILLOG_POSTSCREEN_H
#define WIRE_MAILLOG_POSTSCREEN_H

#include "wire/maillog_record.h"

/* Always fills ret_record; its kind is MAILLOG_UNKNOWN where the message has none of the forms. */
void maillog_postscreen_parse(struct slice message, struct maillog_record *ret_record);

#endif
