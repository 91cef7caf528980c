/* The keeper's part in notices to the postmaster (journal/notice.h): it shows them all events, keeps what has
 * gathered in the store, and puts a mail whose time has come into the queue.
 *
 * Once, also over crashes: what has gathered is stored in one batch with the places up to which the journals
 * were read, and so is the choice of what goes into a mail, under an id; only then the mail is posted, under
 * this id. A keeper that finds it chosen and does not know whether it was posted reads first what the courier
 * has recorded of the id, and looks whether the queue has it. */
#ifndef DAEMON_KEEPER_NOTICE_H
#define DAEMON_KEEPER_NOTICE_H

#include "core/site.h"
#include "io/loop.h"
#include "io/store.h"
#include "journal/reader.h"
#include "wire/json.h"

#define KEEPER_NOTICE_WRITES 3 /* of one batch, at most */

struct keeper_notice;

/* All is lent for life. */
struct keeper_notice_settings {
    const struct site *site;
    struct loop *loop;
    struct store *store;
    struct journal_writer *journal;
};

/* With what the store has of the time before. Where no class is wanted, all that follows does nothing. */
struct keeper_notice *keeper_notice_new(const struct keeper_notice_settings *settings);
/* An event that was read; `reader` is where it came from. */
void keeper_notice_event(struct keeper_notice *keeper, const struct journal_reader *reader,
                         const struct journal_item *item);
/* Looks at the clock. caught_up: all that the journals hold was read. True: there is something to store, with
 * or without places. */
bool keeper_notice_tick(struct keeper_notice *keeper, bool caught_up);
/* What belongs into the batch, into `room`; the texts live until the next call. Returns how many. */
size_t keeper_notice_writes(struct keeper_notice *keeper, struct store_write room[KEEPER_NOTICE_WRITES]);
/* The batch is in the store. */
void keeper_notice_committed(struct keeper_notice *keeper);
void keeper_notice_status(const struct keeper_notice *keeper, struct json *json); /* "notices":{…} */
void keeper_notice_free(struct keeper_notice *keeper);                            /* NULL is taken */

/* The address that notices go to, in the arena; empty: there is none, as no domain is ours. */
struct slice keeper_notice_address(const struct site *site, struct arena *arena);

#endif
