/* What the files of reports share: text that strangers chose, made harmless for the place it goes to. */
#ifndef WATCH_REPORT_PART_H
#define WATCH_REPORT_PART_H

#include "watch/report.h"

/* Adds the text as printable ASCII, the rest as \xHH, and " ..." in place of what is beyond `most` octets. */
void report_put_safe(struct buf *out, struct slice text, size_t most);
/* The same, but UTF-8 without controls and marks of direction stays. */
void report_put_utf8(struct buf *out, struct slice text, size_t most);
/* "<joe@example.org>", made safe. */
void report_put_path(struct buf *out, struct slice path);
/* "Thu, 24 Jul 2003 01:11:45 +0000": a report's times are UTC, and say so. */
void report_put_time(struct buf *out, int64_t unix_ms);
/* Words of the text, parted by blanks, in lines of 76 columns; each line but the first behind `indent`
 * blanks. With a line end. */
void report_put_wrapped(struct buf *out, struct slice text, unsigned indent);
/* The value of an unstructured field (RFC 2047 section 5): as it is where it is printable ASCII, else as
 * encoded words, folded. Controls are \xHH, for who reads an encoded word decodes it. */
void report_put_unstructured(struct buf *out, struct slice text);
/* Text of whole lines as the body of a part: its encoding field and the empty line first, then 7bit where
 * that does, else quoted-printable (RFC 2045 section 6.7). Lines of the text end in LF, those that are added
 * in CRLF. */
void report_put_body(struct buf *out, struct slice text);

/* The report in plain words; lines end in LF. */
void report_put_words(const struct report *report, struct buf *out);

#endif
