/* SQLite as the history index uses it: what it refuses becomes a struct error. */
#ifndef JOURNAL_SQL_H
#define JOURNAL_SQL_H

#include "base/error.h"
#include "base/slice.h"

#include <sqlite3.h>

enum sql_mode { SQL_READ, SQL_WRITE, SQL_CREATE };

/* Negative: it cannot be opened. Waits for another's lock for five seconds at most. */
int sql_open(const char *path, enum sql_mode mode, sqlite3 **ret_db, struct error *error);
void sql_close(sqlite3 *db); /* NULL is taken */

/* Statements without results, parted by semicolons. */
int sql_run(sqlite3 *db, const char *text, struct error *error);
/* NULL with *error filled where it cannot be prepared. */
sqlite3_stmt *sql_prepare(sqlite3 *db, const char *text, struct error *error);
void sql_drop(sqlite3_stmt **statement); /* sets it to NULL; NULL is taken */

/* Steps a statement that gives no rows, and resets it. SQLITE_DONE as 0; negative: it was refused. */
int sql_do(sqlite3_stmt *statement, struct error *error);
/* 1: a row; 0: there are no more, and it is reset; negative: refused, and it is reset. */
int sql_next(sqlite3_stmt *statement, struct error *error);

/* A blob that lives until the statement is reset. */
void sql_bind(sqlite3_stmt *statement, int place, struct slice octets);
struct slice sql_octets(sqlite3_stmt *statement, int column);

/* The first column of the only row, or `otherwise`. */
int64_t sql_number(sqlite3 *db, const char *text, int64_t otherwise);

/* Fills the error with what the database said last; its number is an errno where one fits (ENOSPC for a full
 * disk), else 0. Returns -1. */
int sql_fail(sqlite3 *db, struct error *error);
/* Whether the file itself is no sound database: it has to be made anew. */
bool sql_is_damaged(sqlite3 *db);

#endif
