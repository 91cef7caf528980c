/* What `postern explain` shows, for other subcommands that end in a session. */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "cli/cli.h"
#include "journal/history.h"
#include "journal/view.h"

enum explain_format { EXPLAIN_TEXT, EXPLAIN_HTML, EXPLAIN_JSON };

struct explain {
    const struct view *view;
    enum explain_format format;
    int level; /* 1 to 5 */
};

/* The view `log`, up to a level from 1 to 5. */
void explain_log(const struct cli *cli, const struct history *history, int level);
/* The document in the format, to standard output. */
void explain_document(const struct cli *cli, const struct document *document, enum explain_format format);
/* A view of a session in the journal of the folder: CLI_OK, or why not was told. */
int explain_session(const struct cli *cli, const char *folder, uint64_t id, const struct explain *explain);

#endif
