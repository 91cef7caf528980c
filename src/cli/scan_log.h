/* What the files of postern scan-log share: what was found, and the three forms in which it is printed. */
#ifndef CLI_SCAN_LOG_H
#define CLI_SCAN_LOG_H

#include "cli/cli.h"
#include "watch/scan.h"
#include "watch/scan_unknown.h"

struct scan_log {
    const struct cli *cli;
    const char *const *paths;
    size_t path_count;
    const struct scan_lines *lines;
    const struct scan_counts *counts;
    struct scan_unknown *unknown; /* NULL: not asked for */
    bool lists;                   /* attempts are printed as they come, and nothing else */
    unsigned problems;            /* files that could not be read to their end */
};

void scan_log_text(const struct scan_log *log);
void scan_log_json(const struct scan_log *log);

#endif
