/* What the tape's two files share: tape.c what came and was said, tape_octets.c what the client sent. */
#ifndef REPLAY_TAPE_PART_H
#define REPLAY_TAPE_PART_H

#include "core/event.h"
#include "replay/tape.h"

struct reading {
    struct tape *tape;
    const struct event *event;
    enum tape_status status;
    uint64_t at;            /* the step at hand */
    uint64_t arrived;       /* octets */
    uint64_t taken;         /* octets */
    uint32_t line;          /* the last line's piece, or TAPE_NONE */
    uint32_t message_first; /* where the pieces of the message at hand begin */
    struct slice seen;      /* of what was not used up from seen_from on */
    uint64_t seen_from;
    struct content_facts *facts; /* of the message that has just ended */
    bool message_ended;          /* in this step */
    bool drips;                  /* a slowed reply is going out */
    bool foreign;                /* from here on it is not SMTP */
    uint32_t foreign_from;       /* in tape->octets, behind what was seen of it */
    bool carries;                /* commands, in an HTTP request */
    bool half;                   /* none of them had its line's end when it was over */
};

/* The next octets of the client; what stands for them goes to the end of tape->octets. */
struct tape_piece *tape_piece_add(struct reading *reading, enum tape_piece_kind kind, uint64_t octets);

void tape_seen(struct reading *reading, struct slice head);
void tape_line(struct reading *reading, const struct event_line_received *line);
void tape_taken(struct reading *reading, const struct event_octets_taken *taken);
void tape_message(struct reading *reading, const struct event_message_received *message);
void tape_http(struct reading *reading, const struct event_http_request *request);
/* What was never used up. */
void tape_rest(struct reading *reading);

#endif
