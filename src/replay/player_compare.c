/* Comparing: replies by their numbers, verdicts by what they do. The words of a reply may differ, and so may
 * weights that add up to the same. */
#include "base/text.h"
#include "core/finding.h"
#include "core/say.h"
#include "replay/player_part.h"

#include <string.h>

static struct slice kept(struct player *player, struct slice text)
{
    return arena_copy(&player->arena, text);
}

/* What a reply does to whoever gets it. */
static enum action action_of(unsigned reply)
{
    unsigned code = say_info(reply) ? say_info(reply)->code : 0;
    if (code == 421)
        return ACTION_DROP;
    return code >= 500 ? ACTION_REJECT : code >= 400 ? ACTION_DEFER : ACTION_NONE;
}

static struct play_side side_of_reply(unsigned reply)
{
    return (struct play_side){
        .action = action_of(reply), .stage = STAGE_COUNT, .reply = reply, .silent = !reply};
}

static struct play_side side_of_verdict(const struct tape_verdict *verdict, unsigned reply)
{
    return (struct play_side){.action = verdict->action,
                              .observed = verdict->observed,
                              .stage = verdict->stage,
                              .finding = verdict->finding,
                              .reply = reply,
                              .reason = verdict->reason};
}

/* --- sums ---------------------------------------------------------------------------------------------- */

static bool part_next(struct slice *parts, struct slice *ret_word, int64_t *ret_weight)
{
    struct slice part;
    if (!slice_cut(parts, ',', &part))
        return false;
    *ret_weight = 0;
    return slice_word(&part, ret_word) && text_parse_i64(slice_trim(part), ret_weight);
}

static int64_t weight_in(struct slice parts, struct slice wanted)
{
    struct slice word;
    int64_t weight, sum = 0;
    while (part_next(&parts, &word, &weight))
        sum += slice_equal(word, wanted) ? weight : 0;
    return sum;
}

/* Which finding makes the heavier of two sums the heavier one; where they are alike, what weighs most. */
static unsigned heaviest(struct slice heavy, struct slice light)
{
    struct slice rest = heavy, word, best = SLICE_NONE;
    int64_t weight, most = 0;
    enum finding finding;
    while (part_next(&rest, &word, &weight)) {
        int64_t more = weight_in(heavy, word) - weight_in(light, word);
        if (more > most) {
            most = more;
            best = word;
        }
    }
    if (!best.len && light.len)
        return heaviest(heavy, SLICE_NONE);
    return best.len && finding_parse(best, &finding) ? finding : 0;
}

static struct slice parts_then(const struct player *player)
{
    const struct tape *tape = player->tape;
    struct slice parts = SLICE_NONE;
    for (uint32_t i = 0; i < tape->sums_count && tape->sums[i].replies <= player->at; i++)
        if (tape->sums[i].replies == player->at)
            parts = tape->sums[i].parts;
    return parts;
}

static struct slice parts_now(const struct player *player)
{
    return player->last_sum.replies == player->at ? player->last_sum.parts : SLICE_NONE;
}

static void side_explain(struct play_side *side, struct slice own, struct slice other)
{
    if (side->finding || side->action == ACTION_NONE || side->stage == STAGE_COUNT)
        return;
    side->finding = heaviest(own, other);
    side->by_sum = side->finding != 0;
    if (side->by_sum && !side->reason.len)
        side->reason = own;
}

static void changed(struct player *player, struct play_side then, struct play_side now)
{
    struct play_result *result = player->result;
    if (player->decided)
        return;
    side_explain(&then, parts_then(player), parts_now(player));
    side_explain(&now, parts_now(player), parts_then(player));
    player->decided = true;
    result->outcome = PLAY_CHANGED;
    result->then = then;
    result->now = now;
    unsigned stage = then.stage != STAGE_COUNT ? then.stage : now.stage;
    result->then.stage = then.stage != STAGE_COUNT ? then.stage : stage;
    result->now.stage = now.stage != STAGE_COUNT ? now.stage : stage;
}

/* --- then ---------------------------------------------------------------------------------------------- */

/* The verdict that led to the reply, if one did. */
static const struct tape_verdict *verdict_then(const struct tape *tape, uint32_t reply)
{
    const struct tape_verdict *found = NULL;
    for (uint32_t i = 0; i < tape->verdicts_count; i++)
        if (tape->verdicts[i].replies == reply)
            found = &tape->verdicts[i];
    return found;
}

static struct play_side then_at(struct player *player, uint32_t reply)
{
    const struct tape *tape = player->tape;
    player->at = reply;
    unsigned number = reply < tape->replies_count ? tape->replies[reply].number : 0;
    const struct tape_verdict *verdict = verdict_then(tape, reply);
    bool leads = verdict && (verdict->action || verdict->observed) &&
                 (verdict->observed || action_of(number) != ACTION_NONE || !number ||
                  verdict->action >= ACTION_SLOW);
    return leads ? side_of_verdict(verdict, number) : side_of_reply(number);
}

static struct play_side now_at(const struct player *player, uint32_t reply, unsigned number)
{
    const struct tape_verdict *verdict = &player->last_verdict;
    bool leads = verdict->replies == reply &&
                 (verdict->observed || !number || action_of(number) != ACTION_NONE ||
                  verdict->action >= ACTION_SLOW);
    return leads ? side_of_verdict(verdict, number) : side_of_reply(number);
}

/* --- now ----------------------------------------------------------------------------------------------- */

/* What was only observed then, or slowed, is not any more. */
static void missing_now(struct player *player, const struct tape_verdict *missing, unsigned reply)
{
    player->at = missing->replies;
    changed(player,
            side_of_verdict(missing, missing->replies < player->tape->replies_count
                                         ? player->tape->replies[missing->replies].number
                                         : 0),
            side_of_reply(reply));
}

static void reply_came(struct player *player, const struct event_reply_sent *reply)
{
    const struct tape *tape = player->tape;
    uint32_t at = player->replies++;
    player->said_octets += reply->text.len + 2;
    if (player->by_verdict)
        player->result->now.reply = (unsigned)reply->number;
    player->by_verdict = false;
    if (player->decided)
        return;
    const struct tape_verdict *missing = player->verdicts < tape->verdicts_count
                                             ? &tape->verdicts[player->verdicts]
                                             : NULL;
    if (at >= tape->replies_count || tape->replies[at].number != reply->number)
        changed(player, then_at(player, at), now_at(player, at, (unsigned)reply->number));
    else if (missing && missing->replies <= at)
        missing_now(player, missing, (unsigned)reply->number);
}

/* Where the reply differs, too, that is what is told: the verdict comes before it. */
static void verdict_came(struct player *player, const struct event_verdict *verdict)
{
    const struct tape *tape = player->tape;
    if (player->decided)
        return;
    player->last_sum = (struct tape_sum){player->replies, (uint8_t)verdict->stage,
                                         kept(player, verdict->parts)};
    if (!verdict->verdict && !verdict->observed)
        return;
    player->last_verdict = (struct tape_verdict){.replies = player->replies,
                                                 .stage = (uint8_t)verdict->stage,
                                                 .action = (uint8_t)verdict->verdict,
                                                 .observed = (uint8_t)verdict->observed,
                                                 .finding = (uint32_t)verdict->finding,
                                                 .reason = kept(player, verdict->reason)};
    const struct tape_verdict *now = &player->last_verdict;
    uint32_t at = player->verdicts++;
    const struct tape_verdict *then = at < tape->verdicts_count ? &tape->verdicts[at] : NULL;
    if (!then || then->replies != now->replies || then->stage != now->stage || then->action != now->action ||
        then->observed != now->observed) {
        changed(player, then_at(player, now->replies), side_of_verdict(now, 0));
        player->by_verdict = true;
    } else if (then->finding != now->finding)
        player->result->other_finding = true;
}

static struct play_ask *ask_of(struct player *player, const struct event_question_answered *answered)
{
    for (size_t i = 0; i < player->ask_count; i++)
        if (player->asks[i].kind == answered->kind && slice_equal(player->asks[i].key, answered->key))
            return &player->asks[i];
    return NULL;
}

/* A question's time was over: was it then, after as long a time, or is its answer known to come later? */
static void timed_out(struct player *player, const struct event_question_answered *answered)
{
    const struct play_ask *ask = ask_of(player, answered);
    if (!ask || ask->due_ms != NEVER)
        return;
    const struct tape_question *question = ask->question == TAPE_NONE
                                               ? NULL
                                               : &player->tape->questions[ask->question];
    bool known = question && question->status == ANSWER_TIMEOUT && answered->took_ms <= question->took;
    if (!known)
        player_unknown(player, ask->kind, ask->key);
}

void player_unknown(struct player *player, enum ask_kind kind, struct slice key)
{
    if (player->decided)
        return;
    player->decided = true;
    player->result->outcome = PLAY_UNKNOWN;
    player->result->unknown = kind;
    player->result->unknown_key = key;
}

/* Then the fields were not read: what they would have told is not known. */
static void forwarded(struct player *player)
{
    const struct header *header = player->facts ? player->facts->header : NULL;
    if (header && header->counts[HEADER_RECEIVED] && !header->received_count)
        player_unknown(player, ASK_NOTHING, SLICE("a forwarder's Received fields"));
}

static unsigned kind_of(struct slice record)
{
    return (unsigned char)record.at[8] | (unsigned)(unsigned char)record.at[9] << 8;
}

static size_t size_of(struct slice record)
{
    uint32_t size;
    memcpy(&size, record.at, sizeof size);
    return size;
}

void player_compare(struct player *player)
{
    struct slice records = buf_slice(&player->outbox.events);
    struct event event;
    size_t size;
    player->by_verdict = false;
    for (; records.len; records = slice_from(records, size)) {
        unsigned kind = kind_of(records);
        size = size_of(records);
        if (kind == EVENT_KIND_forwarded)
            forwarded(player);
        if (kind != EVENT_KIND_reply_sent && kind != EVENT_KIND_verdict &&
            kind != EVENT_KIND_question_answered)
            continue;
        if (event_read(records, &event, &size) != EVENT_DONE)
            return;
        if (kind == EVENT_KIND_reply_sent)
            reply_came(player, &event.body.reply_sent);
        else if (kind == EVENT_KIND_verdict)
            verdict_came(player, &event.body.verdict);
        else if (event.body.question_answered.status == ANSWER_TIMEOUT)
            timed_out(player, &event.body.question_answered);
    }
}

/* --- the end ------------------------------------------------------------------------------------------- */

/* A question that was not asked then, and that the machine waits for. */
static const struct play_ask *open_ask(const struct player *player)
{
    for (size_t i = 0; i < player->ask_count; i++)
        if (player->asks[i].question == TAPE_NONE && session_is_waiting(player->session))
            return &player->asks[i];
    return NULL;
}

void player_compare_end(struct player *player)
{
    const struct tape *tape = player->tape;
    const struct play_ask *ask = player->over || player->decided ? NULL : open_ask(player);
    if (player->decided)
        return;
    if (ask)
        player_unknown(player, ask->kind, ask->key);
    else if (player->verdicts < tape->verdicts_count)
        missing_now(player, &tape->verdicts[player->verdicts], 0);
    else if (player->replies < tape->replies_count)
        changed(player, then_at(player, player->replies), side_of_reply(0));
}
