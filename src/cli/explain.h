/* What `postern explain` shows, for other subcommands that end in a session. */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "cli/cli.h"
#include "journal/history.h"
#include "journal/redact.h"
#include "journal/view.h"

enum explain_format { EXPLAIN_TEXT, EXPLAIN_HTML, EXPLAIN_JSON };

struct explain {
    const struct view *view;
    enum explain_format format;
    int level;                   /* 1 to 5 */
    struct redaction *redaction; /* NULL: nobody is hidden */
};

/* The view `log`, up to a level from 1 to 5. */
void explain_log(const struct cli *cli, const struct history *history, int level);
/* The document in the format, to standard output. */
void explain_document(const struct cli *cli, const struct document *document, enum explain_format format);
/* The view of the history, which is redacted where that is wanted; with cli->json the session and its events.
 */
void explain_history(const struct cli *cli, struct history *history, const struct explain *explain);
/* A view of a session in the journal of the folder: CLI_OK, or why not was told. */
int explain_session(const struct cli *cli, const char *folder, uint64_t id, const struct explain *explain);

struct explain_filter;
/* The sessions that match, from now on, until it is interrupted or nobody reads. The view log in text is
 * printed as it happens, line by line, other views when a session is over. */
int explain_follow(const struct cli *cli, const char *folder, const struct explain *explain,
                   const struct explain_filter *filter);

#endif
