/* Old logs, read from one end to the other: sendmail's, Postfix's and Postern's own, of one host or several,
 * in one file or many, put into the order of their times. What they tell of each envelope is given as an
 * attempt.
 *
 * Files that follow one another are read one behind the other; files of the same time (several hosts) line by
 * line as their times go. */
#ifndef WATCH_SCAN_H
#define WATCH_SCAN_H

#include "base/error.h"
#include "watch/scan_join.h"

struct scan_settings {
    int64_t since_ms, until_ms; /* lines of other times are passed over; INT64_MIN, INT64_MAX: all count */
    int year; /* of the first file's first line, where times have none; 0: by the files' dates */
    int64_t now_ms;
    size_t open_max; /* as in struct scan_join_settings */
    /* Each attempt; a line that is of none of the forms we know (may be NULL); a file that cannot be read to
     * its end, with a sentence (may be NULL: it is passed over). What is given lives for the call. */
    void (*attempt)(void *data, const struct attempt *attempt);
    void (*unknown)(void *data, const char *path, struct slice line);
    void (*problem)(void *data, const struct error *error);
    void *data;
};

struct scan_lines {
    uint64_t lines;            /* all that were read, within the times wanted */
    uint64_t unknown;          /* of them: no line of a log, or a mail server's of a form we do not know */
    uint64_t other;            /* of them: of other programs */
    uint64_t cut;              /* of them: longer than SCAN_LINE_MAX */
    uint64_t passed;           /* beside them: of other times */
    int64_t first_ms, last_ms; /* the earliest and the latest; 0: there was none */
};

struct scan_progress {
    uint64_t done, total; /* octets of the files; total 0: not known */
    bool plain;           /* none of the files is compressed, or a pipe */
    uint64_t text;        /* octets of text */
    const char *path;     /* of the file at hand; NULL: none */
};

struct scan;

/* Opens all files and puts them in order; "-" is standard input. -1: one of them cannot be read. The paths
 * are borrowed until scan_close. */
int scan_open(const struct scan_settings *settings, const char *const *paths, size_t count,
              struct scan **ret_scan, struct error *error);
/* Reads up to so many lines. False: all are read, and every attempt was given. */
bool scan_step(struct scan *scan, size_t lines_max);
const struct scan_lines *scan_lines(const struct scan *scan);
const struct scan_counts *scan_counts(const struct scan *scan);
void scan_progress(const struct scan *scan, struct scan_progress *ret_progress);
void scan_close(struct scan *scan); /* NULL is taken */

#endif
