/* Where the mail log goes: the system log, journald, or a file. Nothing here waits: what the other side does
 * not take is dropped and counted. Used by one thread. */
#ifndef JOURNAL_LOG_OUTPUT_H
#define JOURNAL_LOG_OUTPUT_H

#include "base/error.h"
#include "core/site.h"

struct log_output;

struct log_output_settings {
    enum log_to to;
    struct slice file;     /* LOG_TO_FILE; else the socket, empty: the system's */
    struct slice facility; /* "mail", "local0", …: an unknown word is mail */
    struct slice host;     /* LOG_TO_FILE: the host's name in the lines */
};

/* Negative: the file cannot be opened. The system log may come later. */
int log_output_open(const struct log_output_settings *settings, struct log_output **ret_output,
                    struct error *error);
/* One line without its end. `grave`: a warning, else information. A file's lines are gathered until the
 * flush. */
void log_output_write(struct log_output *output, int64_t unix_us, bool grave, struct slice line);
/* Writes what was gathered; a file that was renamed or removed is made anew. */
void log_output_flush(struct log_output *output);
uint64_t log_output_lost(const struct log_output *output); /* lines */
void log_output_close(struct log_output *output);          /* NULL is taken */

#endif
