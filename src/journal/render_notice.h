/* The view `notice`: the dialogue of a session as a transcript for the postmaster, as Postfix's notices have
 * it: what we said behind "Out:", what the client said behind "In:", and nothing else but how it ended.
 *
 *    Out: 220 mx.example.net ESMTP
 *    In:  EHLO client.example
 *
 * Every line is plain ASCII of at most RENDER_NOTICE_LINE octets: whatever a peer sent, it can be mailed as
 * it is. The secrets of AUTH and the contents of messages are not in the journal, and so not here. */
#ifndef JOURNAL_RENDER_NOTICE_H
#define JOURNAL_RENDER_NOTICE_H

#include "journal/history.h"

#define RENDER_NOTICE_LINE 200

struct render_notice_settings {
    size_t lines_max; /* of the dialogue: of a longer one the middle is left out, and said so; 0: all */
    /* Minutes east of UTC at a time; NULL: UTC. */
    int (*zone_minutes)(int64_t unix_seconds);
};

/* Adds the transcript's lines, each ended by LF: first one that names the session, its time and its client. A
 * full buf cuts them off. */
void render_notice(const struct history *history, const struct render_notice_settings *settings,
                   struct buf *out);

#endif
