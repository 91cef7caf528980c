/* Lines of old logs joined into attempts: by the queue id, by the process that served the connection, or
 * where a published excerpt has neither, by their order.
 *
 * Memory is bounded: envelopes and sessions beyond a limit end early, the oldest first, and none is kept for
 * longer than SCAN_HOLD_MS of the log's time: attempts come in the order of their beginning but for that. A
 * queue id that is given again, or a process that serves the next client, ends what was open under it. */
#ifndef WATCH_SCAN_JOIN_H
#define WATCH_SCAN_JOIN_H

#include "watch/attempt.h"
#include "wire/maillog_head.h"
#include "wire/maillog_record.h"

#define SCAN_HOLD_MS      100000 /* patterns are looked for in any order of arrival within two minutes */
#define SCAN_OPEN_DEFAULT 32768  /* envelopes, and as many sessions: some 32 MiB */

/* What was counted line by line, and what came of the envelopes. */
struct scan_counts {
    uint64_t connections;
    uint64_t refusals, deferrals;              /* lines: 5yz, 4yz */
    uint64_t queued;                           /* messages taken from clients */
    uint64_t octets;                           /* of them */
    uint64_t sent, deferred, bounced, expired; /* recipients, at each try to deliver */
    uint64_t attempts;                         /* given */
    uint64_t accepted, put_off, refused, left; /* of them, by what came of it */
    uint64_t own;                              /* envelopes of the house's own users and hosts */
    uint64_t clientless;                       /* envelopes whose client no line names */
    uint64_t cut;                              /* ended early, because too many were open */
};

struct scan_join_settings {
    size_t open_max; /* 0: SCAN_OPEN_DEFAULT */
    /* Each attempt, once; its slices live for the call. */
    void (*attempt)(void *data, const struct attempt *attempt);
    void *data;
};

struct scan_join;

struct scan_join *scan_join_new(const struct scan_join_settings *settings);
/* A line of a mail server's, in the order of the log. */
void scan_join_line(struct scan_join *join, const struct maillog_head *head,
                    const struct maillog_record *record);
/* The logs are over: what is open ends. */
void scan_join_end(struct scan_join *join);
const struct scan_counts *scan_join_counts(const struct scan_join *join);
size_t scan_join_open(const struct scan_join *join); /* envelopes in the making */
void scan_join_free(struct scan_join *join);         /* NULL is taken; nothing more is given */

#endif
