/* What among all events is worth a notice: sessions that were refused, by the reply that tells why, and what
 * happened to this host itself.
 *
 * A session counts at its end, once in each class that it gave cause to, under the first reply of that class;
 * replies that only follow from an earlier refusal (DATA behind refused recipients) do not count. So
 * something is kept between the events of a session that was refused anything; of more than `sessions_max` at
 * once the oldest are forgotten, and learnt again from the journal where need be.
 *
 * Never about notices themselves: a session with a message whose Message-ID is a notice's is no incident, and
 * no event about a notice in the queue is one. A notice that another gate refuses before its Message-ID can
 * be seen comes, as every notice does, from the null sender: sessions that named no other are told of with
 * others, but make no mail by themselves. So two gates that refuse each other's notices fall silent. */
#ifndef JOURNAL_NOTICE_WATCH_H
#define JOURNAL_NOTICE_WATCH_H

#include "core/event.h"
#include "journal/notice.h"

/* The ids of notices: as of a gate that there is none of, with counters that the highest gates of a reload do
 * not come to (the courier's own have gate 63). */
#define NOTICE_GATE 62u
/* The counter goes round below 32768. */
uint64_t notice_id_make(int64_t unix_ms, unsigned counter);
bool notice_id_is(uint64_t session);
/* "<ID.notice@HOST>" */
#define NOTICE_MARK ".notice@"
size_t notice_message_id_print(uint64_t id, struct slice host, char *text, size_t size);

/* The class that a session belongs to for this reply; false: it gives no cause for a notice. *ret_follows:
 * only where nothing was refused before. */
bool notice_reply_class(unsigned reply, enum notice_class *ret_class, bool *ret_follows);

struct notice_watch;

struct notice_watch *notice_watch_new(size_t sessions_max);
/* Whether the event, the end of a session, wants what came before it in its session, and not all of that was
 * seen: the caller lets the session be forgotten, and hands in all of its events by notice_watch_learn. */
bool notice_watch_lacks(const struct notice_watch *watch, const struct event *event);
void notice_watch_forget(struct notice_watch *watch, uint64_t session);
void notice_watch_learn(struct notice_watch *watch, const struct event *event);
/* Returns how many incidents the event makes. Their texts live until the next call. */
size_t notice_watch_event(struct notice_watch *watch, const struct event *event,
                          struct notice_incident ret_incidents[NOTICE_CLASSES]);
/* A gate has begun anew: what it had open has no end. */
void notice_watch_forget_gate(struct notice_watch *watch, unsigned gate);
size_t notice_watch_sessions(const struct notice_watch *watch); /* kept now */
void notice_watch_free(struct notice_watch *watch);             /* NULL is taken */

#endif
