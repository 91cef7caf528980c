/* One file in MaxMind's format; for origin.c and the benchmark of it alone. */
#ifndef IO_ORIGIN_FILE_H
#define IO_ORIGIN_FILE_H

#include "base/error.h"
#include "wire/origin.h"

struct origin_file;

/* NULL with *error: it cannot be read, or is no such file. */
struct origin_file *origin_file_open(const char *file, struct error *error);
void origin_file_close(struct origin_file *file); /* NULL is taken */

/* Enters what the file knows and the origin does not have yet; names are in the arena. NULL, or in words what
 * is wrong with the file; then nothing was entered. */
const char *origin_file_look(struct origin_file *file, const struct address *address, struct arena *arena,
                             struct origin *origin);

#endif
