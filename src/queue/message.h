/* One message as it stands in the spool: its envelope, where its content is, and what is left to do.
 * The records are told in queue/record.h. */
#ifndef QUEUE_MESSAGE_H
#define QUEUE_MESSAGE_H

#include "base/arena.h"
#include "base/error.h"
#include "core/transaction.h"
#include "queue/record.h"

struct files;

#define QUEUE_ID_SIZE 26 /* with its NUL */
/* The session's id, a dot and the transaction's number: "06p3qj7x4r0a1.1". Returns the length. */
size_t queue_id_print(uint64_t session, uint32_t number, char text[QUEUE_ID_SIZE]);
bool queue_id_parse(struct slice text, uint64_t *ret_session, uint32_t *ret_number);

enum outcome {
    OUTCOME_NONE,      /* not tried, or tried in vain and no more said */
    OUTCOME_DEFERRED,  /* to be tried again */
    OUTCOME_DELIVERED, /* final */
    OUTCOME_RELAYED,   /* final: the other server does not tell of success (RFC 3461 section 5.2.2) */
    OUTCOME_EXPANDED,  /* said of a recipient as a whole: it stood for several, and NOTIFY went to none */
    OUTCOME_FAILED,    /* final */
    OUTCOME_COUNT
};

/* What came of one recipient at one of the addresses it stands for. The last result for the same recipient
 * and address counts. */
struct result {
    struct result *next;
    struct result *next_same; /* of the same recipient */
    uint32_t recipient;       /* its place in the envelope, from 0 */
    enum outcome outcome;
    bool told;     /* the sender was notified of just this */
    uint16_t code; /* the other server's, or 0 */
    int64_t unix_ms;
    struct slice address;  /* "joepublic" for a mailbox here, "a@b.example" elsewhere */
    struct slice target;   /* mailbox, or host and address */
    struct slice enhanced; /* "5.1.1" */
    struct slice text;     /* the other server's words, or ours */
};

struct schedule {
    uint32_t attempts;
    bool held;   /* by the administrator */
    bool warned; /* the sender was told of the delay */
    int64_t next_unix_ms;
};

/* Those of one recipient, in the order of the file. */
struct results {
    struct result *first;
    struct result *last;
};

struct message {
    struct arena arena;             /* all of it lives here */
    struct transaction transaction; /* route and digest are not kept */
    struct recipient **recipients;  /* by their place; transaction.recipient_count of them */
    struct slice route;             /* the name of the route it was taken for, or empty */
    uint64_t content_octets;
    uint32_t content_checksum;
    struct slice content;   /* where it was read into memory */
    struct result *results; /* in the order of the file */
    struct result **results_end;
    struct results *results_of; /* by the recipients' places; NULL before the first result */
    struct schedule schedule;
    char id[QUEUE_ID_SIZE];
};

struct message *message_new(void);
void message_free(struct message *message); /* NULL is taken */
struct slice message_id(const struct message *message);
/* A copy in the message's arena, at the end of its results. The envelope must be complete. */
struct result *message_add_result(struct message *message, const struct result *result);
/* NULL: none for this recipient. */
const struct result *message_first_result(const struct message *message, uint32_t recipient);
/* The last that counts. NULL: none for this recipient and address. */
const struct result *message_find_result(const struct message *message, uint32_t recipient,
                                         struct slice address);

/* --- as records ---------------------------------------------------------------------------------------- */

/* ENVELOPE, RECIPIENT…, END: what stands behind the content. False: the buf's maximum. */
bool message_add_envelope(struct buf *buf, uint64_t mark, const struct transaction *transaction,
                          struct slice route, uint64_t content_octets);
bool message_add_result_record(struct buf *buf, uint64_t mark, const struct result *result);
bool message_add_schedule_record(struct buf *buf, uint64_t mark, const struct schedule *schedule);

/* Takes up ENVELOPE, RECIPIENT…, END at the front of the octets. *ret_size: octets that they take. */
enum record_status message_read_envelope(struct slice octets, uint64_t mark, struct message *message,
                                         size_t *ret_size);
/* Takes up RESULT and SCHEDULE from the front of the octets as far as they are whole; returns the octets that
 * they take. What follows was being written when the machine stopped, and counts for nothing. */
size_t message_read_results(struct slice octets, uint64_t mark, struct message *message);

/* The whole of a message in memory, CONTENT first. The content points into the octets. */
enum record_status message_read(struct slice octets, uint64_t mark, struct message *message,
                                struct slice *ret_content, size_t *ret_size);

#endif
