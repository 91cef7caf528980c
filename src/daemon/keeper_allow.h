/* The keeper's part in allowances: the way out for a sender who was wronged. A person allows a host or a
 * network for a time; the gates then spare it whatever may be forgiven (core/own_list.h, core/mercy.c).
 *
 * In the store: "allowance PREFIX" holds who has allowed it, when, why and for which session, and "allow
 * PREFIX" is for the gates. An allowance is recorded in the journal (event allowed) before it is stored:
 * should the store be lost, it comes back from there. Its end is recorded, too (allowance-removed,
 * allowance-over).
 *
 * Over the control socket:
 *
 *   {"command":"allow","do":"list"}
 *   {"command":"allow","do":"add","prefix":"192.0.2.7/32","for_ms":…,"session":"ID","why":"…","by":"joe"}
 *   {"command":"allow","do":"remove","prefix":"192.0.2.7/32","by":"joe"}
 *
 * "session" and "why" may be missing. Each answers with a line an allowance: {"address","session","why","by",
 * "made","expires"}, times as RFC 3339 has them. What is said to be done is in the store. */
#ifndef DAEMON_KEEPER_ALLOW_H
#define DAEMON_KEEPER_ALLOW_H

#include "daemon/control.h"
#include "daemon/own_keys.h"
#include "journal/writer.h"
#include "wire/json.h"

#define KEEPER_ALLOW_CHANGES 64u                         /* of one batch, at most */
#define KEEPER_ALLOW_WRITES  (2u * KEEPER_ALLOW_CHANGES) /* likewise */
#define KEEPER_ALLOW_MOST    10000u                      /* in force at once */
#define KEEPER_ALLOW_FOR_MAX (UINT64_C(3660) * 86400000) /* ten years, in ms */

struct event;
struct keeper_allow;

/* All is lent for life. */
struct keeper_allow_settings {
    struct loop *loop;
    struct store *store;
    struct journal_writer *journal;
    struct own_keys *own_keys;
};

/* With what the store has of the time before. */
struct keeper_allow *keeper_allow_new(const struct keeper_allow_settings *settings);
/* What was recorded before this keeper began, and may not be in the store. True: it is to be stored soon. */
bool keeper_allow_event(struct keeper_allow *allow, const struct event *event);
/* Looks at the clock. True: there is something to store. */
bool keeper_allow_tick(struct keeper_allow *allow);
/* So much is to be written that a commit is due before the next event. */
bool keeper_allow_is_full(const struct keeper_allow *allow);
/* What belongs into the batch; the texts live until the next call. Returns how many. */
size_t keeper_allow_writes(struct keeper_allow *allow, struct store_write room[KEEPER_ALLOW_WRITES]);
void keeper_allow_committed(struct keeper_allow *allow); /* the store has it */
/* True: it was done, a commit is due, and keeper_allow_answer ends the request then. Else it is ended. */
bool keeper_allow_command(struct keeper_allow *allow, struct control *control,
                          const struct control_request *request);
void keeper_allow_answer(const struct keeper_allow *allow, struct control *control, slab_handle request);
void keeper_allow_status(const struct keeper_allow *allow, struct json *json); /* "allowances":N */
void keeper_allow_free(struct keeper_allow *allow);                            /* NULL is taken */

#endif
