/* Is the recipient ours, and is there such a mailbox? */
#include "checks/list.h"

#include "base/text.h"

/* A local part that hides another address is a try to be relayed by whatever stands behind us:
 * `victim%far.example`, `far.example!victim`, `"victim@far.example"`. */
static bool wants_detour(const struct path *path)
{
    return path->percent || path->bang || path->at;
}

static bool carries(struct slice carried, struct slice word)
{
    struct slice one;
    while (slice_word(&carried, &one))
        if (slice_equal(one, word))
            return true;
    return false;
}

/* Postmaster is refused by his own server alone (RFC 5321 section 4.5.1): nobody else's doubt counts. Behind
 * the queue he is not asked for at all, for there the setting `postmaster` takes what nobody else does. */
static bool is_taken_unasked(const struct facts *facts)
{
    return facts->postmaster && facts->route->kind != ROUTE_RELAY;
}

static enum check_result judge(struct turn *turn, const struct ask *answer)
{
    const struct facts *facts = turn_facts(turn);
    struct slice address = facts->recipient_address;
    switch ((enum answer_status)answer->status) {
    case ANSWER_FOUND:
        if (facts->smtputf8 && answer->value.len && !carries(answer->value, SLICE("smtputf8")))
            turn_find(turn, FIND_ROUTE_PLAIN, "the route of <%.*s> does not carry SMTPUTF8",
                      SLICE_ARGS(address));
        return CHECK_DONE;
    case ANSWER_NONE:
        turn_find_saying(turn, FIND_UNKNOWN_RECIPIENT, answer->value, "there is no <%.*s>",
                         SLICE_ARGS(address));
        return CHECK_DONE;
    case ANSWER_FAILED:
    case ANSWER_TIMEOUT: /* fails closed, and softly: the client keeps the message and comes again */
        if (facts->postmaster)
            return CHECK_DONE;
        turn_find(turn, FIND_RECIPIENT_UNSURE, "whether <%.*s> exists could not be found out: %.*s",
                  SLICE_ARGS(address),
                  SLICE_ARGS(answer->status == ANSWER_TIMEOUT ? SLICE("no answer in time") : answer->value));
        return CHECK_DONE;
    case ANSWER_PENDING: return CHECK_WAIT;
    }
    return CHECK_DONE;
}

/* "0 joe@example.org": asked for each recipient, so put together without a format. */
static struct slice question(struct turn *turn, unsigned route, struct slice address)
{
    char number[TEXT_UNIT_SIZE];
    size_t len = text_print_u64(route, number);
    number[len++] = ' ';
    return turn_join(turn, slice_of(number, len), address);
}

static enum check_result run(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    struct slice address = facts->recipient_address;
    if (!facts->route) {
        turn_find(turn, FIND_RELAY_DENIED, "the domain of <%.*s> is not one of ours", SLICE_ARGS(address));
        return CHECK_DONE;
    }
    if (wants_detour(facts->recipient)) {
        turn_find_saying(turn, FIND_RELAY_DENIED, SLICE("detour"),
                         "the local part of <%.*s> asks for a detour", SLICE_ARGS(address));
        return CHECK_DONE;
    }
    if (is_taken_unasked(facts))
        return CHECK_DONE;
    const struct ask *answer = turn_ask(turn, ASK_RECIPIENT, question(turn, facts->route->number, address));
    return answer ? judge(turn, answer) : CHECK_WAIT;
}

const struct check check_recipient = {
    .name = "recipient",
    .doc = "whether the recipient's domain is ours and the mailbox exists",
    .starts = STAGE_RCPT,
    .joins = STAGE_RCPT,
    .run = run,
};
