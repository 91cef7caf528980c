/* The SMTP and LMTP client side as a pure machine (RFC 5321, RFC 2033): the gate's relay and recipient
 * verification, and the courier's deliveries, all talk through it.
 *
 * The shell connects, makes a client, gives it CLIENT_CONNECTED and then octets; the client says what to send
 * and, in the end of each job, what came of it. A connection carries many jobs, one after the other; between
 * jobs it is idle. A job is a whole message (MAIL, RCPT…, DATA), or a verification (MAIL, RCPT, RSET). With
 * PIPELINING the envelope goes in one batch (RFC 2920). Content comes from the shell piece by piece, when the
 * client asks for more: dot-stuffed anew here, so that nothing in it can end the message. No CR, LF or NUL
 * ever gets into a command.
 *
 * Several recipients: with `all_or_nothing` (relay) a recipient that is refused stops the job before DATA:
 * nothing was passed on. Without it (courier) the message goes to those who were accepted, and each has its
 * result. LMTP gives a result for each recipient after the dot. */
#ifndef CORE_CLIENT_H
#define CORE_CLIENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "core/site.h"
#include "core/transaction.h"
#include "wire/capability.h"

enum client_protocol { CLIENT_SMTP, CLIENT_LMTP };

/* Octets of content that one CLIENT_CONTENT may carry, and what client_output.send must be able to take. */
#define CLIENT_PIECE_MAX ((size_t)64 * 1024)
#define CLIENT_SEND_MAX  ((size_t)256 * 1024)
#define CLIENT_TEXT_MAX  512 /* octets of client_reply.text */

struct client_settings {
    enum client_protocol protocol;
    struct slice helo; /* our name; copied */
    enum route_tls tls;
    enum route_tell tell;  /* XCLIENT when offered and wanted; PROXY is sent by the client as first octets */
    struct address self;   /* PROXY: our end of the connection, told where no transaction is told about */
    struct address server; /* PROXY: its other end */
    uint64_t reply_ms;     /* for a reply to a command, and for a piece of content to leave */
    uint64_t dot_ms;       /* for the reply to the message */
};

/* One reply, or what stands for it: code 0 when none came, then the text says why in words. The slices are
 * the client's: good until its next job starts or it is freed. */
struct client_reply {
    uint16_t code;
    struct slice enhanced; /* "5.1.1" or empty */
    struct slice text;     /* its lines joined by a blank, control octets replaced, at most CLIENT_TEXT_MAX */
};

struct client_recipient {
    const struct recipient *recipient;
    struct slice address;      /* as it goes on the wire: what the route made of it */
    struct client_reply reply; /* to RCPT, and once the message was answered, to that; code 0: none of its
                                  own, what job.reply says holds for it */
    bool accepted;             /* RCPT got 2yz */
    bool delivered;            /* the message got 2yz for it */
};

/* A message that the server cannot carry is refused here, with a code and words of our own: SMTPUTF8 needed
 * but not offered (553 5.6.7), more octets than its SIZE (552 5.3.4), BINARYMIME (554 5.6.3), an address that
 * cannot stand in a command (553 5.1.3). Nothing is sent then, and `refused_here` is set. */
struct client_job {
    bool verify; /* MAIL, RCPT, RSET only: no content */
    bool all_or_nothing;
    struct slice sender;
    struct client_recipient *recipients;
    size_t recipient_count;
    const struct transaction
        *transaction;        /* for parameters (BODY, SMTPUTF8, RET, ENVID, SIZE) and XCLIENT; may be NULL */
    uint64_t content_octets; /* for SIZE */
    /* results, set to nothing at the start */
    bool refused_here;
    bool done_anything; /* DATA was answered with 354: content has left, or may have */
    bool dot_sent;      /* all of it is on its way: without an answer it is not known whether it was taken */
    bool closed;        /* the connection cannot carry another job */
    /* The one that decided: to the dot, else the first that stopped the job. Verified: to RSET, else what
     * stopped it. LMTP: the first refusal after the dot, else the first reply. */
    struct client_reply reply;
};

enum client_input_kind {
    CLIENT_CONNECTED,
    CLIENT_OCTETS,  /* from the server */
    CLIENT_START,   /* a job begins; only when idle */
    CLIENT_CONTENT, /* the next piece of content; an empty piece is its end */
    CLIENT_TLS_UP,
    CLIENT_TLS_FAILED,
    CLIENT_TIMER,
    CLIENT_EOF, /* closed or broken; the octets say why, in words */
    CLIENT_QUIT /* end politely; only when idle */
};

struct client_input {
    enum client_input_kind kind;
    uint64_t now_ms;
    struct slice octets;
    struct client_job *job; /* START: lent until its end */
};

/* Filled by each step: `send` is added to (the shell takes off what it has written), the rest is set anew. */
struct client_output {
    struct buf send;   /* maximum: CLIENT_SEND_MAX */
    bool want_content; /* give CLIENT_CONTENT when `send` is on its way */
    bool start_tls;    /* when `send` has been written; server name is the host's */
    bool ready;        /* idle: greeting and EHLO are over; a job may start */
    bool job_done;     /* the job's results are in; the job is the caller's again */
    bool close;        /* close when `send` has been written; no step may follow */
    uint64_t timer_ms; /* give CLIENT_TIMER then; 0: none */
};

struct client;

/* tell_about: the client to be told of by PROXY at once, looked at during CLIENT_CONNECTED only; NULL:
 * ourselves. */
struct client *client_new(const struct client_settings *settings, const struct transaction *tell_about);
void client_step(struct client *client, const struct client_input *input, struct client_output *output);
const struct capability *client_capabilities(const struct client *client); /* of the last EHLO or LHLO */
bool client_is_idle(const struct client *client);
/* Why the connection is of no use, in words, or empty: then it ended in good order. */
struct slice client_trouble(const struct client *client);
/* Whether the connection reached its first idle state: the server has greeted us, and TLS is up where it must
 * be. */
bool client_was_ready(const struct client *client);
bool client_has_tls(const struct client *client);
void client_free(struct client *client); /* NULL is taken */

#endif
