/* The greylist: a stranger is asked to come again. Its pool, sender and recipient, or its pool, sender and
 * message, pass when the delay is over, and the pool is known from then on. */
#include "base/text.h"
#include "checks/known.h"
#include "checks/list.h"
#include "checks/place.h"

static struct slice sender_shown(const struct facts *facts)
{
    return facts->sender.len ? facts->sender : SLICE("<>");
}

/* Those who are refused anyway need not come again, nor those for whom the postmaster speaks. */
static bool is_meant(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    const struct settings *set = &facts->site->set;
    int sum = turn_sum(turn);
    if (!facts->pool.len || action_strength(turn_action(turn)) > action_strength(ACTION_DEFER))
        return false;
    if (set->grey_mode == GREY_UNKNOWN)
        return !turn_is_vouched(turn);
    return sum >= (int)set->policy_defer;
}

/* "5 minutes", "40 seconds": never less than it takes. */
static struct slice wait_print(struct turn *turn, uint64_t left_ms)
{
    uint64_t seconds = (left_ms + 999) / 1000, number = seconds > 60 ? (seconds + 59) / 60 : seconds;
    return turn_format(turn, "%llu %s%s", (unsigned long long)number, seconds > 60 ? "minute" : "second",
                       number == 1 ? "" : "s");
}

/* *ret_first_ms is when it came first, now where it did not; false: the answer is not here yet. */
static bool first_time(struct turn *turn, struct slice key, uint64_t *ret_first_ms)
{
    const struct facts *facts = turn_facts(turn);
    const struct ask *answer = turn_ask(turn, ASK_SEEN, key);
    struct slice rest, word;
    *ret_first_ms = (uint64_t)facts->unix_ms;
    if (!answer)
        return false;
    rest = answer->value;
    if (answer->status == ANSWER_FOUND && slice_word(&rest, &word))
        text_parse_u64(word, ret_first_ms);
    else if (answer->status == ANSWER_NONE)
        turn_tell(turn, TELL_SEEN, key, SLICE_NONE, facts->site->set.grey_lifetime);
    else /* fails open: what cannot remember must not ask to come again */
        *ret_first_ms = 0;
    return true;
}

static enum check_result judge(struct turn *turn, struct slice key, enum finding finding)
{
    const struct facts *facts = turn_facts(turn);
    uint64_t first_ms, now_ms = (uint64_t)facts->unix_ms, delay_ms = facts->site->set.grey_delay;
    if (!first_time(turn, key, &first_ms))
        return CHECK_WAIT;
    uint64_t waited_ms = now_ms > first_ms ? now_ms - first_ms : 0;
    if (!first_ms)
        return CHECK_DONE;
    if (waited_ms && waited_ms >= delay_ms)
        return known_by_greylist(turn);
    struct slice wait = wait_print(turn, delay_ms - waited_ms);
    turn_find_saying(turn, finding, wait, "%s from %.*s, to come again in %.*s",
                     waited_ms ? "too early again" : "the first time", SLICE_ARGS(facts->pool),
                     SLICE_ARGS(wait));
    return CHECK_DONE;
}

static enum check_result at_recipient(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    if (facts->site->set.grey_mode == GREY_OFF || facts->postmaster)
        return CHECK_DONE;
    if (!turn_ready(turn))
        return CHECK_WAIT;
    if (!is_meant(turn))
        return CHECK_DONE;
    struct slice sender = place_lower(turn, sender_shown(facts)),
                 recipient = place_lower(turn, facts->recipient_address);
    return judge(turn,
                 turn_format(turn, "grey %.*s %.*s %.*s", SLICE_ARGS(facts->pool), SLICE_ARGS(sender),
                             SLICE_ARGS(recipient)),
                 FIND_GREY);
}

static const uint8_t finds_grey[] = {FIND_GREY, 0};

const struct check check_grey = {
    .name = "grey",
    .doc = "asks strangers to come again: by pool, sender and recipient",
    .starts = STAGE_RCPT,
    .joins = STAGE_RCPT,
    .about_address = true,
    .audience = AUDIENCE_STRANGERS,
    .finds = finds_grey,
    .run = at_recipient,
};

#define DIGEST_OCTETS 16 /* of the message's: enough to tell messages apart */

static struct slice digest_print(struct turn *turn)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *digest = turn_facts(turn)->transaction->digest;
    char text[2 * DIGEST_OCTETS];
    for (size_t i = 0; i < DIGEST_OCTETS; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    return turn_format(turn, "%.*s", (int)sizeof text, text);
}

static enum check_result at_message(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    if (facts->site->set.grey_mode == GREY_OFF)
        return CHECK_DONE;
    if (!turn_ready(turn))
        return CHECK_WAIT;
    if (turn_sum(turn) < (int)facts->site->set.policy_defer || !is_meant(turn))
        return CHECK_DONE;
    struct slice sender = place_lower(turn, sender_shown(facts));
    return judge(turn,
                 turn_format(turn, "grey %.*s %.*s %.*s", SLICE_ARGS(facts->pool), SLICE_ARGS(sender),
                             SLICE_ARGS(digest_print(turn))),
                 FIND_GREY_MESSAGE);
}

static const uint8_t finds_grey_message[] = {FIND_GREY_MESSAGE, 0};

const struct check check_grey_message = {
    .name = "grey-message",
    .doc = "asks strangers to bring a doubtful message again: by pool, sender and digest",
    .starts = STAGE_MESSAGE,
    .joins = STAGE_MESSAGE,
    .about_address = true,
    .behind = true,
    .audience = AUDIENCE_STRANGERS,
    .finds = finds_grey_message,
    .run = at_message,
};
