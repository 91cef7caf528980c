/* The journal's files. A stream ("gate-0") is what one process writes, one file after the other; a file is
 *
 *   ROLE-NUMBER.YYYYMMDDTHHMMSSZ.SEQUENCE.journal
 *
 * or, once it is closed and packed, the same with ".zst" behind it (journal/packed.h): readers here take
 * either, and offsets are those of the unpacked octets. For a moment both are there; they say the same.
 *
 * with the time of its first record and a sequence number that grows by one within its stream. It begins with
 * a header: magic "PostJrn1", size of the header (u32), checksum (u32, CRC-32C of all that follows in it),
 * start (u64, microseconds since 1970), sequence (u32), number (u32), marker (16 random octets), then role,
 * program version and configuration digest (a length octet and that many octets each), zeros up to a multiple
 * of eight. Little-endian. Then records follow (core/event.h).
 *
 * At least every 64 KiB a milestone stands between them: a record of kind 0 that holds the file's marker, and
 * whose `previous` tells how far back the milestone before it begins. From a milestone one can read without
 * knowing what stands before: that is how a file is read from its end, searched by time, and taken up again
 * behind damage. A record alone would not do: a client could send one in a line of its own, and where a
 * reader had lost the thread it would be taken for true. The marker it cannot know. */
#ifndef JOURNAL_SEGMENT_H
#define JOURNAL_SEGMENT_H

#include "base/buf.h"
#include "base/error.h"
#include "core/event.h"
#include "journal/writer.h"

#define SEGMENT_ROLE_MAX    20
#define SEGMENT_STREAM_SIZE 32 /* "gate-0" and its NUL */
#define SEGMENT_NAME_SIZE   96
#define SEGMENT_MARKER_SIZE 16
#define SEGMENT_HEADER_MAX  1024
#define SEGMENT_MILESTONE   (EVENT_HEAD_SIZE + SEGMENT_MARKER_SIZE) /* octets of one */
#define SEGMENT_BLOCK       (64u * 1024u)                           /* between two milestones, about */

struct segment_name {
    char role[SEGMENT_ROLE_MAX + 1];
    unsigned number;
    int64_t started_unix; /* seconds */
    uint32_t sequence;
};

size_t segment_name_print(const struct segment_name *name, char text[SEGMENT_NAME_SIZE]);
/* Of either form. */
bool segment_name_parse(struct slice text, struct segment_name *ret_name);
/* "gate-0" */
size_t segment_stream_print(const struct segment_name *name, char text[SEGMENT_STREAM_SIZE]);
int segment_stream_compare(const struct segment_name *a, const struct segment_name *b);

/* The gate that gave a session its id, and so the number of the stream that its records are in. Gates above
 * 63, which come while a reload is under way, have their seventh bit in front of the counter. */
static inline unsigned segment_gate(uint64_t session)
{
    return (unsigned)(session >> 16 & 63) | (unsigned)(session >> 15 & 1) << 6;
}

struct segment_header {
    struct segment_name name;
    int64_t started_us;
    char marker[SEGMENT_MARKER_SIZE];
    char version[256];
    char configuration[256];
    uint32_t size; /* where the first record stands */
};

/* Adds the header, name.role to configuration; texts are cut to 255 octets. */
void segment_header_add(struct buf *buf, const struct segment_header *header);
/* DONE, PARTIAL or BAD, as event_read. */
enum event_status segment_header_read(struct slice octets, struct segment_header *ret_header);

void segment_milestone_add(struct buf *buf, const char marker[SEGMENT_MARKER_SIZE],
                           const struct event_stamp *stamp);

/* --- the folder ---------------------------------------------------------------------------------------- */

struct segment_listing {
    struct segment_name *names; /* by stream, then sequence */
    size_t count;
    size_t room;
};

/* Negative: the folder cannot be read. Files with other names are passed over; one that is there in both
 * forms stands in it once. */
int segment_list(const char *folder, struct segment_listing *ret_listing, struct error *error);
void segment_listing_drop(struct segment_listing *listing);

/* A file's path in one of its forms. */
void segment_path(const char *folder, const struct segment_name *name, bool packed, char path[4096]);
/* What its forms take on disk together, and when its last record came (0 octets: it is gone). */
uint64_t segment_disk(const char *folder, const struct segment_name *name, int64_t *ret_changed_unix);
/* How many octets it has, unpacked; 0: it is gone. */
uint64_t segment_size(const char *folder, const struct segment_name *name);
/* Whether a process holds the stream's lock: its last file is being written. */
bool segment_has_writer(const char *folder, const struct segment_name *name);

/* Cuts off what a writer that died left behind the last whole record. A file with an unreadable header, one
 * that is packed, or one that cannot be written to, is left as it is. Returns how many octets went. */
uint64_t segment_mend(const char *folder, const struct segment_name *name);

/* --- one file, for reading ----------------------------------------------------------------------------- */

struct segment_file {
    struct segment_header header;
    int fd;
    struct packed *packed; /* NULL: it is not */
    char *window;          /* a part of the file */
    uint64_t window_at;
    size_t window_len;
};

/* Negative: it cannot be opened, or has no header (number 0 in the error: it is no journal file). */
int segment_file_open(const char *folder, const struct segment_name *name, struct segment_file *ret_file,
                      struct error *error);
void segment_file_close(struct segment_file *file); /* twice does no harm */

uint64_t segment_file_size(const struct segment_file *file); /* now; unpacked */

enum segment_status {
    SEGMENT_RECORD,
    SEGMENT_END,  /* the file ends exactly here, for now */
    SEGMENT_TORN, /* it ends within a record, for now */
    SEGMENT_BAD   /* no record stands here */
};

/* Reads the record at an offset. Texts of the event live until the next call for this file. Milestones are
 * records, too: of kind 0. */
enum segment_status segment_file_read(struct segment_file *file, uint64_t offset, struct event *ret_event,
                                      size_t *ret_size);

/* The octets of the record that was read last, at that offset and of that size, until the next call. */
struct slice segment_file_record(const struct segment_file *file, uint64_t offset, size_t size);

/* The last milestone that begins before `before`; 0: there is none. */
uint64_t segment_file_milestone_before(struct segment_file *file, uint64_t before);
/* The first milestone at or behind `from`; 0: there is none. */
uint64_t segment_file_milestone_after(struct segment_file *file, uint64_t from);
/* From where to read for what happened at a time: a milestone not later than it, or the first record. */
uint64_t segment_file_seek(struct segment_file *file, int64_t unix_us);

#endif
