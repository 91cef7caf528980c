/* The mail log: events as the lines that postmasters and their tools know. One end line a session, after
 * smtpf
 * (`ID #721 end i=… p="…" f="…"`), and classic `from=`, `to=`, `relay=`, `reject=` lines in sendmail's
 * manner.
 *
 * What a line needs from earlier events of its session is kept meanwhile, for a bounded number of sessions:
 * beyond it, and for a session whose beginning was not seen, lines lack what is not known. */
#ifndef JOURNAL_MAILLOG_H
#define JOURNAL_MAILLOG_H

#include "base/buf.h"
#include "core/event.h"

struct maillog;

struct maillog *maillog_new(size_t sessions_max);
/* Appends the event's lines, each ended by LF; most events have none. Nothing in them can end a line early.
 */
void maillog_add(struct maillog *maillog, const struct event *event, struct buf *lines);
size_t maillog_sessions(const struct maillog *maillog); /* kept now */
void maillog_free(struct maillog *maillog);             /* NULL is taken */

#endif
