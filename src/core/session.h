/* The SMTP server side as a pure machine (RFC 5321): input in, output out, no descriptor, no clock, no
 * callback.
 *
 * The shell makes a session, gives it INPUT_OPENED, and then inputs as they come. A step consumes some of the
 * offered octets (INPUT_BYTES) and fills the outbox. The shell offers what was not consumed again, together
 * with what has come since, after each step that followed an answer, a timer or sending; while the session
 * waits for something it consumes nothing, but sees what is offered. One step runs at most one command, or
 * one piece of a message: a shell loops while octets are consumed, and may turn to others in between.
 *
 * After OUTBOX_CLOSE no step may follow but session_done. */
#ifndef CORE_SESSION_H
#define CORE_SESSION_H

#include "base/digest.h"
#include "core/check.h"
#include "core/outbox.h"
#include "core/site.h"
#include "core/transaction.h"

struct session;

/* What EHLO may offer because every relay route is known to carry it. */
#define CARRY_8BITMIME 1u
#define CARRY_SMTPUTF8 2u
#define CARRY_DSN      4u
#define CARRY_SIZE     8u
#define CARRY_ALL      15u

enum input_kind {
    INPUT_OPENED,
    INPUT_BYTES,      /* octets from the client; what is not consumed is offered again */
    INPUT_ANSWER,     /* to OUTBOX_ASK */
    INPUT_TIMER,      /* the time of the outbox's timer has come, or passed */
    INPUT_TLS_UP,     /* the handshake is done */
    INPUT_TLS_FAILED, /* it is not; the connection is useless */
    INPUT_STORED,     /* the answer to OUTBOX_COMMIT */
    INPUT_EOF,    /* the client has closed its side, or the connection is broken; all octets were offered */
    INPUT_STOP,   /* the gate is stopping: end as soon as no transaction is under way */
    INPUT_CONTENT /* stands for octets of a message that nobody has any more: when a session is played again
                   */
};

struct opened {
    struct address peer;
    struct address local;
    struct slice fingerprint; /* of its TCP, as p0f v3 writes it; empty: unknown */
    uint64_t sequence;        /* connections of this gate so far */
    uint64_t slots_used;      /* in all gates, this one included */
    uint64_t host_used;       /* from this address (/64), this one included */
    uint64_t network_used;    /* from its network (IPv4 /24), this one included */
    uint64_t host_rate;       /* from this address (/64) within the last minute, this one included */
    uint64_t network_rate;
    uint32_t carried;     /* CARRY_ bits */
    bool tls_offered;     /* there is a certificate */
    bool proxy;           /* a PROXY header must come first */
    bool short_of_memory; /* the guard wants no more sessions */
    bool short_of_disk;   /* no message can be taken now */
    bool own_list; /* our own block list has entries, or there are allowances: ASK_OWN is worth asking */
};

struct tls_facts {
    struct slice version;     /* "TLSv1.3" */
    struct slice cipher;      /* "TLS_AES_256_GCM_SHA384" */
    struct slice server_name; /* SNI, or empty */
    struct slice reason;      /* INPUT_TLS_FAILED */
};

/* What was judged of a message and is not in its octets' place. */
struct content_facts {
    uint64_t octets; /* of the whole message, decoded */
    uint64_t bare_lf, bare_cr, nul;
    uint64_t body; /* as body_text_digest has it */
    uint8_t digest[32];
    const struct header *header; /* all but what is private */
};

/* Octets of a message that are not there: how many, and what they came to. */
struct content {
    size_t count;                      /* octets as they came */
    uint64_t octets;                   /* of the message up to their end, decoded */
    bool end;                          /* its end is among them (DATA) */
    bool more;                         /* octets have come since the last step */
    struct slice behind;               /* octets behind them, which are there already */
    const struct content_facts *facts; /* lent until the message is answered */
};

struct input {
    enum input_kind kind;
    uint64_t due_ms; /* for when the shell's timer stands, as the outbox had it; 0: it does not, or unknown */
    uint64_t now_ms; /* a clock that never goes back */
    int64_t unix_us; /* the clock on the wall */
    union {
        struct opened opened;
        struct slice bytes;
        struct answer answer;
        struct tls_facts tls;
        struct stored stored;
        struct content content;
    };
};

/* What all sessions of a gate share. */
struct check;
struct session_world {
    const struct site *site;
    const struct check *const *checks; /* by session_world_checks; NULL: there are none */
    struct check_plan plan;
    const struct digest_driver *digest;
    bool short_of_disk; /* as in struct opened, kept up to date by the shell */
    bool unsealed;      /* of the events' stamps: the shell hands them to the journal, which chains them */
    uint64_t seed;      /* of tables whose keys strangers choose: secret and random */
};

/* Sets the checks, the NULL-terminated list of checks/list.h, and which of them the site wants. The site is
 * complete by then, and stays as it is. */
void session_world_checks(struct session_world *world, const struct check *const *checks);

/* Octets of a session, to be taken by the shell as part of its own struct or slab. */
size_t session_size(void);
/* Makes a session in `memory` (session_size() octets, aligned to 8, zeroed). `room` is the first chunk of its
 * arena. */
struct session *session_init(void *memory, const struct session_world *world, uint64_t id, struct slice room);
/* Returns how many of the offered octets were consumed (INPUT_BYTES), else 0. */
size_t session_step(struct session *session, const struct input *input, struct outbox *outbox);
/* Gives everything back, at any time. What was asked or committed is of no interest any more. NULL is taken.
 */
void session_done(struct session *session);

/* For `postern status` and tests. */
const char *session_state_word(const struct session *session);
bool session_is_waiting(
    const struct session *session); /* for an answer, TLS or storage: offers are not consumed */
bool session_in_transaction(const struct session *session);

#endif
