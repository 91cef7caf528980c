/* What the files of scan_join share. */
#ifndef WATCH_SCAN_JOIN_PART_H
#define WATCH_SCAN_JOIN_PART_H

#include "base/table.h"
#include "watch/scan_envelope.h"
#include "watch/scan_join.h"

/* A connection that a process of Postfix serves. */
struct scan_session {
    struct link age;
    uint64_t key;
    int64_t began_ms;
    struct scan_envelope *open; /* without a queue id until now, or NULL */
    uint64_t queued;            /* key of its last envelope with one, or 0 */
};

struct scan_join {
    struct scan_join_settings settings;
    struct scan_counts counts;
    struct table envelopes;                      /* by key */
    struct table sessions;                       /* by key */
    struct link envelope_ages, session_ages;     /* the oldest first */
    struct link envelope_spares, session_spares; /* given back, for the next one */
    size_t envelope_count, session_count;
    uint64_t host_hash; /* of the host of the last line */
    size_t host_len;
    char host[256];
};

/* A new envelope that begins now; it is in no table. */
struct scan_envelope *scan_envelope_begin(struct scan_join *join, int64_t now_ms);
/* Gives its attempt, if it is one, and ends it. NULL is taken. */
void scan_envelope_end(struct scan_join *join, struct scan_envelope *envelope);
/* Under a key, which is not 0: what was open under it ends. */
void scan_envelope_key(struct scan_join *join, struct scan_envelope *envelope, uint64_t key);
struct scan_envelope *scan_envelope_find(const struct scan_join *join, uint64_t key);

uint64_t scan_key_of(struct scan_join *join, struct slice host, struct slice text, uint64_t more);

void scan_join_postfix(struct scan_join *join, const struct maillog_head *head,
                       const struct maillog_record *record);
void scan_join_sendmail(struct scan_join *join, const struct maillog_head *head,
                        const struct maillog_record *record);

/* --- sessions (scan_join_postfix.c) --- */

void scan_session_end(struct scan_join *join, struct scan_session *session);

#endif
