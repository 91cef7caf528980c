/* The view `log`: a session as its server logged it, a line for each thing that happened:
 *
 *   02:36:51 4 SMTP-750([192.0.2.7]) Input Line: HELO mail.example.org\r
 *
 * Time, level, line of the server (the connection's number at its gate) and who is on it, and what happened.
 * Levels: 1 failures, 2 messages, 3 findings and verdicts, 4 the dialogue, 5 states and octets. The name in
 * brackets is the client's address; while a name that it gave is being looked up, that name; once one is
 * confirmed, the confirmed one.
 *
 * A view tells of one session, of the messages that came of it, and of processes. Nothing that a peer sent
 * can end a line or steer a terminal: such octets are escaped. */
#ifndef JOURNAL_RENDER_LOG_H
#define JOURNAL_RENDER_LOG_H

#include "base/arena.h"
#include "core/event.h"
#include "journal/document.h"

struct render_log_settings {
    int level;   /* lines above it are left out */
    bool colour; /* escape sequences for a terminal: what the client sent, what we sent, failures */
    /* Minutes east of UTC at a time; NULL: times are UTC. */
    int (*zone_minutes)(int64_t unix_seconds);
    /* Lines go there instead of into a buf, with the style of their text; NULL: they do not. */
    struct document *document;
    bool bare; /* there: without level and line */
};

struct render_log {
    struct render_log_settings settings;
    struct arena arena; /* for one event */
    struct buf *out;    /* for one event */
    const struct event *event;
    uint64_t line; /* "750": which connection of its gate; 0 when its beginning is not there */
    bool opened;
    bool ended;
    int64_t ended_us;
    struct address peer;
    char shown[256];     /* in the brackets */
    char helo[256];      /* what the client calls itself */
    char pointed[256];   /* names that its address points to */
    char confirmed[256]; /* its name in the DNS */
    bool looking;        /* for the name it gave */
};

void render_log_init(struct render_log *log, const struct render_log_settings *settings);
/* Adds the event's lines, none where all are above the level. A full buf cuts them off. `out` may be NULL
 * where there is a document. */
void render_log_event(struct render_log *log, const struct event *event, struct buf *out);
/* Behind the last event: the lines that take leave of the session. */
void render_log_end(struct render_log *log, struct buf *out);
void render_log_done(struct render_log *log);

/* An event of no session, in words alone: "gate 0 started, pid 4711" for the mail log. */
void render_system_text(const struct event *event, struct buf *out);

#endif
