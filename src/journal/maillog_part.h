/* What the two halves of the mail log share. */
#ifndef JOURNAL_MAILLOG_PART_H
#define JOURNAL_MAILLOG_PART_H

#include "base/arena.h"
#include "base/list.h"
#include "base/table.h"
#include "journal/maillog.h"

struct maillog {
    struct table sessions;
    struct link order; /* of the sessions, the oldest first */
    size_t sessions_max;
    struct arena arena; /* for one event */
    const struct event *event;
    struct buf *lines;
    char room[2048]; /* the arena's first chunk */
};

/* One line; nothing while the log learns. */
void maillog_line(struct maillog *maillog, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Texts for lines, in the event's arena. */
const char *maillog_free_text(struct maillog *maillog, struct slice text); /* the rest of a line */
const char *maillog_quoted(struct maillog *maillog, struct slice text);    /* between quotes */
const char *maillog_field(struct maillog *maillog, struct slice text);     /* up to a comma or blank */
const char *maillog_target(struct maillog *maillog, struct slice text);    /* up to a comma */
#define MAILLOG_DELAY_SIZE 32
/* "00:01:02", "1+02:03:04" */
const char *maillog_delay(uint64_t ms, char text[MAILLOG_DELAY_SIZE]);
/* "5.1.1" of "550 5.1.1 …", or class.0.0 of its code, or `otherwise`. */
const char *maillog_dsn(struct maillog *maillog, struct slice reply, const char *otherwise);

void maillog_courier_event(struct maillog *maillog, const struct event *event);

#endif
