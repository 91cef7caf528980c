/* What the parts of the log view share. */
#ifndef JOURNAL_RENDER_LOG_PART_H
#define JOURNAL_RENDER_LOG_PART_H

#include "journal/render_log.h"

enum who {
    WHO_LINE,    /* SMTP-750([192.0.2.7]) */
    WHO_TCP,     /* SMTP(tcp) */
    WHO_SMTP,    /* SMTP */
    WHO_SYSTEM,  /* SYSTEM */
    WHO_MAILDIR, /* SYSTEM(MAILDIR) */
    WHO_LMTP,
    WHO_OUT
};

void log_line(struct render_log *log, int level, enum who who, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The text with everything escaped that does not belong in a line; in the view's arena. */
const char *log_text(struct render_log *log, struct slice text);

#define LOG_NUMBER(value) ((unsigned long long)(value))

void log_courier_event(struct render_log *log, const struct event *event);
void log_process_event(struct render_log *log, const struct event *event);
void log_block_event(struct render_log *log, const struct event *event);

#endif
