/* Whether those that a configuration names do answer: each name server by itself, each blocklist by its test
 * entries (RFC 5782 section 5), each mail server of the routes by its greeting. For `postern check-config
 * --live`; it waits for the answers. */
#ifndef DAEMON_SURVEY_H
#define DAEMON_SURVEY_H

#include "core/site.h"

struct survey_row {
    const char *kind;  /* "name server", "blocklist", "mail server" */
    struct slice name; /* an address or name with its port; a list's display name */
    bool fine;
    struct slice came; /* what came, in words */
    uint64_t took_ms;  /* until it did; 0: not measured */
};

/* The rows live for the call. */
void survey_run(const struct site *site, void (*row)(void *data, const struct survey_row *row), void *data);

#endif
