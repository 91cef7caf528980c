/* When a deferred delivery is tried again (settings retry.*). */
#ifndef QUEUE_RETRY_H
#define QUEUE_RETRY_H

#include "base/random.h"
#include "core/site.h"

#define RETRY_WARN_MS (INT64_C(4) * 3600 * 1000) /* after which a delay is told to who asked for it */

/* Milliseconds since 1970. attempts: made so far, at least 1. Pauses double from retry.first to retry.most
 * and vary by retry.jitter; the last attempt is at the time when the message expires. */
int64_t retry_next(const struct settings *settings, uint32_t attempts, int64_t received_unix_ms,
                   int64_t now_unix_ms, struct random *random);
bool retry_is_expired(const struct settings *settings, int64_t received_unix_ms, int64_t now_unix_ms);
/* Whether a delay is long enough to be told of. */
bool retry_is_late(const struct settings *settings, int64_t received_unix_ms, int64_t now_unix_ms);

#endif
