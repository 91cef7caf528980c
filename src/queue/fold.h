/* Text without regard to case, in all scripts that have it: Unicode's simple case folding, letter by letter.
 * No normalisation: a letter with its accent apart is another text than the same in one piece (RFC 6532
 * section 3.1 asks senders for the latter). Octets that are not well-formed UTF-8 stay. */
#ifndef QUEUE_FOLD_H
#define QUEUE_FOLD_H

#include "base/buf.h"
#include "base/slice.h"

/* Adds the folded text; it may be longer than the text by half. False: the buf's maximum, nothing was added.
 */
bool fold_add(struct buf *buf, struct slice text);

#endif
