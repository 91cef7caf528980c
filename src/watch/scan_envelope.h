/* An envelope of an old log in the making: what its lines have told until now. Texts are copied, for a line
 * lives as long as the reading of the next one only. */
#ifndef WATCH_SCAN_ENVELOPE_H
#define WATCH_SCAN_ENVELOPE_H

#include "base/list.h"
#include "watch/attempt.h"
#include "wire/maillog_record.h"

#define SCAN_ENVELOPE_ROOM 320 /* octets for texts in the struct itself; most envelopes need no more */

struct scan_session;

struct scan_envelope {
    struct link age;              /* of all, in the order of their beginning */
    struct scan_session *session; /* whose open envelope it is, or NULL */
    uint64_t key;                 /* in the table of queue ids; 0: it is in none */

    int64_t began_ms;
    int64_t heard_ms; /* the last line that was about the client */
    struct address peer;
    bool has_peer, has_ptr, has_sender, has_helo, has_octets, has_count, has_message_id, message_id;
    bool authenticated; /* one of the house's own users */
    bool begun;         /* a recipient was taken */
    bool dropped;       /* we closed the connection */
    bool queued;        /* taken into the queue */
    bool content;       /* its content was refused, or the envelope as a whole */
    bool refused;       /* a recipient was */
    bool discarded;
    bool lost;      /* the client went away, or was shut out */
    bool ended;     /* the session is over, and gave_up is known */
    uint16_t code;  /* of the last refusal */
    uint32_t count; /* recipients as the server says */
    uint32_t told;  /* of them, those whose delivery was told */
    uint64_t octets;
    uint32_t tried, unknown; /* recipients */
    uint32_t recipient_count;
    struct attempt_findings findings;
    struct slice ptr, helo, sender;
    struct slice recipients[ATTEMPT_RECIPIENTS_MAX];
    struct arena arena; /* of the texts */
    char room[SCAN_ENVELOPE_ROOM];
};

/* Everything as if nothing were known; the arena is dropped first where `used`. */
void scan_envelope_init(struct scan_envelope *envelope, bool used, int64_t began_ms);
void scan_envelope_done(struct scan_envelope *envelope); /* NULL is taken */
/* Takes what the record says of client, sender, recipients, HELO name, size and Message-ID; what is known
 * already stays. Published excerpts have "joe at example.org" for an address: it is made joe@example.org. */
void scan_envelope_add(struct scan_envelope *envelope, const struct maillog_record *record);
/* Takes a refusal: of a recipient, of the sender, of the content. */
void scan_envelope_refuse(struct scan_envelope *envelope, const struct maillog_record *record);
/* Whether the record's sender is another than the one that is known. */
bool scan_envelope_differs(const struct scan_envelope *envelope, const struct maillog_record *record);
/* What it amounts to. Slices point into the envelope. Its client must be known. */
void scan_envelope_attempt(const struct scan_envelope *envelope, struct attempt *ret_attempt);

#endif
