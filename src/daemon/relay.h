/* The gate's part of relaying: recipients are verified at the inner server before their 250, and a message is
 * passed on when it is complete; the inner server's answer is what the client gets (product.md, relay).
 *
 * Recipients: answers are kept (relay.cache-*); a question that is on its way is shared; what queues up goes
 * in one transaction. A host that takes a recipient who cannot exist takes anything: it is asked no more, its
 * recipients are FOUND, and an event says so once. A recipient whom the server refuses in the message's own
 * transaction after all is NONE for this sender and client (its /64) for four hours, whatever else is known:
 * their next attempt ends with a defined answer, and nobody else's does.
 * The whole of this is per gate and lives in its loop; the results come through the gate's inbox. */
#ifndef DAEMON_RELAY_H
#define DAEMON_RELAY_H

#include "base/digest.h"
#include "core/session.h"
#include "io/inbox.h"

struct draft;
struct loop;
struct relay;

/* What the relay needs of its gate. The functions are called from the loop, never from inside a call to the
 * relay, and `gate` is their first argument. */
struct relay_gate {
    void *gate;
    struct loop *loop;
    struct inbox *inbox;
    /* A record (core/event.h) for the journal, without session. */
    void (*record)(void *gate, struct slice records);
    /* The inner server's 250 came when nobody waited for it any more (relay_forget after the dot): it is to
     * be remembered under the key for set.relay_remember, as OUTBOX_TELL would have it. */
    void (*late)(void *gate, struct slice key, const struct stored *stored);
};

/* The site must live as long as the relay: a new configuration is a new gate with a relay of its own. */
struct relay *relay_new(const struct relay_gate *gate, const struct site *site);

/* ASK_RECIPIENT for routes that have targets: key is "0 LOCAL@DOMAIN", the route by its number. Posts one
 * answer to the ticket. The value of FOUND is what the route carries, see relay_carry_print. The transaction
 * tells sender and client, for the call; NULL: nobody's. */
void relay_ask_recipient(struct relay *relay, struct ticket ticket, struct slice key,
                         const struct transaction *transaction);

/* OUTBOX_COMMIT for a relay route. Posts one struct stored to the ticket. */
struct relay_commit {
    struct ticket ticket;
    const struct transaction *transaction; /* copied, and its route taken from it, before the call returns */
    struct draft *draft;                   /* complete; the relay's from here on */
    struct slice key; /* under which the session asked REMEMBERED; copied; empty: late answers are dropped */
};
void relay_commit(struct relay *relay, const struct relay_commit *commit);

/* Nobody waits for the answer or result of this ticket any more. A message whose dot has not been sent is
 * broken off; else its 250 goes to `late`. Tickets that are not known are taken. */
void relay_forget(struct relay *relay, struct ticket ticket);

/* CARRY_ bits that every relay route is known to carry (core/session.h); CARRY_ALL where there is none. A
 * route whose server was not yet heard counts as carrying nothing. */
uint32_t relay_carried(const struct relay *relay);

/* The bits as words of ask.def ("8bitmime smtputf8 dsn size"); "plain" for none. */
#define RELAY_CARRY_TEXT_SIZE 40
struct slice relay_carry_print(uint32_t carried, char text[RELAY_CARRY_TEXT_SIZE]);

/* The gate stops: idle connections are closed; messages under way go on. */
void relay_stop(struct relay *relay);
size_t relay_busy(const struct relay *relay); /* messages under way */
void relay_free(struct relay *relay);         /* NULL is taken */

#endif
