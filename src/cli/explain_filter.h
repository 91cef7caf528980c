/* Which sessions `postern explain --follow` shows. A filter is made of conditions; each is met by one of a
 * session's events, and once met it stays so. */
#ifndef CLI_EXPLAIN_FILTER_H
#define CLI_EXPLAIN_FILTER_H

#include "base/address.h"
#include "cli/cli.h"
#include "core/finding.h"
#include "journal/history.h"

struct explain_filter {
    unsigned wanted; /* the conditions, a bit each */
    struct prefix client;
    struct slice from, to;
    enum finding finding;
    uint64_t verdict;
};

/* From the options. False: a mistake was told, return CLI_USAGE. */
bool explain_filter_parse(const struct cli *cli, struct explain_filter *ret_filter);
/* Adds to *met the conditions that the event meets. True: all are met. */
bool explain_filter_event(const struct explain_filter *filter, const struct event *event, unsigned *met);
bool explain_filter_history(const struct explain_filter *filter, const struct history *history);

/* The rows of the table of options. */
#define EXPLAIN_FILTER_OPTIONS                                                                               \
    {0, "client", "ADDRESS", "with --follow: of this address or network, 192.0.2.0/24"},                     \
        {0, "from", "TEXT", "with --follow: with this in a sender"},                                         \
        {0, "to", "TEXT", "with --follow: with this in a recipient, refused or not"},                        \
        {0, "finding", "WORD", "with --follow: with this finding"},                                          \
    {                                                                                                        \
        0, "verdict", "WORD", "with --follow: pass, slow, defer, discard, reject, trap or drop"              \
    }

#endif
