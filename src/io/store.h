/* The store: what the gate remembers beyond a session, under keys, each with a time until which it counts.
 * Small, hot, and lossy by nature: everything in it can be learnt again.
 *
 * Under a key stands one of three things: a value (PUT, read by store_get), a counter (ADD, store_count) or
 * what is known of touches (SEEN, store_seen). Each is seen by its own verbs only: to the others the key is
 * empty, and a write of another kind begins anew. A verb that changes something is a struct store_write,
 * applied in batches. ADD and SEEN may come from several gates in any order and give the same in the end:
 * the first touch is the earliest, the last the latest, counts add up, what is distinct is counted once, and
 * the longest time to live holds. One that comes when the entry's time was over begins anew.
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
#define STORE_DISTINCT_MAX                                                                                   \
    32 /* different things that SEEN tells apart under one key; it counts no further                         \
        */

/* The numbers stand in the journal (event told, field verb) and never change. */
enum store_verb { STORE_PUT = 1, STORE_REMOVE = 2, STORE_ADD = 3, STORE_SEEN = 4 };

struct store_write {
    enum store_verb verb;
    struct slice key;        /* 1 to STORE_KEY_MAX octets */
    struct slice value;      /* PUT: any octets; ADD: a decimal number; SEEN: what is told apart, or empty */
    int64_t expires_unix_ms; /* not REMOVE; 0: never */
    int64_t at_unix_ms;      /* ADD, SEEN: when it happened */
};

/* Whether a write that came from outside (the journal) is one that store_apply takes. */
bool store_write_is_sane(const struct store_write *write);

#define STORE_TOUCHES_SIZE 96 /* octets of touches as text */

/* What is known of a key that was touched by SEEN. */
struct store_touches {
    int64_t first_unix_ms;
    int64_t last_unix_ms;
    uint64_t count;
    unsigned distinct; /* values that were not empty, each counted once, up to STORE_DISTINCT_MAX */
};

/* As the answer to ASK_SEEN has it: "FIRST LAST COUNT DISTINCT". Returns the length. */
size_t store_touches_print(const struct store_touches *touches, char text[STORE_TOUCHES_SIZE]);

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
enum store_status store_count(struct store *store, struct slice key, int64_t now_unix_ms, uint64_t *ret_count,
                              struct error *error);
enum store_status store_seen(struct store *store, struct slice key, int64_t now_unix_ms,
                             struct store_touches *ret_touches, struct error *error);
/* All of the batch or, when it returns negative, nothing. On LMDB it commits to disk and may take 100 ms. */
int store_apply(struct store *store, const struct store_batch *batch, struct error *error);
/* NONE: nothing of the stream has been applied yet. */
enum store_status store_position(struct store *store, struct slice stream,
                                 struct store_position *ret_position, struct error *error);
/* Looks at the next `most` entries, going round and round, and removes those whose time has come. Returns how
 * many it removed, or a negative number. */
int store_sweep(struct store *store, int64_t now_unix_ms, size_t most, struct error *error);

/* What stands under one key. */
struct store_item {
    struct slice key;
    int64_t expires_unix_ms; /* 0: never */
    enum store_verb by;      /* STORE_PUT, STORE_ADD or STORE_SEEN: which of the three that follow it is */
    struct slice value;      /* PUT */
    uint64_t count;          /* ADD */
    struct store_touches touches; /* SEEN */
};

/* Whatever stands there. Its texts live until the next call for this store. */
enum store_status store_item(struct store *store, struct slice key, int64_t now_unix_ms,
                             struct store_item *ret_item, struct error *error);

#define STORE_CURSOR_SIZE 512

/* A walk over the entries whose keys begin so, some at a time. What is there all the while comes once or, if
 * much is written meanwhile, more often; what comes or goes meanwhile may come or not. */
struct store_walk {
    struct slice prefix; /* the same all the while; may be empty */
    size_t most;         /* entries to look at in this call, over or not */
    char cursor[STORE_CURSOR_SIZE];
    size_t cursor_len; /* where to go on; 0 at the start, and again at the end */
};

/* Keys that a class cannot give back whole are left out (LMDB: those longer than 400 octets). The item lives
 * for the call of `visit`. Negative: failed; the walk may be gone on with. */
int store_walk(struct store *store, struct store_walk *walk, int64_t now_unix_ms,
               void (*visit)(void *data, const struct store_item *item), void *data, struct error *error);

struct store_counts {
    uint64_t entries; /* those that wait for the sweep included */
    uint64_t octets;  /* on disk or in memory */
    uint64_t readers; /* LMDB: processes and threads that have it open for reading */
};

int store_counts(struct store *store, struct store_counts *ret_counts, struct error *error);
/* Grows with each batch that is applied, by whichever process; so what was read under the same version is as
 * it was, but for what has expired. Costs a few nanoseconds. 0: not known now. */
uint64_t store_version(const struct store *store);
void store_close(struct store *store); /* NULL is taken */

/* --- the classes --------------------------------------------------------------------------------------- */

struct store *store_memory_new(void);

struct store_lmdb_settings {
    struct slice folder; /* made (0750) by the writer */
    bool writer;         /* the keeper; all others read */
    uint64_t map_octets; /* writer: size of the map at the start, doubled whenever it is full; 0: 64 MiB */
};

/* A reader may open before the writer has made the store: until then every answer is NONE, and it is looked
 * for again each second. One that is torn or no store is opened by a reader, too: every answer is FAILED,
 * until another one is in its place. */
int store_lmdb_open(const struct store_lmdb_settings *settings, struct store **ret_store,
                    struct error *error);
/* Reads all of the store where its writer did not close it, else only what tells its size. Negative with
 * *error: it is damaged. For a process of its own, since damage of some kinds ends whoever reads it; nobody
 * writes meanwhile. */
int store_lmdb_check(struct slice folder, struct error *error);
/* Frees the places of readers that died without closing. Returns how many, or a negative number. */
int store_lmdb_clear_dead(struct store *store, struct error *error);

/* --- the overlay --------------------------------------------------------------------------------------- */

/* A gate's own tells reach the store with the keeper's next batch, about 100 ms later. Until the applied
 * position of the gate's stream has passed them they are answered from here, on top of what the store has, so
 * that within a gate what was told is there at once and counted once. The overlay holds `most` tells; beyond
 * it the oldest go, and so do those that were not applied within a minute (their event was lost): an answer
 * may then lack them. Of one key it holds the newest 1,024. */
struct store_overlay;

/* The store is lent, for all the overlay's life. */
struct store_overlay *store_overlay_new(struct store *store, struct slice stream, size_t most);
/* `position` is where the tell's own record stands in the stream. */
void store_overlay_tell(struct store_overlay *overlay, const struct store_write *write,
                        struct store_position position, int64_t now_unix_ms);
enum store_status store_overlay_get(struct store_overlay *overlay, struct slice key, int64_t now_unix_ms,
                                    struct slice *ret_value, struct error *error);
enum store_status store_overlay_counter(struct store_overlay *overlay, struct slice key, int64_t now_unix_ms,
                                        uint64_t *ret_count, struct error *error);
enum store_status store_overlay_seen(struct store_overlay *overlay, struct slice key, int64_t now_unix_ms,
                                     struct store_touches *ret_touches, struct error *error);
size_t store_overlay_count(const struct store_overlay *overlay); /* tells that it holds */
void store_overlay_free(struct store_overlay *overlay);          /* NULL is taken; the store is not closed */

#endif
