/* What can be known of an old log's client beside the log: whether its name was made out of its address,
 * which registered domain it belongs to, and where its address belongs in the net. No name server is asked:
 * what the net was then, nobody can tell today. */
#ifndef CLI_SCAN_LOG_CLIENT_H
#define CLI_SCAN_LOG_CLIENT_H

#include "base/error.h"
#include "watch/attempt.h"

struct scan_log_client;

/* Files in MaxMind's format; there may be none. NULL with *error: one cannot be read. */
struct scan_log_client *scan_log_client_new(const struct slice *origin_files, size_t count,
                                            struct error *error);
void scan_log_client_free(struct scan_log_client *client); /* NULL is taken */

/* Adds it to the attempt; what is added lives until the next call. */
void scan_log_client_tell(struct scan_log_client *client, struct attempt *attempt);

#endif
