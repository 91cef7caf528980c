/* What day.c and day_find.c share: the tables of a day's file. */
#ifndef JOURNAL_DAY_SCHEMA_H
#define JOURNAL_DAY_SCHEMA_H

#define DAY_APPLICATION 0x50737448 /* "PstH" */
#define DAY_VERSION     2

#define DAY_SCHEMA                                                                                           \
    "CREATE TABLE session(at INTEGER PRIMARY KEY, id INTEGER NOT NULL, stream INTEGER NOT NULL,"             \
    " sequence INTEGER NOT NULL, offset INTEGER NOT NULL, traits BLOB NOT NULL);"                            \
    "CREATE UNIQUE INDEX session_id ON session(id);"                                                         \
    "CREATE TABLE trait(kind INTEGER NOT NULL, key BLOB NOT NULL, n INTEGER NOT NULL,"                       \
    " sessions INTEGER NOT NULL, PRIMARY KEY(kind, key)) WITHOUT ROWID;"                                     \
    "CREATE TABLE found(n INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(n, at)) WITHOUT ROWID;"         \
    "CREATE TABLE member(campaign INTEGER NOT NULL, session INTEGER NOT NULL, PRIMARY KEY(campaign, "        \
    "session))"                                                                                              \
    " WITHOUT ROWID;"                                                                                        \
    "CREATE TABLE place(stream TEXT PRIMARY KEY, sequence INTEGER NOT NULL, offset INTEGER NOT NULL)"        \
    " WITHOUT ROWID;"                                                                                        \
    "CREATE TABLE meta(word TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"

#endif
