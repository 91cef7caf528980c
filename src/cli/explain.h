/* What `postern explain` shows, for other subcommands that end in a session. */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "cli/cli.h"
#include "journal/history.h"

/* The view `log`, up to a level from 1 to 5. */
void explain_log(const struct cli *cli, const struct history *history, int level);
/* The whole of a session in the journal of the folder: CLI_OK, or why not was told. */
int explain_session(const struct cli *cli, const char *folder, uint64_t id, int level);

#endif
