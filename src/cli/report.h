/* What the files of postern report share.
 *
 *   found (report_find.c) ──► owners (report_owner.c) ──► written or sent (report_write.c, report_send.c) */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "base/arena.h"
#include "cli/cli.h"
#include "cli/journal_files.h"
#include "watch/report_case.h"

#include <stdio.h>

struct report_run {
    const struct cli *cli;
    struct site *site;
    char folder[JOURNAL_FOLDER_SIZE], history[JOURNAL_FOLDER_SIZE];
    struct arena arena;
    /* what is wanted */
    const char *subject;   /* the argument */
    struct prefix network; /* family ADDRESS_NONE: id */
    uint64_t id;           /* of a session or a campaign */
    bool session_only;     /* it is a session's */
    bool all;              /* also what was not turned away */
    int64_t since_us, until_us;
    enum report_form form;
    size_t transcripts;          /* of each report */
    struct redaction *redaction; /* NULL: nobody is hidden */
    struct slice to;             /* of --to, or empty */
    const char *output;          /* folder, or NULL */
    /* what was found */
    struct report_case *of;
    struct report common; /* what all reports have alike */
    uint64_t sessions;    /* that were looked at */
    bool cut;             /* there are more than are looked at */
    bool zone_failed;     /* origin.contacts, and it was told */
};

/* Gathers the sessions. CLI_OK, or why there is nothing to report was told. */
int report_find(struct report_run *run);
/* Finds out who answers for each host. */
void report_owners(struct report_run *run);
/* Adds the transcripts to the report, in the run's arena. */
void report_transcribe(struct report_run *run, struct report *report);

/* To standard output, or into the folder. */
int report_write(struct report_run *run, const struct report *reports, size_t count);
/* Shows each and asks, unless `yes`; what is sent is in the queue then. */
int report_send(struct report_run *run, const struct report *reports, size_t count, bool yes);
/* The report as a mail, as it goes on its way. */
bool report_mail(const struct report_run *run, const struct report *report, struct buf *out);
/* With the line ends of this system. */
void report_lines(struct slice mail, struct buf *out);
/* On standard error, where nothing is asked for as JSON: hosts that were reported within a day. */
void report_warn(struct report_run *run, const struct report *report);

#endif
