/* Stores in folders of their own. */
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

#endif
