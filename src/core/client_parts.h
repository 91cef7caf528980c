/* What the files of the client machine share; nobody else includes it.
 *
 * client.c the frame: steps, states, ends · client_reply.c octets to replies · client_greeting.c up to idle ·
 * client_tell.c PROXY and XCLIENT · client_envelope.c MAIL, RCPT, DATA or RSET · client_command.c their text
 * · client_content.c the message and what is said to it. */
#ifndef CORE_CLIENT_PARTS_H
#define CORE_CLIENT_PARTS_H

#include "core/client.h"
#include "wire/dot.h"

enum client_state {
    CLIENT_STATE_NEW,
    CLIENT_STATE_GREETING,
    CLIENT_STATE_EHLO, /* or LHLO; with a job: XCLIENT came before it */
    CLIENT_STATE_HELO,
    CLIENT_STATE_STARTTLS,
    CLIENT_STATE_TLS, /* the shell shakes hands */
    CLIENT_STATE_IDLE,
    CLIENT_STATE_XCLIENT,
    CLIENT_STATE_ENVELOPE,
    CLIENT_STATE_CONTENT, /* 354 came, the end was not given yet */
    CLIENT_STATE_EARLY,   /* … and the server spoke meanwhile: nothing more is sent */
    CLIENT_STATE_DOT,
    CLIENT_STATE_RESET, /* a job was stopped before its content */
    CLIENT_STATE_QUIT,
    CLIENT_STATE_CLOSED,
    CLIENT_STATE_COUNT
};

struct client {
    struct client_settings settings;
    const struct transaction *tell_about;
    struct capability capability; /* greeting: in `greeting` */
    struct client_job *job;       /* NULL: none */
    struct client_output *out;    /* during a step only */
    struct slice trouble;         /* in `arena` */
    struct slice told;            /* the XCLIENT line that holds now, in `greeting`; empty: none */
    struct slice told_helo;       /* … and the name to greet under since, in `greeting`; empty: ours */
    struct arena arena;           /* the connection's */
    struct arena greeting;        /* of the last EHLO */
    struct arena results;         /* of the last job */
    struct buf in;                /* a reply that is not whole yet */
    struct dot_encoder dots;
    uint64_t now_ms;
    uint64_t due_ms;   /* 0: no timer */
    size_t sent;       /* commands of the job that were sent; see client_envelope.c */
    size_t answered;   /* … and answered */
    size_t accepted;   /* recipients */
    size_t dots_due;   /* replies that are awaited after the dot */
    bool mail_refused; /* this job's MAIL */
    bool tls_up, was_ready, tell_no_more;
    uint8_t state; /* enum client_state */
};

/* client.c */
void client_enter(struct client *client, enum client_state state);
void client_wait(struct client *client); /* the reply that is awaited has its whole time again */
void client_say(struct client *client, struct slice line); /* adds CRLF */
/* The connection is of no use any more: the job, if any, ends with what is known of it. */
void client_fail(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));
void client_close(struct client *client); /* the same in good order: no trouble */
void client_end_job(struct client *client);
void client_become_idle(struct client *client);
const char *client_awaited(const struct client *client); /* "its reply to EHLO" */

/* client_reply.c */
void client_take(struct client *client, struct slice octets);
/* In the arena `results`. */
struct client_reply client_reply_copy(struct client *client, const struct reply *reply);
/* What we say ourselves in the place of the server; enhanced and text are constant or in an arena. */
struct client_reply client_reply_own(unsigned code, struct slice enhanced, struct slice text);
/* "its greeting was 554 go away", cut; in the arena. */
void client_fail_reply(struct client *client, const struct reply *reply);

/* client_greeting.c */
void client_on_greeting(struct client *client, const struct reply *reply);
void client_on_ehlo(struct client *client, const struct reply *reply);
void client_on_helo(struct client *client, const struct reply *reply);
void client_on_starttls(struct client *client, const struct reply *reply);
void client_tls_up(struct client *client);
void client_say_ehlo(struct client *client);

/* client_tell.c */
void client_tell_proxy(struct client *client);
bool client_tell_xclient(struct client *client); /* false: nothing is to be told */
void client_on_xclient(struct client *client, const struct reply *reply);

/* client_envelope.c */
void client_begin_envelope(struct client *client);
void client_on_envelope(struct client *client, const struct reply *reply);
void client_on_reset(struct client *client, const struct reply *reply);
size_t client_replies_due(const struct client *client); /* in ENVELOPE */
bool client_envelope_may_end(const struct client *client);

/* client_command.c */
bool client_job_refuse(struct client *client); /* true: the server cannot carry it, job->reply says why */
void client_add_mail(struct client *client);
void client_add_rcpt(struct client *client, const struct client_recipient *recipient);

/* client_content.c */
void client_begin_content(struct client *client);
void client_content(struct client *client, struct slice piece);
void client_on_early(struct client *client, const struct reply *reply);
void client_on_dot(struct client *client, const struct reply *reply);

#endif
