/* What the player's files share: player.c drives, player_steps.c steps, player_compare.c compares. */
#ifndef REPLAY_PLAYER_PART_H
#define REPLAY_PLAYER_PART_H

#include "core/event.h"
#include "core/outbox.h"
#include "replay/player.h"

#define ROOM_SIZE 184u
#define OPENED_MS 1000u /* on the machine's clock */
#define STEPS_MAX 200000u
#define ASKS_MAX  128u
#define NEVER     UINT64_MAX

/* A question of the machine's that is open. */
struct play_ask {
    uint32_t number;
    uint32_t question; /* of the tape, or TAPE_NONE: it was not asked then */
    enum ask_kind kind;
    struct slice key; /* in the player's arena */
    uint64_t asked_ms;
    uint64_t due_ms; /* NEVER: there is no answer */
    uint32_t order;  /* among inputs of the same time */
};

struct player {
    struct session_world world;
    struct session *session;
    struct outbox outbox;
    struct arena arena;
    char room[ROOM_SIZE];
    const struct tape *tape;
    struct play_result *result;
    bool *used; /* questions of the tape that have been asked again */
    uint32_t used_room;
    struct play_ask asks[ASKS_MAX];
    size_t ask_count;
    /* time */
    uint64_t now_ms;
    int64_t unix_us;
    int64_t shift_ms; /* by how much this play is later than the record */
    uint64_t timer_ms;
    bool passed; /* the machine's time has come, but what follows was first */
    bool strict; /* everything has happened as it did then */
    /* the client */
    uint64_t arrived;
    uint64_t consumed;
    uint32_t piece;                    /* the one at `consumed` */
    bool more;                         /* octets have come since the last step */
    const struct content_facts *facts; /* of the message at hand, or NULL */
    /* what was said */
    uint64_t said_octets, sent_octets;
    uint32_t replies;
    uint32_t heard;
    uint32_t verdicts;
    struct tape_verdict last_verdict; /* of this play */
    struct tape_sum last_sum;         /* of this play */
    uint32_t at;                      /* the reply at which it differs */
    uint64_t lines;
    unsigned steps;
    bool committed;
    bool over;       /* the session has ended */
    bool decided;    /* a difference, or something unknown */
    bool by_verdict; /* in this step a verdict was the difference */
};

/* One step, at player->now_ms; asks, replies and verdicts are taken note of. Returns octets consumed. */
size_t player_step(struct player *player, struct input *input);
/* Offers what has come and was not used up. */
void player_offer(struct player *player);
void player_ask_remove(struct player *player, uint32_t number);

/* What the step has recorded is what was recorded then, or not. */
void player_compare(struct player *player);
/* Nothing more comes: is anything missing that was said or decided then? */
void player_compare_end(struct player *player);
void player_unknown(struct player *player, enum ask_kind kind, struct slice key);

static inline uint64_t player_when(const struct player *player, uint64_t at)
{
    int64_t when = (int64_t)(OPENED_MS + at) + player->shift_ms;
    return when > 0 ? (uint64_t)when : 0;
}

#endif
