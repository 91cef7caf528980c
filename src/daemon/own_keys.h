/* "own lengths" in the store (core/own_list.h), kept right for all whose entries stand there. Each owner of
 * entries says which lengths it uses; what is in use by any of them goes into the batch that its entries go
 * into, so that a gate never lacks a length. */
#ifndef DAEMON_OWN_KEYS_H
#define DAEMON_OWN_KEYS_H

#include "core/own_list.h"
#include "io/store.h"

#define OWN_KEYS_WRITES 1 /* of one batch, at most */
#define OWN_KEYS_OWNERS 2

struct own_keys;

/* Adds the lengths of all entries that the owner has in force, or will have with the batch at hand. It may be
 * called with every batch in which something has changed: once through the owner's memory, no more. */
struct own_keys_owner {
    void (*lengths)(void *data, struct own_lengths *lengths);
    void *data;
};

/* What the store has is looked at once; the store is not kept. */
struct own_keys *own_keys_new(struct store *store, int64_t now_unix_ms);
/* Before the first batch. */
void own_keys_add(struct own_keys *keys, const struct own_keys_owner *owner);
/* An entry has come, has gone, or is over. */
void own_keys_changed(struct own_keys *keys);
/* True: what the store has may not be right, a batch is due. */
bool own_keys_are_due(const struct own_keys *keys);
/* What belongs into the batch; the text lives until the next call. Returns how many. */
size_t own_keys_writes(struct own_keys *keys, struct store_write room[OWN_KEYS_WRITES]);
void own_keys_committed(struct own_keys *keys); /* the store has it */
void own_keys_free(struct own_keys *keys);      /* NULL is taken */

#endif
