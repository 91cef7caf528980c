/* A mail server behind us, played on the same loop as what talks to it: it listens on loopback, answers what
 * it is told to answer, and keeps what it was sent. */
#ifndef INNER_H
#define INNER_H

#include "base/address.h"
#include "base/buf.h"
#include "core/site.h"
#include "io/loop.h"
#include "io/tls.h"

#define INNER_CONNECTIONS 16 /* open at a time */

/* Replies with their line ends. "" says nothing; one that begins with '!' closes the connection behind it,
 * and one that begins with '~' leaves octet by octet. */
struct inner_replies {
    const char *greeting, *ehlo, *mail, *rcpt, *data, *dot, *rset, *other;
    const char *refused; /* a recipient that contains one of these words gets "550 5.1.1 no such user" */
};

struct inner_connection {
    struct inner *inner;
    struct loop_watch watch;
    struct tls *tls;
    struct buf in;
    struct buf slow;    /* to be said octet by octet */
    struct buf message; /* as far as it has come */
    bool in_data, close_behind;
};

struct inner {
    struct loop *loop;
    struct loop_watch watch;
    struct loop_hook hook;
    struct address address;
    struct target target;
    struct tls_server *tls;
    struct inner_replies replies;
    /* Asked first, where it is set; NULL: as in `replies`. */
    const char *(*answer)(const struct inner *inner, struct slice line);
    /* The same for the reply to a message, given with its dot. */
    const char *(*dot)(struct inner *inner, struct slice message);
    struct inner_connection connections[INNER_CONNECTIONS];
    struct buf heard;    /* all lines but content, of all connections */
    struct buf messages; /* contents as they came, each with its dot */
    unsigned accepted;   /* connections so far */
    unsigned open;
    unsigned message_count;
    char host[ADDRESS_TEXT_SIZE];
};

/* Listens on 127.0.0.1 at a free port; answers everything with yes and offers PIPELINING. */
void inner_open(struct inner *inner, struct loop *loop);
void inner_open_at(struct inner *inner, struct loop *loop, struct address address);
void inner_stop_listening(struct inner *inner);         /* further connections are refused */
void inner_say(struct inner *inner, const char *reply); /* on every open connection, unasked */
void inner_hang_up(struct inner *inner);                /* closes every open connection */
void inner_close(struct inner *inner);

/* Turns the loop until the condition holds; fails after a minute: only what hangs takes so long. */
#define INNER_UNTIL(loop, condition)                                                                         \
    do {                                                                                                     \
        uint64_t until_end_ms = loop_now_ms(loop) + 60000;                                                   \
        while (!(condition)) {                                                                               \
            if (loop_now_ms(loop) > until_end_ms)                                                            \
                fail_msg("waited too long for %s", #condition);                                              \
            loop_turn(loop, 100);                                                                            \
        }                                                                                                    \
    } while (0)

#endif
