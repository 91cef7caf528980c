/* Attempts of the sessions that end, as the keeper reads of their ends.
 *
 * What was taken without a word against it is told by the last event alone; any other session is read from
 * its file once more. Names are looked up in the public suffix list where the session has not asked. */
#ifndef DAEMON_KEEPER_ATTEMPTS_H
#define DAEMON_KEEPER_ATTEMPTS_H

#include "journal/reader.h"
#include "watch/attempt.h"

struct keeper_attempts;

struct keeper_attempts_sink {
    void (*take)(void *data, const struct attempt *attempt); /* it lives for the call */
    void *data;
};

struct keeper_attempts *keeper_attempts_new(const char *folder); /* of the journal; lent */
void keeper_attempts_event(struct keeper_attempts *attempts, const struct journal_reader *reader,
                           const struct journal_item *item, const struct keeper_attempts_sink *sink);
/* Those of the latest `most` sessions that ended since then, the oldest first, as the journal has them. */
void keeper_attempts_past(struct keeper_attempts *attempts, int64_t since_ms, size_t most,
                          const struct keeper_attempts_sink *sink);
void keeper_attempts_free(struct keeper_attempts *attempts); /* NULL is taken */

#endif
