/* Sessions as a busy host sees them, written through the journal's own writers: several gates, many sessions
 * open at once, hosts and senders of which some come often and most seldom, everything from a connection that
 * says nothing to mail for two recipients. The same seed gives the same crowd. For tests and for the
 * benchmark of the history. */
#ifndef CROWD_H
#define CROWD_H

#include "core/event.h"
#include "journal/writer.h"

#define CROWD_GATES 8

struct crowd_settings {
    const char *folder; /* the journal's */
    unsigned gates;     /* at most CROWD_GATES */
    unsigned open;      /* sessions that are open at once in a gate */
    uint64_t sessions;
    int64_t begin_us, span_us; /* unix time of the first, and over how long they come */
    uint64_t seed;
    uint64_t segment_octets;
    uint64_t hosts; /* how many different ones */
};

struct crowd_session {
    uint64_t id;
    unsigned gate;
    struct address peer;
    char ptr[80], helo[80], sender[100], recipients[2][100];
    unsigned recipient_count;
    unsigned findings[4];
    unsigned finding_count;
    unsigned verdict;
    unsigned reply; /* number of its negative reply; 0: none */
    int64_t ended_us;
};

struct crowd;

/* Negative: the folder cannot be written to. */
int crowd_open(const struct crowd_settings *settings, struct crowd **ret_crowd, struct error *error);
/* One step of one session; true: one has ended with it, *ret_session is it. */
bool crowd_step(struct crowd *crowd, struct crowd_session *ret_session);
bool crowd_is_over(const struct crowd *crowd);
uint64_t crowd_lost(const struct crowd *crowd);          /* events that the writers dropped */
void crowd_flush(struct crowd *crowd, uint64_t wait_ms); /* all that was added is in the files */
/* The gate dies: what it had open has no end; it begins anew with another file. */
int crowd_crash(struct crowd *crowd, unsigned gate, struct error *error);
void crowd_close(struct crowd *crowd);

#endif
