/* Every class of store, in a folder of its own, and what the tests of stores say again and again. A new class
 * is a line in `classes`: what holds for all of them is then proven for it, too. */
#ifndef STORE_RIG_H
#define STORE_RIG_H

#include "io/store.h"
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOW INT64_C(1763719631000)

struct folder {
    char path[FOLDER_SIZE];
};

static inline void folder_make(struct folder *folder)
{
    assert_int_equal(folder_new(folder->path, "store"), 0);
}

static inline void folder_remove(const struct folder *folder)
{
    DIR *dir = opendir(folder->path);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
    closedir(dir);
    assert_int_equal(rmdir(folder->path), 0);
}

static inline struct store *lmdb(const struct folder *folder, bool writer, uint64_t map_octets)
{
    struct store_lmdb_settings settings = {slice_text(folder->path), writer, map_octets};
    struct store *store = NULL;
    struct error error = {0};
    if (store_lmdb_open(&settings, &store, &error) < 0)
        fail_msg("%s", error.text);
    return store;
}

/* --- the classes --------------------------------------------------------------------------------------- */

struct class
{
    const char *name;
    struct store *(*open)(const struct folder *folder, bool writer);
    bool lasting; /* it outlives its process, and other processes see what the writer does */
};

static inline struct store *memory_class_open(const struct folder *folder, bool writer)
{
    (void)folder;
    (void)writer;
    return store_memory_new();
}

/* With little room at the start, so that it has to grow. */
static inline struct store *lmdb_class_open(const struct folder *folder, bool writer)
{
    return lmdb(folder, writer, 1 << 20);
}

static const struct class classes[] = {
    {"memory", memory_class_open, false},
    {"lmdb", lmdb_class_open, true},
};

#define CLASS_COUNT (sizeof classes / sizeof *classes)

/* The test for every class, or for those that last. */
static inline void for_classes(void (*test)(const struct class *class), bool lasting)
{
    for (size_t i = 0; i < CLASS_COUNT; i++)
        if (!lasting || classes[i].lasting) {
            print_message("# with the class %s\n", classes[i].name);
            test(&classes[i]);
        }
}

/* --- what is said again and again ---------------------------------------------------------------------- */

static inline void put(struct store *store, struct slice key, struct slice value, int64_t expires)
{
    struct store_write write = {.verb = STORE_PUT, .key = key, .value = value, .expires_unix_ms = expires};
    struct error error = {0};
    if (store_apply(store, &(struct store_batch){.writes = &write, .write_count = 1}, &error) < 0)
        fail_msg("%s", error.text);
}

static inline void put_removed(struct store *store, struct slice key)
{
    struct store_write write = {.verb = STORE_REMOVE, .key = key};
    assert_int_equal(store_apply(store, &(struct store_batch){.writes = &write, .write_count = 1}, NULL), 0);
}

static inline void assert_value(struct store *store, struct slice key, int64_t now, const char *wanted)
{
    struct slice value = SLICE_NONE;
    struct error error = {0};
    enum store_status status = store_get(store, key, now, &value, &error);
    if (status == STORE_FAILED)
        fail_msg("%s", error.text);
    assert_int_equal(status, wanted ? STORE_FOUND : STORE_NONE);
    if (wanted && !slice_equal(value, slice_text(wanted)))
        fail_msg("\"%.*s\" is not \"%s\"", SLICE_ARGS(value), wanted);
}

static inline void write_one(struct store *store, struct store_write write)
{
    struct error error = {0};
    if (store_apply(store, &(struct store_batch){.writes = &write, .write_count = 1}, &error) < 0)
        fail_msg("%s", error.text);
}

static inline void add(struct store *store, struct slice key, const char *more, int64_t at, int64_t expires)
{
    write_one(store, (struct store_write){STORE_ADD, key, slice_text(more), expires, at});
}

static inline void touch(struct store *store, struct slice key, const char *thing, int64_t at,
                         int64_t expires)
{
    write_one(store, (struct store_write){STORE_SEEN, key, slice_text(thing), expires, at});
}

static inline void assert_count(struct store *store, struct slice key, int64_t now, uint64_t wanted)
{
    uint64_t count = 0;
    assert_int_equal(store_count(store, key, now, &count, NULL), wanted ? STORE_FOUND : STORE_NONE);
    assert_int_equal(count, wanted);
}

static inline void assert_seen(struct store *store, struct slice key, int64_t now,
                               const struct store_touches *wanted)
{
    struct store_touches seen = {0};
    assert_int_equal(store_seen(store, key, now, &seen, NULL), wanted ? STORE_FOUND : STORE_NONE);
    if (!wanted)
        return;
    assert_int_equal(seen.first_unix_ms, wanted->first_unix_ms);
    assert_int_equal(seen.last_unix_ms, wanted->last_unix_ms);
    assert_int_equal(seen.count, wanted->count);
    assert_int_equal(seen.distinct, wanted->distinct);
}

#endif
