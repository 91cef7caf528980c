/* Records: what every file of the spool is made of.
 *
 * A record is a head of RECORD_HEAD octets and its payload, little-endian:
 *
 *     mark     u64   the file's own random number, so that nothing a message contains can pass for a record
 *     length   u64   octets of the payload
 *     kind     u32   enum record_kind
 *     check    u32   CRC-32C of the payload
 *     check    u32   CRC-32C of the 24 octets before
 *     zero     u32
 *
 * The payload holds fields (field.h) but for CONTENT, whose payload is the message's content, and those told
 * below. A file begins
 * with a VERSION record of RECORD_VERSION_SIZE octets in all, which tells its mark and its form; what
 * follows:
 *
 *     segment (incoming/NAME.segment)  messages, SYNCED after each sync, CLOSED at the end
 *     message (….message)              one message, and behind it RESULT and SCHEDULE as deliveries are tried
 *     done    (done/NAME.done)         DONE for each message of the segment that the courier is through with
 *
 * and a message is CONTENT, ENVELOPE, RECIPIENT for each of them, END. A message without its END, or whose
 * END does not count what came before it, is none: it never had its 250. New fields go to the end of a
 * payload and new kinds of records get new numbers; a program that meets a kind that it does not know calls
 * the file damaged and leaves it as it is. */
#ifndef QUEUE_RECORD_H
#define QUEUE_RECORD_H

#include "base/buf.h"
#include "base/slice.h"

enum record_kind {
    RECORD_VERSION = 1,
    RECORD_CONTENT = 2,
    RECORD_ENVELOPE = 3,
    RECORD_RECIPIENT = 4,
    RECORD_END = 5,
    RECORD_SYNCED = 6, /* payload u64: where this record begins; all before it is on disk */
    RECORD_CLOSED = 7, /* payload u64: where it begins; nothing follows */
    RECORD_RESULT = 8,
    RECORD_SCHEDULE = 9,
    RECORD_DONE = 10 /* payload u64: where in the segment the message begins */
};

enum record_form { RECORD_FORM_SEGMENT = 1, RECORD_FORM_MESSAGE = 2, RECORD_FORM_DONE = 3 };

#define RECORD_HEAD         32u
#define RECORD_VERSION_SIZE 64u /* head and payload */

struct record {
    enum record_kind kind;
    uint64_t length;
    uint32_t checksum;    /* of the payload */
    struct slice payload; /* record_read: points into the octets */
};

void record_put_head(char at[RECORD_HEAD], uint64_t mark, const struct record *record);
/* False: the buf's maximum; nothing was added. */
bool record_add(struct buf *buf, uint64_t mark, enum record_kind kind, struct slice payload);
void record_put_version(char at[RECORD_VERSION_SIZE], uint64_t mark, enum record_form form);

enum record_status {
    RECORD_OK,
    RECORD_PARTIAL, /* more octets are needed than there are */
    RECORD_BAD      /* no record of this mark stands here */
};

/* The head at the front of the octets. */
enum record_status record_read_head(struct slice octets, uint64_t mark, struct record *ret_record);
/* Head and payload; the payload's checksum was right. It takes RECORD_HEAD + length octets. */
enum record_status record_read(struct slice octets, uint64_t mark, struct record *ret_record);
/* The first RECORD_VERSION_SIZE octets of a file. BAD, too, for a version or form that is not known. */
enum record_status record_read_version(struct slice octets, enum record_form form, uint64_t *ret_mark);

/* Gives whole records another mark: they were made before their file was known. */
void record_remark(char *at, size_t len, uint64_t mark);

/* Where the next head of this mark and kind begins in the octets, or SLICE_NOT_FOUND: to find the way again
 * behind octets that cannot be read. */
size_t record_find(struct slice octets, uint64_t mark, enum record_kind kind);

#endif
