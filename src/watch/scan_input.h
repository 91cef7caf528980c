/* A log file as lines: plain, gzip (RFC 1952) or zstd (RFC 8878), told apart by how it begins; "-" is
 * standard input. It is read in large pieces and never mapped: who cuts a log short while it is read does no
 * harm. Memory is bounded whatever the file holds: what is longer than SCAN_LINE_MAX is cut, and a compressed
 * window may have 128 MiB at most. */
#ifndef WATCH_SCAN_INPUT_H
#define WATCH_SCAN_INPUT_H

#include "base/error.h"
#include "base/slice.h"

#define SCAN_LINE_MAX (64u * 1024u)

struct scan_input;

enum scan_read {
    SCAN_LINE,
    SCAN_LONG, /* the front of a line that was cut */
    SCAN_END,
    SCAN_FAILED /* the file is damaged, ends early or cannot be read: what stood before was given */
};

/* -1: it cannot be opened, or is no file that can be read (a folder, an archive of another kind). */
int scan_input_open(const char *path, struct scan_input **ret_input, struct error *error);
/* The next line without LF, nor CR before it; it lives until the next call. The last one need not have an LF.
 */
enum scan_read scan_input_line(struct scan_input *input, struct slice *ret_line, struct error *error);

uint64_t scan_input_size(const struct scan_input *input); /* octets of the file; 0: not known (a pipe) */
uint64_t scan_input_done(const struct scan_input *input); /* of them, those that were read */
uint64_t scan_input_text(const struct scan_input *input); /* octets of lines that were given */
/* Whether it is compressed. */
bool scan_input_packed(const struct scan_input *input);
/* When the file was changed last, ms since 1970; 0: not known (a pipe). */
int64_t scan_input_changed(const struct scan_input *input);
/* Up to size octets at a place of a plain file, for a look ahead; 0: none, or it is not such a file. */
size_t scan_input_peek(const struct scan_input *input, uint64_t offset, char *at, size_t size);
void scan_input_close(struct scan_input *input); /* NULL is taken */

#endif
