#include "replay/player_part.h"

#include "base/memory.h"

#include <string.h>

struct player *player_new(const struct session_world *world)
{
    struct player *player = memory_take(sizeof *player);
    player->world = *world;
    player->world.seed = 1; /* of tables, whose keys are in the record: none was chosen for this one */
    outbox_init(&player->outbox);
    arena_init(&player->arena, NULL, 0);
    player->session = memory_take(session_size());
    return player;
}

void player_free(struct player *player)
{
    if (!player)
        return;
    outbox_done(&player->outbox);
    arena_drop(&player->arena);
    memory_give(player->session, session_size());
    memory_give(player->used, player->used_room);
    memory_give(player, sizeof *player);
}

/* --- what comes next ----------------------------------------------------------------------------------- */

enum next_kind { NEXT_NOTHING, NEXT_INPUT, NEXT_ANSWER, NEXT_TIMER };

struct next {
    enum next_kind kind;
    uint64_t when_ms;
    uint32_t order;
    size_t ask; /* NEXT_ANSWER */
};

static bool is_before(const struct next *a, uint64_t when_ms, uint32_t order)
{
    return a->kind && (a->when_ms < when_ms || (a->when_ms == when_ms && a->order <= order));
}

static void next_answer(const struct player *player, struct next *next)
{
    for (size_t i = 0; i < player->ask_count; i++) {
        const struct play_ask *ask = &player->asks[i];
        if (ask->due_ms == NEVER || is_before(next, ask->due_ms, ask->order))
            continue;
        *next = (struct next){NEXT_ANSWER, ask->due_ms, ask->order, i};
    }
}

/* The answer will be given to a question that is open now. */
static bool is_awaited(const struct player *player, uint32_t input)
{
    for (size_t i = 0; i < player->ask_count; i++)
        if (player->asks[i].order == input)
            return true;
    return false;
}

/* The client goes on when it has heard what it had heard then. */
static bool is_blocked(const struct player *player, const struct tape_input *input)
{
    switch (input->kind) {
    case TAPE_OCTETS:
    case TAPE_OFFER:
    case TAPE_CLOSED: return player->heard < input->heard;
    case TAPE_STORED: return !player->committed;
    case TAPE_ANSWER:
    case TAPE_TIME:
    case TAPE_PASSED:
    case TAPE_DRIPPED:
    case TAPE_TLS_UP:
    case TAPE_TLS_FAILED:
    case TAPE_STOP: return false;
    }
    return false;
}

/* The machine's time came then, too: when it did, and in which order, stands in the record. */
static bool is_recorded(const struct player *player, uint32_t at)
{
    const struct tape *tape = player->tape;
    if (at >= tape->inputs_count || tape->inputs[at].due_next == TAPE_NONE)
        return false;
    const struct tape_input *input = &tape->inputs[tape->inputs[at].due_next];
    return !input->due || player_when(player, input->due - 1) == player->timer_ms;
}

static struct next next_find(const struct player *player, uint32_t at)
{
    const struct tape *tape = player->tape;
    struct next next = {NEXT_NOTHING, 0, 0, 0};
    next_answer(player, &next);
    if (at < tape->inputs_count && !is_blocked(player, &tape->inputs[at])) {
        uint64_t when_ms = player_when(player, tape->inputs[at].at);
        if (!is_before(&next, when_ms, at))
            next = (struct next){NEXT_INPUT, when_ms, at, 0};
    }
    bool due = player->timer_ms && (!next.kind || player->timer_ms < next.when_ms);
    if (due && !(next.kind && (player->passed || is_recorded(player, at))))
        next = (struct next){NEXT_TIMER, player->timer_ms, at, 0};
    return next;
}

static void pass_time(struct player *player, uint64_t now_ms)
{
    if (now_ms <= player->now_ms)
        return;
    player->unix_us += (int64_t)(now_ms - player->now_ms) * 1000;
    player->now_ms = now_ms;
}

/* The clock on the wall as it was then. */
static void set_clock(struct player *player, uint32_t at)
{
    if (at < player->tape->inputs_count)
        player->unix_us = player->tape->inputs[at].unix_us + player->shift_ms * 1000;
}

/* --- inputs -------------------------------------------------------------------------------------------- */

static void fire(struct player *player)
{
    struct input input = {.kind = INPUT_TIMER};
    player_step(player, &input);
    player_offer(player);
}

/* Several answers that came together are given together. */
static bool has_more(const struct player *player, const struct play_ask *ask)
{
    const struct tape *tape = player->tape;
    if (ask->order >= tape->inputs_count || !tape->inputs[ask->order].more)
        return false;
    for (size_t i = 0; i < player->ask_count; i++)
        if (player->asks[i].order == ask->order + 1 && player->asks[i].due_ms == ask->due_ms)
            return true;
    return false;
}

static void answer(struct player *player, size_t at)
{
    const struct play_ask ask = player->asks[at];
    const struct tape_question *question = &player->tape->questions[ask.question];
    struct input input = {.kind = INPUT_ANSWER,
                          .answer = {.number = ask.number,
                                     .status = question->status,
                                     .value = question->value,
                                     .more = has_more(player, &ask)}};
    player_ask_remove(player, ask.number);
    player_step(player, &input);
    if (!input.answer.more)
        player_offer(player);
}

static void time_came(struct player *player, const struct tape_input *recorded)
{
    if (player->timer_ms && player->timer_ms <= player->now_ms &&
        (!recorded->due || player_when(player, recorded->due - 1) == player->timer_ms))
        fire(player);
    else
        player->strict = false;
}

static void simple(struct player *player, struct input input)
{
    player_step(player, &input);
    player_offer(player);
}

static void input_give(struct player *player, const struct tape_input *recorded)
{
    switch (recorded->kind) {
    case TAPE_OCTETS:
        player->arrived = recorded->octets;
        player->more = true;
        player_offer(player);
        return;
    case TAPE_OFFER:
    case TAPE_ANSWER: player_offer(player); return;
    case TAPE_PASSED: player->passed = true; return;
    case TAPE_TIME:
    case TAPE_DRIPPED: time_came(player, recorded); return;
    case TAPE_TLS_UP: simple(player, (struct input){.kind = INPUT_TLS_UP, .tls = recorded->tls}); return;
    case TAPE_TLS_FAILED: simple(player, (struct input){.kind = INPUT_TLS_FAILED}); return;
    case TAPE_STORED:
        player->committed = false;
        simple(player, (struct input){.kind = INPUT_STORED, .stored = recorded->stored});
        return;
    case TAPE_CLOSED: simple(player, (struct input){.kind = INPUT_EOF}); return;
    case TAPE_STOP: simple(player, (struct input){.kind = INPUT_STOP}); return;
    }
}

/* --- the play ------------------------------------------------------------------------------------------ */

static void begin(struct player *player, const struct tape *tape, struct play_result *result)
{
    arena_drop(&player->arena);
    if (player->used_room < tape->questions_count) {
        player->used = memory_resize(player->used, player->used_room, tape->questions_count);
        player->used_room = tape->questions_count;
    }
    if (tape->questions_count)
        memset(player->used, 0, tape->questions_count);
    player->tape = tape;
    player->result = result;
    player->ask_count = 0;
    player->now_ms = OPENED_MS;
    player->unix_us = tape->opened_us;
    player->shift_ms = 0;
    player->timer_ms = 0;
    player->arrived = player->consumed = player->said_octets = player->sent_octets = player->lines = 0;
    player->piece = player->replies = player->heard = player->verdicts = 0;
    player->steps = 0;
    player->strict = true;
    player->more = player->committed = player->over = player->decided = player->by_verdict = player->passed =
        false;
    player->last_verdict = (struct tape_verdict){.replies = TAPE_NONE};
    player->last_sum = (struct tape_sum){.replies = TAPE_NONE};
    player->world.short_of_disk = false;
    player->facts = NULL;
    *result = (struct play_result){.outcome = PLAY_SAME};
    memset(player->session, 0, session_size());
    session_init(player->session, &player->world, tape->session, slice_of(player->room, ROOM_SIZE));
}

/* True: the record has come to its end, and the machine has nothing more to say by itself. */
static bool advance(struct player *player, uint32_t *at)
{
    const struct tape *tape = player->tape;
    while (*at < tape->inputs_count && tape->inputs[*at].kind == TAPE_ANSWER && is_awaited(player, *at))
        ++*at;
    const struct next next = next_find(player, *at);
    switch (next.kind) {
    case NEXT_NOTHING: return true;
    case NEXT_TIMER:
        if (*at >= tape->inputs_count && player->replies >= tape->replies_count)
            return true;
        pass_time(player, next.when_ms);
        fire(player);
        return false;
    case NEXT_ANSWER:
        pass_time(player, next.when_ms);
        set_clock(player, next.order);
        player->passed = false;
        answer(player, next.ask);
        return false;
    case NEXT_INPUT:
        pass_time(player, next.when_ms);
        set_clock(player, *at);
        ++*at;
        player->passed = false;
        input_give(player, &tape->inputs[next.order]);
        return false;
    }
    return true;
}

void player_play(struct player *player, const struct tape *tape, struct play_result *ret_result)
{
    begin(player, tape, ret_result);
    struct input opened = {.kind = INPUT_OPENED, .opened = tape->opened};
    player_step(player, &opened);
    uint32_t at = 0;
    while (!player->over && !player->decided)
        if (advance(player, &at))
            break;
    player_compare_end(player);
    session_done(player->session);
    ret_result->line = player->lines;
}
