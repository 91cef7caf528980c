/* The keeper's part in patterns (watch/watch.h): it makes attempts of the sessions that end, shows them to
 * the watcher, keeps campaigns in the store, and records what becomes of them (events 170 to 173).
 *
 * A campaign is stored in one batch with the places up to which the journals were read: after a crash at any
 * point each attempt is in it once. What is half known, which makes no campaign yet, is read again from the
 * journal at the start: the latest sessions, LEARN_MOST of them and seven days at most.
 *
 * In the store: "campaign ID" holds o (open) or c (closed) and the campaign as campaign_pack makes it; "watch
 * seed" the seed of its hashes.
 *
 * Over the control socket: {"command":"campaigns"} answers with a line for each campaign, as campaign_json
 * makes it: of the latest "most" (1,000 at most), only of a "kind", only those that are "open":true. With
 * "id" one in full. */
#ifndef DAEMON_KEEPER_WATCH_H
#define DAEMON_KEEPER_WATCH_H

#include "core/site.h"
#include "daemon/control.h"
#include "daemon/keeper_blocks.h"
#include "io/store.h"
#include "journal/reader.h"
#include "journal/writer.h"
#include "wire/json.h"

#define KEEPER_WATCH_WRITES 256 /* of one batch, at most */

struct keeper_watch;

/* All is lent for life; the folder is the journal's. */
struct keeper_watch_settings {
    const struct site *site;
    struct loop *loop;
    struct store *store;
    struct journal_writer *journal;
    const char *folder;
    struct keeper_blocks *blocks; /* is shown what becomes part of a campaign */
};

/* With what store and journal have of the time before. Where watch.memory is 0, all that follows does
 * nothing. */
struct keeper_watch *keeper_watch_new(const struct keeper_watch_settings *settings);
/* True: it is part of a campaign; what that is known from is to be stored soon. */
bool keeper_watch_event(struct keeper_watch *keeper, const struct journal_reader *reader,
                        const struct journal_item *item);
/* Looks at the clock, once all that the journals hold was read. True: there is something to store. */
bool keeper_watch_tick(struct keeper_watch *keeper, bool caught_up);
/* So much is to be written that a commit is due before the next event. */
bool keeper_watch_is_full(const struct keeper_watch *keeper);
/* What belongs into the batch; the texts live until the next call of this or of keeper_watch_committed.
 * Returns how many. */
size_t keeper_watch_writes(struct keeper_watch *keeper, struct store_write room[KEEPER_WATCH_WRITES]);
void keeper_watch_committed(struct keeper_watch *keeper); /* the store has it */
/* Ends the request. */
void keeper_watch_command(struct keeper_watch *keeper, struct control *control,
                          const struct control_request *request);
void keeper_watch_status(const struct keeper_watch *keeper, struct json *json); /* "campaigns":{…} */
void keeper_watch_free(struct keeper_watch *keeper);                            /* NULL is taken */

#endif
