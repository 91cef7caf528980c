/* What was recorded of a session is enough to play it again: under the same configuration the same is said
 * and decided, and under another one what the script says. */
#include "replay.h"

#include "base/text.h"
#include "replay/player.h"

#include <stdio.h>
#include <string.h>

static char text[1024];

/* "reject early-talk #170" */
static size_t side_print(const struct play_side *side, size_t at)
{
    const char *finding = side->finding ? finding_info(side->finding)->word : NULL;
    int len = snprintf(text + at, sizeof text - at, "%s%s %s%s%s#%u", side->observed ? "observed " : "",
                       side->action ? action_word(side->action) : "pass", side->by_sum ? "sum of " : "",
                       finding ? finding : "", finding ? " " : "", side->reply);
    return at + (size_t)len;
}

static const char *result_print(const struct play_result *result)
{
    unsigned stage = result->now.stage < STAGE_COUNT ? result->now.stage : result->then.stage;
    size_t at;
    switch (result->outcome) {
    case PLAY_SAME: return result->other_finding ? "same, of another finding" : "same";
    case PLAY_UNKNOWN:
        snprintf(text, sizeof text, "unknown: %s %.*s", result->unknown ? ask_word(result->unknown) : "-",
                 SLICE_ARGS(result->unknown_key));
        return text;
    case PLAY_CHANGED: break;
    }
    at = (size_t)snprintf(text, sizeof text, "changed: %s: ", stage < STAGE_COUNT ? stage_word(stage) : "-");
    at = side_print(&result->then, at);
    at += (size_t)snprintf(text + at, sizeof text - at, "; now ");
    side_print(&result->now, at);
    return text;
}

/* The same player as many times as there are sessions: nothing of one may stay for the next. */
static const char *play(const struct session_world *shared, const struct world *world)
{
    struct tape tape;
    struct play_result result;
    const char *outcome;
    tape_init(&tape);
    struct player *player = player_new(shared);
    switch (tape_read(&tape, buf_slice(&world->events))) {
    case TAPE_OLD: outcome = "too old to be played again"; break;
    case TAPE_BROKEN: outcome = "cannot be played again"; break;
    default:
        player_play(player, &tape, &result);
        player_play(player, &tape, &result);
        outcome = result_print(&result);
    }
    player_free(player);
    tape_drop(&tape);
    return outcome;
}

const char *again_differs(struct world *world)
{
    const char *outcome = play(&world->shared, world);
    return strcmp(outcome, "same") == 0 ? NULL : outcome;
}

const char *again_what_if(const struct world *world, const struct script *script)
{
    static struct world room; /* too large for the stack */
    struct world *now = &room;
    memset(now, 0, sizeof *now);
    now->now = true;
    world_site(now, script);
    now->shared = (struct session_world){.site = now->site, .digest = world->shared.digest};
    world_checks_choose(now, script);
    const char *outcome = now->broken ? now->broken : play(&now->shared, world);
    site_free(now->site);
    return text_match(script->what_if, slice_text(outcome)) ? NULL : outcome;
}
