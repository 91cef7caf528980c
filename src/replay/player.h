/* Plays a recorded session again, through the same machine, under a configuration of the caller's, and finds
 * the first thing that is said or decided differently.
 *
 * Up to there everything is exact: octets, answers and time are those of the record. The client's octets come
 * as long after the reply that it had heard as they did then; an answer takes as long as it took then. What
 * the client would have done after a reply that it did not get then is not known, and neither is an answer to
 * a question that was not asked then: there the play ends.
 *
 * The site, the checks and the digest are the caller's and shared by all players; a player is used by one
 * thread. */
#ifndef REPLAY_PLAYER_H
#define REPLAY_PLAYER_H

#include "replay/tape.h"

enum play_outcome {
    PLAY_SAME,
    PLAY_CHANGED,
    PLAY_UNKNOWN /* it hangs on an answer that nobody has */
};

/* One side of a difference: what is done, and why. */
struct play_side {
    unsigned action;     /* enum action: ACTION_NONE for pass */
    bool observed;       /* it was only recorded */
    bool silent;         /* nothing was said (yet) */
    unsigned stage;      /* enum stage; STAGE_COUNT: no stage had to do with it */
    unsigned finding;    /* that decided, or 0 */
    bool by_sum;         /* the sum decided; the finding is what made the difference in it, or weighed most */
    unsigned reply;      /* SAY_…, or 0 */
    struct slice reason; /* the evidence, or empty */
};

struct play_result {
    enum play_outcome outcome;
    struct play_side then, now; /* CHANGED */
    uint64_t line;              /* lines of the client before it */
    enum ask_kind unknown;      /* UNKNOWN: what would have been asked, */
    struct slice unknown_key;   /* and about what; of ASK_NOTHING: what is not known, in words */
    bool other_finding;         /* SAME, but a verdict comes of another finding */
};

struct player;

/* The world's site and checks are used, not its seed. It must outlive the player. */
struct player *player_new(const struct session_world *world);
/* Texts of the result live until the next play, or as long as the tape. */
void player_play(struct player *player, const struct tape *tape, struct play_result *ret_result);
void player_free(struct player *player); /* NULL is taken */

#endif
