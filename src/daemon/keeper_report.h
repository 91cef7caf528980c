/* Abuse reports on their way: over the keeper's control socket, for `postern report --send`.
 *
 *   {"command":"report","from":"postmaster@example.net","to":"abuse@example.org","content":"Date: …",
 *    "hosts":"192.0.2.7 2001:db8::7","attempts":5,"campaign":""}
 *
 * The mail goes into the queue, and is on disk when the answer comes: {"queue_id":…,"to":…}. It is recorded
 * (report-sent), and under "reported HOST" the store holds for a day the time, the name in the queue and the
 * recipient. */
#ifndef DAEMON_KEEPER_REPORT_H
#define DAEMON_KEEPER_REPORT_H

#include "core/site.h"
#include "daemon/control.h"
#include "journal/writer.h"

#define KEEPER_REPORT_KEEP_MS INT64_C(86400000)

/* All is lent for the call. */
struct keeper_report {
    const struct site *site;
    struct journal_writer *journal;
    int64_t unix_us; /* now */
};

/* Ends the request. */
void keeper_report_command(const struct keeper_report *keeper, struct control *control,
                           const struct control_request *request);

#endif
