/* A line of a mail log up to what the program said: time, host, program, process.
 *
 *   Jul 24 01:11:45 janus sm-mta[1234]: h6O8Bj01001234: from=<…>, …
 *   2026-07-24T01:11:45.123456+02:00 mx postfix/smtpd[1234]: connect from …
 *   <22>1 2026-07-24T01:11:45Z mx postfix/smtpd 1234 - - connect from …      RFC 5424
 *
 * FreeBSD's <mail.info> behind the time and Solaris's [ID 801593 mail.info] before the message are passed
 * over. */
#ifndef WIRE_MAILLOG_HEAD_H
#define WIRE_MAILLOG_HEAD_H

#include "wire/maillog_stamp.h"

enum maillog_program {
    MAILLOG_OTHER,    /* no mail server's: nothing is looked at */
    MAILLOG_SENDMAIL, /* and Postern, whose mail log is in sendmail's form */
    /* of Postfix */
    MAILLOG_SMTPD,
    MAILLOG_CLEANUP,
    MAILLOG_QMGR,
    MAILLOG_DELIVERY, /* smtp, lmtp, local, virtual, pipe, error, retry, discard */
    MAILLOG_POSTSCREEN,
    MAILLOG_SERVICE /* those that tell nothing of an envelope: anvil, dnsblog, master … */
};

/* Slices point into the line. */
struct maillog_head {
    struct maillog_stamp stamp;
    enum maillog_program program;
    struct slice host;
    struct slice name; /* of the program as written: "postfix/submission/smtpd" */
    uint32_t pid;      /* 0: not told */
    struct slice message;
};

/* False: it is no such line; what stands in ret_head means nothing then. `line` is without its end. */
bool maillog_head_parse(struct slice line, int year, struct maillog_head *ret_head);

#endif
