/* Rates: messages and recipients within a clock hour, by network, sender and recipient. */
#include "base/text.h"
#include "checks/list.h"
#include "checks/place.h"

#define HOUR_MS      3600000
#define KNOWN_FACTOR 10

struct rate {
    const char *what; /* "messages" */
    const char *by;   /* "network" */
    struct slice key;
    uint64_t limit; /* 0: none */
};

/* One over the limit is not counted: what waits at the door need not fill the store. */
static enum check_result count(struct turn *turn, const struct rate *rate)
{
    const struct facts *facts = turn_facts(turn);
    uint64_t limit = facts->known ? rate->limit * KNOWN_FACTOR : rate->limit, before = 0;
    if (!limit)
        return CHECK_DONE;
    struct slice key = turn_format(turn, "rate %s %s %.*s %llu", rate->what, rate->by, SLICE_ARGS(rate->key),
                                   (unsigned long long)facts->unix_ms / HOUR_MS);
    const struct ask *answer = turn_ask(turn, ASK_COUNT, key);
    if (!answer)
        return CHECK_WAIT;
    if (answer->status == ANSWER_FOUND) /* one that failed fails open: nothing was counted */
        text_parse_u64(answer->value, &before);
    if (before < limit) {
        turn_tell(turn, TELL_ADD, key, SLICE("1"), 2 * (uint64_t)HOUR_MS);
        return CHECK_DONE;
    }
    struct slice words = turn_format(turn, "more than %llu %s within an hour, by %s",
                                     (unsigned long long)limit, rate->what, rate->by);
    turn_find_saying(turn, FIND_RATE_LIMIT, words, "%.*s %.*s", SLICE_ARGS(words), SLICE_ARGS(rate->key));
    return CHECK_DONE;
}

static enum check_result count_all(struct turn *turn, const struct rate *rates, size_t number)
{
    enum check_result result = CHECK_DONE;
    for (size_t i = 0; i < number; i++)
        if (count(turn, &rates[i]) == CHECK_WAIT)
            result = CHECK_WAIT;
    return result;
}

/* The null sender is everybody's. */
static uint64_t of_sender(const struct facts *facts, uint64_t limit)
{
    return facts->sender.len ? limit : 0;
}

static enum check_result at_mail(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    const struct settings *set = &facts->site->set;
    if (!set->rate_network_messages && !set->rate_sender_messages)
        return CHECK_DONE;
    const struct rate rates[] = {
        {"messages", "network", place_network(turn), set->rate_network_messages},
        {"messages", "sender", place_lower(turn, facts->sender), of_sender(facts, set->rate_sender_messages)},
    };
    return count_all(turn, rates, sizeof rates / sizeof *rates);
}

static enum check_result at_recipient(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    const struct settings *set = &facts->site->set;
    if (facts->postmaster ||
        (!set->rate_network_recipients && !set->rate_sender_recipients && !set->rate_recipient_messages))
        return CHECK_DONE;
    const struct rate rates[] = {
        {"recipients", "network", place_network(turn), set->rate_network_recipients},
        {"recipients", "sender", place_lower(turn, facts->sender),
         of_sender(facts, set->rate_sender_recipients)},
        {"messages", "recipient", place_lower(turn, facts->recipient_address), set->rate_recipient_messages},
    };
    return count_all(turn, rates, sizeof rates / sizeof *rates);
}

static const uint8_t finds[] = {FIND_RATE_LIMIT, 0};

const struct check check_rate_mail = {
    .name = "rate-mail",
    .doc = "whether more messages come within an hour than rate.* allows",
    .starts = STAGE_MAIL,
    .joins = STAGE_MAIL,
    .audience = AUDIENCE_OUTSIDERS,
    .finds = finds,
    .run = at_mail,
};

const struct check check_rate_recipient = {
    .name = "rate-recipient",
    .doc = "whether more recipients are named within an hour than rate.* allows",
    .starts = STAGE_RCPT,
    .joins = STAGE_RCPT,
    .audience = AUDIENCE_OUTSIDERS,
    .finds = finds,
    .run = at_recipient,
};
