/* The mail log: events as the lines that postmasters and their tools know.
 *
 *   ID: ruleset=check_rcpt, arg1=<bob@example.net>, relay=NAME [192.0.2.7], reject=550 5.1.1 …
 *   QID: from=<a@example.org>, size=1285, class=0, nrcpts=1, msgid=<…>, proto=ESMTP, daemon=postern, relay=…
 *   QID: to=<b@example.net>, delay=00:00:01, mailer=lmtp, relay=…, dsn=2.0.0, stat=Sent (…)
 *   ID #721 end i=192.0.2.7 p="NAME" f="FLAGS" h="HELO" m=1/1 b=1285 R=0 t=2 l=""
 *
 * The first three are sendmail's, the last is smtpf's: address, confirmed name, findings and flags, HELO
 * name, messages accepted and tried, octets received, negative replies, seconds, the last negative reply, and
 * where it was used tls="…". QID is the session's id, a dot, and the number of its message. A message that
 * was refused after its content has three lines: reject=, from= and to=.
 *
 * Nothing that a peer sent can end a line, a quoted text or a field: control octets are escaped, quotes in
 * quoted texts become ', and in addresses and Message-IDs blanks, commas, quotes and brackets are \xHH.
 *
 * What a line needs from earlier events of its session is kept meanwhile, for a bounded number of sessions:
 * beyond it, and for a session whose beginning was not seen, lines lack what is not known. Who begins to read
 * in the middle of a session lets the log learn what came before. */
#ifndef JOURNAL_MAILLOG_H
#define JOURNAL_MAILLOG_H

#include "base/buf.h"
#include "core/event.h"

struct maillog;

struct maillog *maillog_new(size_t sessions_max);
/* Appends the event's lines, each ended by LF; most events have none. Nothing in them can end a line early.
 */
void maillog_add(struct maillog *maillog, const struct event *event, struct buf *lines);
/* The same without lines. */
void maillog_learn(struct maillog *maillog, const struct event *event);
/* Whether the event's lines, now or later, want what came before it in its session, and that is not known. */
bool maillog_lacks(const struct maillog *maillog, const struct event *event);
/* A gate has begun anew: what it had open is over and will have no end. */
void maillog_forget_gate(struct maillog *maillog, unsigned gate);
size_t maillog_sessions(const struct maillog *maillog); /* kept now */
void maillog_free(struct maillog *maillog);             /* NULL is taken */

#endif
