/* What the files of postern scan-log share: what was found, and the three forms in which it is printed. */
#ifndef CLI_SCAN_LOG_H
#define CLI_SCAN_LOG_H

#include "cli/cli.h"
#include "watch/export.h"
#include "watch/scan.h"
#include "watch/scan_found.h"
#include "watch/scan_unknown.h"

struct scan_log {
    const struct cli *cli;
    const char *const *paths;
    size_t path_count;
    const struct scan_lines *lines;
    const struct scan_counts *counts;
    const struct scan_found *found;
    struct scan_unknown *unknown; /* NULL: not asked for */
    size_t campaigns_max;         /* of the largest ones, that are printed as text and HTML */
    unsigned problems;            /* files that could not be read to their end */
};

void scan_log_text(const struct scan_log *log);
void scan_log_json(const struct scan_log *log);
void scan_log_html(const struct scan_log *log);

/* What is suggested, as FORM to standard output or FORM=FILE into a file (scan_log_export.c). */
struct scan_log_export {
    enum export_form form;
    const char *file; /* NULL: standard output */
};

bool scan_log_export_read(const char *text, struct scan_log_export *ret_export); /* false: it is none */
/* lifetime_ms 0: entries do not expire. Returns the exit status. */
int scan_log_export(const struct scan_log *log, const struct scan_log_export *export, int64_t now_ms,
                    uint64_t lifetime_ms);

/* A campaign's timeline as inline SVG: a lane for each host, a mark for each attempt (scan_log_picture.c). */
void scan_log_picture(const struct campaign *campaign, struct buf *out);

/* --- words that they share (scan_log_words.c) ------------------------------------------------------------
 */

/* Each of the counts with its words, in order; false: that was the last one. Those that are 0 and say nothing
 * then are left out. */
struct scan_log_count {
    uint64_t value;
    const char *words;
    bool within; /* part of the one above */
    bool always; /* told though it is 0 */
};

bool scan_log_next_count(const struct scan_log *log, size_t *at, struct scan_log_count *ret_count);

#define SCAN_LOG_WORD_SIZE 160
/* "1,234,567" */
struct slice scan_log_number(uint64_t value, char text[SCAN_LOG_WORD_SIZE]);
/* "2003-07-24 01:11:45" */
struct slice scan_log_time(int64_t unix_ms, char text[SCAN_LOG_WORD_SIZE]);
/* "192.0.2.7", "2001:db8::/64" */
struct slice scan_log_host(struct host_key key, unsigned family, char text[SCAN_LOG_WORD_SIZE]);
/* "AS64500 Example Telecom", or empty */
struct slice scan_log_origin(const struct campaign_host *host, char text[SCAN_LOG_WORD_SIZE]);
/* Whether it is known of any of the hosts. */
bool scan_log_has_origin(const struct campaign *campaign);
/* A line of sendmail's access table, without its end. */
struct slice scan_log_access(const struct scan_block *block, char text[SCAN_LOG_WORD_SIZE]);
/* Of a campaign's hosts: "came again", "not suggested", or empty. */
const char *scan_log_remark(const struct campaign *campaign, const struct campaign_host *host, bool guilty);
/* Which campaigns are printed: true for those among the largest campaigns_max. The caller gives it back:
 * scan_found_count octets. */
bool *scan_log_choice(const struct scan_log *log);

#endif
