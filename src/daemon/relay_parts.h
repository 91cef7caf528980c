/* What the files of the relay share; nobody else includes it.
 *
 * relay.c routes and what they carry, probes, tickets · relay_answers.c recipients that are known ·
 * relay_verify.c asking for those that are not · relay_message.c messages on their way. */
#ifndef DAEMON_RELAY_PARTS_H
#define DAEMON_RELAY_PARTS_H

#include "base/random.h"
#include "base/table.h"
#include "daemon/relay.h"
#include "io/outbound.h"

#define RELAY_TARGETS 16 /* whose capabilities are kept, of one route */

struct relay_route {
    struct relay *relay;
    const struct route *route;
    struct outbound_job probe;
    uint64_t probe_ms; /* when to look at EHLO again */
    uint32_t carried;  /* CARRY_ bits that all targets heard so far carry */
    uint32_t carried_by[RELAY_TARGETS];
    uint32_t heard;         /* bit i: target i was heard */
    bool down;              /* said so */
    bool ask_as_postmaster; /* the server does not want MAIL FROM:<> */
    unsigned asking;        /* verifications under way */
    unsigned late_count;    /* late refusals that are remembered */
    struct link queue;      /* answers to be asked for */
    struct table domains;   /* struct relay_domain */
};

/* A domain at whose server it was tried whether it takes a recipient who cannot exist. */
struct relay_domain {
    uint64_t until_ms;
    bool takes_anything;
    bool asking;
    size_t size;
    struct slice name; /* lower case */
    char text[];
};

enum relay_answer_state { ANSWER_STATE_NEW, ANSWER_STATE_QUEUED, ANSWER_STATE_ASKING, ANSWER_STATE_KNOWN };

/* One recipient at one route: the question while it is open, then its answer. */
struct relay_answer {
    struct link link; /* of the route's queue, or of relay.known */
    struct relay_route *route;
    struct link waiters;
    uint64_t until_ms;
    uint8_t state;
    uint8_t status; /* enum answer_status */
    bool late;
    struct slice
        value; /* memory of its own; empty for FOUND, whose value is what the route carries by then */
    size_t size;
    struct slice key;     /* "0 LOCAL@DOMAIN", the domain in lower case; a late one's has sender and client */
    struct slice address; /* in `key`; of no use in a late one */
    char text[];
};

#define RELAY_TICKET_SIZE 12

struct relay_waiter {
    struct link link; /* of its answer */
    struct ticket ticket;
    char key[RELAY_TICKET_SIZE];
};

struct relay {
    struct relay_gate gate;
    const struct site *site;
    struct outbound *outbound;
    struct relay_route *routes;
    struct table waiters; /* by ticket */
    struct table answers; /* by key */
    struct link known;    /* the newest first */
    struct link verifications;
    struct table messages; /* by ticket; those that somebody waits for */
    struct link on_their_way;
    size_t message_count;
    struct random random;
    struct loop_timer tick;
    bool stopping;
};

/* relay.c */
uint64_t relay_now(const struct relay *relay);
struct outbound_to route_to(const struct relay_route *route);
/* What a job's end teaches of its route: what it carries, and whether it is down. */
void route_learn(struct relay_route *route, const struct outbound_job *job);
/* Words for ASK_RECIPIENT's FOUND; empty while nothing was heard. */
struct slice route_carry_print(const struct relay_route *route, char text[RELAY_CARRY_TEXT_SIZE]);
void relay_record_trouble(struct relay *relay, struct slice what, struct slice reason, struct slice effect);
/* Prints, cut where it does not fit. */
struct slice relay_print(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct slice ticket_key(struct ticket ticket, char key[RELAY_TICKET_SIZE]);

/* relay_answers.c */
struct relay_answer *answer_get(struct relay_route *route,
                                struct slice address); /* made where there is none */
bool answer_is_known(const struct relay_answer *answer);
void answer_post(const struct relay_answer *answer, struct ticket ticket);
void answer_wait(struct relay_answer *answer, struct ticket ticket);
void answer_forget(struct relay *relay, struct ticket ticket);
/* Tells all who wait; FOUND and NONE are kept for their time, FAILED is not. */
void answer_settle(struct relay_answer *answer, enum answer_status status, struct slice value);
/* The server refused the recipient in this transaction although it had taken him when it was asked. Sender
 * and client may be the reason: it counts for them alone, and what was known of him is asked for again. */
void late_remember(struct relay_route *route, const struct transaction *transaction, struct slice address,
                   struct slice words);
/* NULL: no such refusal is remembered. */
const struct relay_answer *late_find(const struct relay_route *route, const struct transaction *transaction,
                                     struct slice address);
void answers_sweep(struct relay *relay);
void answers_drop(struct relay *relay);

/* relay_verify.c */
void verify_ask(struct relay_answer *answer);
bool domain_takes_anything(struct relay_route *route, struct slice address);
void verify_drop(struct relay *relay);
void domains_drop(struct relay_route *route);

/* relay_message.c */
void message_forget(struct relay *relay, struct ticket ticket);
void messages_drop(struct relay *relay);
/* "550 5.1.1 no such user", in text. */
struct slice reply_print(const struct client_reply *reply, char *text, size_t size);

#endif
