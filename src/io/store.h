/* The store: what the gate remembers beyond a session, as values under keys, each with a time until which it
 * counts. Small, hot, and lossy by nature: everything in it can be learnt again.
 *
 * Verbs: GET, PUT and REMOVE. A verb that changes something is a struct store_write, applied in batches, so
 * that further verbs (a counter, a touch that answers what was there before) join as kinds of write.
 *
 * Two classes: memory (tests, `try`), and LMDB. There one process writes, the keeper; all others read
 * directly, without a lock and without a system call. A batch is one transaction together with the positions
 * up to which the journals' tells are in it: after a crash at any point each tell has been applied once.
 *
 * Time is an argument everywhere: an entry whose time has come is not there any more, also before the sweep
 * has removed it. A store is used by one thread at a time, of the process that opened it: behind a fork the
 * child opens its own. */
#ifndef IO_STORE_H
#define IO_STORE_H

#include "base/error.h"
#include "base/slice.h"

#define STORE_KEY_MAX   2048  /* octets; a longer key is our own mistake */
#define STORE_VALUE_MAX 65536 /* octets */

/* The numbers stand in the journal (event told, field verb) and never change. */
enum store_verb { STORE_PUT = 1, STORE_REMOVE = 2 };

struct store_write {
    enum store_verb verb;
    struct slice key;        /* 1 to STORE_KEY_MAX octets */
    struct slice value;      /* PUT */
    int64_t expires_unix_ms; /* PUT; 0: never */
};

/* Up to where a stream of the journal ("gate-0") has been applied. */
struct store_position {
    uint32_t sequence; /* of the file, 0: nothing yet */
    uint32_t offset;   /* the first octet that has not been applied */
};

struct store_stream {
    struct slice name;
    struct store_position position;
};

struct store_batch {
    const struct store_write *writes; /* applied in order */
    size_t write_count;
    const struct store_stream *streams; /* whose positions move with it */
    size_t stream_count;
};

struct store;

enum store_status { STORE_FAILED = -1, STORE_NONE = 0, STORE_FOUND = 1 };

/* The value lives until the next call for this store. */
enum store_status store_get(struct store *store, struct slice key, int64_t now_unix_ms,
                            struct slice *ret_value, struct error *error);
/* All of the batch or, when it returns negative, nothing. On LMDB it commits to disk and may take 100 ms. */
int store_apply(struct store *store, const struct store_batch *batch, struct error *error);
/* NONE: nothing of the stream has been applied yet. */
enum store_status store_position(struct store *store, struct slice stream,
                                 struct store_position *ret_position, struct error *error);
/* Looks at the next `most` entries, going round and round, and removes those whose time has come. Returns how
 * many it removed, or a negative number. */
int store_sweep(struct store *store, int64_t now_unix_ms, size_t most, struct error *error);

struct store_counts {
    uint64_t entries; /* those that wait for the sweep included */
    uint64_t octets;  /* on disk or in memory */
    uint64_t readers; /* LMDB: processes and threads that have it open for reading */
};

int store_counts(struct store *store, struct store_counts *ret_counts, struct error *error);
void store_close(struct store *store); /* NULL is taken */

/* --- the classes --------------------------------------------------------------------------------------- */

struct store *store_memory_new(void);

struct store_lmdb_settings {
    struct slice folder; /* made (0750) by the writer */
    bool writer;         /* the keeper; all others read */
    uint64_t map_octets; /* writer: size of the map at the start, doubled whenever it is full; 0: 64 MiB */
};

/* A reader may open before the writer has made the store: until then every answer is NONE, and it is looked
 * for again each second. */
int store_lmdb_open(const struct store_lmdb_settings *settings, struct store **ret_store,
                    struct error *error);
/* Frees the places of readers that died without closing. Returns how many, or a negative number. */
int store_lmdb_clear_dead(struct store *store, struct error *error);

/* --- the overlay --------------------------------------------------------------------------------------- */

/* A gate's own tells reach the store with the keeper's next batch, about 100 ms later. Until the applied
 * position of the gate's stream has passed them they are answered from here, so that within a gate what was
 * told is there at once. The overlay holds `most` tells; beyond it the oldest go, and so do those that were
 * not applied within a minute (their event was lost): an answer may then be that of the time before them. */
struct store_overlay;

/* The store is lent, for all the overlay's life. */
struct store_overlay *store_overlay_new(struct store *store, struct slice stream, size_t most);
/* `position` is where the tell's record stands in the stream. */
void store_overlay_tell(struct store_overlay *overlay, const struct store_write *write,
                        struct store_position position, int64_t now_unix_ms);
enum store_status store_overlay_get(struct store_overlay *overlay, struct slice key, int64_t now_unix_ms,
                                    struct slice *ret_value, struct error *error);
size_t store_overlay_count(const struct store_overlay *overlay); /* tells that it holds */
void store_overlay_free(struct store_overlay *overlay);          /* NULL is taken; the store is not closed */

#endif
