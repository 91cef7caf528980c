#include "journal/sql.h"

#include <errno.h>

#define WAIT_MS 5000

int sql_fail(sqlite3 *db, struct error *error)
{
    const char *file = db ? sqlite3_db_filename(db, "main") : NULL;
    int code = db ? sqlite3_errcode(db) & 0xff : SQLITE_NOMEM;
    int number = code == SQLITE_FULL ? ENOSPC : 0;
    if (!number && db && (code == SQLITE_IOERR || code == SQLITE_CANTOPEN))
        number = sqlite3_system_errno(db);
    return error_set(error, number, "%s: %s", file && *file ? file : "history",
                     db ? sqlite3_errmsg(db) : "no memory");
}

bool sql_is_damaged(sqlite3 *db)
{
    int code = sqlite3_errcode(db) & 0xff;
    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

int sql_open(const char *path, enum sql_mode mode, sqlite3 **ret_db, struct error *error)
{
    /* Whoever only reads may have to recover what a writer that was killed left behind. */
    static const int flags[] = {[SQL_READ] = SQLITE_OPEN_READWRITE,
                                [SQL_WRITE] = SQLITE_OPEN_READWRITE,
                                [SQL_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE};
    sqlite3 *db = NULL;
    int status = sqlite3_open_v2(path, &db, flags[mode] | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL);
    if (status != SQLITE_OK) {
        (void)sql_fail(db, error);
        sqlite3_close(db);
        return -1;
    }
    sqlite3_busy_timeout(db, WAIT_MS);
    if (mode == SQL_READ) {
        (void)sql_run(db, "PRAGMA query_only=1", NULL);
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL); /* the writer's work */
    }
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    *ret_db = db;
    return 0;
}

void sql_close(sqlite3 *db)
{
    sqlite3_close(db);
}

int sql_run(sqlite3 *db, const char *text, struct error *error)
{
    return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : sql_fail(db, error);
}

sqlite3_stmt *sql_prepare(sqlite3 *db, const char *text, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK)
        (void)sql_fail(db, error);
    return statement;
}

void sql_drop(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
    *statement = NULL;
}

int sql_next(sqlite3_stmt *statement, struct error *error)
{
    int status = sqlite3_step(statement);
    if (status == SQLITE_ROW)
        return 1;
    int result = status == SQLITE_DONE ? 0 : sql_fail(sqlite3_db_handle(statement), error);
    sqlite3_reset(statement);
    return result;
}

int sql_do(sqlite3_stmt *statement, struct error *error)
{
    return sql_next(statement, error) < 0 ? -1 : 0;
}

void sql_bind(sqlite3_stmt *statement, int place, struct slice octets)
{
    sqlite3_bind_blob(statement, place, octets.len ? octets.at : "", (int)octets.len, SQLITE_STATIC);
}

struct slice sql_octets(sqlite3_stmt *statement, int column)
{
    const char *at = sqlite3_column_blob(statement, column);
    return slice_of(at, (size_t)sqlite3_column_bytes(statement, column));
}

int64_t sql_number(sqlite3 *db, const char *text, int64_t otherwise)
{
    sqlite3_stmt *statement = sql_prepare(db, text, NULL);
    int64_t value = otherwise;
    if (statement && sql_next(statement, NULL) > 0)
        value = sqlite3_column_int64(statement, 0);
    sql_drop(&statement);
    return value;
}
