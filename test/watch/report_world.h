/* Sessions for the tests of reports, told in events: those of the seeds 000 and 003, with their names. */
#ifndef REPORT_WORLD_H
#define REPORT_WORLD_H

#include "watch/report_case.h"

#define WORLD_NOW INT64_C(1059030000000)
#define WORLD_MAX 16u

struct world {
    struct report_case *of;
    struct history histories[WORLD_MAX];
    size_t count;
};

void world_begin(struct world *world);
/* An HTTP request and then SMTP, refused by a list (seed 000). */
void world_seed_000(struct world *world);
/* Five attempts from four hosts, refused for want of a Message-ID (seed 003). */
void world_seed_003(struct world *world);
void world_end(struct world *world);

/* What reports are made from beside the sessions. */
struct report world_form(void);
/* The transcripts of a report's sessions, in the arena. */
void world_transcripts(struct world *world, struct report *report, struct redaction *redaction,
                       struct arena *arena);

#endif
