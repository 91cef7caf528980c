/* Writing a day: a batch is one transaction, its entries are sorted first, so that each trait's count is
 * written once and each page of the tree that tells which sessions have it is visited once. */
#include "base/leb.h"
#include "base/memory.h"
#include "journal/day.h"
#include "journal/day_keys.h"
#include "journal/day_schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CACHE_SLOTS  65536u
#define CACHE_KEY    50u /* longer keys are looked up in the file */
#define TRIES        1000000
#define NUMBERS_SIZE ((TRAITS_MOST + TRAIT_KINDS) * 10u)

/* Numbers of traits that were wanted lately. A slot holds its key: nobody can be taken for another. */
struct cached {
    uint32_t n; /* 0: nothing */
    uint8_t kind, len;
    char key[CACHE_KEY];
};

struct entry {
    int64_t n, at;
    struct slice key;
    enum trait kind;
};

enum {
    INSERT_SESSION,
    FIND_TRAIT,
    INSERT_TRAIT,
    COUNT_TRAIT,
    INSERT_FOUND,
    INSERT_MEMBER,
    SET_PLACE,
    SET_META,
    STATEMENTS
};

static const char *const texts[STATEMENTS] = {
    [INSERT_SESSION] = "INSERT INTO session VALUES(?,?,?,?,?,?)",
    [FIND_TRAIT] = "SELECT n FROM trait WHERE kind=? AND key=?",
    [INSERT_TRAIT] = "INSERT INTO trait VALUES(?,?,?,0)",
    [COUNT_TRAIT] = "UPDATE trait SET sessions=sessions+? WHERE kind=? AND key=?",
    [INSERT_FOUND] = "INSERT INTO found VALUES(?,?)",
    [INSERT_MEMBER] = "INSERT OR IGNORE INTO member VALUES(?,?)",
    [SET_PLACE] = "INSERT OR REPLACE INTO place VALUES(?,?,?)",
    [SET_META] = "INSERT OR REPLACE INTO meta VALUES(?,?)",
};

struct day {
    int64_t day;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    struct cached *cache;
    int64_t next_n; /* of the next new trait */
    struct entry *entries;
    size_t entry_count, entry_room;
    struct error *error;        /* of the call that is under way */
    char numbers[NUMBERS_SIZE]; /* of one session's traits */
};

int64_t day_number(const struct day *day)
{
    return day->day;
}

/* --- opening and closing ------------------------------------------------------------------------------- */

static enum day_status status_of(const struct day *day)
{
    return sql_is_damaged(day->db) ? DAY_DAMAGED : DAY_REFUSED;
}

static bool run(struct day *day, const char *text)
{
    return sql_run(day->db, text, day->error) == 0;
}

static bool meta_set(struct day *day, const char *word, int64_t value)
{
    sqlite3_stmt *statement = day->statements[SET_META];
    sqlite3_bind_text(statement, 1, word, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, value);
    return sql_do(statement, day->error) == 0;
}

/* All of it or nothing: a file without its tables is empty. */
static bool schema_make(struct day *day)
{
    char text[128];
    snprintf(text, sizeof text, "PRAGMA application_id=%d; PRAGMA user_version=%d", DAY_APPLICATION,
             DAY_VERSION);
    if (!run(day, "BEGIN IMMEDIATE"))
        return false;
    if (sql_number(day->db, "SELECT count(*) FROM sqlite_schema", -1) == 0 &&
        !(run(day, DAY_SCHEMA) && run(day, text)))
        return false;
    return run(day, "COMMIT");
}

static bool is_ours(struct day *day)
{
    bool ours = sql_number(day->db, "PRAGMA application_id", 0) == DAY_APPLICATION &&
                sql_number(day->db, "PRAGMA user_version", 0) == DAY_VERSION;
    if (!ours)
        error_set(day->error, 0, "%s is no history of this version", sqlite3_db_filename(day->db, "main"));
    return ours;
}

static bool statements_make(struct day *day)
{
    for (size_t i = 0; i < STATEMENTS; i++) {
        day->statements[i] = sql_prepare(day->db, texts[i], day->error);
        if (!day->statements[i])
            return false;
    }
    return true;
}

/* That it is open is on disk before anything else is: whoever finds it so after a loss of power reads again
 * what may be missing. */
static bool open_mark(struct day *day)
{
    if (sql_number(day->db, "SELECT value FROM meta WHERE word='open'", 0) != 1)
        return run(day, "PRAGMA synchronous=FULL") && meta_set(day, "open", 1) &&
               run(day, "PRAGMA synchronous=NORMAL");
    return run(day, "PRAGMA synchronous=NORMAL");
}

static enum day_status open_whole(struct day *day, const char *path)
{
    if (sql_open(path, SQL_CREATE, &day->db, day->error) < 0)
        return DAY_REFUSED;
    if (!run(day, "PRAGMA journal_mode=WAL; PRAGMA cache_size=-49152; PRAGMA wal_autocheckpoint=4096;"
                  "PRAGMA temp_store=MEMORY") ||
        !schema_make(day))
        return status_of(day);
    if (!is_ours(day))
        return DAY_DAMAGED;
    if (!statements_make(day) || !open_mark(day))
        return status_of(day);
    day->next_n = sql_number(day->db, "SELECT value FROM meta WHERE word='next'", 1);
    return DAY_GOOD;
}

enum day_status day_open(const char *folder, int64_t number, struct day **ret_day, struct error *error)
{
    char path[4096];
    struct day *day = memory_take(sizeof *day);
    day->day = number;
    day->error = error;
    day->cache = memory_take(CACHE_SLOTS * sizeof *day->cache);
    day_keys_remove(folder, number); /* they would not tell of what is added */
    day_path(folder, number, path);
    enum day_status status = open_whole(day, path);
    if (status == DAY_GOOD)
        *ret_day = day;
    else
        day_close(day);
    return status;
}

void day_close(struct day *day)
{
    if (!day)
        return;
    for (size_t i = 0; i < STATEMENTS; i++)
        sql_drop(&day->statements[i]);
    sql_close(day->db);
    memory_give(day->cache, CACHE_SLOTS * sizeof *day->cache);
    memory_give(day->entries, day->entry_room * sizeof *day->entries);
    memory_give(day, sizeof *day);
}

enum day_status day_settle(struct day *day, struct error *error)
{
    day->error = error;
    bool settled = run(day, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA synchronous=FULL") &&
                   meta_set(day, "open", 0);
    enum day_status status = settled ? DAY_GOOD : status_of(day);
    for (size_t i = 0; i < STATEMENTS; i++)
        sql_drop(&day->statements[i]); /* the log stays where a statement is open or somebody reads */
    if (settled)
        (void)sql_run(day->db, "PRAGMA journal_mode=DELETE", NULL);
    day_close(day);
    return status;
}

enum day_status day_mark_repair(struct day *day, bool repair, struct error *error)
{
    day->error = error;
    return meta_set(day, "repair", repair) ? DAY_GOOD : status_of(day);
}

/* --- traits -------------------------------------------------------------------------------------------- */

static struct cached *slot_of(struct day *day, enum trait kind, struct slice key)
{
    return &day->cache[slice_hash(key, (uint64_t)kind * 0x9e3779b97f4a7c15u) % CACHE_SLOTS];
}

static bool slot_has(const struct cached *slot, enum trait kind, struct slice key)
{
    return slot->n && slot->kind == kind && slice_equal(slice_of(slot->key, slot->len), key);
}

static void slot_set(struct cached *slot, enum trait kind, struct slice key, int64_t n)
{
    if (key.len > CACHE_KEY || n > UINT32_MAX)
        return;
    slot->n = (uint32_t)n;
    slot->kind = (uint8_t)kind;
    slot->len = (uint8_t)key.len;
    if (key.len)
        memcpy(slot->key, key.at, key.len);
}

static int64_t trait_insert(struct day *day, enum trait kind, struct slice key)
{
    sqlite3_stmt *insert = day->statements[INSERT_TRAIT];
    sqlite3_bind_int(insert, 1, (int)kind);
    sql_bind(insert, 2, key);
    sqlite3_bind_int64(insert, 3, day->next_n);
    return sql_do(insert, day->error) < 0 ? -1 : day->next_n++;
}

/* Its number; a new one gets the next. Negative: it was refused. */
static int64_t trait_number(struct day *day, enum trait kind, struct slice key)
{
    struct cached *slot = slot_of(day, kind, key);
    if (slot_has(slot, kind, key))
        return slot->n;
    sqlite3_stmt *find = day->statements[FIND_TRAIT];
    sqlite3_bind_int(find, 1, (int)kind);
    sql_bind(find, 2, key);
    int found = sql_next(find, day->error);
    int64_t n = found > 0 ? sqlite3_column_int64(find, 0) : -1;
    sqlite3_reset(find);
    if (found == 0)
        n = trait_insert(day, kind, key);
    if (n > 0)
        slot_set(slot, kind, key, n);
    return n;
}

/* --- sessions ------------------------------------------------------------------------------------------ */

static void entry_add(struct day *day, const struct entry *entry)
{
    if (day->entry_count == day->entry_room) {
        size_t room = day->entry_room ? day->entry_room * 2 : 4096, size = sizeof *entry;
        day->entries = memory_resize(day->entries, day->entry_room * size, room * size);
        day->entry_room = room;
    }
    day->entries[day->entry_count++] = *entry;
}

/* Numbers of its traits, each as LEB128; they become entries, too. -1: refused. */
static int traits_number(struct day *day, const struct traits *traits)
{
    enum trait kind;
    struct slice key;
    char *end = day->numbers;
    for (size_t at = 0; traits_next(traits, &at, &kind, &key);) {
        int64_t n = trait_number(day, kind, key);
        if (n < 0)
            return -1;
        end = leb_put(end, (uint64_t)n);
        entry_add(day, &(struct entry){.n = n, .key = key, .kind = kind});
    }
    return (int)(end - day->numbers);
}

enum inserted { INSERTED, KNOWN, REFUSED };

/* At its time or, where another has it, at the next that is free. */
static enum inserted session_insert(struct day *day, const struct day_session *session, struct slice numbers,
                                    int64_t *ret_at)
{
    sqlite3_stmt *insert = day->statements[INSERT_SESSION];
    int64_t first = day_at(session->ended_us);
    sqlite3_bind_int64(insert, 2, (int64_t)session->traits->session);
    sqlite3_bind_int64(insert, 3, session->stream);
    sqlite3_bind_int64(insert, 4, session->ended.sequence);
    sqlite3_bind_int64(insert, 5, session->ended.offset);
    sql_bind(insert, 6, numbers);
    for (int64_t at = first; at < first + TRIES; at++) {
        sqlite3_bind_int64(insert, 1, at);
        int status = sqlite3_step(insert), code = sqlite3_extended_errcode(day->db);
        *ret_at = at;
        if (status == SQLITE_DONE) {
            sqlite3_reset(insert);
            return INSERTED;
        }
        bool taken = code == SQLITE_CONSTRAINT_ROWID || code == SQLITE_CONSTRAINT_PRIMARYKEY;
        if (!taken && code != SQLITE_CONSTRAINT_UNIQUE)
            (void)sql_fail(day->db, day->error);
        sqlite3_reset(insert);
        if (!taken)
            return code == SQLITE_CONSTRAINT_UNIQUE ? KNOWN : REFUSED;
    }
    error_set(day->error, 0, "too many sessions ended at the same time");
    return REFUSED;
}

static bool session_add(struct day *day, const struct day_session *session, uint64_t *added)
{
    size_t before = day->entry_count;
    int64_t at;
    int len = traits_number(day, session->traits);
    if (len < 0)
        return false;
    enum inserted inserted = session_insert(day, session, slice_of(day->numbers, (size_t)len), &at);
    if (inserted == KNOWN)
        day->entry_count = before;
    for (size_t i = before; i < day->entry_count; i++)
        day->entries[i].at = at;
    *added += inserted == INSERTED;
    return inserted != REFUSED;
}

/* --- the batch ----------------------------------------------------------------------------------------- */

static int entry_order(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

static bool trait_count(struct day *day, const struct entry *entry, int64_t sessions)
{
    sqlite3_stmt *count = day->statements[COUNT_TRAIT];
    sqlite3_bind_int64(count, 1, sessions);
    sqlite3_bind_int(count, 2, (int)entry->kind);
    sql_bind(count, 3, entry->key);
    return sql_do(count, day->error) == 0;
}

static bool entries_write(struct day *day)
{
    sqlite3_stmt *insert = day->statements[INSERT_FOUND];
    if (day->entry_count)
        qsort(day->entries, day->entry_count, sizeof *day->entries, entry_order);
    for (size_t i = 0, first = 0; i < day->entry_count; i++) {
        const struct entry *entry = &day->entries[i];
        sqlite3_bind_int64(insert, 1, entry->n);
        sqlite3_bind_int64(insert, 2, entry->at);
        if (sql_do(insert, day->error) < 0)
            return false;
        if (i + 1 < day->entry_count && entry[1].n == entry->n)
            continue;
        if (!trait_count(day, entry, (int64_t)(i + 1 - first)))
            return false;
        first = i + 1;
    }
    return true;
}

static bool members_write(struct day *day, const struct day_member *members, size_t count)
{
    sqlite3_stmt *insert = day->statements[INSERT_MEMBER];
    for (size_t i = 0; i < count; i++) {
        sqlite3_bind_int64(insert, 1, (int64_t)members[i].campaign);
        sqlite3_bind_int64(insert, 2, (int64_t)members[i].session);
        if (sql_do(insert, day->error) < 0)
            return false;
    }
    return true;
}

static bool places_write(struct day *day, const struct day_place *places, size_t count)
{
    sqlite3_stmt *set = day->statements[SET_PLACE];
    for (size_t i = 0; i < count; i++) {
        sqlite3_bind_text(set, 1, places[i].stream, -1, SQLITE_STATIC);
        sqlite3_bind_int64(set, 2, places[i].next.sequence);
        sqlite3_bind_int64(set, 3, places[i].next.offset);
        if (sql_do(set, day->error) < 0)
            return false;
    }
    return true;
}

static bool write_all(struct day *day, const struct day_batch *batch, uint64_t *added)
{
    int64_t before = day->next_n;
    day->entry_count = 0;
    for (size_t i = 0; i < batch->count; i++)
        if (!session_add(day, &batch->sessions[i], added))
            return false;
    return entries_write(day) && members_write(day, batch->members, batch->member_count) &&
           places_write(day, batch->places, batch->place_count) &&
           (day->next_n == before || meta_set(day, "next", day->next_n));
}

/* What the cache learned from a transaction that is no more would be wrong. */
static void take_back(struct day *day, int64_t next_n)
{
    (void)sql_run(day->db, "ROLLBACK", NULL);
    memset(day->cache, 0, CACHE_SLOTS * sizeof *day->cache);
    day->next_n = next_n;
}

enum day_status day_apply(struct day *day, const struct day_batch *batch, uint64_t *ret_added,
                          struct error *error)
{
    uint64_t added = 0;
    int64_t next_n = day->next_n;
    day->error = error;
    if (run(day, "BEGIN IMMEDIATE") && write_all(day, batch, &added) && run(day, "COMMIT")) {
        *ret_added = added;
        return DAY_GOOD;
    }
    enum day_status status = status_of(day);
    take_back(day, next_n);
    return status;
}
