/*
 * client - many SMTP clients in one thread, each in lock-step: a command goes out when the reply to the one
 * before has been read whole, and a reply that is not the expected one ends the session as an error
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include "histogram.h"
#include "reply.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum client_mode {
    MODE_REJECT, /* EHLO, MAIL, RCPT refused, QUIT */
    MODE_ACCEPT, /* EHLO, MAIL, RCPT, QUIT */
    MODE_MAIL,   /* EHLO, then `messages` times MAIL, RCPT, DATA, the dot; QUIT */
    MODE_IDLE,   /* EHLO, then silence */
    MODE_DRIP    /* EHLO, then NOOP again and again, one octet each 100 ms */
};

/* In the order of the dialogue: what the client waits for. STEP_HOLD waits for nothing. */
enum client_step {
    STEP_CONNECT,
    STEP_EHLO,
    STEP_MAIL,
    STEP_RCPT,
    STEP_DATA,
    STEP_DOT,
    STEP_QUIT,
    STEP_HOLD,
    STEP_COUNT
};

enum client_error {
    ERROR_SYSTEM,    /* no socket, no address, no port */
    ERROR_REFUSED,   /* connection refused */
    ERROR_RESET,     /* connection reset, or another error of the socket */
    ERROR_CLOSED,    /* the server closed where a reply was due, or while the client held on */
    ERROR_TIMEOUT,   /* no reply within plan.step_ms */
    ERROR_TEMPORARY, /* a 4yz reply that was not expected */
    ERROR_PERMANENT, /* a 5yz one */
    ERROR_ODD,       /* another code that was not expected */
    ERROR_MALFORMED, /* not a reply */
    ERROR_UNASKED,   /* more than one reply */
    ERROR_COUNT
};

struct client_plan {
    enum client_mode mode;
    struct sockaddr_in server;
    unsigned concurrency;     /* clients at once; all of them for idle and drip */
    unsigned opening_max;     /* idle and drip: connections at once whose EHLO was not answered yet */
    uint64_t sessions_max;    /* sessions in all; 0: until the time is over */
    unsigned messages;        /* a session, MODE_MAIL */
    size_t message_size;      /* octets, headers included, the dot not */
    unsigned mailboxes;       /* recipients are b0 to b(mailboxes - 1) */
    uint64_t number;          /* of the first message */
    uint64_t warm_us, run_us; /* sessions and messages count in the window of run_us behind warm_us */
    uint64_t step_ms;
};

struct client_totals {
    uint64_t started, sessions, messages;      /* since the start; messages: 250 after the dot */
    uint64_t window_sessions, window_messages; /* ended in the window */
    uint64_t held, octets;                     /* idle and drip: open now; octets dripped */
    uint64_t heard;                            /* octets of replies, since the start */
    uint64_t errors[STEP_COUNT][ERROR_COUNT];
    uint64_t window_us;                      /* length of the window as it was */
    struct histogram session_us, message_us; /* of those that ended in the window */
    char samples[4][160];                    /* the first replies that were not expected */
};

struct herd;

/* Opens nothing yet. Exits with a message where the system refuses memory. */
struct herd *herd_new(const struct client_plan *plan);
void herd_free(struct herd *herd);

/*
 * Runs the plan to its end, or until *stop, and then waits up to 10 s for sessions under way. With idle and
 * drip: tells `ready` once all connections have been tried, and goes on until *stop or run_us have passed.
 */
void herd_run(struct herd *herd, const volatile bool *stop, void (*ready)(const struct client_totals *));

const struct client_totals *herd_totals(const struct herd *herd);

#endif
