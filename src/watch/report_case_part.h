/* What the files that gather reports share. */
#ifndef WATCH_REPORT_CASE_PART_H
#define WATCH_REPORT_CASE_PART_H

#include "base/table.h"
#include "watch/report_case.h"

struct report_case {
    uint64_t seed;
    struct arena arena; /* all that is kept */
    struct report_case_host *hosts[REPORT_CASE_HOSTS];
    size_t host_count;
    struct table by_host; /* 16 octets of what tells hosts apart */
    struct report_attempt attempts[REPORT_CASE_ATTEMPTS];
    size_t attempt_count;
};

/* Counts an attempt with its host. False: there are too many. */
bool report_case_host_take(struct report_case *of, const struct report_attempt *attempt,
                           const struct attempt *from);

#endif
