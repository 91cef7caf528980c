/* The keeper's statistics: it counts each event that it reads, and puts what has changed into the batch that
 * holds its places, so that after a crash at any point each event has been counted once.
 *
 * Over the control socket: {"command":"stats"} answers with {"stats":1,"version":…,"since":…,"time":…,
 * "zone":…} (microseconds since 1970; minutes east of UTC) and then {"cell":N,"counts":[total,hour,sixty]}
 * for each cell of journal/stats.h that is not 0, the last two columns only for those that have them. With
 * "do":"reset-hour" the hour's column begins anew: for tests. */
#ifndef DAEMON_KEEPER_STATS_H
#define DAEMON_KEEPER_STATS_H

#include "daemon/control.h"
#include "io/store.h"
#include "journal/reader.h"

#define KEEPER_STATS_WRITES 1024 /* of one batch, at most */

struct keeper_stats;

/* Takes up what the store has. The store and the folder's name are lent. Negative: it cannot be read. */
int keeper_stats_open(struct store *store, const char *folder, struct keeper_stats **ret_stats,
                      struct error *error);
void keeper_stats_event(struct keeper_stats *stats, const struct journal_item *item, int64_t now_us);
/* So much is to be written that a commit is due before the next event. */
bool keeper_stats_is_full(const struct keeper_stats *stats);
/* What goes into the batch; it lives until the next call of this or of keeper_stats_committed. Returns how
 * many writes there are. */
size_t keeper_stats_commit(struct keeper_stats *stats, struct store_write writes[KEEPER_STATS_WRITES]);
void keeper_stats_committed(struct keeper_stats *stats); /* the store has it */
/* The counts of journal files that are gone become one sum. Negative: the folder or the store refuses; it is
 * done with the next call. */
int keeper_stats_fold(struct keeper_stats *stats, struct error *error);
/* Ends the request. */
void keeper_stats_command(struct keeper_stats *stats, struct control *control,
                          const struct control_request *request, int64_t now_us);
void keeper_stats_close(struct keeper_stats *stats); /* NULL is taken */

#endif
