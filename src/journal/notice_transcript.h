/* The view `notice` as lines for a mail: plain ASCII whatever a peer sent, of NOTICE_LINE octets at most. */
#ifndef JOURNAL_NOTICE_TRANSCRIPT_H
#define JOURNAL_NOTICE_TRANSCRIPT_H

#include "journal/history.h"

#define NOTICE_LINE 200

struct notice_transcript_settings {
    size_t lines_max; /* of the dialogue: of a longer one the middle is left out, and said so; 0: all */
    /* Minutes east of UTC at a time; NULL: UTC. */
    int (*zone_minutes)(int64_t unix_seconds);
};

/* Adds lines ended by LF: which session it is, what came of it in one sentence, and its dialogue. A full buf
 * cuts them off. */
void notice_transcript(const struct history *history, const struct notice_transcript_settings *settings,
                       struct buf *out);

#endif
