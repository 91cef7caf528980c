/* Whether a store is whole. A crash of the machine may leave files torn, or with pages in them that were
 * never written; LMDB itself takes what it finds for sound. */
#include "io/store.h"
#include "io/store_lmdb_part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE  3200
#define DATABASES  2
#define MARK       "open"
#define FREE_PAGES 0 /* LMDB's own list of them */

static int damage(struct error *error, const char *path, const char *what)
{
    return error_set(error, 0, "the store in %s is damaged: %s", path, what);
}

static int open_env(const char *path, MDB_env **ret_env)
{
    int status = mdb_env_create(ret_env);
    if (status)
        return status;
    mdb_env_set_maxdbs(*ret_env, DATABASES);
    status = mdb_env_open(*ret_env, path, MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS, 0);
    if (status == 0)
        return 0;
    mdb_env_close(*ret_env);
    return status;
}

bool env_is_torn(MDB_env *env, MDB_envinfo *ret_info)
{
    MDB_stat pages;
    mdb_filehandle_t fd;
    struct stat file;
    return mdb_env_info(env, ret_info) || mdb_env_stat(env, &pages) || mdb_env_get_fd(env, &fd) ||
           fstat(fd, &file) != 0 ||
           (uint64_t)file.st_size < (ret_info->me_last_pgno + 1) * (uint64_t)pages.ms_psize;
}

void env_mark(const char *folder, bool open_now)
{
    char path[PATH_SIZE + 16];
    snprintf(path, sizeof path, "%s/" MARK, folder);
    if (!open_now) {
        unlink(path);
        return;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    if (fd >= 0)
        close(fd);
}

/* Each key behind the one before, as many as there should be, and each value to be read. */
static int walk(MDB_txn *txn, MDB_dbi dbi)
{
    MDB_cursor *cursor;
    MDB_stat counts;
    MDB_val key, val, before = {0, NULL};
    volatile char read = 0;
    size_t count = 0;
    int status = mdb_stat(txn, dbi, &counts);
    if (status == 0)
        status = mdb_cursor_open(txn, dbi, &cursor);
    if (status)
        return status;
    while ((status = mdb_cursor_get(cursor, &key, &val, MDB_NEXT)) == 0) {
        for (size_t i = 0; i < val.mv_size; i += 512)
            read = (char)(read ^ ((const char *)val.mv_data)[i]);
        if ((before.mv_data && mdb_cmp(txn, dbi, &before, &key) >= 0) || ++count > counts.ms_entries)
            break;
        before = key;
    }
    mdb_cursor_close(cursor);
    return status == MDB_NOTFOUND && count == counts.ms_entries ? 0 : status ? status : MDB_CORRUPTED;
}

static int walk_named(MDB_txn *txn, const char *name)
{
    MDB_dbi dbi;
    int status = mdb_dbi_open(txn, name, 0, &dbi);
    return status == MDB_NOTFOUND ? 0 : status ? status : walk(txn, dbi); /* it is made when first needed */
}

static int walk_all(MDB_env *env)
{
    MDB_txn *txn;
    int status = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
    if (status)
        return status;
    status = walk(txn, FREE_PAGES);
    if (status == 0)
        status = walk_named(txn, "data");
    if (status == 0)
        status = walk_named(txn, "position");
    mdb_txn_abort(txn);
    return status;
}

int store_lmdb_check(struct slice folder, struct error *error)
{
    char path[PATH_SIZE], file[PATH_SIZE + 16];
    MDB_env *env;
    snprintf(path, sizeof path, "%.*s", SLICE_ARGS(folder));
    snprintf(file, sizeof file, "%s/data.mdb", path);
    if (access(file, F_OK) != 0)
        return errno == ENOENT ? 0 : error_set(error, errno, "cannot look at %s", file);
    int status = open_env(path, &env);
    if (status)
        return damage(error, path, mdb_strerror(status));
    snprintf(file, sizeof file, "%s/" MARK, path);
    MDB_envinfo info;
    const bool torn = env_is_torn(env, &info);
    if (!torn && access(file, F_OK) == 0)
        status = walk_all(env);
    mdb_env_close(env);
    if (torn)
        return damage(error, path, "the file is shorter than it must be");
    return status ? damage(error, path, mdb_strerror(status)) : 0;
}
