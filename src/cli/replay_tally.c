#include "cli/replay.h"

#include "base/memory.h"
#include "core/finding.h"

void replay_tally_init(struct replay_tally *tally)
{
    *tally = (struct replay_tally){.same = 0};
    pthread_mutex_init(&tally->lock, NULL);
    arena_init(&tally->arena, NULL, 0);
    list_init(&tally->changes);
    list_init(&tally->unknowns);
}

void replay_tally_done(struct replay_tally *tally)
{
    pthread_mutex_destroy(&tally->lock);
    arena_drop(&tally->arena);
}

/* --- changes ------------------------------------------------------------------------------------------- */

static bool side_same(const struct play_side *a, const struct play_side *b)
{
    return a->action == b->action && a->observed == b->observed && a->silent == b->silent &&
           a->stage == b->stage && a->finding == b->finding && a->by_sum == b->by_sum && a->reply == b->reply;
}

static struct replay_change *change_of(struct replay_tally *tally, const struct play_result *result)
{
    for (struct link *at = tally->changes.next; at != &tally->changes; at = at->next) {
        struct replay_change *change = LIST_OF(at, struct replay_change, link);
        if (side_same(&change->then, &result->then) && side_same(&change->now, &result->now))
            return change;
    }
    struct replay_change *change = arena_take(&tally->arena, sizeof *change);
    change->then = result->then;
    change->now = result->now;
    change->then.reason = change->now.reason = SLICE_NONE;
    list_add_last(&tally->changes, &change->link);
    tally->change_count++;
    return change;
}

static bool turns_away(const struct play_side *side)
{
    return !side->observed && side->action != ACTION_NONE && side->action != ACTION_SLOW;
}

static bool for_good(const struct play_side *side)
{
    return turns_away(side) && side->action != ACTION_DEFER;
}

/* What was taken and would be refused tells most, then what was refused and would not be; what only comes
 * later, or is only observed, tells least. Clients with a name and a message tell more than others. */
static uint64_t weight_of(const struct tape *tape, const struct play_result *result)
{
    const struct play_side *then = &result->then, *now = &result->now;
    uint64_t weight = 0;
    if (turns_away(then) != turns_away(now))
        weight += for_good(then) || for_good(now) ? 80 : 40;
    else if (for_good(then) != for_good(now))
        weight += 20;
    if (turns_away(now) && tape->accepted)
        weight += 40;
    return weight + (tape->name.len ? 4 : 0) + (tape->recipient.len ? 2 : 0) + (tape->accepted ? 1 : 0);
}

/* Of equal weight they are taken from the whole time, not from one burst: in an order that has nothing to do
 * with time, and is the same whatever thread comes first. */
static uint64_t mixed(uint64_t session)
{
    session = (session ^ session >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    session = (session ^ session >> 27) * UINT64_C(0x94d049bb133111eb);
    return session ^ session >> 31;
}

static bool is_before(const struct replay_sample *a, uint64_t weight, uint64_t session)
{
    return a->weight > weight || (a->weight == weight && mixed(a->session) < mixed(session));
}

static void sample_add(struct replay_tally *tally, struct replay_change *change, const struct tape *tape,
                       const struct play_result *result)
{
    uint64_t weight = weight_of(tape, result);
    size_t at = change->sample_count, last = REPLAY_TELLING - 1;
    while (at && !is_before(&change->samples[at - 1], weight, tape->session))
        at--;
    if (at > last)
        return;
    change->sample_count += change->sample_count < REPLAY_TELLING;
    for (size_t i = change->sample_count - 1; i > at; i--)
        change->samples[i] = change->samples[i - 1];
    struct arena *arena = &tally->arena;
    struct slice reason = result->now.reason.len ? result->now.reason : result->then.reason;
    change->samples[at] = (struct replay_sample){
        .session = tape->session,
        .opened_us = tape->opened_us,
        .weight = weight,
        .line = result->line,
        .peer = tape->peer,
        .name = arena_copy(arena, tape->name),
        .helo = arena_copy(arena, slice_head(tape->helo, 128)),
        .sender = arena_copy(arena, slice_head(tape->sender, 256)),
        .recipient = arena_copy(arena, slice_head(tape->recipient, 256)),
        .reason = arena_copy(arena, slice_head(reason, 256)),
    };
}

/* --- what is unknown ----------------------------------------------------------------------------------- */

/* Of a blocklist its name; other questions are told apart by their kind. */
static struct slice about_of(const struct play_result *result)
{
    struct slice rest = result->unknown_key, word = SLICE_NONE;
    if (result->unknown == ASK_NOTHING)
        return rest;
    return result->unknown == ASK_LISTED && slice_cut(&rest, ' ', &word) ? word : SLICE_NONE;
}

static void unknown_add(struct replay_tally *tally, const struct tape *tape, const struct play_result *result)
{
    struct slice about = about_of(result);
    for (struct link *at = tally->unknowns.next; at != &tally->unknowns; at = at->next) {
        struct replay_unknown *unknown = LIST_OF(at, struct replay_unknown, link);
        if (unknown->kind != result->unknown || !slice_equal(unknown->about, about))
            continue;
        unknown->sessions++;
        if (tape->session < unknown->sample)
            unknown->sample = tape->session;
        return;
    }
    struct replay_unknown *unknown = arena_take(&tally->arena, sizeof *unknown);
    unknown->kind = result->unknown;
    unknown->about = arena_copy(&tally->arena, about);
    unknown->sessions = 1;
    unknown->sample = tape->session;
    list_add_last(&tally->unknowns, &unknown->link);
    tally->unknown_count++;
}

void replay_tally_add(struct replay_tally *tally, const struct tape *tape, const struct play_result *result)
{
    pthread_mutex_lock(&tally->lock);
    switch (result->outcome) {
    case PLAY_SAME:
        tally->same++;
        tally->other_finding += result->other_finding;
        break;
    case PLAY_CHANGED: {
        struct replay_change *change = change_of(tally, result);
        tally->changed++;
        change->sessions++;
        sample_add(tally, change, tape, result);
        break;
    }
    case PLAY_UNKNOWN:
        tally->unknown++;
        unknown_add(tally, tape, result);
        break;
    }
    pthread_mutex_unlock(&tally->lock);
}

/* --- in order ------------------------------------------------------------------------------------------ */

/* Whatever thread was first: the same sessions give the same order. */
static bool change_before(const struct link *left, const struct link *right)
{
    const struct replay_change *a = LIST_OF(left, const struct replay_change, link);
    const struct replay_change *b = LIST_OF(right, const struct replay_change, link);
    return a->sessions != b->sessions ? a->sessions > b->sessions
                                      : a->samples[0].session < b->samples[0].session;
}

static bool unknown_before(const struct link *left, const struct link *right)
{
    const struct replay_unknown *a = LIST_OF(left, const struct replay_unknown, link);
    const struct replay_unknown *b = LIST_OF(right, const struct replay_unknown, link);
    return a->sessions != b->sessions ? a->sessions > b->sessions : a->sample < b->sample;
}

void replay_tally_sort(struct replay_tally *tally)
{
    list_sort(&tally->changes, change_before);
    list_sort(&tally->unknowns, unknown_before);
}

/* The next session of the change that is at hand, or of the next one: each change has its turn. */
size_t replay_tally_telling(const struct replay_tally *tally,
                            struct replay_telling ret_telling[REPLAY_TELLING])
{
    size_t count = 0;
    for (size_t round = 0; round < REPLAY_TELLING && count < REPLAY_TELLING; round++)
        for (struct link *at = tally->changes.next; at != &tally->changes && count < REPLAY_TELLING;
             at = at->next) {
            const struct replay_change *change = LIST_OF(at, struct replay_change, link);
            if (round < change->sample_count)
                ret_telling[count++] = (struct replay_telling){change, &change->samples[round]};
        }
    return count;
}
