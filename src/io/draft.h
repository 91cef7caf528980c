/* A message while it comes in: in memory while it is small, in a file of its own in the spool's folder
 * `incoming` when it has grown past DRAFT_MEMORY. The relay reads it back piece by piece; the spool commits
 * it.
 *
 * Adding never waits for the disk: what goes to a file goes to the page cache, DRAFT_MEMORY octets at a time
 * (measured at 21 to 26 µs each). Only when the kernel holds back writers (vm.dirty_ratio) is the caller held
 * with them; to stay away from that, written octets are handed to the disk each DRAFT_FLUSH octets. A draft
 * is never larger than DRAFT_SIZE_MAX. */
#ifndef IO_DRAFT_H
#define IO_DRAFT_H

#include "base/buf.h"
#include "base/error.h"

struct draft;
struct files;

#define DRAFT_MEMORY (64u * 1024u)   /* octets that are kept in memory; also the size of one write */
#define DRAFT_FLUSH  (1024u * 1024u) /* octets after which the disk begins to write */
#define DRAFT_SIZE_MAX                                                                                       \
    (UINT64_C(1) << 32) /* a message of the largest limits.message and what we add fits                      \
                         */
#define DRAFT_HEAD 96u  /* octets left free at the front of the file, for the spool's records */

/* What the drafts of one process share. The folder is made by the courier; a missing one is an error of the
 * first large message. */
struct drafts {
    struct files *files; /* how files are reached (io/files.h); files_system in programs */
    char folder[256];    /* …/spool/incoming */
    uint64_t name;       /* a number that names this process among all that ever were */
    uint64_t count;      /* drafts that went to a file */
};

/* folder without a slash at its end, under 256 octets. name: event_id_make of the process's start. */
void drafts_init(struct drafts *drafts, struct files *files, const char *folder, uint64_t name);

struct draft *draft_new(struct drafts *drafts); /* allocates no buffer and opens no file yet */
/* False: the octets were not kept (no space, a broken disk, too large). The draft stays as it is, takes
 * nothing more, and a commit of it answers STORED_FULL or STORED_FAILED: a caller may go on adding without
 * looking. */
bool draft_add(struct draft *draft, struct slice octets);
uint64_t draft_size(const struct draft *draft); /* octets kept */
/* Why octets were not kept; NULL: all were. */
const struct error *draft_trouble(const struct draft *draft);

/* Reading back, when all has been added: the next piece, or an empty one at the end. Good until the next call
 * for this draft. Both fit struct outbound_content, `from` being the draft. */
int draft_next(void *from, struct slice *ret_piece, struct error *error);
void draft_rewind(void *from);

/* Gives it back, and its file with it. NULL is taken. */
void draft_free(struct draft *draft);

/* For the spool: the draft as it is stored. */
bool draft_in_memory(const struct draft *draft);
struct slice draft_octets(const struct draft *draft); /* in memory: all of them */
/* In a file: what is still in memory goes there; its descriptor, path, and CRC-32C of the content. */
struct draft_file {
    int descriptor;   /* of drafts->files, readable and writable */
    const char *path; /* lives as long as the draft */
    uint64_t size;    /* of the content; the file has DRAFT_HEAD octets more */
    uint32_t checksum;
};
int draft_settle(struct draft *draft, struct draft_file *ret_file, struct error *error);
/* The file has got another name: draft_free only closes it. */
void draft_kept(struct draft *draft);

#endif
