/* Sessions that a gate was killed over: its stream has their records, and no end of them. Whoever writes the
 * stream next gives them one, a session_ended that says so (why: END_KILLED), made from what their records
 * tell. So all who read the journal, now or later, meet every session's end once and in its own stream,
 * whoever else was killed meanwhile; and one that gives the ends and is killed in the middle leaves no more
 * than the next one to find: it looks at the stream and not at what it was told.
 *
 * Where the stream ends as it should (process_stopped) nothing is read but its last records; else what was
 * recorded within the longest time that a session may take, before the gate's end. */
#ifndef JOURNAL_UNENDED_H
#define JOURNAL_UNENDED_H

#include "base/buf.h"
#include "base/error.h"

struct unended;

struct unended_settings {
    const char *folder; /* the journal's */
    unsigned gate;
    int64_t longest_us; /* no session takes longer */
};

/* What is in the stream now is looked at: call it before its new writer writes. NULL: there is nothing to do,
 * or the folder cannot be read. */
struct unended *unended_new(const struct unended_settings *settings);

/* Goes on for some tenths of a millisecond; adds the ends of some sessions, as records for the writer. False:
 * that was all. */
bool unended_turn(struct unended *unended, int64_t now_us, struct buf *records);
void unended_free(struct unended *unended); /* NULL is taken */

#endif
