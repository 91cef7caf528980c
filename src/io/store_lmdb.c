/* The store on LMDB: one environment with two databases, "data" and "position". What stands under a key of
 * "data" is its time (seven octets, little-endian), its kind (one octet, enum store_kind) and its value.
 * Commits are synced but for the meta page (MDB_NOMETASYNC): a loss of power may take the newest commits with
 * it, whole, positions and all, and the journal has them still. */
#include "base/memory.h"
#include "io/store_class.h"
#include "io/store_lmdb_part.h"

#include <assert.h>
#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAP_FIRST   (UINT64_C(64) << 20)
#define MAP_MOST    (UINT64_C(1) << 40)
#define READERS_MAX 256

/* LMDB takes keys of up to 511 octets. A longer one is its beginning and the digest of the whole; at 401
 * octets none can be taken for another key. */
#define KEY_PLAIN_MAX 400
#define KEY_HEAD      (KEY_PLAIN_MAX - SHA256_DIGEST_LENGTH + 1)
#define HEAD_SIZE     8
#define KIND_SHIFT    56

struct store_lmdb {
    struct store store;
    char folder[3072];
    bool writer;
    uint64_t map_octets;
    MDB_env *env; /* NULL: not opened yet */
    MDB_dbi data;
    MDB_dbi position;
    MDB_txn *reading; /* reset between look-ups, so that it holds no page back */
    time_t looked;    /* when a reader last looked whether the store is there, and the same */
    ino_t file;       /* that a reader has open */
    int broken;       /* why it cannot be opened, or was found damaged; 0: nothing is known against it */
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

static void head_put(char *at, const struct store_entry *entry)
{
    uint64_t head = (uint64_t)entry->expires_unix_ms & ((UINT64_C(1) << KIND_SHIFT) - 1);
    head |= (uint64_t)entry->kind << KIND_SHIFT;
    for (unsigned i = 0; i < HEAD_SIZE; i++, head >>= 8)
        at[i] = (char)(head & 0xff);
}

/* False: damaged. The entry points into LMDB's page. */
static bool entry_read(const MDB_val *val, struct store_entry *ret_entry)
{
    const unsigned char *at = val->mv_data;
    uint64_t head = 0;
    if (val->mv_size < HEAD_SIZE || val->mv_size - HEAD_SIZE > STORE_VALUE_MAX)
        return false;
    for (unsigned i = HEAD_SIZE; i--;)
        head = head << 8 | at[i];
    ret_entry->expires_unix_ms = (int64_t)(head & ((UINT64_C(1) << KIND_SHIFT) - 1));
    ret_entry->kind = (enum store_kind)(head >> KIND_SHIFT);
    ret_entry->value = slice_of((const char *)val->mv_data + HEAD_SIZE, val->mv_size - HEAD_SIZE);
    return ret_entry->kind < STORE_KIND_LIMIT;
}

/* --- reading ------------------------------------------------------------------------------------------- */

static int open_env(struct store_lmdb *lmdb);
static bool not_made_yet(int status);

/* Which file it is; 0: there is none. */
static ino_t file_of(const struct store_lmdb *lmdb)
{
    char path[sizeof lmdb->folder + 16];
    struct stat stat_of;
    snprintf(path, sizeof path, "%s/data.mdb", lmdb->folder);
    return stat(path, &stat_of) == 0 ? stat_of.st_ino : 0;
}

static void close_env(struct store_lmdb *lmdb)
{
    if (lmdb->reading)
        mdb_txn_abort(lmdb->reading);
    if (lmdb->env)
        mdb_env_close(lmdb->env);
    lmdb->reading = NULL;
    lmdb->env = NULL;
}

/* Once a second a reader looks for a store that was not there, or whether another one is in its place. */
static bool is_open(struct store_lmdb *lmdb)
{
    struct timespec now;
    if (lmdb->writer)
        return lmdb->env;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    if (now.tv_sec == lmdb->looked)
        return lmdb->env;
    lmdb->looked = now.tv_sec;
    if (lmdb->env && file_of(lmdb) == lmdb->file)
        return true;
    close_env(lmdb);
    lmdb->broken = open_env(lmdb);
    return lmdb->env;
}

/* Nothing is there yet, or it cannot be used. */
static enum store_status closed(const struct store_lmdb *lmdb, struct error *error)
{
    if (!lmdb->broken || not_made_yet(lmdb->broken))
        return STORE_NONE;
    return (enum store_status)fail(lmdb, lmdb->broken, "cannot open the store in", error);
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

static int position_get(struct store_lmdb *lmdb, struct slice stream, struct store_position *ret_position)
{
    MDB_val val, key = {stream.len, (void *)(uintptr_t)stream.at};
    int status = mdb_get(lmdb->reading, lmdb->position, &key, &val);
    if (status == 0 && val.mv_size != sizeof *ret_position)
        return MDB_CORRUPTED;
    if (status == 0)
        memcpy(ret_position, val.mv_data, sizeof *ret_position);
    return status;
}

/* Copies the value out of the page: it goes with the transaction. */
static int entry_get(struct store_lmdb *lmdb, struct slice text, int64_t now_unix_ms,
                     struct store_entry *ret_entry)
{
    struct lmdb_key key;
    struct store_entry entry;
    MDB_val val;
    key_make(&key, text);
    int status = mdb_get(lmdb->reading, lmdb->data, &key.val, &val);
    if (status)
        return status;
    if (!entry_read(&val, &entry))
        return MDB_CORRUPTED;
    if (store_is_over(entry.expires_unix_ms, now_unix_ms))
        return MDB_NOTFOUND;
    memcpy(lmdb->value, entry.value.at, entry.value.len);
    entry.value.at = lmdb->value;
    *ret_entry = entry;
    return 0;
}

static enum store_status done(struct store_lmdb *lmdb, int status, struct error *error)
{
    if (lmdb->reading)
        mdb_txn_reset(lmdb->reading);
    if (status == 0)
        return STORE_FOUND;
    return status == MDB_NOTFOUND ? STORE_NONE
                                  : (enum store_status)fail(lmdb, status, "cannot read the store in", error);
}

static enum store_status lmdb_find(struct store *store, const struct store_look *look, int64_t now_unix_ms,
                                   struct store_entry *ret_entry, struct store_position *ret_position,
                                   struct error *error)
{
    struct store_lmdb *lmdb = lmdb_of(store);
    if (look->stream.len)
        *ret_position = (struct store_position){0, 0};
    if (!is_open(lmdb))
        return closed(lmdb, error);
    int status = read_begin(lmdb);
    if (status == 0 && look->stream.len)
        status = position_get(lmdb, look->stream, ret_position);
    if (status == 0 || status == MDB_NOTFOUND)
        status = entry_get(lmdb, look->key, now_unix_ms, ret_entry);
    return done(lmdb, status, error);
}

static enum store_status lmdb_position(struct store *store, struct slice stream,
                                       struct store_position *ret_position, struct error *error)
{
    struct store_lmdb *lmdb = lmdb_of(store);
    if (!is_open(lmdb))
        return closed(lmdb, error);
    int status = read_begin(lmdb);
    if (status == 0)
        status = position_get(lmdb, stream, ret_position);
    return done(lmdb, status, error);
}

/* --- writing ------------------------------------------------------------------------------------------- */

static int put(struct store_lmdb *lmdb, MDB_txn *txn, MDB_val *key, const struct store_entry *entry)
{
    MDB_val val = {HEAD_SIZE + entry->value.len, NULL};
    int status = mdb_put(txn, lmdb->data, key, &val, MDB_RESERVE);
    if (status)
        return status;
    head_put(val.mv_data, entry);
    if (entry->value.len)
        memcpy((char *)val.mv_data + HEAD_SIZE, entry->value.at, entry->value.len);
    return 0;
}

/* A damaged entry is as good as none: what is written over it is sound again. */
static int change(struct store_lmdb *lmdb, MDB_txn *txn, MDB_val *key, const struct store_write *write)
{
    char room[STORE_RECORD_MAX];
    struct store_entry before, after;
    MDB_val val;
    bool found = false;
    if (write->verb != STORE_PUT) {
        int status = mdb_get(txn, lmdb->data, key, &val);
        if (status && status != MDB_NOTFOUND)
            return status;
        found = status == 0 && entry_read(&val, &before);
    }
    store_entry_fold(found ? &before : NULL, write, room, &after);
    return put(lmdb, txn, key, &after);
}

static int write_one(struct store_lmdb *lmdb, MDB_txn *txn, const struct store_write *write)
{
    struct lmdb_key key;
    key_make(&key, write->key);
    if (write->verb != STORE_REMOVE)
        return change(lmdb, txn, &key.val, write);
    int status = mdb_del(txn, lmdb->data, &key.val, NULL);
    return status == MDB_NOTFOUND ? 0 : status;
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

static bool is_damage(int status)
{
    return status == MDB_CORRUPTED || status == MDB_PAGE_NOTFOUND || status == MDB_INVALID;
}

/* A write that the system refused at the wrong moment makes LMDB refuse all further ones until it is opened
 * anew: the next batch does that. */
static int apply(struct store_lmdb *lmdb, const struct store_batch *batch)
{
    int status = lmdb->env ? 0 : open_env(lmdb);
    if (status == 0)
        status = apply_once(lmdb, batch);
    while (status == MDB_MAP_FULL && (status = grow(lmdb)) == 0)
        status = apply_once(lmdb, batch);
    if (status == MDB_PANIC)
        close_env(lmdb);
    if (is_damage(status))
        lmdb->broken = status;
    return status;
}

static int lmdb_apply(struct store *store, const struct store_batch *batch, struct error *error)
{
    struct store_lmdb *lmdb = lmdb_of(store);
    assert(lmdb->writer);
    int status = apply(lmdb, batch);
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
        struct store_entry entry;
        bool over = !entry_read(&val, &entry) || store_is_over(entry.expires_unix_ms, now_unix_ms);
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
    if (!lmdb->env)
        return 0;
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

/* --- the walk ------------------------------------------------------------------------------------------ */

_Static_assert(STORE_CURSOR_SIZE > KEY_PLAIN_MAX, "a cursor is a key");

static int walk_with(struct store_walk *walk, MDB_cursor *cursor, const struct store_visit *visit)
{
    struct slice from = walk->cursor_len ? slice_of(walk->cursor, walk->cursor_len) : walk->prefix;
    MDB_val val, key = {from.len, (void *)(uintptr_t)from.at};
    int status = mdb_cursor_get(cursor, &key, &val, from.len ? MDB_SET_RANGE : MDB_FIRST);
    walk->cursor_len = 0;
    for (size_t left = walk->most; status == 0; left--) {
        struct slice text = slice_of(key.mv_data, key.mv_size);
        struct store_entry entry;
        if (!slice_starts(text, walk->prefix))
            return 0;
        if (!left) {
            memcpy(walk->cursor, text.at, text.len);
            walk->cursor_len = text.len;
            return 0;
        }
        if (text.len <= KEY_PLAIN_MAX && entry_read(&val, &entry))
            store_visit(visit, text, &entry);
        status = mdb_cursor_get(cursor, &key, &val, MDB_NEXT);
    }
    return status == MDB_NOTFOUND ? 0 : status;
}

static int lmdb_walk(struct store *store, struct store_walk *walk, const struct store_visit *visit,
                     struct error *error)
{
    struct store_lmdb *lmdb = lmdb_of(store);
    MDB_cursor *cursor;
    if (walk->prefix.len > KEY_PLAIN_MAX || !is_open(lmdb)) {
        walk->cursor_len = 0;
        return 0;
    }
    int status = read_begin(lmdb);
    if (status == 0 && (status = mdb_cursor_open(lmdb->reading, lmdb->data, &cursor)) == 0) {
        status = walk_with(walk, cursor, visit);
        mdb_cursor_close(cursor);
    }
    return done(lmdb, status, error) == STORE_FAILED ? -1 : 0;
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

/* A reader makes nothing: a lock file that belongs to whoever looked first would keep the writer out. */
static bool is_there(const struct store_lmdb *lmdb)
{
    char lock[sizeof lmdb->folder + 16];
    snprintf(lock, sizeof lock, "%s/lock.mdb", lmdb->folder);
    return lmdb->writer || access(lock, F_OK) == 0 || errno != ENOENT;
}

static int open_env(struct store_lmdb *lmdb)
{
    if (!is_there(lmdb))
        return ENOENT;
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
    if (status == 0 && env_is_torn(lmdb->env, &info))
        status = MDB_CORRUPTED;
    if (status)
        close_env(lmdb);
    else
        lmdb->map_octets = info.me_mapsize;
    lmdb->file = file_of(lmdb);
    return status;
}

static int lmdb_counts(struct store *store, struct store_counts *ret_counts, struct error *error)
{
    struct store_lmdb *lmdb = lmdb_of(store);
    MDB_stat data = {0};
    MDB_envinfo info = {0};
    *ret_counts = (struct store_counts){0};
    if (!is_open(lmdb))
        return closed(lmdb, error);
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
    bool whole = lmdb->writer && lmdb->env && !lmdb->broken && mdb_env_sync(lmdb->env, 1) == 0;
    close_env(lmdb);
    if (whole)
        env_mark(lmdb->folder, false);
    memory_give(lmdb, sizeof *lmdb);
}

static uint64_t lmdb_version(const struct store *store)
{
    const struct store_lmdb *lmdb = (const struct store_lmdb *)store;
    MDB_envinfo info;
    return lmdb->env && mdb_env_info(lmdb->env, &info) == 0 ? (uint64_t)info.me_last_txnid + 1 : 0;
}

static const struct store_class class = {lmdb_find, lmdb_apply,  lmdb_position, lmdb_sweep,
                                         lmdb_walk, lmdb_counts, lmdb_version,  lmdb_close};

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
    if (status == 0 && lmdb->writer)
        env_mark(lmdb->folder, true);
    if (status == 0 || (!lmdb->writer && (not_made_yet(status) || is_damage(status)))) {
        lmdb->broken = status;
        *ret_store = &lmdb->store;
        return 0;
    }
    fail(lmdb, status, "cannot open the store in", error);
    lmdb_close(&lmdb->store);
    return -1;
}
