/* The keeper's part in the block list (watch/block_list.h): it proposes what campaigns and spam traps show,
 * does what persons want, gives the gates what is in force, counts whom they turn away, and records what
 * becomes of it all (events 180 to 184).
 *
 * In the store: "blocks PREFIX" holds an entry as block_pack makes it, and while it is in force
 * core/own_list.h says what stands there for the gates. Both are stored in one batch with the places up to
 * which the journals were read: after a crash at any point each hit has been counted once, and what a rule
 * has found is there.
 *
 * Who may never be blocked (daemon/never.h) is neither proposed nor taken from a person; an entry that is
 * forbidden later ends with the next look at the clock.
 *
 * Over the control socket:
 *
 *   {"command":"blocks","do":"list","state":"in-force","most":1000,"from":0}
 *   {"command":"blocks","do":"list","campaign":"ID"}
 *   {"command":"blocks","do":"add","prefix":"192.0.2.7","reason":"…","for_ms":…,"force":true,"by":"joe"}
 *   {"command":"blocks","do":"approve","what":"192.0.2.7","by":"joe"}     decline, remove, undo likewise
 *
 * `state` is one of block_state_word, empty: all; `what` is a prefix, or the id of the campaign or session
 * that shows it: then all entries that it shows are meant. Each entry that is listed, or that has changed, is
 * a line, with "done" what was done to it; one that may not be blocked has "refused" and why. A list that has
 * not come to its end closes with {"next":…}, which is the next "from". What is said to be done is in the
 * store. */
#ifndef DAEMON_KEEPER_BLOCKS_H
#define DAEMON_KEEPER_BLOCKS_H

#include "core/site.h"
#include "daemon/control.h"
#include "daemon/own_keys.h"
#include "io/store.h"
#include "journal/reader.h"
#include "journal/writer.h"
#include "watch/block_rule.h"
#include "watch/export.h"
#include "wire/json.h"

#define KEEPER_BLOCKS_WRITES (2 * BLOCK_LIST_FRESH_MAX) /* of one batch, at most */

struct keeper_blocks;

/* All is lent for life. */
struct keeper_blocks_settings {
    const struct site *site;
    struct loop *loop;
    struct store *store;
    struct journal_writer *journal;
    struct own_keys *own_keys;
};

/* With what the store has of the time before. */
struct keeper_blocks *keeper_blocks_new(const struct keeper_blocks_settings *settings);
void keeper_blocks_free(struct keeper_blocks *blocks); /* NULL is taken */

/* --- what is found -------------------------------------------------------------------------------------- */

/* A host's attempt is part of the campaign. */
void keeper_blocks_joined(struct keeper_blocks *blocks, const struct watch *watch,
                          const struct campaign *campaign, const struct address *host);
/* An attempt that the watcher was shown. */
void keeper_blocks_attempt(struct keeper_blocks *blocks, const struct watch *watch,
                           const struct attempt *attempt);
/* An event that was read. True: what has changed since the last batch is wanted by the gates soon. */
bool keeper_blocks_event(struct keeper_blocks *blocks, const struct event *event);

/* --- the keeper's batches ------------------------------------------------------------------------------- */

/* Looks at the clock. True: there is something to store. */
bool keeper_blocks_tick(struct keeper_blocks *blocks);
/* So much is to be written that a commit is due before the next event. */
bool keeper_blocks_is_full(const struct keeper_blocks *blocks);
/* What belongs into the batch; the texts live until the next call. Returns how many. */
size_t keeper_blocks_writes(struct keeper_blocks *blocks, struct store_write room[KEEPER_BLOCKS_WRITES]);
void keeper_blocks_committed(struct keeper_blocks *blocks); /* the store has it */

/* --- what it is asked ----------------------------------------------------------------------------------- */

/* True: it was done, a commit is due, and keeper_blocks_answer ends the request then. Else it is ended. */
bool keeper_blocks_command(struct keeper_blocks *blocks, struct control *control,
                           const struct control_request *request);
void keeper_blocks_answer(const struct keeper_blocks *blocks, struct control *control, slab_handle request);
void keeper_blocks_status(const struct keeper_blocks *blocks, struct json *json); /* "blocks":{…} */

/* --- what is in force ----------------------------------------------------------------------------------- */

/* Grows with each change of what is in force; hits are none. */
uint64_t keeper_blocks_generation(const struct keeper_blocks *blocks);
/* Walks it, in no order: start with *at = 0; false at the end. The entry's texts live until the next call of
 * this or until the list changes; one that expires meanwhile may come or not. */
bool keeper_blocks_next(struct keeper_blocks *blocks, size_t *at, struct export_entry *ret_entry);
/* Adds what "list" tells of the entry, as an object. False: there is no such entry, or out is too small. */
bool keeper_blocks_object(const struct keeper_blocks *blocks, const struct prefix *prefix, struct buf *out);

#endif
