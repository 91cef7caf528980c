/* Where postern stats has its figures from: the keeper, or the journal read anew. */
#ifndef CLI_STATS_SOURCE_H
#define CLI_STATS_SOURCE_H

#include "cli/cli.h"
#include "journal/stats.h"

/* Asks the keeper. CLI_OK, or it was told why not. */
int stats_ask(const struct cli *cli, const struct site *site, struct stats_view *ret_view);
/* Reads all of the journal that is there, with progress on standard error, and adds what the store has of
 * files that are gone. A running gate is asked to write what it still gathers. CLI_OK, or it was told. */
int stats_recount(const struct cli *cli, const struct site *site, struct stats_view *ret_view);

#endif
