/* Events: what happened, once, in typed fields. The log, the statistics, the notices and the pattern watcher
 * are renderings of these. The table is event.def.
 *
 * Usage:  event_add_finding(buf, &stamp, &(struct event_finding){.finding = …, .evidence = …});
 *
 * A record is: length (u32, whole record), checksum (u32, CRC-32C of all that follows), kind (u16), flags
 * (u16, 0), session (u64), previous (u32, how far back in the file the session's previous record begins, or
 * 0), time (u64, microseconds since 1970), then the fields in the order of the table: NUMBER as LEB128, TEXT
 * as LEB128 length and octets, ADDRESS as family octet, 0/4/16 octets, port u16. Little-endian. */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include "base/address.h"
#include "base/buf.h"

enum event_kind {
    EVENT_NONE = 0,
#define EVENT(name, number, level, word, doc) EVENT_KIND_##name = number,
#define FIELD(event, type, name, doc)
#define EVENT_END(name)
#include "core/event.def"
#undef EVENT
#undef FIELD
#undef EVENT_END
    EVENT_KIND_LIMIT = 200
};

enum event_type { EVENT_TYPE_NUMBER, EVENT_TYPE_TEXT, EVENT_TYPE_ADDRESS };

/* One struct an event: struct event_session_opened { struct address peer; … } */
#define EVENT_C_NUMBER                        uint64_t
#define EVENT_C_TEXT                          struct slice
#define EVENT_C_ADDRESS                       struct address
#define EVENT(name, number, level, word, doc) struct event_##name {
#define FIELD(event, type, name, doc)         EVENT_C_##type name;
#define EVENT_END(name)                                                                                      \
    }                                                                                                        \
    ;
#include "core/event.def"
#undef EVENT
#undef FIELD
#undef EVENT_END

/* session_ended.why */
enum ending {
    END_NONE,
    END_QUIT,
    END_CLIENT_CLOSED,
    END_BY_US,
    END_TIMEOUT,
    END_STOPPED,
    END_KILLED /* the gate was, and the next one of its stream says so */
};

struct event_field {
    const char *name;
    const char *doc;
    enum event_type type;
    size_t offset; /* in the event's struct */
};

struct event_type_info {
    enum event_kind kind;
    const char *name; /* session_opened */
    const char *word; /* session-opened */
    const char *doc;
    int level;
    const struct event_field *fields;
    size_t field_count;
    size_t size; /* of the struct */
};

/* NULL for a kind that this program does not know. */
const struct event_type_info *event_info(unsigned kind);
const struct event_type_info *event_info_by_word(struct slice word);

struct event_stamp {
    uint64_t session;  /* 0: no session */
    int64_t unix_us;   /* when */
    uint32_t previous; /* set by the journal's writer */
    bool unsealed;     /* no checksum is made: whoever chains the record in the journal makes it anyway */
};

#define EVENT_HEAD_SIZE 32u
#define EVENT_SIZE_MAX  (64u * 1024u) /* a longer record is a fault; texts are cut before */

/* Each appends one record. False when the buf's maximum stops it: nothing was added then.
 * event_add_session_opened(buf, stamp, &(struct event_session_opened){…}) */
#define EVENT(name, number, level, word, doc)                                                                \
    bool event_add_##name(struct buf *buf, const struct event_stamp *stamp, const struct event_##name *body);
#define FIELD(event, type, name, doc)
#define EVENT_END(name)
#include "core/event.def"
#undef EVENT
#undef FIELD
#undef EVENT_END

/* The same where the kind is known at run time only; `body` is that event's struct. */
bool event_add(struct buf *buf, const struct event_stamp *stamp, enum event_kind kind, const void *body);

union event_body {
    uint64_t align;
#define EVENT(name, number, level, word, doc) struct event_##name name;
#define FIELD(event, type, name, doc)
#define EVENT_END(name)
#include "core/event.def"
#undef EVENT
#undef FIELD
#undef EVENT_END
};

struct event {
    struct event_stamp stamp;
    enum event_kind kind;
    const struct event_type_info *info; /* NULL: a kind from a newer program; the body is zero */
    union event_body body;              /* texts point into the record */
};

enum event_status { EVENT_DONE, EVENT_PARTIAL, EVENT_BAD };

/* Reads the record at the front of `octets`. DONE: *ret_size octets belong to it. PARTIAL: more octets are
 * needed. BAD: no record stands here (checksum or shape). */
enum event_status event_read(struct slice octets, struct event *ret_event, size_t *ret_size);

/* What kind of record, and how long, stands at the front of records as event_add makes them, unsealed or not.
 */
enum event_kind event_first(struct slice records, size_t *ret_size);

/* Session ids as text: 13 characters of 0-9 a-z without i l o u, in the order of time. */
#define EVENT_ID_SIZE 14
void event_id_print(uint64_t id, char text[EVENT_ID_SIZE]);
bool event_id_parse(struct slice text, uint64_t *ret_id);
/* 42 bits milliseconds since 2020-01-01, 6 bits gate, 16 bits counter. */
uint64_t event_id_make(int64_t unix_ms, unsigned gate, unsigned counter);
int64_t event_id_unix_ms(uint64_t id);

#endif
