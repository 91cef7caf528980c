/* What one line of a mail server's log tells of an envelope, whoever wrote it, and the pieces that the
 * grammars of maillog_sendmail, maillog_postfix and maillog_postscreen share.
 *
 * Slices point into the line. Texts in it are strangers' words: where a field can hold any octets, as a
 * quoted local part can, nothing inside it is taken for the next field. */
#ifndef WIRE_MAILLOG_RECORD_H
#define WIRE_MAILLOG_RECORD_H

#include "base/address.h"

enum maillog_kind {
    MAILLOG_UNKNOWN,      /* none of the forms that we know */
    MAILLOG_NOTHING,      /* a known form that tells nothing of an envelope */
    MAILLOG_CONNECTED,    /* client */
    MAILLOG_DISCONNECTED, /* client */
    MAILLOG_LOST,         /* client: it went away, or was silent too long, or was shut out */
    MAILLOG_FOREIGN,      /* client: it spoke another protocol */
    MAILLOG_EARLY,        /* client: it spoke before its turn */
    MAILLOG_CLIENT,       /* id, client: an envelope has its first recipient (Postfix) */
    MAILLOG_MESSAGE_ID,   /* id, message_id: empty where there was none */
    MAILLOG_FROM,         /* id, sender, size, recipient_count; sendmail: client, message_id */
    MAILLOG_TO,           /* id, recipients, delivery */
    MAILLOG_REFUSED,      /* id or none, stage, reply, client; and of sender, recipients, helo what is told */
    MAILLOG_GONE          /* id: it is not in the queue any more */
};

enum maillog_stage {
    MAILLOG_AT_CONNECT,
    MAILLOG_AT_HELO,
    MAILLOG_AT_MAIL,
    MAILLOG_AT_RCPT,
    MAILLOG_AT_DATA,
    MAILLOG_AT_HEADER, /* a field, or the end of the header */
    MAILLOG_AT_END,    /* of the message */
    MAILLOG_AT_OTHER   /* STARTTLS, VRFY, ETRN, unknown words */
};

enum maillog_delivery {
    MAILLOG_SENT,
    MAILLOG_DEFERRED,
    MAILLOG_BOUNCED,
    MAILLOG_EXPIRED,
    MAILLOG_DELIVERY_OTHER /* deliverable, undeliverable, queued … */
};

enum maillog_has {
    MAILLOG_HAS_CLIENT = 1 << 0, /* address, port; name where HAS_NAME */
    MAILLOG_HAS_NAME = 1 << 1,   /* it was looked up; empty: none, or it does not lead back */
    MAILLOG_HAS_SENDER = 1 << 2, /* empty: the null sender */
    MAILLOG_HAS_RECIPIENTS = 1 << 3,
    MAILLOG_HAS_HELO = 1 << 4,
    MAILLOG_HAS_SIZE = 1 << 5,
    MAILLOG_HAS_COUNT = 1 << 6,
    MAILLOG_HAS_MESSAGE_ID = 1 << 7
};

struct maillog_record {
    enum maillog_kind kind;
    unsigned has; /* enum maillog_has */
    enum maillog_stage stage;
    enum maillog_delivery delivery;
    struct slice id;         /* queue id; empty: none */
    struct address address;  /* with the client's port, or 0 */
    struct slice name;       /* of the address */
    struct slice sender;     /* without brackets */
    struct slice recipients; /* as they stand there: `<a>`, `joe`, `<a>,<b>`; for maillog_next_recipient */
    struct slice helo;
    struct slice message_id;
    struct slice
        reply;     /* "554 5.7.1 Relay access denied", as far as it stands there; FOREIGN: what was said */
    uint16_t code; /* of the reply: 4yz or 5yz; 0: not told */
    uint64_t size;
    uint32_t recipient_count;
    bool warning;       /* it was refused in words alone: warn, hold, a redirection */
    bool discarded;     /* accepted and thrown away */
    bool authenticated; /* the client gave a password */
};

/* Takes a path in brackets off the text: "<a@b>", of which "a@b" is given; quoted pairs and quoted text are
 * passed over as RFC 5321 section 4.1.2 has them, where they end. False: none begins here. */
bool maillog_take_path(struct slice *text, struct slice *ret_path);
/* The recipients of a record, without brackets, one after the other, from recipients; false: none is left. */
bool maillog_next_recipient(struct slice *rest, struct slice *ret_recipient);
/* "name[192.0.2.7]:25", "unknown[2001:db8::7]", "[192.0.2.7]:40000" off the text, as Postfix has them, into
 * the record's client. False: no such thing. */
bool maillog_take_client(struct slice *text, struct maillog_record *record);
/* Sets reply and code. */
void maillog_set_reply(struct maillog_record *record, struct slice reply);
/* "host [192.0.2.7]:25": the address between the last brackets of text, IPv6 with or without "IPv6:". */
bool maillog_address_in(struct slice text, struct address *ret_address);

#endif
