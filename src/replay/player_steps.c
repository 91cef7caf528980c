#include "replay/player_part.h"

#include "base/text.h"

#include <assert.h>

/* --- questions ----------------------------------------------------------------------------------------- */

/* A recipient's key begins with the number of its route, which counts by its name. */
static bool recipient_fits(const struct player *player, const struct tape_question *question,
                           struct slice key)
{
    const struct site *site = player->world.site;
    struct slice then = question->key, now = key, number;
    uint64_t place;
    return slice_cut(&now, ' ', &number) && text_parse_u64(number, &place) && place < site->route_count &&
           slice_cut(&then, ' ', &number) && slice_equal(then, now) && question->route.len &&
           slice_equal(question->route, site->routes[place].name);
}

static bool question_fits(const struct player *player, const struct tape_question *question,
                          enum ask_kind kind, struct slice key)
{
    if (question->kind != kind)
        return false;
    return kind == ASK_RECIPIENT && question->route.len ? recipient_fits(player, question, key)
                                                        : slice_equal(question->key, key);
}

/* The record's question of the same kind and key, the first that was not asked again yet. */
static uint32_t question_find(const struct player *player, enum ask_kind kind, struct slice key)
{
    const struct tape *tape = player->tape;
    for (uint32_t i = 0; i < tape->questions_count; i++)
        if (!player->used[i] && question_fits(player, &tape->questions[i], kind, key))
            return i;
    return TAPE_NONE;
}

/* One that was asked earlier in the session, and answered, serves again. */
static uint32_t question_again(const struct player *player, enum ask_kind kind, struct slice key)
{
    const struct tape *tape = player->tape;
    for (uint32_t i = tape->questions_count; i-- > 0;)
        if (tape->questions[i].status && question_fits(player, &tape->questions[i], kind, key))
            return i;
    return TAPE_NONE;
}

static void ask_add(struct player *player, const struct outbox_action *action)
{
    const struct tape *tape = player->tape;
    assert(player->ask_count < ASKS_MAX);
    struct play_ask *ask = &player->asks[player->ask_count++];
    *ask = (struct play_ask){.number = action->number,
                             .kind = action->ask,
                             .key = arena_copy(&player->arena, action->key),
                             .asked_ms = player->now_ms,
                             .due_ms = NEVER,
                             .order = UINT32_MAX};
    ask->question = question_find(player, ask->kind, ask->key);
    if (ask->question != TAPE_NONE)
        player->used[ask->question] = true;
    else
        ask->question = question_again(player, ask->kind, ask->key);
    if (ask->question == TAPE_NONE)
        return;
    const struct tape_question *question = &tape->questions[ask->question];
    if (question->input == TAPE_NONE)
        return;
    const struct tape_input *input = &tape->inputs[question->input];
    ask->due_ms = ask->asked_ms + (input->at - question->asked);
    ask->order = question->input;
}

void player_ask_remove(struct player *player, uint32_t number)
{
    for (size_t i = 0; i < player->ask_count; i++)
        if (player->asks[i].number == number) {
            player->asks[i] = player->asks[--player->ask_count];
            return;
        }
}

/* --- steps --------------------------------------------------------------------------------------------- */

static void act(struct player *player, const struct outbox_action *action)
{
    switch (action->kind) {
    case OUTBOX_ASK: ask_add(player, action); return;
    case OUTBOX_FORGET: player_ask_remove(player, action->number); return;
    case OUTBOX_COMMIT: player->committed = true; return;
    case OUTBOX_CLOSE: player->over = true; return;
    case OUTBOX_START_TLS:
    case OUTBOX_SPOOL_BEGIN:
    case OUTBOX_SPOOL:
    case OUTBOX_SPOOL_CANCEL:
    case OUTBOX_TELL: return;
    }
}

/* A reply that has gone out whole moves what the client does after it, as far as it is later than then. */
static void hear(struct player *player)
{
    if (player->sent_octets < player->said_octets || player->heard == player->replies)
        return;
    player->heard = player->replies;
    if (player->heard > player->tape->replies_count)
        return;
    uint64_t then_ms = OPENED_MS + player->tape->replies[player->heard - 1].heard;
    player->shift_ms = (int64_t)(player->now_ms - then_ms);
    if (player->shift_ms)
        player->strict = false;
}

size_t player_step(struct player *player, struct input *input)
{
    struct outbox *outbox = &player->outbox;
    if (player->over || ++player->steps > STEPS_MAX) {
        player->over = true;
        return 0;
    }
    outbox_clear(outbox);
    input->now_ms = player->now_ms;
    input->unix_us = player->unix_us;
    size_t taken = session_step(player->session, input, outbox);
    player->sent_octets += outbox->send.len;
    player_compare(player);
    for (size_t i = 0; i < outbox->count; i++)
        act(player, &outbox->actions[i]);
    if (outbox->timer_ms != OUTBOX_TIMER_KEEP)
        player->timer_ms = outbox->timer_ms;
    player->more = false;
    if (!player->decided)
        hear(player);
    return taken;
}

/* --- octets -------------------------------------------------------------------------------------------- */

/* Where in tape->octets stands what has come. */
static uint32_t buf_arrived(const struct player *player)
{
    const struct tape *tape = player->tape;
    for (uint32_t i = player->piece; i < tape->pieces_count; i++) {
        const struct tape_piece *piece = &tape->pieces[i];
        if (piece->to < player->arrived)
            continue;
        uint64_t part = player->arrived - piece->from;
        return part < piece->buf_to - piece->buf_from ? piece->buf_from + (uint32_t)part : piece->buf_to;
    }
    return tape->octets.len;
}

static uint32_t buf_consumed(const struct player *player, const struct tape_piece *piece)
{
    uint64_t part = player->consumed - piece->from;
    return part < piece->buf_to - piece->buf_from ? piece->buf_from + (uint32_t)part : piece->buf_to;
}

static void consume(struct player *player, uint64_t count)
{
    const struct tape *tape = player->tape;
    player->consumed += count;
    while (player->piece < tape->pieces_count && player->consumed >= tape->pieces[player->piece].to)
        player->piece++;
}

/* Then the header passed a limit, and what stood behind it was not looked at; now it would be. */
static bool header_suffices(const struct player *player, const struct header *header)
{
    const struct settings *set = &player->world.site->set;
    return !(header->flags & (HEADER_TOO_MANY | HEADER_TOO_LARGE)) ||
           header->count > set->limit_header_fields || header->size > set->limit_header;
}

static size_t offer_content(struct player *player, const struct tape_piece *piece)
{
    if (player->arrived < piece->to)
        return 0;
    player->facts = piece->facts;
    if (piece->end && piece->facts && !header_suffices(player, piece->facts->header)) {
        player_unknown(player, ASK_NOTHING, SLICE("what stands behind the limit of a header"));
        return 0;
    }
    uint32_t behind = buf_arrived(player);
    struct input input = {
        .kind = INPUT_CONTENT,
        .content = {.count = (size_t)(piece->to - player->consumed),
                    .octets = piece->content,
                    .end = piece->end,
                    .more = player->more,
                    .behind = slice_of(player->tape->octets.at + piece->buf_to, behind - piece->buf_to),
                    .facts = piece->facts}};
    return player_step(player, &input);
}

static size_t offer_octets(struct player *player, const struct tape_piece *piece)
{
    uint32_t from = buf_consumed(player, piece), to = buf_arrived(player);
    if (to <= from)
        return 0;
    player->world.short_of_disk = piece->short_of_disk;
    struct input input = {.kind = INPUT_BYTES, .bytes = slice_of(player->tape->octets.at + from, to - from)};
    return player_step(player, &input);
}

/* As long as all is as it was then, what was not offered at once then is not now. */
static bool is_early(const struct player *player, const struct tape_piece *piece)
{
    return player->strict && piece->postponed && player_when(player, piece->taken_at) > player->now_ms;
}

void player_offer(struct player *player)
{
    const struct tape *tape = player->tape;
    while (!player->over && !player->decided && player->piece < tape->pieces_count &&
           player->arrived > player->consumed) {
        const struct tape_piece *piece = &tape->pieces[player->piece];
        if (is_early(player, piece))
            return;
        bool content = piece->kind == TAPE_CONTENT && !session_is_waiting(player->session);
        size_t taken = content ? offer_content(player, piece) : offer_octets(player, piece);
        if (!taken)
            return;
        player->lines += piece->kind == TAPE_LINE;
        consume(player, taken);
    }
}
