#include "queue/retry.h"

int64_t retry_next(const struct settings *settings, uint32_t attempts, int64_t received_unix_ms,
                   int64_t now_unix_ms, struct random *random)
{
    const int64_t expires = received_unix_ms + (int64_t)settings->retry_expire;
    uint64_t pause = settings->retry_first;

    for (uint32_t i = 1; i < attempts && pause < settings->retry_most; i++)
        pause *= 2;
    if (pause > settings->retry_most)
        pause = settings->retry_most;
    const uint64_t span = pause / 100 * settings->retry_jitter;
    pause += random_below(random, 2 * span + 1) - span;
    const int64_t next = now_unix_ms + (int64_t)pause;
    return next > expires && now_unix_ms < expires ? expires : next;
}

bool retry_is_expired(const struct settings *settings, int64_t received_unix_ms, int64_t now_unix_ms)
{
    return now_unix_ms - received_unix_ms >= (int64_t)settings->retry_expire;
}

bool retry_is_late(const struct settings *settings, int64_t received_unix_ms, int64_t now_unix_ms)
{
    const int64_t late = settings->retry_warn ? (int64_t)settings->retry_warn : RETRY_WARN_MS;

    return now_unix_ms - received_unix_ms >= late;
}
