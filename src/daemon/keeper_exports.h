/* The block list in files for other programs (watch/export.h): export.access, export.cidr, export.nftables,
 * export.rbldnsd, export.json. Each is written at the start and after each change, whole or not at all.
 *
 * Changes are gathered for a second, and for nine times as long as the last writing took, so that a long list
 * that changes all the time takes no more than a tenth of a processor and of the disk. The loop only copies
 * the entries, some at a time; sorting, printing and writing are a helper thread's. What cannot be written is
 * told as trouble once, and tried again. */
#ifndef DAEMON_KEEPER_EXPORTS_H
#define DAEMON_KEEPER_EXPORTS_H

#include "core/site.h"
#include "io/loop.h"
#include "journal/writer.h"
#include "watch/export.h"
#include "wire/json.h"

struct keeper_exports;

/* Where the entries come from. */
struct keeper_exports_source {
    /* Walks all that are in force, and all allowances: start with *at = 0; false at the end. Entries may come
     * and go meanwhile. The slices live for the call. */
    bool (*next)(void *data, size_t *at, struct export_entry *ret_entry);
    uint64_t (*generation)(void *data); /* another one after each change of what is in force */
    void (*close)(void *data);          /* with the exports; NULL: nothing is to be done */
    void *data;
};

/* All is lent for life, but that the source is closed; it is so where nothing can be opened, too. */
struct keeper_exports_settings {
    const struct site *site;
    struct loop *loop;
    struct journal_writer *journal;
    struct keeper_exports_source source;
};

/* Where no file is named, all that follows does nothing. Negative: a thread cannot be had. */
int keeper_exports_open(const struct keeper_exports_settings *settings, struct keeper_exports **ret_exports,
                        struct error *error);
/* Looks what has changed: every second, and when something has. */
void keeper_exports_tick(struct keeper_exports *exports);
void keeper_exports_status(const struct keeper_exports *exports, struct json *json); /* "exports":[…] */
/* Waits for a writing that is under way. NULL is taken. */
void keeper_exports_close(struct keeper_exports *exports);

/* The file of that form: absolute, or in the state directory, in the arena with a NUL; empty: there is none.
 */
struct slice keeper_exports_file(const struct site *site, enum export_form form, struct arena *arena);

#endif
