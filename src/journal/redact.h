/* Redaction: takes persons out of what is to be shown to strangers. Local parts of mail addresses become
 * person-1, person-2 …, addresses of hosts become addresses for documentation (192.0.2.1 …, 2001:db8::1 …),
 * wherever they stand: in envelopes, replies, evidence, names made out of an address, keys of the store.
 * Subjects and the names of people beside their addresses are hidden. Within one redaction the same input has
 * the same stand-in; another redaction may give it another.
 *
 * What stays: domains, host names but for addresses in them, loopback addresses, times, sizes, and the texts
 * of programs. Nobody can promise that a free text names nobody; what is of no use without (AUTH) was never
 * recorded. */
#ifndef JOURNAL_REDACT_H
#define JOURNAL_REDACT_H

#include "journal/history.h"

struct redaction;

struct redaction *redaction_new(void);
/* From here on this host, or this local part, stands as it is: what a report is about, its reader must see.
 */
void redaction_keep_host(struct redaction *redaction, const struct address *address);
void redaction_keep_person(struct redaction *redaction, struct slice local);
/* Changes the texts and addresses of the events in place; new texts live as long as the history. */
void redaction_apply(struct redaction *redaction, struct history *history);
/* The same for one event; new texts go into the arena. Names that are made out of an address are told only
 * where the address was met before. */
void redaction_event(struct redaction *redaction, struct event *event, struct arena *arena);
/* The stand-in for one text; in the arena. */
struct slice redaction_text(struct redaction *redaction, struct slice text, struct arena *arena);
void redaction_free(struct redaction *redaction); /* NULL is taken */

#endif
