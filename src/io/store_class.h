/* What a class of store implements; the contract is io/store.h. */
#ifndef IO_STORE_CLASS_H
#define IO_STORE_CLASS_H

#include "io/store.h"

/* What stands under a key, as the classes keep it: the value of PUT, or the record of a counter or of
 * touches. The numbers stand in LMDB files and never change. */
enum store_kind { STORE_KIND_VALUE = 0, STORE_KIND_COUNT = 1, STORE_KIND_TOUCHES = 2, STORE_KIND_LIMIT };

struct store_entry {
    enum store_kind kind;
    int64_t expires_unix_ms;
    struct slice value;
};

#define STORE_RECORD_MAX (24 + 8 * STORE_DISTINCT_MAX) /* octets of a record; a value may be longer */

/* What the key holds after the write (any verb but REMOVE), `before` (NULL: nothing) being what it held. The
 * result points into the write's value or into `room`; before->value may point there, too. */
void store_entry_fold(const struct store_entry *before, const struct store_write *write,
                      char room[STORE_RECORD_MAX], struct store_entry *ret_after);
/* False: the entry is of another kind, or damaged. */
bool store_entry_count(const struct store_entry *entry, uint64_t *ret_count);
bool store_entry_touches(const struct store_entry *entry, struct store_touches *ret_touches);

struct store_look {
    struct slice key;
    struct slice stream; /* empty: its position is not wanted */
};

struct store_visit {
    int64_t now_unix_ms;
    void (*visit)(void *data, const struct store_item *item);
    void *data;
};

void store_visit(const struct store_visit *visit, struct slice key, const struct store_entry *entry);

struct store_class {
    /* The entry lives until the next call; one whose time is over is not found. The position, where it is
     * wanted, is that of the same moment as the entry, and 0 where nothing of the stream was applied. */
    enum store_status (*find)(struct store *store, const struct store_look *look, int64_t now_unix_ms,
                              struct store_entry *ret_entry, struct store_position *ret_position,
                              struct error *error);
    int (*apply)(struct store *store, const struct store_batch *batch, struct error *error);
    enum store_status (*position)(struct store *store, struct slice stream,
                                  struct store_position *ret_position, struct error *error);
    int (*sweep)(struct store *store, int64_t now_unix_ms, size_t most, struct error *error);
    /* Each entry whose time is not over, to store_visit. */
    int (*walk)(struct store *store, struct store_walk *walk, const struct store_visit *visit,
                struct error *error);
    int (*counts)(struct store *store, struct store_counts *ret_counts, struct error *error);
    uint64_t (*version)(const struct store *store);
    void (*close)(struct store *store);
};

/* The first member of each class's own struct. */
struct store {
    const struct store_class *class;
};

static inline bool store_is_over(int64_t expires_unix_ms, int64_t now_unix_ms)
{
    return expires_unix_ms && expires_unix_ms <= now_unix_ms;
}

#endif
