#include "io/store_class.h"

#include <assert.h>

enum store_status store_get(struct store *store, struct slice key, int64_t now_unix_ms,
                            struct slice *ret_value, struct error *error)
{
    assert(key.len && key.len <= STORE_KEY_MAX);
    return store->class->get(store, key, now_unix_ms, ret_value, error);
}

int store_apply(struct store *store, const struct store_batch *batch, struct error *error)
{
    for (size_t i = 0; i < batch->write_count; i++) {
        assert(batch->writes[i].key.len && batch->writes[i].key.len <= STORE_KEY_MAX);
        assert(batch->writes[i].value.len <= STORE_VALUE_MAX);
    }
    return store->class->apply(store, batch, error);
}

enum store_status store_position(struct store *store, struct slice stream,
                                 struct store_position *ret_position, struct error *error)
{
    return store->class->position(store, stream, ret_position, error);
}

int store_sweep(struct store *store, int64_t now_unix_ms, size_t most, struct error *error)
{
    return store->class->sweep(store, now_unix_ms, most, error);
}

int store_counts(struct store *store, struct store_counts *ret_counts, struct error *error)
{
    return store->class->counts(store, ret_counts, error);
}

void store_close(struct store *store)
{
    if (store)
        store->class->close(store);
}
