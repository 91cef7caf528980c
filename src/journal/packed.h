/* A journal file that was packed: "….journal.zst" holds the very octets of "….journal", in frames of zstd
 * (RFC 8878) that are unpacked one by one, so that a session is read without unpacking the rest. The frames'
 * sizes stand at the end, in a table as zstd's seekable format has it: a skippable frame with, for each
 * frame, its octets packed and unpacked (u32 each), then the number of frames (u32), an octet 0, and
 * 0x8F92EAB1. `zstd -d` unpacks such a file, too.
 *
 * Each frame carries its own checksum. One that is spoilt reads as zeros, which no record is: a reader goes
 * on at the next milestone behind it. Where the table is spoilt it is made anew from the frames. */
#ifndef JOURNAL_PACKED_H
#define JOURNAL_PACKED_H

#include "base/buf.h"
#include "base/error.h"

#define PACKED_SUFFIX ".zst"
#define PACKED_FRAME  (128u * 1024u) /* octets of a frame, unpacked; of the last one less */

struct packed;

/* The descriptor stays the caller's. Negative: it is no such file. */
int packed_open(int fd, struct packed **ret_packed, struct error *error);
void packed_close(struct packed *packed); /* NULL is taken */

uint64_t packed_size(const struct packed *packed); /* octets, unpacked */
/* Where the frame begins that holds the octet at that place. */
uint64_t packed_frame_start(const struct packed *packed, uint64_t at);
/* Unpacks whole frames, from the start of one, as many as fit. Returns how many octets: 0 at the end. */
size_t packed_read(struct packed *packed, uint64_t frame_start, char *octets, size_t size);

/* --- packing ------------------------------------------------------------------------------------------- */

struct packer;

struct packer *packer_new(int level);    /* of zstd: 1 to 19 */
void packer_free(struct packer *packer); /* NULL is taken */
/* Adds a frame of at most PACKED_FRAME octets to out, unpacks it again and compares. Negative: that failed.
 */
int packer_add(struct packer *packer, struct slice octets, struct buf *out, struct error *error);
/* Adds the table. */
int packer_end(struct packer *packer, struct buf *out, struct error *error);
/* The most that one call adds for so many octets. */
size_t packer_bound(size_t octets);

#endif
