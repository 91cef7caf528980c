/* What a class of store implements; the contract is io/store.h. */
#ifndef IO_STORE_CLASS_H
#define IO_STORE_CLASS_H

#include "io/store.h"

struct store_class {
    enum store_status (*get)(struct store *store, struct slice key, int64_t now_unix_ms,
                             struct slice *ret_value, struct error *error);
    int (*apply)(struct store *store, const struct store_batch *batch, struct error *error);
    enum store_status (*position)(struct store *store, struct slice stream,
                                  struct store_position *ret_position, struct error *error);
    int (*sweep)(struct store *store, int64_t now_unix_ms, size_t most, struct error *error);
    int (*counts)(struct store *store, struct store_counts *ret_counts, struct error *error);
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
