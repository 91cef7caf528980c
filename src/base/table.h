/* A hash table from octets to a pointer. Open addressing; grows at three quarters.
 *
 * Keys are borrowed: the caller keeps them alive as long as they stand in the table (usually they are part
 * of the value). The seed is given at the start: secret and random where strangers choose the keys. */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/slice.h"

struct table_slot;

struct table {
    struct table_slot *slots;
    size_t size; /* a power of two, or 0 */
    size_t used; /* live entries */
    size_t full; /* live entries and graves */
    uint64_t seed;
};

void table_init(struct table *table, uint64_t seed);
void *table_get(const struct table *table, struct slice key); /* NULL: not there */
/* The value is not NULL. */
void *table_put(struct table *table, struct slice key,
                void *value);                              /* returns the value that it replaces, or NULL */
void *table_remove(struct table *table, struct slice key); /* returns the value, or NULL */
/* Walks all entries in no order: start with *at = 0; false at the end. Entries may be removed meanwhile,
 * none added. */
bool table_next(const struct table *table, size_t *at, struct slice *ret_key, void **ret_value);
void table_drop(struct table *table); /* the values are the caller's */

#endif
