/* A day's file: its name, its state, its check. Writing it is in day_write.c, searching in day_find.c. */
#include "journal/day.h"

#include "base/calendar.h"
#include "base/memory.h"
#include "base/text.h"
#include "journal/day_keys.h"
#include "journal/day_schema.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- names and times ----------------------------------------------------------------------------------- */

void day_name_print(int64_t day, char text[DAY_NAME_SIZE])
{
    struct calendar at = calendar_from_unix(day * DAY_SECONDS, 0);
    snprintf(text, DAY_NAME_SIZE, "%04u-%02u-%02u.db", (unsigned)at.year % 10000u, (unsigned)at.month % 100u,
             (unsigned)at.day % 100u);
}

bool day_name_parse(struct slice text, int64_t *ret_day)
{
    int64_t unix_ms;
    if (text.len != 13 || !slice_equal(slice_from(text, 10), SLICE(".db")) ||
        !calendar_parse_iso(slice_head(text, 10), &unix_ms))
        return false;
    *ret_day = day_of(unix_ms * 1000);
    return true;
}

void day_path(const char *folder, int64_t day, char path[4096])
{
    char name[DAY_NAME_SIZE];
    day_name_print(day, name);
    snprintf(path, 4096, "%.4000s/%s", folder, name);
}

int64_t day_at(int64_t unix_us)
{
    int64_t within_us = unix_us - day_of(unix_us) * DAY_SECONDS * INT64_C(1000000);
    return within_us / DAY_UNIT_US + INT32_MIN;
}

int64_t day_unix_us(int64_t day, int64_t at)
{
    return day * DAY_SECONDS * INT64_C(1000000) + (at - INT32_MIN) * DAY_UNIT_US;
}

/* --- the folder ---------------------------------------------------------------------------------------- */

static int day_order(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

int day_list(const char *folder, struct day_listing *ret_listing, struct error *error)
{
    struct day_listing listing = {0};
    DIR *dir = opendir(folder);
    if (!dir)
        return error_set(error, errno, "cannot read the history's folder %s", folder);
    for (const struct dirent *entry; (entry = readdir(dir));) {
        int64_t day;
        if (!day_name_parse(slice_text(entry->d_name), &day))
            continue;
        if (listing.count == listing.room) {
            size_t room = listing.room ? listing.room * 2 : 64, size = sizeof day;
            listing.days = memory_resize(listing.days, listing.room * size, room * size);
            listing.room = room;
        }
        listing.days[listing.count++] = day;
    }
    closedir(dir);
    if (listing.count)
        qsort(listing.days, listing.count, sizeof *listing.days, day_order);
    *ret_listing = listing;
    return 0;
}

void day_listing_drop(struct day_listing *listing)
{
    memory_give(listing->days, listing->room * sizeof *listing->days);
    *listing = (struct day_listing){0};
}

int day_remove(const char *folder, int64_t day, struct error *error)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    char path[4096], one[4120];
    int result = 0;
    day_path(folder, day, path);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(one, sizeof one, "%s%s", path, ends[i]);
        if (unlink(one) != 0 && errno != ENOENT)
            result = error_set(error, errno, "cannot remove %s", one);
    }
    day_keys_remove(folder, day);
    return result;
}

/* --- what a file says of itself ------------------------------------------------------------------------ */

static enum day_status status_of(sqlite3 *db)
{
    return sql_is_damaged(db) ? DAY_DAMAGED : DAY_REFUSED;
}

/* A database of this program's version; another one is as good as damaged: it is made anew. One whose writer
 * was killed before it had made the tables has nothing in it and is sound: *ret_db is NULL. */
static enum day_status open_reading(const char *folder, int64_t day, sqlite3 **ret_db, struct error *error)
{
    char path[4096];
    day_path(folder, day, path);
    if (sql_open(path, SQL_READ, ret_db, error) < 0)
        return DAY_REFUSED;
    if (sql_run(*ret_db, "SELECT count(*) FROM sqlite_schema", error) < 0) {
        enum day_status status = status_of(*ret_db);
        sql_close(*ret_db);
        return status;
    }
    if (sql_number(*ret_db, "PRAGMA application_id", 0) == DAY_APPLICATION &&
        sql_number(*ret_db, "PRAGMA user_version", 0) == DAY_VERSION)
        return DAY_GOOD;
    bool unmade = sql_number(*ret_db, "SELECT count(*) FROM sqlite_schema", -1) == 0;
    sql_close(*ret_db);
    *ret_db = NULL;
    error_set(error, 0, "%s is no history of this version", path);
    return unmade ? DAY_GOOD : DAY_DAMAGED;
}

static bool read_places(sqlite3 *db, struct day_state *state, struct error *error)
{
    size_t room = 0;
    sqlite3_stmt *statement = sql_prepare(db, "SELECT stream, sequence, offset FROM place", error);
    int more = statement ? 0 : -1;
    while (statement && (more = sql_next(statement, error)) > 0) {
        if (state->place_count == room) {
            size_t next = room ? room * 2 : 16, size = sizeof *state->places;
            state->places = memory_resize(state->places, room * size, next * size);
            room = next;
        }
        struct day_place *place = &state->places[state->place_count++];
        *place = (struct day_place){.next = {(uint32_t)sqlite3_column_int64(statement, 1),
                                             (uint32_t)sqlite3_column_int64(statement, 2)}};
        snprintf(place->stream, sizeof place->stream, "%s", (const char *)sqlite3_column_text(statement, 0));
    }
    sql_drop(&statement);
    size_t size = sizeof *state->places;
    state->places = memory_resize(state->places, room * size, state->place_count * size);
    return more == 0;
}

enum day_status day_read_state(const char *folder, int64_t day, struct day_state *ret_state,
                               struct error *error)
{
    struct day_state state = {.day = day};
    sqlite3 *db;
    enum day_status status = open_reading(folder, day, &db, error);
    if (status != DAY_GOOD)
        return status;
    if (!db) {
        state.repair = true; /* be it that all of it was lost */
        *ret_state = state;
        return DAY_GOOD;
    }
    state.open = sql_number(db, "SELECT value FROM meta WHERE word='open'", 0) != 0;
    state.repair = sql_number(db, "SELECT value FROM meta WHERE word='repair'", 0) != 0;
    state.sessions = (uint64_t)sql_number(db, "SELECT sum(sessions) FROM trait WHERE kind=7", 0);
    if (!read_places(db, &state, error))
        status = status_of(db);
    sql_close(db);
    if (status == DAY_GOOD)
        *ret_state = state;
    else
        day_state_drop(&state);
    return status;
}

void day_state_drop(struct day_state *state)
{
    memory_give(state->places, state->place_count * sizeof *state->places);
    state->places = NULL;
    state->place_count = 0;
}

/* --- the check ----------------------------------------------------------------------------------------- */

static bool is_ok(sqlite3 *db, struct error *error)
{
    sqlite3_stmt *statement = sql_prepare(db, "PRAGMA integrity_check(1)", error);
    bool ok = statement && sql_next(statement, error) > 0 &&
              slice_equal(sql_octets(statement, 0), SLICE("ok"));
    if (statement && !ok)
        error_set(error, 0, "%s: %.*s", sqlite3_db_filename(db, "main"),
                  SLICE_ARGS(sql_octets(statement, 0)));
    sql_drop(&statement);
    return ok;
}

enum day_status day_check(const char *folder, int64_t day, struct error *error)
{
    static const char *const none[] = {
        "SELECT count(*) FROM (SELECT n FROM trait GROUP BY n HAVING count(*) > 1)",
        "SELECT count(*) FROM found WHERE at NOT IN (SELECT at FROM session)",
        "SELECT count(*) FROM trait t WHERE sessions <> (SELECT count(*) FROM found f WHERE f.n = t.n)",
        "SELECT (SELECT count(*) FROM session) - (SELECT ifnull(sum(sessions), 0) FROM trait WHERE kind=7)",
    };
    sqlite3 *db;
    enum day_status status = open_reading(folder, day, &db, error);
    if (status != DAY_GOOD || !db)
        return status;
    if (!is_ok(db, error))
        status = DAY_DAMAGED;
    for (size_t i = 0; i < sizeof none / sizeof *none && status == DAY_GOOD; i++) {
        if (sql_number(db, none[i], -1) == 0)
            continue;
        error_set(error, 0, "%s contradicts itself", sqlite3_db_filename(db, "main"));
        status = DAY_DAMAGED;
    }
    sql_close(db);
    return status;
}
