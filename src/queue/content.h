/* A message's content, wherever it is: in memory, or part of a file. Read from its beginning, piece by piece,
 * again after a rewind; fits struct outbound_content. */
#ifndef QUEUE_CONTENT_H
#define QUEUE_CONTENT_H

#include "io/files.h"

#define CONTENT_PIECE (64u * 1024u)

struct content {
    struct slice memory; /* all of it; or */
    struct files *files; /* NULL: in memory */
    int descriptor;
    uint64_t offset; /* where it begins in the file */
    uint64_t size;   /* octets, in memory as well */
    uint64_t at;
    char *room; /* CONTENT_PIECE octets, once they are needed */
};

void content_init_memory(struct content *content, struct slice octets);
/* The descriptor is borrowed. */
void content_init_file(struct content *content, struct files *files, int descriptor, uint64_t offset,
                       uint64_t size);
void content_done(struct content *content);

/* The next piece, or an empty one at the end; good until the next call. -1: it cannot be read. */
int content_next(void *from, struct slice *ret_piece, struct error *error);
void content_rewind(void *from);

#endif
