/* Mail folders as files: messages one after the other, each behind a line "From SENDER DATE" (RFC 4155). */
#ifndef WIRE_MBOX_H
#define WIRE_MBOX_H

#include "base/slice.h"

struct mbox_message {
    struct slice sender;  /* of the line in front: the envelope's, or empty */
    struct slice content; /* without that line */
};

/* Takes the next message off the front of *folder; false: there is none left. A text that does not begin with
 * such a line is one message. The line is known by its date, so that a sentence that begins with "From" parts
 * nothing; the empty line before the next one belongs to neither. Slices point into the folder. */
bool mbox_next(struct slice *folder, struct mbox_message *ret_message);

#endif
