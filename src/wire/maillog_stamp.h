/* The time at the front of a line of a mail log:
 *
 *   Jul 24 01:11:45              RFC 3164 section 4.1.2; also with a fraction, or a year: Jul 24 2003
 * 01:11:45 2003-07-24T01:11:45.123-07:00    RFC 3339; also with a blank for the T, -0700, or without an
 * offset
 *
 * Either may stand behind <PRI> or <PRI>1 (RFC 3164, RFC 5424). Pure: which year is meant where none is
 * written is an argument, and times without an offset count as UTC. */
#ifndef WIRE_MAILLOG_STAMP_H
#define WIRE_MAILLOG_STAMP_H

#include "base/slice.h"

struct maillog_stamp {
    int64_t unix_ms;
    uint8_t month; /* from 1 */
    bool has_year; /* it is written; else the year given counted */
    bool is_5424;  /* <PRI>1 stood in front: the program, its pid and more follow as words */
};

/* Octets of the line up to what follows the blank behind the time; 0: no time stands there. A day that the
 * month does not have in that year counts on into the next month. */
size_t maillog_stamp_parse(struct slice line, int year, struct maillog_stamp *ret_stamp);

#endif
