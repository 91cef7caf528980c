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

/* When a store was begun anew because the one before was lost, microseconds since 1970; 0: that never
 * happened. The journal is read again for a new store, but what people were told of earlier events they are
 * not told again. */
int64_t keeper_store_anew_us(const char *folder);
/* Whether the store takes what is to be written. Where there is hardly any room it takes some batches, and
 * refuses others: it is well again when it has refused none for five seconds. */
struct keeper_store_health {
    uint64_t refused;        /* in a row */
    int64_t refused_unix_us; /* the last one */
    bool said;
};

/* A batch was refused. True: that is news. */
bool keeper_store_refused(struct keeper_store_health *health, int64_t unix_us);
/* Now and then, while nothing waits to be written: that it is well again is recorded. */
void keeper_store_well(struct keeper_store_health *health, struct journal_writer *journal, int64_t unix_us);

#endif
