/* What was recorded of a session is enough to play it again: under the same configuration the same is said
 * and decided. */
#include "replay.h"

#include "replay/player.h"

#include <stdio.h>

static const char *words(const struct play_result *result)
{
    static char text[512];
    const struct play_side *then = &result->then, *now = &result->now;
    if (result->outcome == PLAY_UNKNOWN)
        snprintf(text, sizeof text, "played again it asks what nobody knows: %s %.*s",
                 ask_word(result->unknown), SLICE_ARGS(result->unknown_key));
    else
        snprintf(text, sizeof text,
                 "played again it differs behind line %u: then action %u finding %u reply %u %.*s, now "
                 "action %u finding "
                 "%u reply %u %.*s",
                 (unsigned)result->line, then->action, then->finding, then->reply, SLICE_ARGS(then->reason),
                 now->action, now->finding, now->reply, SLICE_ARGS(now->reason));
    return text;
}

const char *again_differs(struct world *world)
{
    struct tape tape;
    struct play_result result = {.outcome = PLAY_SAME};
    const char *differs = NULL;
    tape_init(&tape);
    struct player *player = player_new(&world->shared);
    enum tape_status status = tape_read(&tape, buf_slice(&world->events));
    if (status != TAPE_FINE) {
        differs = status == TAPE_OLD ? "it cannot be played again: old" : "it cannot be played again: broken";
    } else {
        player_play(player, &tape, &result);
        if (result.outcome != PLAY_SAME || result.other_finding)
            differs = words(&result);
    }
    player_free(player);
    tape_drop(&tape);
    return differs;
}
