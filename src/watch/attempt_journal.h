/* Attempts from the journal: what a session's events say of each of its envelopes. */
#ifndef WATCH_ATTEMPT_JOURNAL_H
#define WATCH_ATTEMPT_JOURNAL_H

#include "journal/history.h"
#include "watch/attempt.h"

#define ATTEMPT_JOURNAL_MAX 64u /* envelopes of a session that are told apart; of more the latest */

/* The attempts of a session from all that was recorded before its last event (or with it), and that event,
 * the oldest first: one an envelope; one alone where the session had none but was refused or broken off by
 * us, or was an HTTP request; none for any other. Names of which no suffix was asked have no pool. Texts
 * point into the history and the event, lists live in the arena. */
size_t attempts_from_history(const struct history *history, const struct event *ended, struct arena *arena,
                             struct attempt ret_attempts[ATTEMPT_JOURNAL_MAX]);

/* The one attempt of a session in which all was taken and nothing refused, from its last event; sender may be
 * empty and is only looked at where has_sender is set. Texts point to where the arguments do. */
struct attempt attempt_from_end(const struct event *ended, bool has_sender, struct slice sender);

#endif
