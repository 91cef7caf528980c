/* Where the client's address belongs in the net: AS number, netblock, country, registered name. It tells the
 * operator who that is; by a weight of its own it can count. */
#include "checks/list.h"

#include "wire/origin.h"

#define MOMENT_MS 2000

static bool is_wanted(const struct site *site)
{
    bool zone = site->set.origin_zone.len || site->set.origin_zone6.len;
    return site->origin_file_count || (zone && site_asks_names(site));
}

/* For overrides that look at it. */
static void learn(struct turn *turn, const struct origin *origin)
{
    struct slice numbers = SLICE_NONE;
    if (!turn_facts(turn)->site->by_origin)
        return;
    for (size_t i = 0; i < origin->as_count; i++)
        numbers = turn_format(turn, "%.*s%s%u", SLICE_ARGS(numbers), i ? " " : "", origin->as[i]);
    turn_learn(turn, LEARN_AS, numbers);
    turn_learn(turn, LEARN_COUNTRY, slice_of(origin->country, origin->country[0] ? 2 : 0));
}

static void find(struct turn *turn, struct slice value)
{
    struct origin origin;
    struct arena arena;
    char room[1536];
    arena_init(&arena, room, sizeof room);
    if (origin_parse(value, &arena, &origin)) {
        const struct slice words = origin_words(&origin, &arena);
        turn_find(turn, FIND_ORIGIN, "%.*s", SLICE_ARGS(words));
        learn(turn, &origin);
    }
    arena_drop(&arena);
}

/* Nobody waits for what is but told, but for a moment where it could not be asked in advance. */
static const struct ask *ask(struct turn *turn, struct slice address, bool counts)
{
    if (counts)
        return turn_ask(turn, ASK_ORIGIN, address);
    if (turn_facts(turn)->forwarder)
        return turn_ask_within(turn, ASK_ORIGIN, address, MOMENT_MS);
    return turn_peek(turn, ASK_ORIGIN, address);
}

static enum check_result run(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    char text[ADDRESS_TEXT_SIZE];
    const struct slice key = slice_of(text, address_print(facts->peer, text));
    const bool counts = facts->site->by_origin || turn_weighs(turn, FIND_ORIGIN);
    const struct ask *answer = ask(turn, key, counts);
    if (!answer)
        return counts || facts->forwarder ? CHECK_WAIT : CHECK_DONE;
    if (answer->status == ANSWER_FOUND) /* fails open: of whom it cannot be said is nothing found */
        find(turn, answer->value);
    return CHECK_DONE;
}

static const uint8_t finds[] = {FIND_ORIGIN, 0};

const struct check check_origin = {
    .name = "origin",
    .doc = "where the client's address belongs in the net",
    .starts = STAGE_CONNECT,
    .joins = STAGE_RCPT,
    .once = true,
    .about_address = true,
    .behind = true,
    .audience = AUDIENCE_OUTSIDERS,
    .finds = finds,
    .wanted = is_wanted,
    .run = run,
};
