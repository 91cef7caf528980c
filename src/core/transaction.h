/* One mail transaction: what the client said between MAIL and the end of its message, and what we found in it
 * (RFC 5321 section 3.3). Its memory is the session's mail arena; it is handed to the shell with
 * OUTBOX_COMMIT and good until the answer is in. */
#ifndef CORE_TRANSACTION_H
#define CORE_TRANSACTION_H

#include "base/address.h"
#include "core/site.h"
#include "wire/param.h"

struct recipient {
    struct recipient *next;
    struct slice address; /* as sent inside <>, source route removed */
    struct slice orcpt;   /* type, `;` and address as sent (xtext), or empty */
    uint8_t notify;       /* NOTIFY_ bits of wire/param.h; 0: not given */
};

struct transaction {
    uint64_t session;
    uint32_t number;              /* in the session, from 1 */
    struct slice sender;          /* without <>; empty: the null sender */
    struct recipient *recipients; /* accepted ones, in order */
    uint32_t recipient_count;
    const struct route *route; /* of all its recipients; NULL before the first */
    enum body_kind body;
    bool smtputf8;
    enum ret_kind ret;
    struct slice envid; /* as sent (xtext), or empty */
    uint64_t size_declared;
    uint64_t octets;    /* of the content as received and decoded, without our Received field */
    bool header_bad;    /* the content does not begin with header fields */
    uint8_t digest[32]; /* SHA-256 of the content */
    bool has_digest;
    int64_t received_unix_ms; /* when the end of the message came */

    /* the client, for Received, XCLIENT and PROXY */
    struct address peer;
    struct address local;
    struct slice peer_name; /* confirmed, or empty */
    struct slice helo;
    bool esmtp;
    bool tls;
};

enum stored_status {
    STORED_KEPT,     /* deliver: on disk, synced */
    STORED_TAKEN,    /* relay: the inner server said 250 */
    STORED_REFUSED,  /* relay: 5yz */
    STORED_DEFERRED, /* relay: 4yz */
    STORED_DOWN,     /* relay: no answer to be had */
    STORED_LATE,     /* relay: one of several recipients was refused after all; nothing was passed on */
    STORED_FAILED,   /* deliver: not written */
    STORED_FULL      /* deliver: no space */
};

/* The answer to OUTBOX_COMMIT; slices are borrowed for the step. */
struct stored {
    enum stored_status status;
    struct slice queue_id; /* KEPT */
    struct slice server;   /* relay: who answered */
    uint16_t code;         /* relay: its code */
    struct slice enhanced; /* relay: its enhanced code, or empty */
    struct slice text;     /* relay: its text; else the reason */
    uint64_t octets;       /* KEPT: size with what we added */
};

#endif
