/* Gathers what reports are made of: attempts out of sessions, hosts out of attempts, and of hosts with one
 * owner and one address for complaints one report.
 *
 *   sessions ──► attempts, hosts ──► (who answers for each host) ──► reports
 *
 * It keeps REPORT_CASE_HOSTS hosts and REPORT_CASE_ATTEMPTS attempts, those that come first; of what comes
 * then only the numbers of the hosts it has are kept up. IPv6 hosts are told apart by their /64. */
#ifndef WATCH_REPORT_CASE_H
#define WATCH_REPORT_CASE_H

#include "journal/history.h"
#include "watch/report.h"

#define REPORT_CASE_HOSTS    1024u
#define REPORT_CASE_ATTEMPTS 2000u

struct report_case_host {
    struct report_host host;
    struct report_owner owner;
    /* For who gathers to fill in, before reports are made: */
    struct contacts to;
    struct slice to_source;
    size_t group; /* its own */
};

struct report_case;

/* The seed is secret and random where strangers choose what comes. */
struct report_case *report_case_new(uint64_t seed);
void report_case_free(struct report_case *of); /* NULL is taken */

/* Takes a session in that has ended: of its attempts those that we turned away, closed the connection on or
 * threw away; with `all` the others, too. Returns how many that were; what is wanted of the history is
 * copied. */
size_t report_case_add(struct report_case *of, const struct history *history, bool all);
/* A host that is known to have tried so often and is of that owner, whose sessions are not at hand. Where
 * sessions of it are, these count. Texts are copied. */
void report_case_add_host(struct report_case *of, const struct report_host *host,
                          const struct report_owner *owner);
/* Of a host whose owner its sessions did not tell; texts are copied. */
void report_case_own(struct report_case *of, size_t index, const struct report_owner *owner);

size_t report_case_host_count(const struct report_case *of);
struct report_case_host *report_case_host(struct report_case *of, size_t index);

/* Takes our recipients' names out, and addresses of hosts that no report is about; what these hosts claim of
 * themselves (senders, Message-IDs) stays, but where it holds a recipient's name. The redaction then does the
 * same for transcripts. */
void report_case_redact(struct report_case *of, struct redaction *redaction);

/* The reports, those with the most attempts first, with all that `form` says but of hosts and attempts; ids
 * count up from that of the form. They live as long as the case, and borrow what the form does. */
size_t report_case_make(struct report_case *of, const struct report *form, const struct report **ret_reports);

/* The dialogue of a session, for a report: without the sentence that says what we made of it. In the arena.
 */
struct slice report_transcript(const struct history *history, struct arena *arena);

/* Sessions of a report that are worth being shown whole, the best first: of different hosts, as long as there
 * are any. Returns how many. */
size_t report_sessions(const struct report *report, uint64_t *ret_sessions, size_t most);

#endif
