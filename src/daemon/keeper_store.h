/* What the keeper is asked about the store, over its control socket:
 *
 *   {"command":"store","do":"list","prefix":"known ","most":1000,"cursor":""}
 *   {"command":"store","do":"get","key":"known pool example.org"}
 *   {"command":"store","do":"remove","key":"known pool example.org"}
 *
 * list and get answer with {"key":…} and "value", "count", or "first" "last" "count" "distinct", and
 * "expires"; times are milliseconds since 1970. Where list has not come to its end it closes with
 * {"cursor":…}, which goes into the next request. remove is recorded in the journal and done with the
 * keeper's next batch. */
#ifndef DAEMON_KEEPER_STORE_H
#define DAEMON_KEEPER_STORE_H

#include "daemon/control.h"
#include "io/store.h"
#include "journal/writer.h"

struct keeper_store {
    struct store *store;
    struct journal_writer *journal;
    int64_t unix_us; /* now */
};

/* Ends the request. */
void keeper_store_command(const struct keeper_store *keeper, struct control *control,
                          const struct control_request *request);

#endif
