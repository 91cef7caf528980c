/* Dates from seconds since 1970 (UTC), without the C library's time zone state: time is an argument, and so
 * is the offset from UTC. */
#ifndef BASE_CALENDAR_H
#define BASE_CALENDAR_H

#include "base/slice.h"

struct calendar {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second;
    int weekday; /* 0 is Sunday */
};

/* Dates outside the years 0 to 9999 are cut to their border. */
struct calendar calendar_from_unix(int64_t seconds, int offset_minutes);
int64_t calendar_to_unix(const struct calendar *calendar, int offset_minutes);

#define CALENDAR_TEXT_SIZE 48
/* "Thu, 24 Jul 2003 22:35:45 -0700" (RFC 5322 section 3.3). */
size_t calendar_print_mail(int64_t seconds, int offset_minutes, char text[CALENDAR_TEXT_SIZE]);
/* "2003-07-24T22:35:45.123-07:00" (RFC 3339); "Z" for offset 0. */
size_t calendar_print_iso(int64_t unix_ms, int offset_minutes, char text[CALENDAR_TEXT_SIZE]);
/* "Jul 24 22:35:45", as syslog has it (RFC 3164). */
size_t calendar_print_syslog(int64_t seconds, int offset_minutes, char text[CALENDAR_TEXT_SIZE]);
/* "2003-07-24T22:35:45Z", "2003-07-24 22:35", "2003-07-24"; without an offset, UTC. */
bool calendar_parse_iso(struct slice text, int64_t *ret_unix_ms);

#endif
