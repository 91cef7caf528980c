/* What the subcommands share that read the journal's files. */
#ifndef CLI_JOURNAL_FILES_H
#define CLI_JOURNAL_FILES_H

#include "base/error.h"
#include "cli/cli.h"
#include "journal/history.h"

#define JOURNAL_FOLDER_SIZE 3072

/* Where the configuration's journal is; a running gate is asked to write what it still gathers, and is waited
 * for a second at most. CLI_OK, or the mistakes were told. */
int journal_folder(const struct cli *cli, char folder[JOURNAL_FOLDER_SIZE]);
/* The history's folder, which stands beside the journal's. */
void journal_history_folder(const char *journal, char history[JOURNAL_FOLDER_SIZE]);
/* Has the archivist look at a day of the history (its file's name) that turned out to be damaged. */
void journal_history_check(const struct cli *cli, const char *day);
/* "028t5cy4tqkff", also as it stands in a reply, "(028t5cy4tqkff)", or in a queue id, "028t5cy4tqkff.1". */
bool journal_id_parse(struct slice text, uint64_t *ret_id);
/* All about a session by its id: at its place, where the history knows it, else by looking for it. */
int journal_session_load(struct history *history, const char *journal, struct error *error);
/* Tells why there is nothing to read; `error` is what opening the folder gave. Returns CLI_FAILED. */
int journal_fail(const struct cli *cli, const char *folder, const struct error *error);
/* Minutes east of UTC, where we are, at that time. */
int journal_zone(int64_t unix_seconds);
/* "2026-07-24 02:35:56", here. */
#define JOURNAL_TIME_SIZE 24
struct slice journal_time(int64_t unix_us, char text[JOURNAL_TIME_SIZE]);
/* --since and --until: "2h" (ago), or a date (RFC 3339; without an offset: here). False: it was told. */
bool journal_option_time(const struct cli *cli, const char *name, int64_t otherwise_us, int64_t *ret_us);

#endif
