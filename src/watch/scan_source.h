/* A log file as lines with their times.
 *
 * Where times have no year, it follows from the file: its last line is no later than the file's own date, and
 * whenever time goes back by more than a week a year has passed. Of a compressed file or a pipe the end is
 * not known beforehand: its first line is taken to be less than a year older than its date (a pipe: than
 * now). */
#ifndef WATCH_SCAN_SOURCE_H
#define WATCH_SCAN_SOURCE_H

#include "watch/scan_input.h"
#include "wire/maillog_head.h"

struct scan_source {
    const char *path;
    struct scan_input *input; /* NULL: not open now */
    bool is_plain;            /* and not compressed */
    bool is_file;             /* else a pipe */
    bool is_packed;
    uint64_t size;     /* of the file */
    int64_t first_ms;  /* of the first line with a time; INT64_MIN: no such line was found */
    int year;          /* of the line at hand, where none is written */
    int64_t latest_ms; /* no line is later: how far the year may go on */
    int64_t last_ms;   /* of the last line with a time; INT64_MIN: none until now */
    int64_t before_ms; /* of the last line before the year changed; INT64_MIN: it did not */
    bool loaded;       /* the line at hand waits to be taken */

    /* the line at hand */
    struct slice line;
    bool is_long;  /* it was cut */
    bool has_head; /* head is filled */
    struct maillog_head head;
};

struct scan_dates {
    int year;              /* of the first line; 0: by the file's date */
    int64_t not_before_ms; /* with a year: the file begins no earlier, but for a week; INT64_MIN: whenever */
    int64_t now_ms;        /* stands for the date of a pipe */
};

/* Looks for its first time. The path is borrowed. -1: it cannot be read. */
int scan_source_find(struct scan_source *source, const char *path, const struct scan_dates *dates,
                     struct error *error);
/* The next line into the line at hand; opens the file where it is not open. SCAN_LINE, SCAN_END or
 * SCAN_FAILED. */
enum scan_read scan_source_next(struct scan_source *source, struct error *error);
void scan_source_close(struct scan_source *source);

#endif
