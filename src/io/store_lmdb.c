/* The store on LMDB: one environment with two databases, "data" and "position". A value is its time (eight
 * octets, little-endian) and what was put. Commits are synced but for the meta page (MDB_NOMETASYNC): a loss
 * of power may take the newest commits with it, whole, positions and all, and the journal has them still. */
#include "base/memory.h"
#include "io/store_class.h"

#include <assert.h>
#include <errno.h>
#include <lmdb.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define MAP_FIRST   (UINT64_C(64) << 20)
#define MAP_MOST    (UINT64_C(1) << 40)
#define READERS_MAX 256

/* LMDB takes keys of up to 511 octets. A longer one is its beginning and the digest of the whole; at 401
 * octets none can be taken for another key. */
#define KEY_PLAIN_MAX 400
#define KEY_HEAD      (KEY_PLAIN_MAX - SHA256_DIGEST_LENGTH + 1)
#define TIME_SIZE     8

struct store_lmdb {
    struct store store;
    char folder[3072];
    bool writer;
    uint64_t map_octets;
    MDB_env *env; /* NULL: not opened yet */
    MDB_dbi data;
    MDB_dbi position;
    MDB_txn *reading; /* reset between look-ups, so that it holds no page back */
    time_t looked;    /* when a reader last looked for the store */
    char value[STORE_VALUE_MAX];
    char swept[KEY_PLAIN_MAX + 1]; /* the key at which the sweep goes on */
    size_t swept_len;
};

static struct store_lmdb *lmdb_of(struct store *store)
{
    return (struct store_lmdb *)(void *)store;
}

static int fail(const struct store_lmdb *lmdb, int status, const char *what, struct error *error)
{
    error_set(error, 0, "%s %s: %s", what, lmdb->folder, mdb_strerror(status));
    if (error)
        error->number = status > 0 ? status : 0;
    return -1;
}

/* --- keys and values ----------------------------------------------------------------------------------- */

struct lmdb_key {
    char octets[KEY_PLAIN_MAX + 1];
    MDB_val val;
};

static void key_make(struct lmdb_key *key, struct slice text)
{
    key->val.mv_data = key->octets;
    key->val.mv_size = text.len;
    if (text.len <= KEY_PLAIN_MAX) {
        memcpy(key->octets, text.at, text.len);
        return;
    }
    memcpy(key->octets, text.at, KEY_HEAD);
    SHA256((const unsigned char *)text.at, text.len, (unsigned char *)key->octets + KEY_HEAD);
    key->val.mv_size = KEY_PLAIN_MAX + 1;
}

static int64_t value_time(const MDB_val *val)
{
    int64_t expires;
    memcpy(&expires, val->mv_data, sizeof expires);
    return expires;
}

/* --- reading ------------------------------------------------------------------------------------------- */

static int open_env(struct store_lmdb *lmdb);

/* A reader looks for a store that was not there once a second. */
static bool is_open(struct store_lmdb *lmdb)
{
    if (lmdb->env)
        return true;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec == lmdb->looked)
        return false;
    lmdb->looked = now.tv_sec;
    return open_env(lmdb) == 0;
}

static int renew(struct store_lmdb *lmdb)
{
    if (!lmdb->reading)
        return mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, &lmdb->reading);
    return mdb_txn_renew(lmdb->reading);
}

static int read_begin(struct store_lmdb *lmdb)
{
    int status = renew(lmdb);
    if (status == MDB_MAP_RESIZED) {
        status = mdb_env_set_mapsize(lmdb->env, 0);
        if (status == 0)
            status = renew(lmdb);
    }
    return status;
}

/* *ret_val points into lmdb->value. */
static int look_up(struct store_lmdb *lmdb, MDB_dbi dbi, MDB_val *key, MDB_val *ret_val)
{
    int status = read_begin(lmdb);
    if (status)
        return status;
    MDB_val val;
    status = mdb_get(lmdb->reading, dbi, key, &val);
    if (status == 0 && val.mv_size >= TIME_SIZE && val.mv_size - TIME_SIZE <= sizeof lmdb->value) {
        ret_val->mv_size = val.mv_size;
        ret_val->mv_data = val.mv_data;
    } else if (status == 0) {
        status = MDB_CORRUPTED;
    }
    return status;
}

static enum store_status lmdb_get(struct store *store, struct slice text, int64_t now_unix_ms,
                                  struct slice *ret_value, struct error *error)
{
    struct store_lmdb *lmdb = lmdb_of(store);
    struct lmdb_key key;
    MDB_val val;
    enum store_status result = STORE_NONE;
    if (!is_open(lmdb))
        return STORE_NONE;
    key_make(&key, text);
    int status = look_up(lmdb, lmdb->data, &key.val, &val);
    if (status == 0 && !store_is_over(value_time(&val), now_unix_ms)) {
        size_t len = val.mv_size - TIME_SIZE;
        memcpy(lmdb->value, (const char *)val.mv_data + TIME_SIZE, len);
        *ret_value = slice_of(lmdb->value, len);
        result = STORE_FOUND;
    }
    if (lmdb->reading)
        mdb_txn_reset(lmdb->reading);
    return status == 0 || status == MDB_NOTFOUND
               ? result
               : (enum store_status)fail(lmdb, status, "cannot read the store in", error);
}

static enum store_status lmdb_position(struct store *store, struct slice stream,
                                       struct store_position *ret_position, struct error *error)
{
    struct store_lmdb *lmdb = lmdb_of(store);
    MDB_val val, key = {stream.len, (void *)(uintptr_t)stream.at};
    if (!is_open(lmdb))
        return STORE_NONE;
    int status = look_up(lmdb, lmdb->position, &key, &val);
    if (status == 0)
        memcpy(ret_position, val.mv_data, sizeof *ret_position);
    if (lmdb->reading)
        mdb_txn_reset(lmdb->reading);
    if (status == MDB_NOTFOUND)
        return STORE_NONE;
    return status == 0 ? STORE_FOUND
                       : (enum store_status)fail(lmdb, status, "cannot read the store in", error);
}

/* --- writing ------------------------------------------------------------------------------------------- */

static int put(struct store_lmdb *lmdb, MDB_txn *txn, const struct store_write *write)
{
    struct lmdb_key key;
    key_make(&key, write->key);
    MDB_val val = {TIME_SIZE + write->value.len, NULL};
    int status = mdb_put(txn, lmdb->data, &key.val, &val, MDB_RESERVE);
    if (status)
        return status;
    memcpy(val.mv_data, &write->expires_unix_ms, TIME_SIZE);
    if (write->value.len)
        memcpy((char *)val.mv_data + TIME_SIZE, write->value.at, write->value.len);
    return 0;
}

static int write_one(struct store_lmdb *lmdb, MDB_txn *txn, const struct store_write *write)
{
    struct lmdb_key key;
    int status = 0;
    switch (write->verb) {
    case STORE_PUT: return put(lmdb, txn, write);
    case STORE_REMOVE:
        key_make(&key, write->key);
        status = mdb_del(txn, lmdb->data, &key.val, NULL);
        return status == MDB_NOTFOUND ? 0 : status;
    }
    assert(!"a write is one of the verbs");
    return EINVAL;
}

static int write_all(struct store_lmdb *lmdb, MDB_txn *txn, const struct store_batch *batch)
{
    int status = 0;
    for (size_t i = 0; i < batch->write_count && status == 0; i++)
        status = write_one(lmdb, txn, &batch->writes[i]);
    for (size_t i = 0; i < batch->stream_count && status == 0; i++) {
        const struct store_stream *stream = &batch->streams[i];
        struct store_position position = stream->position;
        MDB_val key = {stream->name.len, (void *)(uintptr_t)stream->name.at};
        MDB_val val = {sizeof position, &position};
        status = mdb_put(txn, lmdb->position, &key, &val, 0);
    }
    return status;
}

static int grow(struct store_lmdb *lmdb)
{
    if (lmdb->map_octets >= MAP_MOST)
        return MDB_MAP_FULL;
    lmdb->map_octets *= 2;
    return mdb_env_set_mapsize(lmdb->env, (size_t)lmdb->map_octets);
}

static int apply_once(struct store_lmdb *lmdb, const struct store_batch *batch)
{
    MDB_txn *txn;
    int status = mdb_txn_begin(lmdb->env, NULL, 0, &txn);
    if (status)
        return status;
    status = write_all(lmdb, txn, batch);
    if (status == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return status;
}

static int lmdb_apply(struct store *store, const struct store_batch *batch, struct error *error)
{
    struct store_lmdb *lmdb = lmdb_of(store);
    assert(lmdb->writer);
    int status = apply_once(lmdb, batch);
    while (status == MDB_MAP_FULL && (status = grow(lmdb)) == 0)
        status = apply_once(lmdb, batch);
    return status ? fail(lmdb, status, "cannot write to the store in", error) : 0;
}

/* --- the sweep ----------------------------------------------------------------------------------------- */

/* Where the last sweep stopped, or the first entry. */
static int sweep_start(struct store_lmdb *lmdb, MDB_cursor *cursor, MDB_val *key, MDB_val *val)
{
    *key = (MDB_val){lmdb->swept_len, lmdb->swept};
    return mdb_cursor_get(cursor, key, val, lmdb->swept_len ? MDB_SET_RANGE : MDB_FIRST);
}

static int sweep_with(struct store_lmdb *lmdb, MDB_cursor *cursor, int64_t now_unix_ms, size_t most,
                      int *ret_removed)
{
    MDB_val key, val;
    int status = sweep_start(lmdb, cursor, &key, &val);
    for (; status == 0 && most; most--) {
        bool over = val.mv_size < TIME_SIZE || store_is_over(value_time(&val), now_unix_ms);
        if (over && (status = mdb_cursor_del(cursor, 0)) == 0)
            ++*ret_removed;
        if (status == 0)
            status = mdb_cursor_get(cursor, &key, &val, MDB_NEXT);
    }
    lmdb->swept_len = 0;
    if (status == 0 && key.mv_size <= sizeof lmdb->swept) {
        memcpy(lmdb->swept, key.mv_data, key.mv_size);
        lmdb->swept_len = key.mv_size;
    }
    return status == MDB_NOTFOUND ? 0 : status;
}

static int lmdb_sweep(struct store *store, int64_t now_unix_ms, size_t most, struct error *error)
{
    struct store_lmdb *lmdb = lmdb_of(store);
    MDB_txn *txn;
    MDB_cursor *cursor;
    int removed = 0;
    assert(lmdb->writer);
    int status = mdb_txn_begin(lmdb->env, NULL, 0, &txn);
    if (status)
        return fail(lmdb, status, "cannot sweep the store in", error);
    status = mdb_cursor_open(txn, lmdb->data, &cursor);
    if (status == 0) {
        status = sweep_with(lmdb, cursor, now_unix_ms, most, &removed);
        mdb_cursor_close(cursor);
    }
    /* A look that found nothing costs no commit. Removing needs room for copies of pages, too. */
    if (status == 0 && removed)
        status = mdb_txn_commit(txn);
    else
        mdb_txn_abort(txn);
    if (status == MDB_MAP_FULL && grow(lmdb) == 0)
        return 0;
    return status ? fail(lmdb, status, "cannot sweep the store in", error) : removed;
}

/* --- opening and closing ------------------------------------------------------------------------------- */

static int open_databases(struct store_lmdb *lmdb)
{
    MDB_txn *txn;
    unsigned create = lmdb->writer ? MDB_CREATE : 0;
    int status = mdb_txn_begin(lmdb->env, NULL, lmdb->writer ? 0 : MDB_RDONLY, &txn);
    if (status)
        return status;
    status = mdb_dbi_open(txn, "data", create, &lmdb->data);
    if (status == 0)
        status = mdb_dbi_open(txn, "position", create, &lmdb->position);
    if (status == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return status;
}

static int open_env(struct store_lmdb *lmdb)
{
    int status = mdb_env_create(&lmdb->env);
    if (status) {
        lmdb->env = NULL;
        return status;
    }
    unsigned flags = lmdb->writer ? MDB_NOMETASYNC | MDB_NOTLS : MDB_RDONLY | MDB_NOTLS;
    mdb_env_set_maxdbs(lmdb->env, 2);
    mdb_env_set_maxreaders(lmdb->env, READERS_MAX);
    if (lmdb->writer)
        mdb_env_set_mapsize(lmdb->env, (size_t)lmdb->map_octets);
    status = mdb_env_open(lmdb->env, lmdb->folder, flags, 0640);
    if (status == 0)
        status = open_databases(lmdb);
    MDB_envinfo info;
    if (status == 0 && mdb_env_info(lmdb->env, &info) == 0)
        lmdb->map_octets = info.me_mapsize;
    if (status) {
        mdb_env_close(lmdb->env);
        lmdb->env = NULL;
    }
    return status;
}

static int lmdb_counts(struct store *store, struct store_counts *ret_counts, struct error *error)
{
    struct store_lmdb *lmdb = lmdb_of(store);
    MDB_stat data = {0};
    MDB_envinfo info = {0};
    *ret_counts = (struct store_counts){0};
    if (!is_open(lmdb))
        return 0;
    int status = read_begin(lmdb);
    if (status == 0)
        status = mdb_stat(lmdb->reading, lmdb->data, &data);
    if (lmdb->reading)
        mdb_txn_reset(lmdb->reading);
    if (status == 0)
        status = mdb_env_info(lmdb->env, &info);
    if (status)
        return fail(lmdb, status, "cannot read the store in", error);
    ret_counts->entries = data.ms_entries;
    ret_counts->octets = (info.me_last_pgno + 1) * (uint64_t)data.ms_psize;
    ret_counts->readers = info.me_numreaders;
    return 0;
}

int store_lmdb_clear_dead(struct store *store, struct error *error)
{
    struct store_lmdb *lmdb = lmdb_of(store);
    int dead = 0;
    if (!is_open(lmdb))
        return 0;
    int status = mdb_reader_check(lmdb->env, &dead);
    return status ? fail(lmdb, status, "cannot clear the readers of the store in", error) : dead;
}

static void lmdb_close(struct store *store)
{
    struct store_lmdb *lmdb = lmdb_of(store);
    if (lmdb->reading)
        mdb_txn_abort(lmdb->reading);
    if (lmdb->env)
        mdb_env_close(lmdb->env);
    memory_give(lmdb, sizeof *lmdb);
}

static const struct store_class class = {lmdb_get,   lmdb_apply,  lmdb_position,
                                         lmdb_sweep, lmdb_counts, lmdb_close};

/* What a reader may meet before the writer has made the store. */
static bool not_made_yet(int status)
{
    return status == ENOENT || status == MDB_NOTFOUND;
}

int store_lmdb_open(const struct store_lmdb_settings *settings, struct store **ret_store, struct error *error)
{
    struct store_lmdb *lmdb = memory_take(sizeof *lmdb);
    lmdb->store.class = &class;
    lmdb->writer = settings->writer;
    lmdb->map_octets = settings->map_octets ? settings->map_octets : MAP_FIRST;
    assert(settings->folder.len < sizeof lmdb->folder);
    snprintf(lmdb->folder, sizeof lmdb->folder, "%.*s", SLICE_ARGS(settings->folder));
    int status = 0;
    if (lmdb->writer && mkdir(lmdb->folder, 0750) != 0 && errno != EEXIST)
        status = errno;
    if (status == 0)
        status = open_env(lmdb);
    if (status == 0 || (!lmdb->writer && not_made_yet(status))) {
        *ret_store = &lmdb->store;
        return 0;
    }
    fail(lmdb, status, "cannot open the store in", error);
    lmdb_close(&lmdb->store);
    return -1;
}
