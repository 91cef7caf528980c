/* Dates in mail (RFC 5322 section 3.3), with the obsolete forms that are met (section 4.3). */
#ifndef WIRE_MAIL_DATE_H
#define WIRE_MAIL_DATE_H

#include "base/slice.h"

/* "Thu, 22 Aug 2002 12:34:53 +0100 (IST)", "22 Aug 02 12:34 GMT". A zone that is not known, or missing,
 * counts as UTC. ret_proper (may be NULL): it keeps to the grammar, with four digits of year, two of hour and
 * minute, and a zone; names of zones are let pass. False: it is none, or of a year outside 1970 to 9999. */
bool mail_date_parse(struct slice text, int64_t *ret_unix_seconds, bool *ret_proper);

#endif
